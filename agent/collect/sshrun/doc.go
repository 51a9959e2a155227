// Package sshrun is the Runner for network devices: it logs in by SSH, brings the command line into a known state and
// runs one command after the other.
//
// It owns the connection (keys, passwords, known hosts, jump hosts, old algorithms where a device is listed for them) and
// the dialogue (prompt, enable, paging, echo, interruption of what does not end). Prompts, error texts and the reading
// goroutine are scrapligo's; the transport below and the dialogue above are ours, because every step must have an end:
//
//	Runner.Open ▸ dial (each hop with its own limit) ▸ shell ▸ learn the prompt ▸ enable ▸ paging off
//	Session.Run ▸ write ▸ skip the echo ▸ copy lines until the learned prompt ▸ or interrupt at the deadline
//
// Which commands may run is the collector's business.
package sshrun
