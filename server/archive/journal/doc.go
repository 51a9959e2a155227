// Package journal keeps arrivals in files until they are worked: the intake of a back end on SQLite. It owns the files,
// the group commit and the recognition of repeats among what waits; it does not know who works the arrivals, nor where
// the place up to which they were worked is kept: that is in the worker's own transaction.
//
// On disk, in one folder with mode 0700:
//
//	00000000000000000007.journal   a segment, 64 MiB, filled from its beginning; the rest are zeros or an older segment's bytes
//	00000000000000000008.journal
//	key                            a secret of 32 bytes, from which the marks of segments are made
//	lock                           held while a process works the folder
//
// A frame begins at a multiple of 8 bytes (little endian):
//
//	0   mark of the segment: HMAC-SHA-256 of its number by the key, the first 8 bytes. Neither what is left of a reused
//	    file nor what a sender put into a body is taken for a frame
//	8   length of the payload
//	12  CRC-32C of payload, mark and length
//	16  payload: ID, time of receipt, key, lane, length of the origin, origin as JSON, body
//
// What a kill -9 leaves. One goroutine writes what was handed in while it synced before, syncs, then answers.
//
//	before the sync    nobody was answered; a torn frame fails its checksum and ends the segment
//	after the sync     kept; the sender may not have learnt it and sends again, which is recognised by its key
//	worked, not told   the worker's transaction holds the place, so nothing is worked twice
package journal
