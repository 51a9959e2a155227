// Package control is the local socket between operator commands and a running role: a pipe, not a vocabulary. A role
// registers named calls; a client names one, hands over a JSON value and gets a JSON value or an error back. What the
// calls mean is the role's business.
//
// On the wire it is HTTP over a unix socket: POST /v1/NAME. The socket's folder and file are for their owner alone,
// which is the whole of its access control.
package control
