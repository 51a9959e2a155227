//go:build !linux

package resolve

import (
	"context"
	"fmt"
	"net/netip"
)

type dhcpInform struct{}

// NameServers refuses: raw sockets of this kind are Linux's.
func (dhcpInform) NameServers(_ context.Context, ifname string) ([]netip.Addr, error) {
	return nil, fmt.Errorf("DHCPINFORM on %s works on Linux only", ifname)
}
