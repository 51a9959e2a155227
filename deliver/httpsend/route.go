package httpsend

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"callhome"
	"callhome/trustpoint"
)

// route is how the addresses that begin with prefix are reached.
type route struct {
	prefix *url.URL // nil fits all
	token  callhome.Secret
	trust  Trust
	proxy  Proxy
	opts   Options
	deps   Deps

	mu         sync.Mutex // guards transports
	transports map[peer]*http.Transport
}

// peer is a server as it sees us. Anonymous messages have connections of their own, on which nothing tells who we are.
type peer struct {
	host      string
	anonymous bool
}

// maxTransports bounds the servers of one route; their names come from the configuration and from operators.
const maxTransports = 200

// transport gives the connections to a host.
func (r *route) transport(host string, anonymous bool) (*http.Transport, error) {
	key := peer{strings.ToLower(host), anonymous}
	r.mu.Lock()
	defer r.mu.Unlock()
	if t, ok := r.transports[key]; ok {
		return t, nil
	}
	t, err := r.makeTransport(key)
	if err != nil {
		return nil, err
	}
	if len(r.transports) >= maxTransports {
		r.closeIdle()
		clear(r.transports)
	}
	r.transports[key] = t
	return t, nil
}

// closeIdle closes what is kept open; the mutex is held.
func (r *route) closeIdle() {
	for _, t := range r.transports {
		t.CloseIdleConnections()
	}
}

// makeRoutes makes one route for each endpoint and one for all other addresses.
func makeRoutes(cfg Config, d Deps) ([]*route, error) {
	var routes []*route
	for i, e := range cfg.HTTP.Endpoints {
		u, err := parseURL(e.URL)
		if err != nil {
			return nil, err
		}
		proxy := cfg.Proxy
		if e.Direct {
			proxy = Proxy{}
		}
		r, err := newRoute(u, e.Trust, proxy, cfg.HTTP, d)
		if err != nil {
			return nil, &callhome.Error{Kind: callhome.KindInvalid, Path: fmt.Sprintf("http.endpoints[%d]", i), Err: err}
		}
		r.token = e.Token
		routes = append(routes, r)
	}
	slices.SortStableFunc(routes, func(a, b *route) int { return cmp.Compare(len(b.prefix.Path), len(a.prefix.Path)) })
	rest, err := newRoute(nil, cfg.HTTP.Trust, cfg.Proxy, cfg.HTTP, d)
	if err != nil {
		return nil, &callhome.Error{Kind: callhome.KindInvalid, Path: "http", Err: err}
	}
	return append(routes, rest), nil
}

// newRoute makes a route and sees that all it trusts and shows is there.
func newRoute(prefix *url.URL, trust Trust, proxy Proxy, o Options, d Deps) (*route, error) {
	r := &route{prefix: prefix, trust: trust, proxy: proxy, opts: o, deps: d, transports: make(map[peer]*http.Transport)}
	_, err := r.makeTransport(peer{host: "any.example"})
	return r, err
}

// handshakeTimeout bounds TLS; a server that is that slow is not well.
const handshakeTimeout = 15 * time.Second

func (r *route) makeTransport(p peer) (*http.Transport, error) {
	show, o, proxy := r.trust.Certificate, r.opts, r.proxy
	if p.anonymous {
		show = ""
	}
	cfg, err := r.deps.TLS(trustpoint.ClientOptions{
		ServerName: p.host, TrustPoints: r.trust.TrustPoints, Pins: r.trust.Pins, Certificate: show, AnyName: r.trust.AnyName,
	})
	if err != nil {
		return nil, err
	}
	t := &http.Transport{
		DialContext: r.deps.Dial, TLSClientConfig: cfg, TLSHandshakeTimeout: handshakeTimeout,
		MaxIdleConnsPerHost: o.MaxConnections, MaxConnsPerHost: o.MaxConnections, IdleConnTimeout: o.IdleTimeout,
		DisableCompression: true, WriteBufferSize: bufferSize, Protocols: new(http.Protocols),
		MaxResponseHeaderBytes: maxAnswer,
	}
	t.Protocols.SetHTTP1(true)
	t.Protocols.SetHTTP2(!o.HTTP1Only)
	if through := proxy.url(); through != nil {
		t.Proxy = func(req *http.Request) (*url.URL, error) {
			if proxy.bypassed(req.URL.Hostname()) {
				return nil, nil //nolint:nilnil // net/http's way to say: directly
			}
			return through, nil
		}
	}
	return t, nil
}

// bufferSize lets a message of common size leave in one write.
const bufferSize = 16 << 10

// routeOf finds the route of an address.
func (s *Sender) routeOf(u *url.URL) *route {
	for i := range s.routes {
		if s.routes[i].fits(u) {
			return s.routes[i]
		}
	}
	return s.routes[len(s.routes)-1]
}

func (r *route) fits(u *url.URL) bool {
	if r.prefix == nil {
		return true
	}
	if r.prefix.Scheme != u.Scheme || !strings.EqualFold(r.prefix.Hostname(), u.Hostname()) || port(r.prefix) != port(u) {
		return false
	}
	return underPath(u.Path, r.prefix.Path)
}

// underPath reports whether path is prefix or lies below it.
func underPath(path, prefix string) bool {
	prefix = strings.TrimSuffix(prefix, "/")
	return path == prefix || strings.HasPrefix(path, prefix+"/")
}

func port(u *url.URL) string {
	if p := u.Port(); p != "" {
		return p
	}
	if u.Scheme == "https" {
		return "443"
	}
	return "80"
}
