package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"callhome/receive/httprecv"
	"callhome/server/account"
)

// probeTime bounds one post of the probe.
const probeTime = time.Minute

// postProbe posts a message to a device endpoint as a device does, to our own when no address is given. Our own authority
// is trusted beside the system's.
func (b *backend) postProbe(ctx context.Context, to string, body []byte) error {
	if to == "" {
		own := b.posts.URLs()
		if len(own) == 0 {
			return errors.New("nothing is listened on for devices; give probe.url")
		}
		to = reachable(own[0]) + httprecv.PathDDCE
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "text/xml")
	resp, err := b.probeClient().Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, maxTicketBody)) // what counts is the status
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answered %s", to, resp.Status)
	}
	return nil
}

// reachable is the address of a listener as somebody on this host reaches it.
func reachable(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return raw
	}
	if ip := net.ParseIP(u.Hostname()); ip != nil && ip.IsUnspecified() {
		u.Host = net.JoinHostPort("localhost", u.Port())
	}
	return u.String()
}

func (b *backend) probeClient() *http.Client {
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	roots.AppendCertsFromPEM(b.identity.CA)
	return &http.Client{Timeout: probeTime, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}, DisableKeepAlives: true}}
}

// providerTime bounds the first question to an identity provider.
const providerTime = 10 * time.Second

// provider is the identity provider that people may sign in by; nil when none is configured or it does not answer. The
// back end then runs without it, and says so.
func (b *backend) provider(ctx context.Context) *account.Provider {
	if b.cfg.OIDC.Issuer == "" {
		return nil
	}
	type answer struct {
		p   *account.Provider
		err error
	}
	answered := make(chan answer, 1)
	go func() { // the provider keeps its context for the keys that it fetches later
		p, err := (&account.Office{}).NewProvider(context.WithoutCancel(ctx), b.cfg.OIDC)
		answered <- answer{p, err}
	}()
	a := answer{err: fmt.Errorf("no answer within %v", providerTime)}
	select {
	case a = <-answered:
	case <-time.After(providerTime):
	case <-ctx.Done():
	}
	if a.err != nil {
		b.health.Part("identity provider").Unwell("nobody can sign in by it until the next start: " + a.err.Error())
		b.log.Error("the identity provider is not used", "component", "server", "err", a.err)
		return nil
	}
	return a.p
}
