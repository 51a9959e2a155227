package resolve

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"

	"github.com/insomniacslk/dhcp/dhcpv4"
	"github.com/insomniacslk/dhcp/dhcpv4/nclient4"
)

// dhcpInform asks with a raw socket, RFC 2131 section 4.4.3.
type dhcpInform struct{}

// NameServers sends a DHCPINFORM from the interface's first IPv4 address.
func (dhcpInform) NameServers(ctx context.Context, ifname string) ([]netip.Addr, error) {
	own, err := ipv4Of(ifname)
	if err != nil {
		return nil, err
	}
	client, err := nclient4.New(ifname, nclient4.WithTimeout(dhcpTimeout), nclient4.WithRetry(dhcpTries))
	if err != nil {
		return nil, fmt.Errorf("DHCPINFORM on %s (it needs CAP_NET_RAW): %w", ifname, err)
	}
	defer func() { _ = client.Close() }()
	ack, err := client.Inform(ctx, own, dhcpv4.WithRequestedOptions(dhcpv4.OptionDomainNameServer))
	if err != nil {
		return nil, fmt.Errorf("DHCPINFORM on %s: %w", ifname, err)
	}
	var out []netip.Addr
	for _, ip := range ack.DNS() {
		if a, ok := netip.AddrFromSlice(ip.To4()); ok {
			out = append(out, a)
		}
	}
	return out, nil
}

func ipv4Of(ifname string) (net.IP, error) {
	in, err := net.InterfaceByName(ifname)
	if err != nil {
		return nil, fmt.Errorf("interface %s: %w", ifname, err)
	}
	addrs, err := in.Addrs()
	if err != nil {
		return nil, fmt.Errorf("interface %s: %w", ifname, err)
	}
	for _, a := range addrs {
		if n, ok := a.(*net.IPNet); ok && n.IP.To4() != nil {
			return n.IP.To4(), nil
		}
	}
	return nil, errors.New("interface " + ifname + " has no IPv4 address to ask DHCP from")
}
