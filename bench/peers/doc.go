// Command peers measures the agent as a whole process beside its peers, in turns in one run, and writes what came out
// into docs/performance.md.
//
// It owns the rows of the performance goals: what is run, what is compared, what counts as met. Absolute figures move
// from machine to machine and with whatever else runs there; the ratio of one run is what counts. A row that misses its
// goal says so.
//
//	go run ./bench/peers [-row 1,2,9] [-quick] [-bin bin/callhome]
package main
