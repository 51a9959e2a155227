package httprecv

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"strings"

	"callhome"
	"callhome/receive"
)

// The paths that devices post to.
const (
	PathDDCE    = "/its/service/oddce/services/DDCEService"
	PathNEDDCE  = "/neddce/services/DDCEService"
	PathGateway = "/Transportgateway/services/DeviceRequestHandler" // in any case of letters
)

// Endpoint reports whether path is one of the device endpoint's.
func Endpoint(path string) bool {
	path = strings.TrimSuffix(path, "/")
	return path == PathDDCE || path == PathNEDDCE || strings.EqualFold(path, PathGateway)
}

// ServeHTTP answers a request. A slash at the end of the path is let through. Nothing is redirected: devices would not
// follow, and lose the message.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !Endpoint(r.URL.Path) && s.other != nil {
		s.other.ServeHTTP(w, r)
		return
	}
	if !Endpoint(r.URL.Path) {
		write(w, http.StatusNotFound, textType, []byte("there is nothing at this address\n"))
		return
	}
	switch r.Method {
	case http.MethodPost:
		s.take(w, r)
	case http.MethodGet, http.MethodHead:
		write(w, http.StatusOK, htmlType, []byte(statusPage))
	default:
		w.Header().Set("Allow", "GET, HEAD, POST")
		write(w, http.StatusMethodNotAllowed, textType, []byte("messages are posted here\n"))
	}
}

// take reads the message, hands it to the sink, and answers as the sink says.
func (s *Server) take(w http.ResponseWriter, r *http.Request) {
	if len(r.TransferEncoding) > 0 { // it may have had a Content-Length, too, and somebody before us may have gone by that
		w.Header().Set("Connection", "close")
	}
	body, err := s.readBody(w, r)
	if err != nil {
		s.refused(w, r, receive.RefusalOf(err))
		return
	}
	defer s.flight.leave(int64(cap(body)))
	if receive.IsLicensing(body) {
		s.licensing(w, r, body)
		return
	}
	if err := checkForm(body, r.Header.Get("Content-Type")); err != nil {
		s.refused(w, r, receive.RefusalOf(err))
		return
	}
	receipt, err := s.sink.Accept(r.Context(), s.submission(r, body))
	if err != nil {
		s.refused(w, r, receive.RefusalOf(err))
		return
	}
	s.metrics.Took(callhome.TransportHTTP, receipt, len(body))
	if s.weak {
		s.metrics.Weak()
	}
	s.accepted(w, receipt)
}

func (s *Server) submission(r *http.Request, body []byte) *receive.Submission {
	sub := &receive.Submission{
		Body: body, Transport: callhome.TransportHTTP, ReceivedAt: s.now(), TLS: receive.IdentityOf(r.TLS), Weak: s.weak,
		HTTP: &receive.HTTP{Path: r.URL.Path, ContentType: r.Header.Get("Content-Type"), UserAgent: r.UserAgent(), Token: token(r)},
	}
	if ap, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		sub.Peer = netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
	}
	if local, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok {
		sub.Local = receive.AddrPortOf(local)
	}
	return sub
}

func token(r *http.Request) callhome.Secret {
	const scheme = "Bearer "
	if h := r.Header.Get("Authorization"); len(h) > len(scheme) && strings.EqualFold(h[:len(scheme)], scheme) {
		return callhome.NewSecret(strings.TrimSpace(h[len(scheme):]))
	}
	return callhome.Secret{}
}

// trustedLength is how much memory a mere announcement of length gets; more is given as the bytes come in.
const trustedLength = 64 << 10

