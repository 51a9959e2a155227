package resolve

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"time"

	"github.com/miekg/dns"
)

// udpSize is the answer size that passes every path unfragmented (DNS flag day 2020).
const udpSize = 1232

// serversOf gives the servers of a step and the full names to ask them for. No servers and no error: the step is not
// configured.
func (r *Resolver) serversOf(ctx context.Context, step Step, host string) (servers, names []string, err error) {
	names = []string{dns.Fqdn(host)}
	switch step {
	case StepConfigured:
		return r.configured(host)
	case StepDHCP:
		servers, err = r.offeredServers(ctx)
		return servers, names, err
	case StepFallback:
		servers, err = parseServers(r.cfg.FallbackResolvers)
		return servers, names, err
	}
	return nil, nil, fmt.Errorf("%s has no name servers", step)
}

// configured gives resolver.servers, or what /etc/resolv.conf says with its search list.
func (r *Resolver) configured(host string) (servers, names []string, err error) {
	if len(r.cfg.Servers) > 0 {
		servers, err = parseServers(r.cfg.Servers)
		return servers, []string{dns.Fqdn(host)}, err
	}
	conf, err := dns.ClientConfigFromFile(r.resolvConf)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, nil, fmt.Errorf("%s: %w", r.resolvConf, err)
	}
	if err != nil || len(conf.Servers) == 0 {
		return nil, nil, ErrNoNameServer
	}
	for _, s := range conf.Servers {
		servers = append(servers, net.JoinHostPort(s, conf.Port))
	}
	return servers, conf.NameList(host), nil
}

func parseServers(list []string) ([]string, error) {
	out := make([]string, 0, len(list))
	for _, s := range list {
		addr, err := parseServer(s)
		if err != nil {
			return nil, err
		}
		out = append(out, addr)
	}
	return out, nil
}

// query asks the servers in turn until one has an address for one of the names.
func (r *Resolver) query(ctx context.Context, servers, names []string) ([]netip.Addr, time.Duration, error) {
	var errs []error
	for _, server := range servers {
		for _, name := range names {
			addrs, ttl, err := r.queryBoth(ctx, server, name)
			if err == nil {
				return addrs, ttl, nil
			}
			errs = append(errs, fmt.Errorf("name server %s: %w", server, err))
			if ctx.Err() != nil {
				return nil, 0, errors.Join(errs...)
			}
		}
	}
	return nil, 0, errors.Join(errs...)
}

// queryBoth asks for both address families at once; either is enough.
func (r *Resolver) queryBoth(ctx context.Context, server, name string) ([]netip.Addr, time.Duration, error) {
	type result struct {
		addrs []netip.Addr
		ttl   time.Duration
		err   error
	}
	var results [2]result
	done := make(chan struct{})
	go func() {
		defer close(done)
		results[0].addrs, results[0].ttl, results[0].err = r.queryOne(ctx, server, name, dns.TypeAAAA)
	}()
	results[1].addrs, results[1].ttl, results[1].err = r.queryOne(ctx, server, name, dns.TypeA)
	<-done
	addrs := slices.Concat(results[0].addrs, results[1].addrs)
	if len(addrs) == 0 {
		return nil, 0, cmp.Or(results[1].err, results[0].err, fmt.Errorf("%s has no address", name))
	}
	ttl := time.Duration(-1)
	for _, res := range results {
		if len(res.addrs) > 0 && (ttl < 0 || res.ttl < ttl) {
			ttl = res.ttl
		}
	}
	return addrs, ttl, nil
}

// queryOne asks one question by UDP, and by TCP when the answer does not fit.
func (r *Resolver) queryOne(ctx context.Context, server, name string, qtype uint16) ([]netip.Addr, time.Duration, error) {
	if _, ok := dns.IsDomainName(name); !ok {
		return nil, 0, fmt.Errorf("%q is not a host name", name)
	}
	question := new(dns.Msg)
	question.SetQuestion(name, qtype)
	question.SetEdns0(udpSize, false)
	answer, err := r.exchange(ctx, "udp", server, question)
	if err == nil && answer.Truncated {
		answer, err = r.exchange(ctx, "tcp", server, question)
	}
	if err != nil {
		return nil, 0, err
	}
	if answer.Rcode != dns.RcodeSuccess {
		return nil, 0, fmt.Errorf("%s: %s", name, dns.RcodeToString[answer.Rcode])
	}
	addrs, ttl := addressesOf(answer)
	return addrs, ttl, nil
}

func (r *Resolver) exchange(ctx context.Context, network, server string, question *dns.Msg) (*dns.Msg, error) {
	ctx, cancel := context.WithTimeout(ctx, r.cfg.QueryTimeout)
	defer cancel()
	conn, err := r.source.forServer(server).DialContext(ctx, network, server)
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close() }()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	client := dns.Client{Net: network, UDPSize: udpSize, Timeout: r.cfg.QueryTimeout}
	answer, _, err := client.ExchangeWithConnContext(ctx, question, &dns.Conn{Conn: conn, UDPSize: udpSize})
	if err != nil {
		return nil, err
	}
	if len(answer.Question) != 1 || !sameQuestion(answer.Question[0], question.Question[0]) {
		return nil, errors.New("the answer is to another question")
	}
	return answer, nil
}

func sameQuestion(a, b dns.Question) bool {
	return a.Qtype == b.Qtype && a.Qclass == b.Qclass && canonical(a.Name) == canonical(b.Name)
}

// maxAddrs bounds what one answer can make us try.
const maxAddrs = 16

// addressesOf takes the addresses of an answer, past aliases, and the time until the first record of it ends.
func addressesOf(m *dns.Msg) ([]netip.Addr, time.Duration) {
	var addrs []netip.Addr
	var ttl uint32
	for i, rr := range m.Answer {
		if h := rr.Header(); i == 0 || h.Ttl < ttl {
			ttl = h.Ttl
		}
		var raw net.IP
		switch rec := rr.(type) {
		case *dns.A:
			raw = rec.A
		case *dns.AAAA:
			raw = rec.AAAA
		}
		if ip, ok := netip.AddrFromSlice(raw); ok && len(addrs) < maxAddrs {
			addrs = append(addrs, ip.Unmap())
		}
	}
	return addrs, time.Duration(ttl) * time.Second
}

// hostsFileOnly is the system's resolver with nobody to ask: it answers from /etc/hosts.
func hostsFileOnly() *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		return nil, errors.New("not asked here")
	}}
}

func (r *Resolver) lookupHosts(ctx context.Context, host string) []netip.Addr {
	addrs, err := r.hosts.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil
	}
	for i := range addrs {
		addrs[i] = addrs[i].Unmap()
	}
	return addrs
}
