package syslogd

import (
	"fmt"
	"net/netip"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	// batchSize is how many datagrams one system call takes.
	batchSize = 64
	// maxDatagram is the largest UDP payload, rounded up to whole pages.
	maxDatagram = 64 << 10
)

// batch receives many datagrams in one call of recvmmsg. Its buffers lie outside the heap: of the 64 KiB of each only the
// pages that short messages touch are ever real memory.
type batch struct {
	fd      int
	memory  []byte
	names   [batchSize]unix.RawSockaddrAny
	vectors [batchSize]unix.Iovec
	headers [batchSize]unix.Mmsghdr
	got     int
}

func newBatch(fd int) (*batch, error) {
	memory, err := unix.Mmap(-1, 0, batchSize*maxDatagram, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		return nil, fmt.Errorf("receive buffers: %w", err)
	}
	b := &batch{fd: fd, memory: memory}
	for i := range b.headers {
		b.headers[i].Hdr.Namelen = unix.SizeofSockaddrAny
		b.vectors[i].Base = &memory[i*maxDatagram]
		b.vectors[i].SetLen(maxDatagram)
		b.headers[i].Hdr.Iov = &b.vectors[i]
		b.headers[i].Hdr.SetIovlen(1)
		b.headers[i].Hdr.Name = (*byte)(unsafe.Pointer(&b.names[i])) //nolint:gosec // the kernel writes the sender's address there
	}
	return b, nil
}

func (b *batch) close() { _ = unix.Munmap(b.memory) }

// receive waits for at least one datagram, or for wakeTime: then it gives none.
func (b *batch) receive() (int, error) { return b.call(unix.MSG_WAITFORONE) }

// receiveNow takes what is there.
func (b *batch) receiveNow() (int, error) { return b.call(unix.MSG_DONTWAIT) }

func (b *batch) call(flags uintptr) (int, error) {
	for i := range b.headers[:b.got] { // those that the kernel wrote to in the last call
		b.headers[i].Hdr.Namelen = unix.SizeofSockaddrAny
	}
	b.got = 0
	n, _, errno := syscall.Syscall6(unix.SYS_RECVMMSG, uintptr(b.fd), uintptr(unsafe.Pointer(&b.headers[0])), batchSize, flags, 0, 0) //nolint:gosec // recvmmsg has no wrapper
	switch errno {
	case 0:
		b.got = int(n)
		return b.got, nil
	case syscall.EAGAIN, syscall.EINTR, syscall.ECONNREFUSED: // the last is about something we sent, which is nothing
		return 0, nil
	}
	return 0, fmt.Errorf("receive: %w", errno)
}

// datagram is the i-th of the last call: valid until the next one. cut says that it was longer than the buffer.
func (b *batch) datagram(i int) (raw []byte, from netip.AddrPort, cut bool) {
	h := &b.headers[i]
	raw = b.memory[i*maxDatagram:][:h.Len]
	return raw, b.sender(i), h.Hdr.Flags&unix.MSG_TRUNC != 0
}

// sender reads a socket address without allocating; unix sockets have none.
func (b *batch) sender(i int) netip.AddrPort {
	switch b.names[i].Addr.Family {
	case unix.AF_INET:
		sa := (*unix.RawSockaddrInet4)(unsafe.Pointer(&b.names[i])) //nolint:gosec // the family says which form it has
		return netip.AddrPortFrom(netip.AddrFrom4(sa.Addr), networkOrder(sa.Port))
	case unix.AF_INET6:
		sa := (*unix.RawSockaddrInet6)(unsafe.Pointer(&b.names[i])) //nolint:gosec // the family says which form it has
		return netip.AddrPortFrom(netip.AddrFrom16(sa.Addr).Unmap(), networkOrder(sa.Port))
	}
	return netip.AddrPort{}
}

// networkOrder reads a port as it stands in memory.
func networkOrder(p uint16) uint16 {
	b := (*[2]byte)(unsafe.Pointer(&p)) //nolint:gosec // two bytes of a local variable
	return uint16(b[0])<<8 | uint16(b[1])
}