// readBody takes the body within the limits. The room of what it returns is in flight until the caller takes it off.
func (s *Server) readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	limit := int64(s.cfg.MaxMessageSize)
	if r.ContentLength > limit {
		w.Header().Set("Connection", "close") // the body is not read
		return nil, s.tooLarge(r.ContentLength)
	}
	if enc := r.Header.Get("Content-Encoding"); enc != "" && !strings.EqualFold(enc, "identity") {
		return nil, &receive.Refusal{Reason: receive.RefuseUnsupported, Public: "a Content-Encoding is not understood here; send the message as it is"}
	}
	body, err := s.readAll(http.MaxBytesReader(w, r.Body, limit), r.ContentLength)
	if err == nil {
		return body, nil
	}
	var big *http.MaxBytesError
	var ref *receive.Refusal
	switch {
	case errors.As(err, &big):
		return nil, s.tooLarge(big.Limit + 1)
	case errors.As(err, &ref):
		return nil, err
	}
	return nil, &receive.Refusal{Reason: receive.RefuseMalformed, Public: "the body did not arrive whole", Err: err}
}

func (s *Server) tooLarge(size int64) error {
	return &receive.Refusal{
		Reason: receive.RefuseTooLarge,
		Public: fmt.Sprintf("the message is too large: at most %d bytes are taken", s.cfg.MaxMessageSize),
		Err:    fmt.Errorf("%d bytes or more", size),
	}
}

// readAll reads to the end; length is -1 when the peer announced none. Memory is counted as it is used, not as it is
// announced: who only announces takes nothing from others.
func (s *Server) readAll(r io.Reader, length int64) ([]byte, error) {
	size := int64(trustedLength)
	if length >= 0 && length < trustedLength {
		size = length + 1 // room to see the end without growing
	}
	if !s.flight.enter(size) {
		return nil, errFull
	}
	body := make([]byte, 0, size)
	for {
		n, err := r.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		if errors.Is(err, io.EOF) && (length < 0 || int64(len(body)) == length) {
			return body, nil
		}
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		if err == nil && len(body) == cap(body) {
			body, err = s.grow(body)
		}
		if err != nil {
			s.flight.leave(int64(cap(body)))
			return nil, err
		}
	}
}

// grow doubles the room of body, as far as the budget goes.
func (s *Server) grow(body []byte) ([]byte, error) {
	if !s.flight.enter(int64(cap(body))) {
		return body, errFull
	}
	bigger := make([]byte, len(body), 2*cap(body))
	copy(bigger, body)
	return bigger, nil
}

// errFull tells that too many bodies are being taken at once.
var errFull error = &receive.Refusal{Reason: receive.RefuseBusy, Err: errors.New("the bodies being taken need more than max_in_flight")}

// checkForm turns away what is not XML before anyone has work with it. The body decides, not what the header calls it:
// devices name their XML in many ways, or not at all.
func checkForm(body []byte, contentType string) error {
	if looksLikeXML(body) {
		return nil
	}
	if len(bytes.TrimSpace(body)) == 0 {
		return &receive.Refusal{Reason: receive.RefuseMalformed, Public: "the body is empty; post the message as XML"}
	}
	media, _, _ := mime.ParseMediaType(contentType)
	if strings.HasSuffix(media, "/xml") || strings.HasSuffix(media, "+xml") {
		return &receive.Refusal{Reason: receive.RefuseMalformed, Public: "the body is not XML"}
	}
	return &receive.Refusal{Reason: receive.RefuseUnsupported}
}

// xmlStarts are how XML documents begin: a tag, after a mark of the byte order or in UTF-16.
var xmlStarts = [][]byte{[]byte("<"), []byte("\xef\xbb\xbf<"), []byte("\xfe\xff\x00<"), []byte("\xff\xfe<\x00")}

func looksLikeXML(body []byte) bool {
	body = bytes.TrimLeft(body, " \t\r\n")
	for _, start := range xmlStarts {
		if bytes.HasPrefix(body, start) {
			return true
		}
	}
	// White space between mark and first tag is out of form, and occurs.
	rest, marked := bytes.CutPrefix(body, []byte("\xef\xbb\xbf"))
	return marked && bytes.HasPrefix(bytes.TrimLeft(rest, " \t\r\n"), []byte("<"))
}
