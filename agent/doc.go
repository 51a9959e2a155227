// Package agent conducts the device side: it takes lines and other events, decides by the stages below it, makes alerts
// durable in the outbox, collects evidence, describes, redacts and renders, and hands envelopes back to the outbox,
// where the courier finds them.
//
//	Take ▸ parse ▸ classify ▸ route ▸ throttle ▸ [outbox: alert] ▸ collect ▸ describe ▸ redact ▸ render ▸ [outbox: envelope]
//	└───── the reader's goroutine, no allocation ─┘              └──────── workers, one alert of a device at a time ───┘
//
// It owns the order of the stages and the plan they work by, which a reload replaces as a whole; it judges nothing
// itself and knows no transport.
package agent
