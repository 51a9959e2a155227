// Package ctl is what an operator types: filters that need no daemon (decode, encode, classify, explain, preview, config),
// and commands that ask a running role through its control socket (show, test, send, queue). It writes to an io.Writer,
// in the layout of the device's personality or as JSON, and decides nothing: that is the role's business.
package ctl
