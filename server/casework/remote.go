package casework

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"callhome"
)

// Bounds of a conversation with a ticket system.
const (
	maxAnswer     = 4 << 20 // bytes: a page of a hundred tickets with long descriptions
	maxWords      = 300     // bytes of a refusal that are kept for people
	callTimeout   = 30 * time.Second
	refusedPause  = 10 * time.Minute // 401 and 403: somebody has to mend the account, which takes longer than a retry
	ReplayWindow  = 5 * time.Minute  // a signed request older, or newer, than this is refused
	MaxWebhook    = 1 << 20          // bytes of a webhook's body
	maxRetryAfter = 24 * time.Hour
)

// Caller speaks JSON over HTTPS to a ticket system: no redirects, which would carry the credentials elsewhere, bounded
// answers, and errors that say whether to try again.
type Caller struct {
	HTTP *http.Client
	Auth func(*http.Request) // adds the credentials
	Now  func() time.Time
}

// NewCaller makes a caller that verifies the other side by tlsConfig, or by the system's certificates when it is nil.
func NewCaller(tlsConfig *tls.Config, auth func(*http.Request)) *Caller {
	return &Caller{
		HTTP: &http.Client{
			Timeout:       callTimeout,
			Transport:     &http.Transport{TLSClientConfig: tlsConfig, Proxy: http.ProxyFromEnvironment, MaxIdleConnsPerHost: pushParallel, ForceAttemptHTTP2: true},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		Auth: auth, Now: time.Now,
	}
}

// Call sends in as JSON, unless it is nil, and reads the answer into out, unless that is nil. Header fields may be added
// as pairs.
func (c *Caller) Call(ctx context.Context, method, address string, in, out any, header ...string) error {
	var body []byte
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return Refuse(err)
		}
	}
	return c.CallRaw(ctx, method, address, body, out, header...)
}

// CallRaw is Call with a body that is JSON already.
func (c *Caller) CallRaw(ctx context.Context, method, address string, body []byte, out any, header ...string) error {
	req, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return Refuse(fmt.Errorf("%s is not an address: %w", callhome.MaskURL(address), err))
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "callhome")
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	if c.Auth != nil {
		c.Auth(req)
	}
	resp, err := c.HTTP.Do(req)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, req.URL.Path, plainError(err))
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if fault := c.judge(resp, answer); fault != nil {
		return fmt.Errorf("%s %s: %w", method, req.URL.Path, fault)
	}
	if err != nil || len(answer) > maxAnswer {
		return fmt.Errorf("%s %s: the answer broke off or is longer than %d bytes", method, req.URL.Path, maxAnswer)
	}
	if out == nil || len(bytes.TrimSpace(answer)) == 0 && resp.StatusCode == http.StatusNoContent {
		return nil
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return fmt.Errorf("%s %s: the answer is not the JSON that was expected: %w", method, req.URL.Path, err)
	}
	return nil
}

// plainError drops the address from an error of net/http, which may carry a key in its path or query.
func plainError(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

// judge makes an error of a status, nil for success.
func (c *Caller) judge(resp *http.Response, answer []byte) error {
	code := resp.StatusCode
	if code >= 200 && code < 300 {
		return nil
	}
	err := error(&StatusError{Code: code, Words: clip(clean(string(answer)), maxWords)})
	after, named := retryAfter(resp.Header.Get("Retry-After"), c.Now())
	switch {
	case named && (code == http.StatusTooManyRequests || code >= 500):
		return Later(after, err)
	case code == http.StatusTooManyRequests:
		return Later(time.Minute, err)
	case code == http.StatusUnauthorized, code == http.StatusForbidden:
		return Later(refusedPause, err)
	case code >= 500, code == http.StatusRequestTimeout, code == http.StatusTooEarly, code == http.StatusConflict:
		return err
	}
	return Refuse(err)
}

// StatusError is an answer other than success.
type StatusError struct {
	Code  int
	Words string
}

// Error is status and words.
func (e *StatusError) Error() string {
	return strings.TrimSpace(fmt.Sprintf("answered %d %s %s", e.Code, http.StatusText(e.Code), e.Words))
}

// StatusOf is the status of a StatusError in err's chain, 0 when there is none.
func StatusOf(err error) int {
	var s *StatusError
	if errors.As(err, &s) {
		return s.Code
	}
	return 0
}

// retryAfter reads seconds or a date, RFC 9110 section 10.2.3.
func retryAfter(s string, now time.Time) (time.Duration, bool) {
	if n, err := strconv.Atoi(strings.TrimSpace(s)); err == nil && n >= 0 {
		return min(time.Duration(n)*time.Second, maxRetryAfter), true
	}
	if t, err := http.ParseTime(s); err == nil {
		return min(max(t.Sub(now), 0), maxRetryAfter), true
	}
	return 0, false
}

// CheckURL refuses addresses over which credentials would travel in the clear.
func CheckURL(key, address string, insecure bool) error {
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return fmt.Errorf("%s: %q is not an address such as https://tickets.example", key, callhome.MaskURL(address))
	case u.Scheme == "http" && !insecure && !loopback(u.Hostname()):
		return fmt.Errorf("%s: %s would carry credentials in the clear; use https, or say insecure: true", key, u.Host)
	}
	return nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Sign is the signature of a webhook's body: HMAC-SHA256 in hexadecimal.
func Sign(secret callhome.Secret, parts ...[]byte) string {
	mac := hmac.New(sha256.New, []byte(secret.Reveal()))
	for _, p := range parts {
		mac.Write(p)
	}
	return hex.EncodeToString(mac.Sum(nil))
}

// CheckSignature compares a signature in constant time. Without a secret nothing is accepted.
func CheckSignature(secret callhome.Secret, given string, parts ...[]byte) error {
	if secret.IsZero() {
		return callhome.Errorf(callhome.KindDenied, "no webhook secret is configured, so nothing is accepted")
	}
	if !hmac.Equal([]byte(strings.ToLower(given)), []byte(Sign(secret, parts...))) {
		return callhome.Errorf(callhome.KindDenied, "the signature is wrong")
	}
	return nil
}

// CheckAge refuses what is signed but old, or from the future: a recording.
func CheckAge(at, now time.Time) error {
	if d := now.Sub(at); d > ReplayWindow || d < -ReplayWindow {
		return callhome.Errorf(callhome.KindDenied, "the request is from %s, more than %v away", at.UTC().Format(time.RFC3339), ReplayWindow)
	}
	return nil
}
