// Package deliver is the courier: it leases entries from the outbox, gives each to the Sender of its transport, judges
// the outcome and settles the lease. It owns backoff, patience and the breaker; it knows no protocol (see
// deliver/smtpsend, deliver/httpsend) and keeps nothing on disk.
//
// How an outcome is judged:
//
//	nil                          delivered
//	Permanent(err)               dead letter: the receiver will not take it however often it is asked
//	RetryAfter(d, err)           again after d
//	any other error              again after a pause that doubles from backoff_min to backoff_max, with jitter
//	failed, older than max_age   dead letter, reason expired
//	anonymous, third failure     dropped and counted
//
// A destination that fails several times in a row is held: one try at a time, and pauses between them, however many
// lanes wait for it. The first message that gets through, or is refused for what it says, opens it again, and all its
// lanes drain at full speed, each in order.
package deliver
