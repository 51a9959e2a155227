package callhome

import (
	"errors"
	"fmt"
	"strings"
)

// Kind classes an error for the edge that has to answer: exit code, HTTP status, SMTP reply.
type Kind string

// The kinds.
const (
	KindInternal    Kind = "internal"
	KindNotFound    Kind = "not_found"
	KindInvalid     Kind = "invalid"
	KindConflict    Kind = "conflict"
	KindDenied      Kind = "denied"
	KindUnavailable Kind = "unavailable"
)

// Error is an error a person can act on. Path names the place: file:line:column, a field, an address.
type Error struct {
	Kind Kind
	Path string
	Msg  string
	Err  error
}

// Error joins path, message and cause by ": ", without what is empty.
func (e *Error) Error() string {
	parts := make([]string, 0, 3)
	for _, p := range []string{e.Path, e.Msg} {
		if p != "" {
			parts = append(parts, p)
		}
	}
	if e.Err != nil {
		parts = append(parts, e.Err.Error())
	}
	return strings.Join(parts, ": ")
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// Errorf makes an Error of a kind; %w keeps its cause.
func Errorf(kind Kind, format string, args ...any) error {
	return &Error{Kind: kind, Err: fmt.Errorf(format, args...)}
}

// KindOf is the kind of the first Error in err's chain, KindInternal for any other error.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return KindInternal
}
