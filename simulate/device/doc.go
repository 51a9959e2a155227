// Package device is a network device reduced to its command line: an SSH server with prompt, enable mode, paging and a
// table of show commands. The simulated fleet of the demo and the tests of collecting over SSH log in to it.
//
// It owns how such a command line behaves on the wire (echo, paging, prompts of the platforms, error texts). What the
// commands answer comes from its user.
package device
