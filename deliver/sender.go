package deliver

import (
	"context"
	"errors"
	"time"

	"callhome"
)

// Sender brings one envelope to its destination. The courier calls it from several goroutines, with a deadline in ctx,
// never twice at a time for the same device and destination. Nil means that the receiver has taken the message over:
// it will not be sent again. An error made by Permanent means that it never will be taken, one by RetryAfter that the
// receiver named a time; any other error is temporary. Send keeps nothing of the envelope.
type Sender interface {
	Send(ctx context.Context, e *callhome.Envelope) error
}

type permanentError struct{ err error }

func (e *permanentError) Error() string { return e.err.Error() }
func (e *permanentError) Unwrap() error { return e.err }

// Permanent marks an error that no repetition mends. Nil stays nil.
func Permanent(err error) error {
	if err == nil {
		return nil
	}
	return &permanentError{err}
}

// IsPermanent reports whether err, or an error it wraps, was made by Permanent.
func IsPermanent(err error) bool {
	var p *permanentError
	return errors.As(err, &p)
}

type retryAfterError struct {
	err   error
	after time.Duration
}

func (e *retryAfterError) Error() string { return e.err.Error() }
func (e *retryAfterError) Unwrap() error { return e.err }

// RetryAfter marks an error of a receiver that said when to come back, such as HTTP's Retry-After (RFC 9110 section
// 10.2.3). Nil stays nil.
func RetryAfter(after time.Duration, err error) error {
	if err == nil {
		return nil
	}
	return &retryAfterError{err, after}
}

// retryAfter is the time a receiver named, if it named one.
func retryAfter(err error) (time.Duration, bool) {
	var r *retryAfterError
	if errors.As(err, &r) {
		return r.after, true
	}
	return 0, false
}
