package httpsend

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"callhome"
	"callhome/deliver"
	"callhome/trustpoint"
)

// Deps are what a Sender needs besides its configuration.
type Deps struct {
	Dial func(ctx context.Context, network, address string) (net.Conn, error) // resolve.Resolver.DialContext
	TLS  func(trustpoint.ClientOptions) (*tls.Config, error)                  // trustpoint.Set.Client
	Log  *slog.Logger
	Now  func() time.Time

	Metrics *Metrics
}

// Sender posts messages. It is safe for use from several goroutines.
type Sender struct {
	cfg     Config
	routes  []*route // the longest URL first; the last one fits all
	board   board
	metrics *Metrics
	log     *slog.Logger
	now     func() time.Time
}

var _ deliver.Sender = (*Sender)(nil)

// New makes a Sender of a valid configuration. The trust points that it names must exist.
func New(cfg Config, d Deps) (*Sender, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if d.Dial == nil || d.TLS == nil {
		return nil, errors.New("httpsend: a dialler and trust points are needed")
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	if d.Now == nil {
		d.Now = time.Now
	}
	cfg.HTTP = cfg.HTTP.withDefaults()
	s := &Sender{cfg: cfg, metrics: d.Metrics, log: d.Log.With("component", "httpsend"), now: d.Now}
	s.board.now = d.Now
	var err error
	s.routes, err = makeRoutes(cfg, d)
	return s, err
}

// userAgent is all that we say of ourselves.
const userAgent = "callhome"

// defaultType is what is posted unless the envelope says otherwise.
const defaultType = "text/xml; charset=utf-8"

// Send posts the envelope's body to its address. What an answer means is said at [Meaning]. An anonymous message goes
// over HTTPS only, and shows neither device certificate nor token.
func (s *Sender) Send(ctx context.Context, env *callhome.Envelope) error {
	if env.Destination.Transport != callhome.TransportHTTP {
		return deliver.Permanent(fmt.Errorf("send to %s: it is not an HTTP address", callhome.MaskURL(env.Destination.Address)))
	}
	u, err := parseURL(env.Destination.Address)
	if err != nil {
		return deliver.Permanent(fmt.Errorf("post: %w", err))
	}
	if env.Anonymous && u.Scheme != "https" {
		return deliver.Permanent(fmt.Errorf("post to %s: anonymous messages go over https only", callhome.MaskURL(u.String())))
	}
	err = s.post(ctx, u, env)
	s.board.note(callhome.MaskURL(u.String()), err)
	s.metrics.attempt(err)
	return err
}

func (s *Sender) post(ctx context.Context, u *url.URL, env *callhome.Envelope) error {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.HTTP.Timeout)
	defer cancel()
	r := s.routeOf(u)
	req, err := r.request(ctx, u, env)
	if err != nil {
		return deliver.Permanent(fmt.Errorf("post to %s: %w", callhome.MaskURL(u.String()), err))
	}
	transport, err := r.transport(u.Hostname(), env.Anonymous)
	if err != nil {
		return fmt.Errorf("post to %s: %w", callhome.MaskURL(u.String()), err)
	}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return s.judgeFailure(u, err)
	}
	defer func() { _ = resp.Body.Close() }()
	return s.judgeAnswer(u, resp, readAnswer(resp), env)
}

// request is the POST. The message ID makes a repetition harmless, so net/http may repeat it by itself when a kept
// connection turns out to be closed; an empty list under this key says so without sending a field.
func (r *route) request(ctx context.Context, u *url.URL, env *callhome.Envelope) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), bytes.NewReader(env.Body))
	if err != nil {
		return nil, err
	}
	contentType := env.ContentType
	if contentType == "" {
		contentType = defaultType
	}
	req.Header = http.Header{
		"Content-Type": {contentType}, "User-Agent": {userAgent}, "Accept": {"text/xml, application/soap+xml"},
		"X-Idempotency-Key": nil,
	}
	switch {
	case env.Anonymous:
	case !r.token.IsZero():
		req.Header.Set("Authorization", "Bearer "+r.token.Reveal())
	case u.User != nil:
		password, _ := u.User.Password()
		req.SetBasicAuth(u.User.Username(), password)
	}
	req.URL.User = nil
	return req, nil
}

// maxAnswer is what is read of an answer: acknowledgements have under 1 KiB, lists of instructions some more.
const maxAnswer = 64 << 10

// readAnswer takes the answer's beginning. When there is more, or it does not come, the connection is not used again.
func readAnswer(resp *http.Response) []byte {
	answer, _ := io.ReadAll(io.LimitReader(resp.Body, maxAnswer)) // the status has decided already
	return answer
}

// Probe asks the address with GET whether it is there, and returns its status: any shows that connection and TLS work.
func (s *Sender) Probe(ctx context.Context, address string) (status int, err error) {
	u, err := parseURL(address)
	if err != nil {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, s.cfg.HTTP.Timeout)
	defer cancel()
	plain := *u
	plain.User = nil
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, plain.String(), nil)
	if err != nil {
		return 0, err
	}
	req.Header.Set("User-Agent", userAgent)
	transport, err := s.routeOf(u).transport(u.Hostname(), false)
	if err != nil {
		return 0, err
	}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return 0, s.judgeFailure(u, err)
	}
	defer func() { _ = resp.Body.Close() }()
	_ = readAnswer(resp)
	return resp.StatusCode, nil
}

// Close closes the connections that are kept open.
func (s *Sender) Close() error {
	for _, r := range s.routes {
		r.mu.Lock()
		r.closeIdle()
		r.mu.Unlock()
	}
	return nil
}

// oneLine keeps what a stranger says fit for a log line.
func oneLine(s string) string {
	const most = 200
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > most {
		s = s[:most] + "…"
	}
	return s
}
