// Package load makes log lines and sends them: by TCP, TLS and UDP, as fast as the receiver takes them or paced.
//
// It owns what the lines say and the truth about them. It does not know who receives.
package load
