// Package stand sets up what is measured: our own agent and its peers, each with a configuration that does the same
// work, in a folder of its own and on ports of loopback.
//
// It owns their configuration files and how to learn that they are done. It measures nothing itself.
package stand
