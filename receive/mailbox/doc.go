// Package mailbox takes mailed messages out of one mailbox, by IMAP or POP3, in the clear or in TLS from the start. It owns
// the dialogue with the mail server and what becomes of a mail there; it looks into no message beyond its subject.
//
//	every interval   connect, log in, list
//	for each mail    subject of a call-home message? ── no ──▸ left, or moved to other_folder
//	                 Sink.Accept ── durable ──▸ deleted, or moved to done_folder: only now
//	                            └─ refused ──▸ busy: left, tried the next time; for good: left, or moved to other_folder
//
// A crash between Accept and deletion gives the same mail again; the sink knows it by its MessageId. Mails that were
// refused for good are remembered by their UID while the process runs, so that they are not fetched again and again.
package mailbox
