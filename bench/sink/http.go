package sink

import (
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
)

// HTTP is a server that takes what is posted to any path.
type HTTP struct {
	Tally
	URL string
	srv *http.Server
}

// maxBody is above every message that is measured.
const maxBody = 32 << 20

// ListenHTTP serves on loopback: HTTPS if cfg is not nil.
func ListenHTTP(cfg *tls.Config) (*HTTP, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	h := &HTTP{URL: "http://" + l.Addr().String() + "/sink"}
	buffers := sync.Pool{New: func() any { return new([]byte) }}
	h.srv = &http.Server{ErrorLog: log.New(io.Discard, "", 0), Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		buf := buffers.Get().(*[]byte)
		defer buffers.Put(buf)
		body, err := readInto((*buf)[:0], io.LimitReader(r.Body, maxBody))
		*buf = body
		if err != nil {
			return // the client broke off
		}
		h.take(body)
		w.WriteHeader(http.StatusOK)
	})}
	if cfg != nil {
		h.URL = "https://" + l.Addr().String() + "/sink"
		cfg = cfg.Clone()
		cfg.NextProtos = []string{"h2", "http/1.1"}
		h.srv.TLSConfig = cfg
		go func() { _ = h.srv.ServeTLS(l, "", "") }() // ends with Close
		return h, nil
	}
	go func() { _ = h.srv.Serve(l) }() // ends with Close
	return h, nil
}

// readInto reads all of r behind dst.
func readInto(dst []byte, r io.Reader) ([]byte, error) {
	for {
		if len(dst) == cap(dst) {
			dst = append(dst, make([]byte, max(4<<10, cap(dst)))...)[:len(dst)]
		}
		n, err := r.Read(dst[len(dst):cap(dst)])
		dst = dst[:len(dst)+n]
		if err == io.EOF {
			return dst, nil
		}
		if err != nil {
			return dst, err
		}
	}
}

// Close ends the server and its connections.
func (h *HTTP) Close() { _ = h.srv.Close() }
