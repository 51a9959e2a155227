// Package classify judges a parsed log line by a platform's event table: alert group, level, type, state and what it is
// about.
//
// The package owns the index over the tables of package personality. It keeps no state between lines, decides neither
// who wants an alert (agent/route) nor whether it is a repeat (agent/throttle), and never changes the text.
package classify
