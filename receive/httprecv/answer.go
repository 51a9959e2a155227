package httprecv

import (
	"net/http"
	"strconv"
	"time"

	"callhome"
	"callhome/codec/aml"
	"callhome/receive"
)

// statusOf maps why a message is refused to the status that says so.
var statusOf = map[receive.RefusalReason]int{
	receive.RefuseMalformed:   http.StatusBadRequest,
	receive.RefuseUnsupported: http.StatusUnsupportedMediaType,
	receive.RefuseTooLarge:    http.StatusRequestEntityTooLarge,
	receive.RefuseDenied:      http.StatusForbidden,
	receive.RefuseBusy:        http.StatusServiceUnavailable,
}

const (
	xmlType  = "text/xml; charset=utf-8"
	textType = "text/plain; charset=utf-8"
	htmlType = "text/html; charset=utf-8"
	jsonType = "application/json"
)

// answerCap is room for an acknowledgement without growing.
const answerCap = 1024

// accepted acknowledges.
func (s *Server) accepted(w http.ResponseWriter, r receive.Receipt) {
	result := aml.ResultAccepted
	if r.Duplicate {
		result = aml.ResultDuplicate
	}
	write(w, http.StatusOK, xmlType, aml.AppendAck(make([]byte, 0, answerCap), r.MessageID, result))
}

// resultNotServed is the answer to a licensing agent: the message arrived, and nobody here gives licences. It is no
// error, since a device would repeat what failed.
const resultNotServed aml.Result = "licensing-not-served"

func (s *Server) licensing(w http.ResponseWriter, r *http.Request, body []byte) {
	s.metrics.Licensing(callhome.TransportHTTP)
	s.log.Info("a licensing message was answered and not taken", "peer", r.RemoteAddr)
	if s.licence != nil {
		s.licence()
	}
	if looksLikeXML(body) {
		write(w, http.StatusOK, xmlType, aml.AppendAck(make([]byte, 0, answerCap), "", resultNotServed))
		return
	}
	write(w, http.StatusOK, jsonType, []byte(`{"status":"NOT_SERVED","message":"licences are not served at this address"}`+"\n"))
}

// refused tells why not. What strangers read is the public sentence; the cause goes to the log.
func (s *Server) refused(w http.ResponseWriter, r *http.Request, ref receive.Refusal) {
	s.metrics.Refused(callhome.TransportHTTP, ref.Reason)
	s.log.Info("message refused", "peer", r.RemoteAddr, "path", r.URL.Path, "reason", string(ref.Reason), "err", ref.Err)
	switch ref.Reason {
	case receive.RefuseBusy:
		after := ref.RetryAfter
		if after <= 0 {
			after = s.cfg.RetryAfter
		}
		seconds := int64((after + time.Second - 1) / time.Second)
		w.Header().Set("Retry-After", strconv.FormatInt(seconds, 10))
	case receive.RefuseMalformed:
		write(w, statusOf[ref.Reason], xmlType, aml.AppendFault(make([]byte, 0, answerCap), aml.FaultSender, ref.Public))
		return
	}
	write(w, statusOf[ref.Reason], textType, []byte(ref.Public+"\n"))
}

func write(w http.ResponseWriter, status int, contentType string, body []byte) {
	h := w.Header()
	h["Content-Type"] = []string{contentType}
	h["Content-Length"] = []string{strconv.Itoa(len(body))}
	h["X-Content-Type-Options"] = []string{"nosniff"}
	w.WriteHeader(status)
	_, _ = w.Write(body) // a peer that is gone asks again
}

// statusPage is what a person sees who opens the endpoint in a browser. It holds no data.
const statusPage = `<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Call Home endpoint</title></head>
<body><h1>Call Home endpoint</h1><p>The service is up. Devices post their messages to this address.</p></body></html>
`
