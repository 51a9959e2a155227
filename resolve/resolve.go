package resolve

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"
)

// Step names the part of the chain that an answer came from.
type Step string

// The steps, in their order.
const (
	StepLiteral    Step = "address"
	StepHosts      Step = "hosts_file"
	StepConfigured Step = "configured_servers"
	StepDHCP       Step = "dhcp_servers"
	StepFallback   Step = "fallback_resolvers"
	StepStatic     Step = "static_endpoints"
)

// ErrNoNameServer tells that nothing was reached and that no name server is configured: the operator has to be told,
// once for each message that was not sent.
var ErrNoNameServer = errors.New("no name server is configured; configure DNS (resolver.servers, or /etc/resolv.conf)")

// Error tells that a host was not reached. errors.Is finds ErrNoNameServer in it where that is so.
type Error struct {
	Host string
	Errs []error // what each step said
}

// Error names the host and what each step said.
func (e *Error) Error() string {
	return fmt.Sprintf("%s was not reached: %v", e.Host, errors.Join(e.Errs...))
}

// Unwrap gives all causes.
func (e *Error) Unwrap() []error { return e.Errs }

// Answer is what a look-up found.
type Answer struct {
	Addrs []netip.Addr
	Step  Step
}

// Informer asks for the name servers that a network offers.
type Informer interface {
	// NameServers sends a DHCPINFORM on one interface and returns the servers of the answer.
	NameServers(ctx context.Context, ifname string) ([]netip.Addr, error)
}

// Options are what a Resolver needs from outside; every field may be left out.
type Options struct {
	DHCP       Informer // nil: DHCPINFORM on a raw socket, which needs CAP_NET_RAW
	ResolvConf string   // "": /etc/resolv.conf
	Log        *slog.Logger
	Now        func() time.Time
}

// Resolver resolves and dials. It is safe for use from several goroutines.
type Resolver struct {
	cfg        Config
	source     binding
	dhcp       Informer
	resolvConf string
	static     map[string][]netip.Addr
	log        *slog.Logger
	now        func() time.Time
	shuffle    func(n int, swap func(i, j int))
	hosts      *net.Resolver

	mu      sync.Mutex // guards what follows
	cache   map[string]cached
	flights map[string]*flight
	offered offer
}

// New makes a Resolver of a valid configuration.
func New(cfg Config, src Source, o Options) (*Resolver, error) {
	if err := errors.Join(cfg.Validate(), src.Validate()); err != nil {
		return nil, err
	}
	r := &Resolver{
		cfg: cfg, source: src.binding(), dhcp: o.DHCP, resolvConf: o.ResolvConf, log: o.Log, now: o.Now,
		static: make(map[string][]netip.Addr), shuffle: rand.Shuffle, hosts: hostsFileOnly(),
		cache: make(map[string]cached), flights: make(map[string]*flight),
	}
	r.setDefaults()
	for _, s := range cfg.StaticEndpoints {
		host := canonical(s.Host)
		for _, a := range s.Addresses {
			r.static[host] = append(r.static[host], netip.MustParseAddr(a)) // Validate has parsed it
		}
	}
	return r, nil
}

func (r *Resolver) setDefaults() {
	if r.cfg.QueryTimeout == 0 {
		r.cfg.QueryTimeout = defaultQueryTimeout
	}
	if r.cfg.ConnectTimeout == 0 {
		r.cfg.ConnectTimeout = defaultConnectTimeout
	}
	if r.dhcp == nil {
		r.dhcp = dhcpInform{}
	}
	if r.resolvConf == "" {
		r.resolvConf = "/etc/resolv.conf"
	}
	if r.log == nil {
		r.log = slog.New(slog.DiscardHandler)
	}
	r.log = r.log.With("component", "resolve")
	if r.now == nil {
		r.now = time.Now
	}
}

// canonical is the form that names are compared in.
func canonical(host string) string { return strings.ToLower(strings.TrimSuffix(host, ".")) }

// Lookup goes through the whole chain. The error is an *Error.
func (r *Resolver) Lookup(ctx context.Context, host string) (Answer, error) {
	ans, errs := r.lookup(ctx, host)
	if errs == nil {
		return ans, nil
	}
	if addrs := r.staticAddrs(host, nil); len(addrs) > 0 {
		return Answer{Addrs: addrs, Step: StepStatic}, nil
	}
	return Answer{}, &Error{Host: host, Errs: errs}
}

// lookup goes through all steps but the last, which does not ask anyone.
func (r *Resolver) lookup(ctx context.Context, host string) (Answer, []error) {
	if ip, err := netip.ParseAddr(host); err == nil {
		return Answer{Addrs: []netip.Addr{ip}, Step: StepLiteral}, nil
	}
	if addrs := r.lookupHosts(ctx, host); len(addrs) > 0 {
		return Answer{Addrs: addrs, Step: StepHosts}, nil
	}
	return r.shared(ctx, canonical(host))
}

// ask goes through the name servers of each step.
func (r *Resolver) ask(ctx context.Context, host string) (Answer, time.Duration, []error) {
	var errs []error
	for _, step := range []Step{StepConfigured, StepDHCP, StepFallback} {
		servers, names, err := r.serversOf(ctx, step, host)
		if err == nil && len(servers) > 0 {
			var addrs []netip.Addr
			var ttl time.Duration
			if addrs, ttl, err = r.query(ctx, servers, names); err == nil {
				return Answer{Addrs: addrs, Step: step}, ttl, nil
			}
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", step, err))
			r.log.Debug("step of name resolution gave nothing", "host", host, "step", step, "err", err)
		}
		if ctx.Err() != nil {
			break
		}
	}
	if len(errs) == 0 {
		errs = []error{errors.New("there is nobody to ask for the name")}
	}
	return Answer{}, 0, errs
}

// staticAddrs are the static endpoints of host in random order, without those tried already.
func (r *Resolver) staticAddrs(host string, tried []netip.Addr) []netip.Addr {
	var out []netip.Addr
next:
	for _, a := range r.static[canonical(host)] {
		for _, t := range tried {
			if t == a {
				continue next
			}
		}
		out = append(out, a)
	}
	r.shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out
}
