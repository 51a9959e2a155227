// Package archive keeps messages as received, byte for byte, with what was made of them. It is the truth of the back end:
// devices, findings and cases follow from it.
//
//	Submission ─▸ Arrival ──Intake.Put──▶ [durable] ─▸ acknowledged
//	                                          │ Intake.Work: one transaction for a batch
//	                                          ▼
//	                                      Record + body, processed or with the reason why not
//
// An Arrival waits in an Intake: on SQLite a journal of files (archive/journal), which costs one sync for many messages
// and never waits for the database's writer; on PostgreSQL a table, so that any server may work what another took. The
// Intake hands arrivals out within the transaction that records them, so each is worked exactly once, whatever dies.
//
// The package owns what an arrival is called (Key), the forms of lists and searches, and the compression of bodies. It
// decodes nothing (server/ingest) and keeps no rows itself (server/sqlstore).
package archive
