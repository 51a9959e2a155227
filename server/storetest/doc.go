// Package storetest holds the back end's Stores to the promises of their rooms: one suite for each room, run on every
// engine by server/sqlstore. A new method of a Store gets its promise tested here.
package storetest
