// Package syslog turns one log line of any known dialect into one Line, and takes lines out of TCP streams.
//
// It owns the grammars (RFC 5424, RFC 3164, the Cisco families, Junos, EOS and the shapes of other makers), the order in
// which they are tried, PRI and severities, time stamps with their doubts, and the framing of RFC 6587 and RFC 5425. It
// does not own CiscoLog (codec/ciscolog), sockets, or any judgement on what a line means.
//
//	datagram, file line ───────────────▸ Parser.Parse ▸ Line ▸ AppendJSON
//	TCP or TLS stream ▸ Framer.Next ▸ frame ▸ ┘
//
// Nothing is ever refused for its form: what no grammar takes keeps its bytes as text, with the dialect "unknown". A Line
// aliases the bytes it was parsed from, and parsing an ordinary line allocates nothing.
package syslog
