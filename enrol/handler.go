package enrol

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"net/netip"
	"strings"

	"callhome"
)

// problem is the body of every answer that is not a success.
type problem struct {
	Error problemDetail `json:"error"`
}

type problemDetail struct {
	Kind    callhome.Kind `json:"kind"`
	Message string        `json:"message"`
}

// statusOf maps kinds of errors to the status that says so, for both directions.
var statusOf = map[callhome.Kind]int{
	callhome.KindInvalid:     http.StatusBadRequest,
	callhome.KindDenied:      http.StatusForbidden,
	callhome.KindNotFound:    http.StatusNotFound,
	callhome.KindConflict:    http.StatusConflict,
	callhome.KindUnavailable: http.StatusServiceUnavailable,
	callhome.KindInternal:    http.StatusInternalServerError,
}

// Handler serves the three paths. The listener's TLS must verify client certificates of the authority that the issuer
// signs with, without requiring them (tls.VerifyClientCertIfGiven), and bound the time for header and body.
func Handler(issuer Issuer, log *slog.Logger) http.Handler {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	h := &handler{issuer: issuer, log: log.With("component", "enrol")}
	paths := map[string]http.HandlerFunc{PathEnrol: h.answer(h.enrol), PathRenew: h.answer(h.renew), PathHeartbeat: h.answer(h.beat)}
	// No ServeMux: it redirects paths that it would clean. Devices post to the same listener, and follow no redirect.
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f := paths[r.URL.Path]
		switch {
		case f == nil:
			http.NotFound(w, r)
		case r.Method != http.MethodPost:
			w.Header().Set("Allow", http.MethodPost)
			http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
		default:
			f(w, r)
		}
	})
}

type handler struct {
	issuer Issuer
	log    *slog.Logger
}

// answer wraps what is common: the limits, and how an error is told.
func (h *handler) answer(f func(*http.Request, Peer) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), AnswerTime)
		defer cancel()
		r = r.WithContext(ctx)
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		peer := peerOf(r)
		out, err := f(r, peer)
		if err != nil {
			h.refuse(w, r, peer, err)
			return
		}
		write(w, http.StatusOK, out)
	}
}

func (h *handler) refuse(w http.ResponseWriter, r *http.Request, peer Peer, err error) {
	kind := callhome.KindOf(err)
	h.log.Warn("enrolment request refused", "path", r.URL.Path, "peer", peer.Address.String(), "subject", peer.Subject, "kind", string(kind), "err", err)
	text := err.Error()
	if kind == callhome.KindInternal { // its words are not for strangers
		text = "the back end failed; its log says why"
	}
	write(w, statusOf[kind], problem{Error: problemDetail{Kind: kind, Message: text}})
}

func write(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // a peer that is gone asks again
}

func (h *handler) enrol(r *http.Request, from Peer) (any, error) {
	var req Request
	if err := read(r, &req); err != nil {
		return nil, err
	}
	req.Token = bearer(r)
	if err := req.Validate(); err != nil {
		return nil, err
	}
	return h.issuer.Enrol(r.Context(), req, from)
}

func (h *handler) renew(r *http.Request, from Peer) (any, error) {
	if err := known(from); err != nil {
		return nil, err
	}
	var req Renewal
	if err := read(r, &req); err != nil {
		return nil, err
	}
	if _, err := ParseCSR(req.CSR); err != nil {
		return nil, err
	}
	return h.issuer.Renew(r.Context(), req, from)
}

func (h *handler) beat(r *http.Request, from Peer) (any, error) {
	if err := known(from); err != nil {
		return nil, err
	}
	var b Heartbeat
	if err := read(r, &b); err != nil {
		return nil, err
	}
	if err := b.Validate(); err != nil {
		return nil, err
	}
	return struct{}{}, h.issuer.Beat(r.Context(), b, from)
}

func known(from Peer) error {
	if from.Fingerprint == "" {
		return callhome.Errorf(callhome.KindDenied, "a client certificate of this back end is needed; enrol first")
	}
	return nil
}

func read(r *http.Request, v any) error {
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/json" {
		return callhome.Errorf(callhome.KindInvalid, "Content-Type must be application/json")
	}
	body, err := io.ReadAll(r.Body)
	var big *http.MaxBytesError
	switch {
	case errors.As(err, &big):
		return callhome.Errorf(callhome.KindInvalid, "the request is longer than %d bytes", maxBody)
	case err != nil:
		return callhome.Errorf(callhome.KindInvalid, "the request did not arrive whole")
	}
	if err := json.Unmarshal(body, v); err != nil {
		return callhome.Errorf(callhome.KindInvalid, "the request is not the JSON that this path takes")
	}
	return nil
}

func bearer(r *http.Request) callhome.Secret {
	const scheme = "Bearer "
	if a := r.Header.Get("Authorization"); len(a) > len(scheme) && strings.EqualFold(a[:len(scheme)], scheme) {
		return callhome.NewSecret(strings.TrimSpace(a[len(scheme):]))
	}
	return callhome.Secret{}
}

// peerOf is who the connection shows. A certificate that was not verified does not count.
func peerOf(r *http.Request) Peer {
	var p Peer
	if ap, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		p.Address = netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
	}
	if r.TLS != nil && len(r.TLS.VerifiedChains) > 0 {
		cert := r.TLS.VerifiedChains[0][0]
		p.Fingerprint, p.Serial, p.Subject = FingerprintOf(cert), SerialOf(cert), cert.Subject.CommonName
	}
	return p
}
