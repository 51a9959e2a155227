// Package sqlstore keeps every room's records of the back end, on SQLite or PostgreSQL. It implements the rooms' Store
// interfaces and knows their tables; it judges nothing.
//
// One file for each room, one text for each query: queries/<room>.sql, and queries/<room>.postgres.sql only for what
// PostgreSQL has to be asked differently. Migrations are written for each engine. Only statements that distributed
// engines of PostgreSQL's language take too are used (docs/decisions/0009).
//
//	Store ──InTx──▶ Tx ──Registry(), Archive() …──▶ the rooms' Stores, all in one transaction
//	   └──Read────▶ Tx, each statement for itself
//
// Numbers: times are microseconds since 1970 in UTC, 0 for none; IDs are made by the process (see ids.go) and grow with
// time; truth values are 0 and 1; structured values are JSON text.
package sqlstore
