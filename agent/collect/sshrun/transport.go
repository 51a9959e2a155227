package sshrun

import (
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/scrapli/scrapligo/transport"
	"golang.org/x/crypto/ssh"
)

const (
	// Terminal size asked for: wide, so that no line is wrapped and no echo broken; high, in case paging cannot be turned
	// off. 511 columns is the most NX-OS and Junos take.
	terminalColumns = 511
	terminalRows    = 500
	// terminalName promises nothing: no colours, no cursor movements.
	terminalName = "vt100"
)

// shell is scrapligo's transport over a shell that is open already. Its reads never fail but with io.EOF, at which
// scrapligo's reader ends; closed tells everybody else.
type shell struct {
	conn    *connection
	session *ssh.Session
	stdin   io.WriteCloser
	stdout  io.Reader

	ended  chan struct{} // closed by Read when nothing more comes
	arrive chan struct{} // holds a token when something arrived since it was last taken
	once   sync.Once
}

// startShell asks for a terminal and starts the login shell, or another program. The caller bounds its time by closing
// conn.
func startShell(conn *connection, program string) (*shell, error) {
	session, err := conn.client.NewSession()
	if err != nil {
		return nil, fmt.Errorf("open session: %w", err)
	}
	s := &shell{conn: conn, session: session, ended: make(chan struct{}), arrive: make(chan struct{}, 1)}
	if s.stdin, err = session.StdinPipe(); err != nil {
		return nil, fmt.Errorf("open session: %w", err)
	}
	if s.stdout, err = session.StdoutPipe(); err != nil {
		return nil, fmt.Errorf("open session: %w", err)
	}
	if err := session.RequestPty(terminalName, terminalRows, terminalColumns, ssh.TerminalModes{ssh.ECHO: 1}); err != nil {
		return nil, fmt.Errorf("ask for a terminal: %w", err)
	}
	if program == "" {
		err = session.Shell()
	} else {
		err = session.Start(program)
	}
	if err != nil {
		return nil, fmt.Errorf("start shell: %w", err)
	}
	return s, nil
}

// Open has nothing left to do.
func (s *shell) Open(*transport.Args) error { return nil }

// Close ends the connection with all that waits on it.
func (s *shell) Close() error {
	s.conn.close()
	return nil
}

// IsAlive is false once reading has ended.
func (s *shell) IsAlive() bool {
	select {
	case <-s.ended:
		return false
	default:
		return true
	}
}

// Read waits for output.
func (s *shell) Read(n int) ([]byte, error) {
	b := make([]byte, n)
	n, err := s.stdout.Read(b)
	if n > 0 {
		return b[:n], nil
	}
	if err != nil {
		s.once.Do(func() { close(s.ended) })
		return nil, io.EOF
	}
	return nil, nil
}

// Write may wait for the other side to take what was written before.
func (s *shell) Write(b []byte) error {
	if _, err := s.stdin.Write(b); err != nil {
		return errors.Join(errLost, err)
	}
	return nil
}

// arrivals is scrapligo's channel log: it is written right after output was queued, which wakes us without polling.
type arrivals chan struct{}

// Write leaves a token.
func (a arrivals) Write(b []byte) (int, error) {
	select {
	case a <- struct{}{}:
	default:
	}
	return len(b), nil
}
