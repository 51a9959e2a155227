package sshrun

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"golang.org/x/crypto/ssh"

	"callhome/agent/collect"
)

// direct runs each command in a channel of its own, without a terminal: the way to ask a Linux host.
type direct struct {
	conn *connection
}

// Run waits for the command's end; what it writes to both outputs is kept in the order of arrival.
func (d *direct) Run(ctx context.Context, command string, out *collect.Output) error {
	stop := context.AfterFunc(ctx, d.conn.close)
	defer stop()
	session, err := d.conn.client.NewSession()
	if err != nil {
		return errors.Join(errLost, orCause(ctx, err))
	}
	defer func() { _ = session.Close() }() // at the end of the command it is closed already
	both := &locked{to: out}
	session.Stdout, session.Stderr = both, both
	err = session.Run(command)
	var exit *ssh.ExitError
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return errors.Join(errLost, context.Cause(ctx))
	case errors.As(err, &exit):
		return fmt.Errorf("exit status %d", exit.ExitStatus())
	}
	return errors.Join(errLost, err)
}

// Close ends the connection.
func (d *direct) Close() error {
	d.conn.close()
	return nil
}

// locked lets the two copying goroutines of a command share an output.
type locked struct {
	mu sync.Mutex
	to io.Writer // guarded by mu
}

// Write takes its turn.
func (l *locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.to.Write(p)
}
