package smtpsend

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"callhome"
)

// session is one open connection to a server, past EHLO, TLS and AUTH. It is used by one goroutine at a time.
type session struct {
	wire   *wire
	client *smtp.Client
	opts   Options
	idleAt time.Time // when it was last given back
}

// open connects to the server and goes as far as MAIL may come. Every error of it is the server's fault, not the mail's.
func (t *target) open(ctx context.Context) (*session, error) {
	dialCtx, cancel := context.WithTimeout(ctx, t.opts.CommandTimeout)
	conn, err := t.dial(dialCtx, "tcp", t.server.Address())
	cancel()
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	w := &wire{Conn: conn}
	client, err := t.greet(ctx, w)
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	return &session{wire: w, client: client, opts: t.opts}, nil
}

// greet does TLS as configured, EHLO and AUTH. The deadline holds for each of the three.
func (t *target) greet(ctx context.Context, w *wire) (*smtp.Client, error) {
	done := w.within(ctx, t.opts.CommandTimeout)
	client, err := t.secure(ctx, w)
	done()
	if err != nil {
		return nil, err
	}
	done = w.within(ctx, t.opts.CommandTimeout)
	err = client.Hello(t.opts.HelloName)
	done()
	if err != nil {
		return nil, fmt.Errorf("EHLO: %w", err)
	}
	if t.server.Username == "" {
		return client, nil
	}
	done = w.within(ctx, t.opts.CommandTimeout)
	err = t.login(client)
	done()
	if err != nil {
		return nil, fmt.Errorf("login as %s: %w", t.server.Username, err)
	}
	return client, nil
}

// secure begins the dialogue. With starttls the first EHLO, which anyone can read, says "localhost".
func (t *target) secure(ctx context.Context, w *wire) (*smtp.Client, error) {
	switch t.server.security() {
	case SecurityNone:
		return smtp.NewClient(w), nil
	case SecurityStartTLS:
		client, err := smtp.NewClientStartTLS(w, t.tls)
		if err != nil {
			return nil, fmt.Errorf("STARTTLS (it is demanded by security: starttls): %w", err)
		}
		return client, nil
	}
	conn := tls.Client(w, t.tls)
	if err := conn.HandshakeContext(ctx); err != nil {
		return nil, fmt.Errorf("TLS: %w", err)
	}
	return smtp.NewClient(conn), nil
}

// login prefers PLAIN. The configuration has made sure that the password is not sent in the clear unless that is allowed.
func (t *target) login(client *smtp.Client) error {
	password := t.server.Password.Reveal()
	switch {
	case client.SupportsAuth(sasl.Plain):
		return client.Auth(sasl.NewPlainClient("", t.server.Username, password))
	case client.SupportsAuth(sasl.Login):
		return client.Auth(sasl.NewLoginClient(t.server.Username, password))
	}
	return errors.New("the server offers neither AUTH PLAIN nor AUTH LOGIN")
}

// stage is how far a mail got.
type stage string

const (
	stageMail stage = "MAIL"
	stageRcpt stage = "RCPT"
	stageData stage = "DATA"
	stageEnd  stage = "end of data" // the server has all of it; whether it keeps it is known by its reply
)

// transactionError is a mail that was not taken, and how far it got.
type transactionError struct {
	stage stage
	err   error
}

// Error names the stage and the server's reply.
func (e *transactionError) Error() string { return fmt.Sprintf("%s: %v", e.stage, e.err) }

// Unwrap gives the cause.
func (e *transactionError) Unwrap() error { return e.err }

// reply is the server's reply to a command; nil when the connection failed instead.
func reply(err error) *smtp.SMTPError {
	var r *smtp.SMTPError
	errors.As(err, &r)
	return r
}

// transmit sends one mail. Its error is a *transactionError.
func (s *session) transmit(ctx context.Context, env *callhome.Envelope) error {
	steps := []struct {
		stage stage
		limit time.Duration
		run   func() error
	}{
		{stageMail, s.opts.CommandTimeout, func() error { return s.client.Mail(env.From, s.mailOptions(env)) }},
		{stageRcpt, s.opts.CommandTimeout, func() error { return s.client.Rcpt(env.Destination.Address, nil) }},
	}
	for _, step := range steps {
		done := s.wire.within(ctx, step.limit)
		err := step.run()
		done()
		if err != nil {
			return &transactionError{step.stage, err}
		}
	}
	return s.data(ctx, env.Body)
}

func (s *session) mailOptions(env *callhome.Envelope) *smtp.MailOptions {
	o := &smtp.MailOptions{Size: int64(len(env.Body))}
	if offered, _ := s.client.Extension("SMTPUTF8"); offered {
		o.UTF8 = !ascii(env.From) || !ascii(env.Destination.Address)
	}
	return o
}

func (s *session) data(ctx context.Context, body []byte) error {
	done := s.wire.within(ctx, s.opts.CommandTimeout)
	w, err := s.client.Data()
	done()
	if err != nil {
		return &transactionError{stageData, err}
	}
	done = s.wire.within(ctx, s.opts.DataTimeout)
	defer done()
	if _, err := w.Write(body); err != nil {
		return &transactionError{stageData, err}
	}
	if err := w.Close(); err != nil {
		return &transactionError{stageEnd, err}
	}
	return nil
}

// reset makes the connection fit for another mail after one was refused.
func (s *session) reset(ctx context.Context) error {
	defer s.wire.within(ctx, s.opts.CommandTimeout)()
	return s.client.Reset()
}

// quitTime is what a good-bye may take: nothing depends on it.
const quitTime = 2 * time.Second

// quit says good-bye.
func (s *session) quit() {
	defer s.wire.within(context.Background(), quitTime)()
	if s.client.Quit() != nil {
		s.abort()
	}
}

// abort closes without a word.
func (s *session) abort() { _ = s.wire.Conn.Close() }

func ascii(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r > 127 }) < 0
}

// timedOut reports whether err is a deadline's.
func timedOut(err error) bool {
	var ne net.Error
	return errors.As(err, &ne) && ne.Timeout()
}
