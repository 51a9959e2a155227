package enrol

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
	"unicode"

	"callhome"
)

// Options are what a Client works with. URL, Dir, Kind and Name must be set.
type Options struct {
	URL      string // of the back end: https://HOST:PORT; a path is ignored, so the address of an upstream will do
	Dir      string // folder of the files, made with mode 0700
	Kind     Kind
	Name     string // asked for; the back end may give another
	Identity Identity

	// TLS says whom to trust; nil trusts the system's certificates. It is not kept, and never changed.
	TLS  *tls.Config
	Dial func(ctx context.Context, network, address string) (net.Conn, error) // nil: directly
	// Proxy is as in http.Transport; nil: none.
	Proxy func(*http.Request) (*url.URL, error)
	Log   *slog.Logger
	Now   func() time.Time
}

// Client is the joining side. It is safe for use from several goroutines.
type Client struct {
	o    Options
	base string
	keep folder
	turn sync.Mutex // one Enrol or Renew at a time

	mu     sync.Mutex // guards what follows
	cert   *tls.Certificate
	grant  Grant
	asking bool // a token waits for its answer
	fault  error
}

// State tells where the joining side stands.
type State struct {
	Registered  bool      `json:"registered"`
	Pending     bool      `json:"pending,omitempty"` // asked, not yet answered; it is asked again by itself
	Name        string    `json:"name,omitempty"`
	Serial      string    `json:"serial,omitempty"`
	Fingerprint string    `json:"fingerprint,omitempty"`
	NotAfter    time.Time `json:"not_after,omitzero"`
	RenewAfter  time.Time `json:"renew_after,omitzero"`
	LastError   string    `json:"last_error,omitempty"`
}

// Open makes a Client of what is kept in the folder; nothing is asked yet.
func Open(o Options) (*Client, error) {
	u, err := url.Parse(o.URL)
	if err != nil || u.Scheme != "https" || u.Host == "" {
		return nil, callhome.Errorf(callhome.KindInvalid, "%q is not an https address of a back end", callhome.MaskURL(o.URL))
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	o.Log = o.Log.With("component", "enrol")
	c := &Client{o: o, base: "https://" + u.Host, keep: folder(o.Dir)}
	cert, grant, err := c.keep.identity()
	if err != nil && !errors.Is(err, errNothing) {
		return nil, err
	}
	p, err := c.keep.pending()
	c.cert, c.grant, c.asking = cert, grant, err == nil && !p.token.IsZero()
	return c, nil
}

// SetTLS says whom to trust from the next request on: the configuration has changed.
func (c *Client) SetTLS(cfg *tls.Config) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.o.TLS = cfg
}

// State tells where it stands.
func (c *Client) State() State {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := State{Pending: c.asking}
	if c.fault != nil {
		s.LastError = c.fault.Error()
	}
	if c.cert == nil {
		return s
	}
	s.Registered = c.o.Now().Before(c.cert.Leaf.NotAfter)
	s.Name, s.RenewAfter, s.NotAfter = c.grant.Name, c.grant.RenewAfter, c.cert.Leaf.NotAfter
	s.Serial, s.Fingerprint = SerialOf(c.cert.Leaf), FingerprintOf(c.cert.Leaf)
	return s
}

// Certificate is what is shown to the back end, nil before it granted one. It serves as tls.Config.GetClientCertificate
// through GetClientCertificate.
func (c *Client) Certificate() *tls.Certificate {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cert
}

// GetClientCertificate shows the certificate in use, so that a renewal is seen by connections made after it.
func (c *Client) GetClientCertificate(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
	if cert := c.Certificate(); cert != nil {
		return cert, nil
	}
	return &tls.Certificate{}, nil // none is shown; the server decides
}

// IdentityFile holds key and certificate as PEM once registered, for those who take files.
func (c *Client) IdentityFile() string { return c.keep.path(identityName) }

// Enrol registers with a one-time token. The token is kept until it is answered: after a crash or while the back end
// cannot be reached Run asks again by itself. A refusal forgets it.
func (c *Client) Enrol(ctx context.Context, token callhome.Secret) error {
	c.turn.Lock()
	defer c.turn.Unlock()
	if n := len(token.Reveal()); n < minToken || n > maxToken {
		return callhome.Errorf(callhome.KindInvalid, "that is not a registration token: it has %d to %d characters", minToken, maxToken)
	}
	p, err := c.keep.prepare(c.o.Name, token)
	if err != nil {
		return fmt.Errorf("keep the registration's key: %w", err)
	}
	return c.enrol(ctx, p)
}

func (c *Client) enrol(ctx context.Context, p *pending) error {
	req := Request{Kind: c.o.Kind, Name: c.o.Name, CSR: p.csr, Identity: c.o.Identity}
	var g Grant
	err := c.post(ctx, PathEnrol, p.token, nil, req, &g)
	if err == nil {
		err = c.take(p, g)
	}
	if kind := callhome.KindOf(err); err != nil && (kind == callhome.KindDenied || kind == callhome.KindNotFound) {
		err = errors.Join(err, c.keep.forgetPending())
	}
	_, left := c.keep.pending()
	c.mu.Lock()
	c.asking, c.fault = left == nil, err
	c.mu.Unlock()
	return err
}

func (c *Client) take(p *pending, g Grant) error {
	if err := c.keep.accept(p, g); err != nil {
		return err
	}
	cert, grant, err := c.keep.identity()
	if err != nil {
		return err
	}
	c.mu.Lock()
	c.cert, c.grant = cert, grant
	c.mu.Unlock()
	c.o.Log.Info("the back end granted a certificate", "name", grant.Name, "not_after", cert.Leaf.NotAfter)
	return nil
}

