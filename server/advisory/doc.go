// Package advisory owns what makers publish about their products - security advisories, field notices, ends of life - and
// the answer to which devices they concern: affected, not affected or unknown, with the evidence quoted.
//
// It reads CSAF 2.0 files and our own JSON and CSV forms, compares versions by each vendor's scheme, matches notices with
// the facts of a device (software, hardware, configuration), keeps the results with their changes, and exports them as
// CSAF documents of the VEX profile. It fetches nothing from anywhere and tells nobody: server/notify does.
package advisory
