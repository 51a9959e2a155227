package resolve

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"time"
)

// Limits on asking DHCP servers: an answer takes well under a second on a local network, and is asked for again seldom.
const (
	dhcpTimeout = 2 * time.Second
	dhcpTries   = 2
	offerTTL    = 10 * time.Minute
	noOfferTTL  = time.Minute
)

// offer is what DHCP said last.
type offer struct {
	servers []string
	err     error
	expires time.Time
}

// offeredServers are the name servers offered on the interface with the highest security level; the first listed wins
// among equals.
func (r *Resolver) offeredServers(ctx context.Context) ([]string, error) {
	if len(r.cfg.Interfaces) == 0 {
		return nil, nil
	}
	r.mu.Lock()
	last := r.offered
	r.mu.Unlock()
	if r.now().Before(last.expires) {
		return last.servers, last.err
	}
	best := r.cfg.Interfaces[0]
	for _, in := range r.cfg.Interfaces[1:] {
		if in.SecurityLevel > best.SecurityLevel {
			best = in
		}
	}
	addrs, err := r.dhcp.NameServers(ctx, best.Name)
	fresh := offer{err: err, expires: r.now().Add(offerTTL)}
	for _, a := range addrs {
		fresh.servers = append(fresh.servers, net.JoinHostPort(a.String(), strconv.Itoa(dnsPort)))
	}
	if err == nil && len(fresh.servers) == 0 {
		fresh.err = fmt.Errorf("DHCP on %s offers no name server", best.Name)
	}
	if fresh.err != nil {
		fresh.expires = r.now().Add(noOfferTTL)
	}
	if ctx.Err() == nil {
		r.mu.Lock()
		r.offered = fresh
		r.mu.Unlock()
	}
	return fresh.servers, fresh.err
}
