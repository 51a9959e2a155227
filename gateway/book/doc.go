// Package book is what a transport gateway remembers beside its queue: the devices it has heard, the messages it has
// seen (so that a repeat is known for 45 days), the shelf of messages that were refused as malformed, counters, and the
// bundles that were carried out and in. It owns one SQLite file and its tables; it decides nothing about a message.
//
// All writes of the message path come as a Batch, many notes in one transaction. What a kill -9 loses is the last batch;
// CleanAt says up to when nothing is missing, and the conductor reads what came after it from the outbox again.
//
// Times are microseconds since 1970 UTC in the file, 0 for none.
package book
