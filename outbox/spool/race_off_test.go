//go:build !race

package spool_test

// slowdown is none without the race detector.
const slowdown = 1
