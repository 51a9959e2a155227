package sshrun

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/ssh"

	"callhome"
	"callhome/agent/collect"
)

// dialFunc opens a connection to the next hop.
type dialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// connection is a client and the hops below it.
type connection struct {
	client *ssh.Client
	below  *connection // the jump host's, nil without one
}

// close ends the connection from the inside out. It does not wait for the other side.
func (c *connection) close() {
	for ; c != nil; c = c.below {
		_ = c.client.Close()
	}
}

// connect goes through the jump host, if there is one, to the device. When ctx ends later, the caller closes.
func connect(ctx context.Context, t Target, dial dialFunc) (*connection, error) {
	if t.Config.Jump == nil {
		client, err := t.Config.dial(ctx, t.Address, dial)
		if err != nil {
			return nil, err
		}
		return &connection{client: client}, nil
	}
	hop, err := t.Config.Jump.dial(ctx, t.Config.Jump.Address, dial)
	if err != nil {
		return nil, fmt.Errorf("jump host: %w", err)
	}
	client, err := t.Config.dial(ctx, t.Address, hop.DialContext)
	if err != nil {
		_ = hop.Close()
		return nil, err
	}
	return &connection{client: client, below: &connection{client: hop}}, nil
}

// dial connects and logs in within the connect timeout. A login that the host turns down gives a collect.RefusedError.
func (l Login) dial(ctx context.Context, host string, dial dialFunc) (*ssh.Client, error) {
	limit := l.ConnectTimeout
	if limit == 0 {
		limit = defaultConnectTimeout
	}
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("no answer within %s", limit))
	defer cancel()
	port := l.Port
	if port == 0 {
		port = defaultPort
	}
	address := net.JoinHostPort(host, strconv.Itoa(port))
	a := &attempt{login: l}
	config, err := a.clientConfig(address)
	if err != nil {
		return nil, err
	}
	conn, err := dial(ctx, "tcp", address)
	if err != nil {
		return nil, callhome.Errorf(callhome.KindUnavailable, "connect to %s: %w", address, orCause(ctx, err))
	}
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	c, channels, requests, err := ssh.NewClientConn(&witness{Conn: conn, a: a}, address, config)
	if !stop() && err == nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		conn.Close()
		return nil, a.judge(ctx, address, err)
	}
	return ssh.NewClient(c, channels, requests), nil
}

