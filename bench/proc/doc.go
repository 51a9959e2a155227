// Package proc starts whole processes on loopback, reads what they cost from the outside and stops them again.
//
// It owns clocks and counters of the operating system: CPU time of a process, its peak and its proportional memory,
// datagrams the kernel dropped. It does not know what the processes do.
package proc
