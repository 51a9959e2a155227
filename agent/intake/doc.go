// Package intake is the vocabulary of the ways lines come in: what an adapter hands over, and what it may rely on.
//
// The adapters below (syslogd, logfile, journald) read lines and give each to a [Sink], in a plain call: no channel, no
// copy and no allocation per line, since most lines interest nobody. The sink parses, classifies and routes, and copies
// what it keeps. A sink that blocks, because a wanted line is being made durable, holds up its caller alone: TCP and files
// are then read no further, and UDP falls back on a bounded ring which counts what it drops.
//
// The adapter periodic raises events by the calendar and has a sink of its own. [State] keeps the small files in which
// adapters remember how far they got.
package intake
