// Package sink takes messages by HTTP, HTTPS and SMTP, counts them, reads from each when its line was sent, and throws
// it away.
//
// It is the end of every measurement of delivery, the same for us and for the peers. It answers every message at once.
package sink