// Renew asks for the next certificate, for a new key.
func (c *Client) Renew(ctx context.Context) error {
	c.turn.Lock()
	defer c.turn.Unlock()
	cert := c.Certificate()
	if cert == nil {
		return callhome.Errorf(callhome.KindConflict, "not registered: there is nothing to renew")
	}
	p, err := c.keep.prepare(c.o.Name, callhome.Secret{})
	if err != nil {
		return fmt.Errorf("keep the renewal's key: %w", err)
	}
	if !p.token.IsZero() {
		return c.enrol(ctx, p) // a registration that waits comes first
	}
	var g Grant
	if err = c.post(ctx, PathRenew, callhome.Secret{}, cert, Renewal{CSR: p.csr}, &g); err == nil {
		err = c.take(p, g)
	}
	c.mu.Lock()
	c.fault = err
	c.mu.Unlock()
	return err
}

// Beat sends one heartbeat; Kind, Name and At are filled in.
func (c *Client) Beat(ctx context.Context, b Heartbeat) error {
	cert := c.Certificate()
	if cert == nil {
		return callhome.Errorf(callhome.KindConflict, "not registered: there is nobody to send a heartbeat to")
	}
	b.Kind, b.Name, b.At = c.o.Kind, c.State().Name, c.o.Now()
	b.Unwell = printable(b.Unwell)
	return c.post(ctx, PathHeartbeat, callhome.Secret{}, cert, b, nil)
}

// printable makes what others wrote fit a heartbeat.
func printable(texts []string) []string {
	var out []string
	for _, s := range texts[:min(len(texts), maxUnwell)] {
		s = strings.ToValidUTF8(s[:min(len(s), maxField)], "?")
		out = append(out, strings.Map(func(r rune) rune {
			if !unicode.IsPrint(r) {
				return ' '
			}
			return r
		}, s))
	}
	return out
}

// lookEvery is how often Run looks whether something is due; a heartbeat is due every HeartbeatEvery.
const lookEvery = 30 * time.Second

// Run asks again for what was not answered, renews in time, and sends what beat gives as heartbeats, until ctx ends.
func (c *Client) Run(ctx context.Context, beat func() Heartbeat) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	var beaten time.Time
	for {
		c.resume(ctx)
		if now := c.o.Now(); beat != nil && c.State().Registered && now.Sub(beaten) >= HeartbeatEvery {
			if err := c.Beat(ctx, beat()); err != nil && ctx.Err() == nil {
				c.o.Log.Warn("the heartbeat was not taken", "err", err)
			}
			beaten = now
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// resume does what is due now.
func (c *Client) resume(ctx context.Context) {
	s := c.State()
	var err error
	switch {
	case s.Pending:
		c.turn.Lock()
		var p *pending
		if p, err = c.keep.pending(); err == nil {
			err = c.enrol(ctx, p)
		}
		c.turn.Unlock()
	case s.Registered && !c.o.Now().Before(s.RenewAfter):
		err = c.Renew(ctx)
	}
	if err != nil && ctx.Err() == nil {
		c.o.Log.Warn("registration or renewal failed; it is tried again", "err", err)
	}
}

// answerLimit bounds what is read of an answer: a chain of certificates is a few KiB.
const answerLimit = 256 << 10

// post asks once. Connections are not kept: this happens every few minutes at most, and each shows the newest certificate.
func (c *Client) post(ctx context.Context, path string, token callhome.Secret, show *tls.Certificate, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.base+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	if !token.IsZero() {
		req.Header.Set("Authorization", "Bearer "+token.Reveal())
	}
	client := c.http(show)
	defer client.CloseIdleConnections()
	resp, err := client.Do(req)
	if err != nil {
		return callhome.Errorf(callhome.KindUnavailable, "the back end cannot be reached: %w", err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, answerLimit))
	if err != nil {
		return callhome.Errorf(callhome.KindUnavailable, "the back end's answer broke off: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		return refusal(resp.StatusCode, answer)
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return callhome.Errorf(callhome.KindUnavailable, "the answer is not that of a back end: %w", err)
	}
	return nil
}

func (c *Client) http(show *tls.Certificate) *http.Client {
	cfg := &tls.Config{}
	c.mu.Lock()
	if c.o.TLS != nil {
		cfg = c.o.TLS.Clone()
	}
	c.mu.Unlock()
	cfg.MinVersion, cfg.GetClientCertificate = max(cfg.MinVersion, tls.VersionTLS12), nil
	cfg.Certificates = nil
	cfg.ClientSessionCache = nil // a session of before the certificate was granted would be resumed without it
	if show != nil {
		cfg.Certificates = []tls.Certificate{*show}
	}
	return &http.Client{
		Timeout:       2 * AnswerTime,
		Transport:     &http.Transport{TLSClientConfig: cfg, DialContext: c.o.Dial, DisableKeepAlives: true, TLSHandshakeTimeout: AnswerTime, Proxy: c.o.Proxy},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// refusal is the error that an answer stands for. A 404 without our own words comes from something that is no back end:
// it says nothing about the token.
func refusal(status int, answer []byte) error {
	var p problem
	if json.Unmarshal(answer, &p) == nil && p.Error.Message != "" {
		for kind, s := range statusOf {
			if s == status && kind == p.Error.Kind {
				return callhome.Errorf(kind, "the back end refuses: %s", p.Error.Message)
			}
		}
	}
	return callhome.Errorf(callhome.KindUnavailable, "the back end answers %d; is the address that of its devices listener?", status)
}
