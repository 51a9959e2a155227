package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"callhome"
)

// Limits of the listener. What is asked of one request is bounded by its route.
const (
	headerTimeout  = 10 * time.Second // a caller on a slow line sends its headers in that time
	bodyTimeout    = time.Minute      // a CSV of contracts over a slow line
	idleTimeout    = 2 * time.Minute
	maxHeaderBytes = 16 << 10
	maxURL         = 4096 // filters and cursors are short
)

// Rates are how many requests a second are taken; a burst of several seconds' worth is. Zero fields have defaults.
type Rates struct {
	Caller   float64 // of one token or person; 50
	Address  float64 // of one address; 200, for companies come from one
	Failures float64 // failed sign-ins and unknown tokens of one address; 1
}

const (
	burst        = 4  // seconds' worth: a page in a browser makes some ten requests at once
	failureBurst = 20 // a person who mistypes, behind the address of a company
	limiterKeys  = 10_000
)

func (r Rates) limiters() (callers, addresses, failures *limiter) {
	limit := func(rate, otherwise, burst float64) *limiter {
		if rate <= 0 {
			rate = otherwise
		}
		return newLimiter(rate, rate*burst, limiterKeys)
	}
	return limit(r.Caller, 50, burst), limit(r.Address, 200, burst), limit(r.Failures, 1, failureBurst)
}

// Server gives an http.Server with the time-outs that the API needs; the caller opens the listener. The handler may
// hold the portal, too. Answers that stream set their own deadlines.
func Server(h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler: h, ReadHeaderTimeout: headerTimeout, ReadTimeout: bodyTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeaderBytes,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}

// ServeHTTP answers a request under /api/v1/.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	began := a.now()
	rec := &recorder{ResponseWriter: w}
	protect(rec.Header())
	defer func() { a.finished(rec, r, began, recover()) }()
	c, err := a.admit(r)
	if err != nil {
		a.refuse(rec, r, err)
		return
	}
	a.mux.ServeHTTP(rec, r.WithContext(context.WithValue(r.Context(), callerKey{}, c)))
}

// protect sets the headers of every answer. Nothing here is a page: a browser that is led to show it must do nothing.
func protect(h http.Header) {
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; sandbox")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
}

// admit holds a request against the limits and finds out whose it is.
func (a *API) admit(r *http.Request) (*caller, error) {
	if len(r.URL.RequestURI()) > maxURL {
		return nil, status(http.StatusRequestURITooLong, callhome.KindInvalid, fmt.Sprintf("the address is longer than %d bytes", maxURL))
	}
	if err := checkPath(r); err != nil {
		return nil, err
	}
	if coding := r.Header.Get("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		return nil, status(http.StatusUnsupportedMediaType, callhome.KindInvalid, "a Content-Encoding is not understood here; send the body as it is")
	}
	now, address := a.now(), addressOf(r)
	if wait, ok := a.addresses.allow(address, now); !ok {
		return nil, tooMany(wait)
	}
	if wait, ok := a.failures.left(address, now); !ok {
		return nil, tooMany(wait)
	}
	c, err := a.identify(r)
	if err != nil {
		if problemOf(err).Status == http.StatusUnauthorized {
			a.failures.allow(address, now)
			if r.Header.Get("Authorization") == "" && mayBeNobody(r) { // a cookie that ended must not keep anyone from signing in
				return &caller{address: address, agent: r.UserAgent(), secure: r.TLS != nil}, nil
			}
		}
		return nil, err
	}
	if r.Header.Get("Authorization") == "" {
		if err := a.origin.Check(r); err != nil {
			return nil, callhome.Errorf(callhome.KindDenied, "the request comes from another site's page")
		}
	}
	if c.signed {
		if wait, ok := a.callers.allow(c.Name, now); !ok {
			return nil, tooMany(wait)
		}
	}
	return c, nil
}

// mayBeNobody reports whether a request is about signing in.
func mayBeNobody(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, Prefix+"/session") }

// checkPath refuses addresses that are written to be read in two ways.
func checkPath(r *http.Request) error {
	raw := r.URL.EscapedPath()
	lower := strings.ToLower(raw)
	if strings.Contains(raw, "//") || strings.Contains(r.URL.Path, "..") || strings.ContainsAny(r.URL.Path, "\\\x00") || strings.Contains(lower, "%2f") || strings.Contains(raw, ";") || !utf8.ValidString(r.URL.Path) {
		return notFound("address")
	}
	return nil
}

func tooMany(wait time.Duration) error {
	p := status(http.StatusTooManyRequests, callhome.KindUnavailable, "too many requests; try again later, or export the list as a whole")
	p.Retry = max(1, int((wait+time.Second-1)/time.Second))
	return p
}

// refuse answers with an error from before the routes.
func (a *API) refuse(w http.ResponseWriter, r *http.Request, err error) {
	p := problemOf(err)
	a.logFault(r.Context(), r.Method, r.URL.Path, err, p)
	if r.ContentLength != 0 {
		w.Header().Set("Connection", "close") // the body is not read
	}
	p.write(w)
}

// logFault logs what is wrong here, not what is wrong with requests.
func (a *API) logFault(ctx context.Context, method, path string, err error, p *Problem) {
	if p.Status == http.StatusInternalServerError && !errors.Is(ctx.Err(), context.Canceled) {
		a.log.Error("request failed", "method", method, "path", path, "err", err)
	}
}

// finished ends a request, whatever became of it.
func (a *API) finished(rec *recorder, r *http.Request, began time.Time, panicked any) {
	if panicked != nil && panicked != http.ErrAbortHandler { //nolint:errorlint // a panic's value is compared as net/http does
		a.log.Error("request panicked", "method", r.Method, "path", r.URL.Path, "panic", fmt.Sprint(panicked), "stack", string(debug.Stack()))
		if rec.status == 0 {
			problemOf(errPanicked).write(rec)
			panicked = nil
		}
	}
	a.metrics.answered(r.Method, rec.status, a.now().Sub(began))
	if panicked != nil {
		panic(http.ErrAbortHandler) // the caller sees that the answer is not whole
	}
}

var errPanicked = errors.New("the handler panicked")

// recorder remembers the status of an answer.
type recorder struct {
	http.ResponseWriter
	status int
}

// WriteHeader notes the status.
func (r *recorder) WriteHeader(code int) {
	if r.status == 0 {
		r.status = code
	}
	r.ResponseWriter.WriteHeader(code)
}

// Write writes, with status 200 where none was set.
func (r *recorder) Write(b []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	return r.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

func statusWord(code int) string { return strconv.Itoa(code/100) + "xx" }
