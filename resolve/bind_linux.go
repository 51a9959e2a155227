package resolve

import (
	"fmt"
	"syscall"

	"golang.org/x/sys/unix"
)

// bindTo keeps a socket's packets to a device: an interface, or the device of a VRF. "" binds nothing.
func bindTo(device string) func(network, address string, c syscall.RawConn) error {
	if device == "" {
		return nil
	}
	return func(_, _ string, c syscall.RawConn) error {
		var bindErr error
		if err := c.Control(func(fd uintptr) { bindErr = unix.BindToDevice(int(fd), device) }); err != nil { // a file descriptor
			return err
		}
		if bindErr != nil {
			return fmt.Errorf("bind to device %s (source_interface or vrf): %w", device, bindErr)
		}
		return nil
	}
}
