// Package syslogd takes log lines from the network: by UDP, TCP, TLS and unix sockets, any dialect.
//
// It owns sockets, framing buffers, limits and the count of what was lost on the way in. It does not look into lines.
//
//	datagrams   socket ▸ reader (recvmmsg) ▸ bounded ring of chunks ▸ worker ▸ Sink
//	streams     connection ▸ framer ▸ Sink, all in one goroutine; a slow sink is felt by the sender
//
// Between a datagram's arrival and the sink a line can be lost in one place only, the kernel's receive buffer, because
// the reader stops when the ring is full; the kernel counts these losses per socket, and so do we. On streams nothing is
// lost: what arrived before the end of a connection, or of the process, is delivered.
package syslogd
