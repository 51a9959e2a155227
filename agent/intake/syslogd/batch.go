package syslogd

import (
	"errors"
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
	raw     syscall.RawConn
	memory  []byte
	names   [batchSize]unix.RawSockaddrAny
	vectors [batchSize]unix.Iovec
	headers [batchSize]unix.Mmsghdr
	got     int
	errno   syscall.Errno
}

func newBatch(conn syscall.Conn) (*batch, error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, fmt.Errorf("descriptor: %w", err)
	}
	memory, err := unix.Mmap(-1, 0, batchSize*maxDatagram, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		return nil, fmt.Errorf("receive buffers: %w", err)
	}
	b := &batch{raw: raw, memory: memory}
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

// receive waits for at least one datagram, or for the read deadline.
func (b *batch) receive() (int, error) {
	if err := b.raw.Read(b.try); err != nil {
		return 0, err
	}
	if b.errno != 0 && !errors.Is(b.errno, syscall.EINTR) {
		return 0, b.errno
	}
	return b.got, nil
}

// receiveNow takes what is there.
func (b *batch) receiveNow() int {
	if err := b.raw.Control(func(fd uintptr) { b.try(fd) }); err != nil {
		return 0
	}
	return b.got
}

// try is the system call; false says that there was nothing.
func (b *batch) try(fd uintptr) bool {
	for i := range b.headers[:b.got] { // those that the kernel wrote to in the last call
		b.headers[i].Hdr.Namelen = unix.SizeofSockaddrAny
	}
	n, _, errno := syscall.Syscall6(unix.SYS_RECVMMSG, fd, uintptr(unsafe.Pointer(&b.headers[0])), batchSize, unix.MSG_DONTWAIT, 0, 0) //nolint:gosec // recvmmsg has no wrapper
	b.got, b.errno = int(n), errno
	if errno != 0 {
		b.got = 0
	}
	return errno != syscall.EAGAIN
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
