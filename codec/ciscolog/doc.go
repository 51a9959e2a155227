// Package ciscolog reads and writes CiscoLog lines, the log format of Unified CM and other Cisco application software,
// as described in the Cisco Unified Communications Manager Managed Services Guide, chapter 6.
//
// It owns the line: a strict parser that names the first broken rule, a tolerant parser that takes lines as they really
// arrive (Unified CM's spellings, relays in front) and flags what is wrong, a strict writer, the splitting of long
// messages into parts and their rejoining, and the watch over sequence numbers. It does not own framing, files, sockets,
// other syslog dialects, or any judgement of what a message means. It never reads a clock: the time of receipt is a
// parameter.
package ciscolog
