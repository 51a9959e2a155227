package callhometest

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
)

// Hostile is an HTTPS server that may answer the next requests with a fault instead of, or after, doing its work.
type Hostile struct {
	*httptest.Server
	TLS *tls.Config // trusts it

	mu     sync.Mutex // guards what follows
	faults []Fault
	seen   []string
}

// Fault is what goes wrong with one request. Status 0 breaks the connection.
type Fault struct {
	Status     int
	RetryAfter string
	Done       bool // the work is done before the answer is lost
	Half       bool // half of the answer is sent, then the connection breaks
}

// NewHostile serves work, with faults as given by [Hostile.Fail].
func NewHostile(t testing.TB, work http.Handler) *Hostile {
	t.Helper()
	h := &Hostile{}
	h.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.mu.Lock()
		h.seen = append(h.seen, r.Method+" "+r.URL.Path)
		var f *Fault
		if len(h.faults) > 0 {
			f, h.faults = &h.faults[0], h.faults[1:]
		}
		h.mu.Unlock()
		if f == nil {
			work.ServeHTTP(w, r)
			return
		}
		answer := httptest.NewRecorder()
		if f.Done || f.Half {
			work.ServeHTTP(answer, r)
		}
		f.play(w, answer)
	}))
	t.Cleanup(h.Close)
	pool := x509.NewCertPool()
	pool.AddCert(h.Certificate())
	h.TLS = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	return h
}

func (f *Fault) play(w http.ResponseWriter, answer *httptest.ResponseRecorder) {
	if f.Status != 0 {
		if f.RetryAfter != "" {
			w.Header().Set("Retry-After", f.RetryAfter)
		}
		w.WriteHeader(f.Status)
		_, _ = w.Write([]byte("<html>not what you expected</html>"))
		return
	}
	if f.Half {
		b := answer.Body.Bytes()
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", "100000")
		w.WriteHeader(answer.Code)
		_, _ = w.Write(b[:len(b)/2])
	}
	panic(http.ErrAbortHandler)
}

// Fail lets the next requests fail, one fault for each.
func (h *Hostile) Fail(faults ...Fault) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.faults = append(h.faults, faults...)
}

// Seen are the requests so far, method and path.
func (h *Hostile) Seen() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]string(nil), h.seen...)
}
