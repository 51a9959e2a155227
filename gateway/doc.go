// Package gateway is the conductor of the transport gateway: it takes messages of many devices, keeps them safe, and
// forwards them to a back end, one way or another.
//
//	httprecv, smtprecv, mailbox ─▸ Accept ─▸ [OUTBOX] ─▸ courier ─▸ Send ─▸ the first upstream that takes it
//	                                 │                                └────▸ archive copy
//	                                 ├─▸ book: duplicates, devices, counters (gateway/book)
//	                                 ├─▸ shelf: malformed and looping messages, refused and kept to look at
//	                                 └─▸ filters, loop guard, room by class: refused and counted
//	bundles (gateway/bundle): entries of the outbox carried out by hand, receipts that retire them
//
// It owns what is asked of a message before it is taken, in this order: who sends it, is it well formed, is it allowed,
// has it been here (a loop), is there room for its class, is it a repeat. And it owns when and where to a message leaves:
// registered or not, time windows, bandwidth, which upstream. It does not look into what a message means, and never
// changes it but for one more Via in the copy that leaves.
//
// # What a kill -9 leaves
//
//	before the outbox's commit     the device got no answer; it sends again
//	after it, before the answer    the device sends again and is told "duplicate"
//	after the answer               the message is in the outbox; the book may lack it and reads it from there at start
//	sent, not settled              sent again with the same MessageId; the upstream counts it once
package gateway
