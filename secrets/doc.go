// Package secrets knows how devices write secrets - passwords, keys, communities, hashes, private keys - in configurations
// and other outputs, as a table of rules, and masks them. A filter over all rules makes the expressions run only on lines
// that may concern them.
//
// It decides neither who may see secrets nor what else must not leave a site: that is agent/redact's, which adds rules of
// its own to the table, and on the back end its users'.
package secrets
