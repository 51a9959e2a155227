package httpsend

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"callhome"
	"callhome/codec/aml"
	"callhome/deliver"
)

// Meaning is what an answer's status tells of a message.
type Meaning string

// The meanings.
const (
	MeaningTaken     Meaning = "taken"     // 2xx
	MeaningLater     Meaning = "later"     // 408, 421, 425, 429, 5xx: Retry-After is honoured
	MeaningOperator  Meaning = "operator"  // 401, 403, 404, 407: someone can mend it, so it is tried again, seldom
	MeaningRedirect  Meaning = "redirect"  // 3xx: never followed; the configured address is wrong
	MeaningPermanent Meaning = "permanent" // any other 4xx: this message will never be taken there
)

// meanings of single statuses that differ from their class.
var meanings = map[int]Meaning{
	http.StatusRequestTimeout: MeaningLater, http.StatusMisdirectedRequest: MeaningLater,
	http.StatusTooEarly: MeaningLater, http.StatusTooManyRequests: MeaningLater,
	http.StatusUnauthorized: MeaningOperator, http.StatusForbidden: MeaningOperator,
	http.StatusNotFound: MeaningOperator, http.StatusProxyAuthRequired: MeaningOperator,
}

// MeaningOf is the meaning of a final status.
func MeaningOf(status int) Meaning {
	if m, ok := meanings[status]; ok {
		return m
	}
	switch {
	case status < 300:
		return MeaningTaken
	case status < 400:
		return MeaningRedirect
	case status < 500:
		return MeaningPermanent
	}
	return MeaningLater
}

// Bounds on when to come again. What a server asks for is honoured within them: a slip of the other side must not
// silence a device for a week.
const (
	minRetryAfter = time.Second
	maxRetryAfter = time.Hour
	operatorDelay = 15 * time.Minute // how soon a person can be expected to have mended something
)

// judgeAnswer turns an answer into the result of Send.
func (s *Sender) judgeAnswer(u *url.URL, resp *http.Response, answer []byte, env *callhome.Envelope) error {
	meaning := MeaningOf(resp.StatusCode)
	if resp.StatusCode == http.StatusBadRequest && aboutTLS(title(answer)) {
		meaning = MeaningOperator
	}
	if meaning == MeaningTaken {
		s.noteFault(u, answer, env)
		return nil
	}
	err := fmt.Errorf("post to %s: %s%s", callhome.MaskURL(u.String()), oneLine(resp.Status), sayings(resp, answer))
	switch meaning {
	case MeaningRedirect:
		return deliver.Permanent(fmt.Errorf("%w; redirects are not followed: put the final address into the profile", err))
	case MeaningPermanent:
		return deliver.Permanent(err)
	}
	if after, named := delayOf(meaning, resp.Header.Get("Retry-After"), s.now()); named {
		return deliver.RetryAfter(after, err)
	}
	return err
}

// delayOf is how long to wait where that is known; otherwise the courier decides.
func delayOf(m Meaning, field string, now time.Time) (delay time.Duration, named bool) {
	switch m {
	case MeaningOperator:
		return operatorDelay, true
	case MeaningLater:
		return retryAfter(field, now)
	}
	return 0, false
}

// sayings is what the answer tells people: where to, or the text of a fault or of a plain answer.
func sayings(resp *http.Response, answer []byte) string {
	if to := resp.Header.Get("Location"); to != "" && resp.StatusCode/100 == 3 {
		return " to " + oneLine(callhome.MaskURL(to))
	}
	if ack, err := aml.ParseAck(answer); err == nil && ack.Reason != "" {
		return ": " + oneLine(ack.Reason)
	}
	if strings.HasPrefix(resp.Header.Get("Content-Type"), "text/plain") && len(answer) > 0 {
		return ": " + oneLine(string(answer))
	}
	if t := title(answer); t != "" && t != resp.Status {
		return ": " + oneLine(t)
	}
	return ""
}

// maxTitle is how far into a page its title is looked for: pages of errors are short.
const maxTitle = 1024

// title is the title of an HTML page, the only part of one that is worth a place in a log.
func title(page []byte) string {
	page = page[:min(len(page), maxTitle)]
	_, rest, found := bytes.Cut(page, []byte("<title>"))
	text, _, closed := bytes.Cut(rest, []byte("</title>"))
	if !found || !closed {
		return ""
	}
	return string(text)
}

// aboutTLS reports whether nginx says by 400 that the connection, not the message, is at fault: no client certificate,
// one that it does not accept, or no TLS (its codes 494 to 497).
func aboutTLS(title string) bool {
	return strings.Contains(title, "SSL certificate") || strings.Contains(title, "plain HTTP request was sent to HTTPS port")
}

// noteFault tells of a server that took a message by its status and complains in its answer.
func (s *Sender) noteFault(u *url.URL, answer []byte, env *callhome.Envelope) {
	if !bytes.Contains(answer, []byte("Fault")) {
		return
	}
	ack, err := aml.ParseAck(answer)
	if err != nil || ack.Fault == "" {
		return
	}
	s.board.fault(callhome.MaskURL(u.String()), ack.Reason)
	s.log.Warn("the server took the message, and answers with a SOAP fault",
		"url", callhome.MaskURL(u.String()), "message_id", string(env.MessageID), "fault", string(ack.Fault), "reason", oneLine(ack.Reason))
}

// judgeFailure turns a request without an answer into the result of Send: all are worth another try.
func (s *Sender) judgeFailure(u *url.URL, err error) error {
	err = fmt.Errorf("post to %s: %w", callhome.MaskURL(u.String()), err)
	var cert *tls.CertificateVerificationError
	switch {
	case errors.As(err, &cert):
		return fmt.Errorf("%w (import the CA of the server as a trust point, or name the right one)", err)
	case strings.Contains(err.Error(), http.StatusText(http.StatusProxyAuthRequired)): // net/http has no type for it
		return deliver.RetryAfter(operatorDelay, fmt.Errorf("%w (give http_proxy.username and its password)", err))
	}
	return err
}

// retryAfter reads the field Retry-After, RFC 9110 section 10.2.3: seconds or a date.
func retryAfter(field string, now time.Time) (time.Duration, bool) {
	field = strings.TrimSpace(field)
	if field == "" {
		return 0, false
	}
	var after time.Duration
	if n, err := strconv.ParseUint(field, 10, 64); err == nil {
		after = maxRetryAfter
		if n < uint64(maxRetryAfter/time.Second) {
			after = time.Duration(n) * time.Second // bounded above
		}
	} else if at, err := http.ParseTime(field); err == nil {
		after = at.Sub(now)
	} else {
		return 0, false
	}
	return min(max(after, minRetryAfter), maxRetryAfter), true
}