// orCause prefers the reason why ctx ended to the error that followed from it.
func orCause(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// attempt is one try to log in. It remembers how far it came. The connection's reader and the login are two goroutines.
type attempt struct {
	login    Login
	offered  atomic.Bool // a key or password went to the host
	answered atomic.Bool // the host sent something after that
	password bool        // the password went to the host: once is enough, a second time counts as a second failure there
}

// witness notices whether the host says anything once it saw our credentials.
type witness struct {
	net.Conn
	a *attempt
}

// Read passes on what the host sends.
func (w *witness) Read(p []byte) (int, error) {
	n, err := w.Conn.Read(p)
	if n > 0 && w.a.offered.Load() {
		w.a.answered.Store(true)
	}
	return n, err
}

// errClosed marks a connection that ended between our credentials and any answer to them.
var errClosed = errors.New("the host ended the connection after it saw our credentials")

// judge tells a refused login from other trouble. A connection that merely ends after our credentials went out may be a
// refusal, or a device that is just going down: the Runner counts these.
func (a *attempt) judge(ctx context.Context, address string, err error) error {
	var hostKey *HostKeyError
	switch {
	case errors.As(err, &hostKey):
		return hostKey
	case ctx.Err() != nil:
		return callhome.Errorf(callhome.KindUnavailable, "log in to %s: %w", address, context.Cause(ctx))
	case a.answered.Load():
		return &collect.RefusedError{Where: address, Err: err}
	case a.offered.Load():
		return callhome.Errorf(callhome.KindUnavailable, "log in to %s: %w", address, errClosed)
	}
	return callhome.Errorf(callhome.KindUnavailable, "log in to %s: %w", address, err)
}

func (a *attempt) clientConfig(address string) (*ssh.ClientConfig, error) {
	check, types, err := a.login.hostKeys(address)
	if err != nil {
		return nil, err
	}
	methods, err := a.methods()
	if err != nil {
		return nil, err
	}
	config := &ssh.ClientConfig{User: a.login.Username, Auth: methods, HostKeyCallback: check, HostKeyAlgorithms: types, ClientVersion: "SSH-2.0-callhome", Timeout: time.Minute}
	config.AuthCallback = a.next
	a.login.allowLegacy(config)
	return config, nil
}

// allowLegacy adds the old algorithms this host is listed for, after all others.
func (l Login) allowLegacy(config *ssh.ClientConfig) {
	good, old := ssh.SupportedAlgorithms(), ssh.InsecureAlgorithms()
	extend := func(good, old []string) []string {
		out := slices.Clone(good)
		for _, a := range l.LegacyAlgorithms {
			if slices.Contains(old, a) {
				out = append(out, a)
			}
		}
		return out
	}
	config.KeyExchanges = extend(good.KeyExchanges, old.KeyExchanges)
	config.Ciphers = extend(good.Ciphers, old.Ciphers)
	config.MACs = extend(good.MACs, old.MACs)
	keys := extend(good.HostKeys, old.HostKeys)
	if len(config.HostKeyAlgorithms) == 0 {
		config.HostKeyAlgorithms = keys
		return
	}
	config.HostKeyAlgorithms = slices.DeleteFunc(config.HostKeyAlgorithms, func(a string) bool { return !slices.Contains(keys, a) })
}

// methods are the ways to log in, the key first.
func (a *attempt) methods() ([]ssh.AuthMethod, error) {
	var out []ssh.AuthMethod
	if a.login.KeyFile != "" {
		signer, err := a.login.signer()
		if err != nil {
			return nil, err
		}
		out = append(out, ssh.PublicKeysCallback(func() ([]ssh.Signer, error) {
			a.offered.Store(true)
			return []ssh.Signer{signer}, nil
		}))
	}
	if !a.login.Password.IsZero() {
		out = append(out, ssh.PasswordCallback(a.passwordOnce), ssh.KeyboardInteractive(a.answer))
	}
	return out, nil
}

func (l Login) signer() (ssh.Signer, error) {
	pem, err := os.ReadFile(l.KeyFile)
	if err != nil {
		return nil, fmt.Errorf("ssh key: %w", err)
	}
	var signer ssh.Signer
	if l.KeyPassphrase.IsZero() {
		signer, err = ssh.ParsePrivateKey(pem)
	} else {
		signer, err = ssh.ParsePrivateKeyWithPassphrase(pem, []byte(l.KeyPassphrase.Reveal()))
	}
	if err != nil {
		return nil, fmt.Errorf("ssh key %s: %w", l.KeyFile, err)
	}
	return signer, nil
}

var errPasswordUsed = errors.New("the password was refused")

// next ends the login when the password did not do: password and keyboard-interactive would be two failures.
func (a *attempt) next(*ssh.ClientAuthContext) (ssh.AuthMethod, error) {
	if a.password {
		return nil, errPasswordUsed
	}
	return nil, nil //nolint:nilnil // the library's way to say: go on with the next method of the list
}

func (a *attempt) passwordOnce() (string, error) {
	if a.password {
		return "", errPasswordUsed
	}
	a.password = true
	a.offered.Store(true)
	return a.login.Password.Reveal(), nil
}

// answer gives the password to one hidden question. Notices without a question are let pass; any further question means
// that the answer was wrong, or that the host asks for something we do not have.
func (a *attempt) answer(_, _ string, questions []string, echos []bool) ([]string, error) {
	if len(questions) == 0 {
		return nil, nil
	}
	if len(questions) != 1 || echos[0] {
		return nil, fmt.Errorf("the host asks for more than a password: %.80q", questions)
	}
	password, err := a.passwordOnce()
	if err != nil {
		return nil, err
	}
	return []string{password}, nil
}
