// Package outbox keeps what was promised: alerts that are not yet rendered, envelopes that are not yet delivered, dead
// letters, and the ledger of what became of each. It owns order, leases, retry times, limits and numbers. It does not
// collect, render or send, and it does not know how a Store keeps its rows (see outbox/spool).
//
// The life of an alert, which is durable when PutAlert returns:
//
//	PutAlert ──▶ waiting ──NextAlert──▶ in work ──Retire──▶ gone; its envelopes are entries (one transaction)
//	                ▲                      │
//	                └── Postpone, crash ───┘              handed out again, with the same message numbers
//
// An alert for which nothing has to be collected skips that: Prepare has its envelopes made, and Accept stores them in the
// transaction that accepts the alert. It is never in the Store itself, and in the same state as a retired one:
//
//	Prepare ──▶ in memory, promised to nobody ──Accept──▶ gone; its envelopes are entries (one transaction)
//
// The life of an entry, which is durable when Retire, Accept or Put returns:
//
//	Retire, Put ──▶ queued ──Lease──▶ leased ──Settle: delivered──▶ gone, "sent" in the ledger
//	                  ▲  ▲              │ │ └──Settle: dropped────▶ gone, "dropped" in the ledger
//	                  │  └ retry, crash ┘ │
//	                  │                   └──Settle: dead─────────▶ dead letter ──Drop, age──▶ gone
//	                  │        queued ──older than max_age────────▶ dead letter, reason expired
//	                  └──────── operator: Retry ─────────────────── dead letter
//
// A lane is one device's entries to one destination; all alerts of one device are a lane too. A lane is in one hand at
// a time, so order within it holds; lanes do not wait for each other. Leases live in memory only: after a crash there
// are none, and nothing waits for one to run out.
//
// What a kill -9 leaves. All changes go through one goroutine, which gathers the requests that came in while the
// previous transaction was being synced and commits them together; a caller returns after the sync of its transaction.
//
//	before the commit   the caller got no answer; nothing is stored
//	after the commit    stored, though the caller may not have learnt it: it may put the alert twice
//	prepared            nothing is stored; its numbers may be given to another alert, as no message has them
//	alert in work       handed out again; its messages get the same numbers, so the same MessageIDs
//	sent, not settled   sent again with the same MessageID; a receiver counts it once
//	RecordDropped       up to a second of drops that happened before PutAlert is forgotten; they were never promised
//
// Memory does not grow with the queue: bodies and rows stay in the Store. In memory are one small record per lane that
// is known to be ready (at most maxReady per destination, the rest is found again by scanning) or waits for its retry
// time, the entries of the leases that are out, and at most maxFresh of entries that were just stored and will be leased
// next (fresh.go).
package outbox
