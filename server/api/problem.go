package api

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"strconv"
	"time"

	"callhome"

	"github.com/danielgtaylor/huma/v2"
)

// Problem is an error as callers see it: RFC 9457, with the kind of the error, which programs go by.
type Problem struct {
	Title  string        `json:"title" doc:"The status in words"`
	Status int           `json:"status" doc:"HTTP status"`
	Kind   callhome.Kind `json:"kind" enum:"invalid,denied,not_found,conflict,unavailable,internal" doc:"What kind of error it is"`
	Detail string        `json:"detail,omitempty" doc:"What is wrong, and what to do about it"`
	Errors []Fault       `json:"errors,omitempty" doc:"The single faults of a request"`
	Retry  int           `json:"retry_after,omitempty" doc:"Seconds after which to try again"`
}

// Fault is one thing wrong with a request.
type Fault struct {
	Message  string `json:"message"`
	Location string `json:"location,omitempty" doc:"Such as query.limit or body.title"`
}

// Error is what is wrong.
func (p *Problem) Error() string { return p.Detail }

// GetStatus is the HTTP status; huma asks for it.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType names the format of problems.
func (p *Problem) ContentType(string) string { return problemType }

const problemType = "application/problem+json"

// statusOf maps the kinds of errors to HTTP: the one place.
var statusOf = map[callhome.Kind]int{
	callhome.KindInvalid:     http.StatusBadRequest,
	callhome.KindDenied:      http.StatusForbidden,
	callhome.KindNotFound:    http.StatusNotFound,
	callhome.KindConflict:    http.StatusConflict,
	callhome.KindUnavailable: http.StatusServiceUnavailable,
	callhome.KindInternal:    http.StatusInternalServerError,
}

// retryAfter is told with 503: most of what is unavailable is so for a moment.
const retryAfter = 5 * time.Second

// problemOf is an error of a room as a problem. Of internal errors only that they happened is told; the log has the rest.
func problemOf(err error) *Problem {
	var p *Problem
	if errors.As(err, &p) {
		return p
	}
	kind := callhome.KindOf(err)
	switch {
	case errors.Is(err, context.Canceled):
		kind = callhome.KindUnavailable
	case errors.Is(err, context.DeadlineExceeded):
		return &Problem{
			Status: http.StatusServiceUnavailable, Title: "Service Unavailable", Kind: callhome.KindUnavailable,
			Detail: "it took too long; ask for less at once", Retry: int(retryAfter / time.Second),
		}
	}
	p = &Problem{Status: statusOf[kind], Kind: kind, Detail: err.Error()}
	p.Title = http.StatusText(p.Status)
	switch kind {
	case callhome.KindInternal:
		p.Detail = "something went wrong here; the server's log says what"
	case callhome.KindUnavailable:
		p.Retry = int(retryAfter / time.Second)
	}
	return p
}

// unauthorized tells that a caller must sign in.
func unauthorized(detail string) *Problem {
	return &Problem{Status: http.StatusUnauthorized, Title: http.StatusText(http.StatusUnauthorized), Kind: callhome.KindDenied, Detail: detail}
}

// status makes a problem of a status that no kind has.
func status(code int, kind callhome.Kind, detail string) *Problem {
	return &Problem{Status: code, Title: http.StatusText(code), Kind: kind, Detail: detail}
}

// notFound is told of a record that is not there or beyond reach.
func notFound(what string) error {
	return callhome.Errorf(callhome.KindNotFound, "there is no such %s", what)
}

func invalid(location, message string) error {
	return &Problem{
		Status: http.StatusBadRequest, Title: http.StatusText(http.StatusBadRequest), Kind: callhome.KindInvalid,
		Detail: location + ": " + message, Errors: []Fault{{Message: message, Location: location}},
	}
}

// write sends a problem outside of huma: from the guard before the routes.
func (p *Problem) write(w http.ResponseWriter) {
	maps.Copy(w.Header(), p.GetHeaders())
	w.Header().Set("Content-Type", problemType)
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // a caller that is gone asks again
}

// kindOfStatus is for errors that huma finds: parameters, bodies, media types.
func kindOfStatus(code int) callhome.Kind {
	switch {
	case code == http.StatusNotFound:
		return callhome.KindNotFound
	case code == http.StatusUnauthorized || code == http.StatusForbidden:
		return callhome.KindDenied
	case code == http.StatusConflict || code == http.StatusPreconditionFailed:
		return callhome.KindConflict
	case code == http.StatusTooManyRequests || code == http.StatusServiceUnavailable:
		return callhome.KindUnavailable
	case code >= http.StatusInternalServerError:
		return callhome.KindInternal
	}
	return callhome.KindInvalid
}

// maxFaults bounds what is told about one request, and maxFaultText each fault: a hostile body can have a million.
const (
	maxFaults    = 20
	maxFaultText = 300
)

// newProblem replaces huma's own errors. 422 becomes 400: a request that cannot be taken has one status here.
func newProblem(code int, msg string, errs ...error) huma.StatusError {
	if code == http.StatusUnprocessableEntity {
		code = http.StatusBadRequest
	}
	p := &Problem{Status: code, Title: http.StatusText(code), Kind: kindOfStatus(code), Detail: msg}
	for _, err := range errs {
		if err == nil {
			continue
		}
		if len(p.Errors) == maxFaults {
			break
		}
		f := Fault{Message: err.Error()}
		var d huma.ErrorDetailer
		if errors.As(err, &d) { // the value is not told again: it may be huge, or a secret
			detail := d.ErrorDetail()
			f = Fault{Message: detail.Message, Location: detail.Location}
		}
		f.Message, f.Location = shorten(f.Message), shorten(f.Location)
		p.Errors = append(p.Errors, f)
	}
	if code >= http.StatusInternalServerError && code != http.StatusServiceUnavailable {
		p.Detail, p.Errors = "something went wrong here; the server's log says what", nil
	}
	return p
}

func shorten(s string) string {
	if len(s) <= maxFaultText {
		return s
	}
	return s[:maxFaultText] + "…"
}

func init() {
	huma.NewError = newProblem
	huma.DefaultArrayNullable = false
}

// GetHeaders are the headers that go with a problem; huma asks for them.
func (p *Problem) GetHeaders() http.Header {
	h := http.Header{}
	if p.Status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", `Bearer realm="callhome"`)
	}
	if p.Retry > 0 {
		h.Set("Retry-After", strconv.Itoa(p.Retry))
	}
	return h
}
