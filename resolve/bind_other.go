//go:build !linux

package resolve

import (
	"fmt"
	"syscall"
)

// bindTo refuses devices: only Linux binds sockets to them.
func bindTo(device string) func(network, address string, c syscall.RawConn) error {
	if device == "" {
		return nil
	}
	return func(string, string, syscall.RawConn) error {
		return fmt.Errorf("device %s: source_interface and vrf work on Linux only", device)
	}
}
