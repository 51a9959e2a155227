// Package callhome is the vocabulary of the system: the words that every room shares.
//
// One thing has one name from wire to screen:
//
//	Record   a parsed log line                 (codec/syslog, codec/ciscolog)
//	Event    it happened; nobody has judged it
//	Alert    judged: alert group, level, state
//	Message  described: identity, contact, attachments
//	Envelope rendered and addressed
//	Entry    queued                            (outbox)
//
// The package owns types, their text forms and their limits; it does no I/O, reads no clock and imports the standard
// library only.
package callhome
