package collect

import (
	"context"
	"errors"
	"fmt"
)

// Runner opens sessions on one device. The collector calls it from several goroutines, never more at once than the
// device's limit of sessions.
type Runner interface {
	// Open logs in and makes the device ready to answer commands. An error that wraps a [RefusedError] keeps the
	// collector from trying again until someone acts. The session must end when ctx does.
	Open(ctx context.Context) (Session, error)
}

// Session runs commands one after the other; only one goroutine uses it.
type Session interface {
	// Run sends one command, which has passed the gate, and writes what the device answers to out as it arrives. It
	// returns when the device is ready for the next command, or with an error: what out holds by then is kept. An error
	// that wraps [ErrSessionLost] says that this session is of no more use.
	Run(ctx context.Context, command string, out *Output) error
	// Close logs out. It never takes longer than a few seconds.
	Close() error
}

// ErrSessionLost is wrapped by errors after which a session cannot be used any more.
var ErrSessionLost = errors.New("session lost")

// ErrRejected is wrapped when the device answered, and the answer says that it did not know or allow the command.
var ErrRejected = errors.New("the device rejected the command")

// RefusedError says that a device refused our credentials. Trying again may lock the account.
type RefusedError struct {
	Where string // host:port, or what was refused there, such as "enable on host:port"
	Err   error
}

// Error names the place and the cause.
func (e *RefusedError) Error() string { return fmt.Sprintf("login refused by %s: %v", e.Where, e.Err) }

// Unwrap gives the cause.
func (e *RefusedError) Unwrap() error { return e.Err }
