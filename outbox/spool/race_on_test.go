//go:build race

package spool_test

// slowdown is what the race detector costs.
const slowdown = 10
