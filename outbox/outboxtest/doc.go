// Package outboxtest holds what tests of the outbox share: a conformance suite for any outbox.Store, a Store in memory
// that passes it, and a hostile Store that fails on demand. No product code imports it.
package outboxtest
