// Package spool keeps the outbox in one SQLite file. It is the outbox.Store of every role.
//
// The tables, each with its story, are in migrations/, the statements in queries.sql. All writes go through one
// connection, one transaction for each batch; reads have connections of their own and see what was committed.
//
// Open tells of a damaged file: it is set aside, and what can be read of it is copied into the new one.
package spool
