// Package sqldb opens databases: a SQLite file, with one connection that writes and a pool that reads, or PostgreSQL.
// It owns migrations, what an engine's errors mean, and what to do with a damaged file. It knows no table.
//
// A write is durable when its transaction is committed: the journal is a WAL and synchronous is FULL, which is one
// fdatasync of the WAL for each commit. Every pragma stands in the DSN, because a PRAGMA statement would reach one pooled
// connection only.
//
// On disk, beside each other, mode 0600:
//
//	outbox.db               the database
//	outbox.db-wal, -shm     SQLite's journal and its index
//	outbox.db.suspect       a read found damage; the next Open checks the whole file (the text says what was seen)
//	outbox.db.20260314T092653Z.damaged, with -wal and -shm
//	                        set aside by Open; Salvage reads what can still be read
//
// On PostgreSQL a commit is as durable as the server's synchronous_commit says; a server that was told otherwise is
// refused nothing, but every connection asks for "on".
package sqldb
