package resolve

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"time"
)

// attemptDelay is how long an attempt runs alone before the next address is tried beside it, RFC 8305 section 5.
const attemptDelay = 250 * time.Millisecond

// binding is a parsed Source.
type binding struct {
	addr   netip.Addr // invalid: the system chooses
	device string     // interface or VRF device
	vrf    bool
}

func (s Source) binding() binding {
	b := binding{device: s.Interface}
	if s.VRF != "" {
		b.device, b.vrf = s.VRF, true
	}
	if a, err := netip.ParseAddr(s.Address); err == nil {
		b.addr = a.Unmap()
	}
	return b
}

// dialer makes TCP connections from the source. A net.Dialer is made for each attempt: it is small.
func (b binding) dialer() *net.Dialer {
	d := &net.Dialer{Control: bindTo(b.device)}
	if b.addr.IsValid() {
		d.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(b.addr, 0))
	}
	return d
}

// forServer reaches name servers: in the VRF, except for one on this very host, and from any address.
func (b binding) forServer(server string) *net.Dialer {
	ap, err := netip.ParseAddrPort(server)
	if !b.vrf || (err == nil && ap.Addr().IsLoopback()) {
		return &net.Dialer{}
	}
	return &net.Dialer{Control: bindTo(b.device)}
}

// DialContext connects to addr, HOST:PORT, going through the chain. network is tcp, tcp4 or tcp6. When the addresses
// that a name server gave are not reached, the static endpoints are tried, too. The error is an *Error.
func (r *Resolver) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("dial %q: %w", addr, err)
	}
	portNo, err := net.DefaultResolver.LookupPort(ctx, network, port)
	if err != nil {
		return nil, fmt.Errorf("dial %q: %w", addr, err)
	}
	ans, errs := r.lookup(ctx, host)
	if errs == nil {
		conn, err := r.dialAny(ctx, network, ans.Addrs, uint16(portNo)) // LookupPort keeps to 16 bits
		if err == nil {
			return conn, nil
		}
		errs = append(errs, err)
	}
	if static := r.staticAddrs(host, ans.Addrs); len(static) > 0 && ctx.Err() == nil {
		conn, err := r.dialEach(ctx, network, r.usable(network, static), uint16(portNo))
		if err == nil {
			return conn, nil
		}
		errs = append(errs, fmt.Errorf("%s: %w", StepStatic, err))
	}
	return nil, &Error{Host: host, Errs: r.withMissingDNS(ans.Step, errs)}
}

// withMissingDNS adds that no name server is configured where a later step had to stand in and did not help.
func (r *Resolver) withMissingDNS(step Step, errs []error) []error {
	if step != StepDHCP && step != StepFallback {
		return errs // configured servers answered, or said themselves that there are none
	}
	if _, _, err := r.configured(""); errors.Is(err, ErrNoNameServer) {
		errs = append(errs, err)
	}
	return errs
}

// usable drops the addresses that network or source address rule out.
func (r *Resolver) usable(network string, addrs []netip.Addr) []netip.Addr {
	return slices.DeleteFunc(slices.Clone(addrs), func(a netip.Addr) bool {
		switch {
		case network == "tcp4" && !a.Is4(), network == "tcp6" && a.Is4():
			return true
		}
		return r.source.addr.IsValid() && r.source.addr.Is4() != a.Is4()
	})
}

// ordered puts the families in turn, the preferred one first, RFC 8305 section 4.
func (r *Resolver) ordered(addrs []netip.Addr) []netip.Addr {
	var first, second []netip.Addr
	for _, a := range addrs {
		if a.Is4() == r.cfg.IPv4First {
			first = append(first, a)
		} else {
			second = append(second, a)
		}
	}
	out := make([]netip.Addr, 0, len(addrs))
	for i := 0; i < max(len(first), len(second)); i++ {
		if i < len(first) {
			out = append(out, first[i])
		}
		if i < len(second) {
			out = append(out, second[i])
		}
	}
	return out
}

// errNoUsable is for addresses of the wrong family only.
var errNoUsable = errors.New("no address of the family that network and source_address allow")

// dialEach tries the addresses one after the other, as they stand.
func (r *Resolver) dialEach(ctx context.Context, network string, addrs []netip.Addr, port uint16) (net.Conn, error) {
	errs := []error{}
	for _, a := range addrs {
		conn, err := r.dialOne(ctx, network, a, port)
		if err == nil {
			return conn, nil
		}
		errs = append(errs, err)
	}
	if len(errs) == 0 {
		return nil, errNoUsable
	}
	return nil, errors.Join(errs...)
}

func (r *Resolver) dialOne(ctx context.Context, network string, a netip.Addr, port uint16) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, r.cfg.ConnectTimeout)
	defer cancel()
	return r.source.dialer().DialContext(ctx, network, netip.AddrPortFrom(a, port).String())
}

// dialAny starts an attempt, and the next one when that fails or takes long; the first connection wins.
func (r *Resolver) dialAny(ctx context.Context, network string, addrs []netip.Addr, port uint16) (net.Conn, error) {
	addrs = r.ordered(r.usable(network, addrs))
	if len(addrs) == 0 {
		return nil, errNoUsable
	}
	if len(addrs) == 1 {
		return r.dialOne(ctx, network, addrs[0], port)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	race := race{results: make(chan attempt, len(addrs)), dial: func(a netip.Addr) (net.Conn, error) {
		return r.dialOne(ctx, network, a, port)
	}}
	return race.run(addrs)
}

// race is a set of attempts of which the first connection counts.
type race struct {
	results chan attempt // holds every result: attempts never block on it
	dial    func(netip.Addr) (net.Conn, error)
}

type attempt struct {
	conn net.Conn
	err  error
}

func (t race) run(addrs []netip.Addr) (net.Conn, error) {
	var errs []error
	timer := time.NewTimer(0)
	defer timer.Stop()
	next, running := 0, 0
	for next < len(addrs) || running > 0 {
		var tick <-chan time.Time
		if next < len(addrs) {
			tick = timer.C
		}
		select {
		case <-tick:
			go func(a netip.Addr) {
				conn, err := t.dial(a)
				t.results <- attempt{conn, err}
			}(addrs[next])
			next++
			running++
			timer.Reset(attemptDelay)
		case res := <-t.results:
			running--
			if res.err == nil {
				go t.drop(running)
				return res.conn, nil
			}
			errs = append(errs, res.err)
			timer.Reset(0)
		}
	}
	return nil, errors.Join(errs...)
}

// drop closes the connections that came too late.
func (t race) drop(running int) {
	for range running {
		if res := <-t.results; res.err == nil {
			_ = res.conn.Close()
		}
	}
}
