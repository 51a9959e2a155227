// Package localrun is the Runner for the host the agent runs on: it starts programs from an allow-list, never a shell.
//
// It owns how a command line becomes an argument list, and that a program and all it started ends at the deadline. What is
// allowed is the operator's list, compared argument by argument.
package localrun
