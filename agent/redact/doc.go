// Package redact takes out of a message what must not leave the site.
//
// It owns data privacy (a table of rules for secrets, and for addresses and host names where asked) and the stripping
// that anonymous reporting needs. It works on what the message says: its description, every attachment, the names of
// commands; identity fields stay unless the report is anonymous. Only the secret itself is replaced, by "<removed>".
//
// It does not decide who gets which message and does not touch what is stored: the device's own bytes are kept as they
// came, on the agent's disk.
package redact
