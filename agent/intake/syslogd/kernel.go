package syslogd

import (
	"fmt"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Places in the answer of SO_MEMINFO (linux/sock_diag.h).
const (
	memDrops = 8
	memVars  = 9
)

// enlarge asks for a receive buffer of n bytes, first with the privilege to go above net.core.rmem_max, then without.
func enlarge(conn syscall.Conn, n int) error {
	raw, err := conn.SyscallConn()
	if err != nil {
		return err
	}
	var got int
	var fault error
	err = raw.Control(func(fd uintptr) {
		if unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, n) != nil {
			fault = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, n)
		}
		got, _ = unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF)
	})
	switch {
	case err != nil:
		return err
	case fault != nil:
		return fault
	case got < 2*n: // the kernel doubles the value for its own book-keeping
		return fmt.Errorf("the kernel gives %d of %d bytes; raise net.core.rmem_max", got/2, n)
	}
	return nil
}

// pollDrops adds the kernel's losses since the last call to the counts.
func (d *socket) pollDrops() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.fd < 0 {
		return
	}
	var vars [memVars]uint32
	size := uint32(unsafe.Sizeof(vars))
	_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(d.fd), unix.SOL_SOCKET, unix.SO_MEMINFO,
		uintptr(unsafe.Pointer(&vars)), uintptr(unsafe.Pointer(&size)), 0) //nolint:gosec // no wrapper reads an array
	if errno != 0 || size < (memDrops+1)*4 {
		return
	}
	d.counts.kernelDrops.Add(uint64(vars[memDrops] - d.lastDrops))
	d.lastDrops = vars[memDrops]
}
