package device

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/subtle"
	"fmt"
	"net"
	"sync"

	"github.com/gliderlabs/ssh"
	gossh "golang.org/x/crypto/ssh"
)

// defaultPageLines is the height of a terminal nobody set.
const defaultPageLines = 24

// Config describes a device. Only Hostname is needed.
type Config struct {
	Hostname  string
	Style     Style                               // default IOS
	Passwords map[string]string                   // by user; with no passwords and no keys everybody may log in
	Keys      []gossh.PublicKey                   // of any user
	Enable    string                              // secret of enable mode; "" logs in to enable mode at once
	Answer    func(command string) []byte         // nil result: the command is not known
	Contexts  map[string]map[string]string        // ASA: answers by context and command
	PageLines int                                 // lines to a page until paging is turned off; default 24
	HostKey   gossh.Signer                        // default: a new one
	Forward   func(host string, port uint32) bool // as a jump host: where to; nil: nowhere
}

// Answers is a table of commands and what they print, for Config.Answer.
func Answers(table map[string]string) func(string) []byte {
	return func(command string) []byte {
		if out, ok := table[command]; ok {
			return []byte(out)
		}
		return nil
	}
}

// Device serves one command line to any number of sessions.
type Device struct {
	cfg    Config
	server *ssh.Server

	mu       sync.Mutex // guards what follows
	commands []string
	logins   int
	failures int
	open     int
	mostOpen int
}

// New makes a device; Serve starts it.
func New(cfg Config) (*Device, error) {
	if cfg.Style == "" {
		cfg.Style = IOS
	}
	if _, ok := manners[cfg.Style]; !ok {
		return nil, fmt.Errorf("device style %q is unknown", cfg.Style)
	}
	if cfg.PageLines <= 0 {
		cfg.PageLines = defaultPageLines
	}
	if cfg.HostKey == nil {
		_, key, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			return nil, fmt.Errorf("make host key: %w", err)
		}
		if cfg.HostKey, err = gossh.NewSignerFromKey(key); err != nil {
			return nil, fmt.Errorf("make host key: %w", err)
		}
	}
	d := &Device{cfg: cfg}
	d.server = d.newServer()
	return d, nil
}

func (d *Device) newServer() *ssh.Server {
	s := &ssh.Server{
		Handler: d.session,
		ConnectionFailedCallback: func(net.Conn, error) {
			d.mu.Lock()
			d.failures++
			d.mu.Unlock()
		},
		ChannelHandlers: map[string]ssh.ChannelHandler{"session": ssh.DefaultSessionHandler, "direct-tcpip": ssh.DirectTCPIPHandler},
		LocalPortForwardingCallback: func(_ ssh.Context, host string, port uint32) bool {
			return d.cfg.Forward != nil && d.cfg.Forward(host, port)
		},
	}
	s.AddHostKey(d.cfg.HostKey)
	if len(d.cfg.Passwords) > 0 {
		s.PasswordHandler = func(ctx ssh.Context, password string) bool {
			want, ok := d.cfg.Passwords[ctx.User()]
			return ok && subtle.ConstantTimeCompare([]byte(want), []byte(password)) == 1
		}
	}
	if len(d.cfg.Keys) > 0 {
		s.PublicKeyHandler = func(_ ssh.Context, key ssh.PublicKey) bool {
			for _, k := range d.cfg.Keys {
				if ssh.KeysEqual(k, key) {
					return true
				}
			}
			return false
		}
	}
	return s
}

// Serve takes connections until Close.
func (d *Device) Serve(l net.Listener) error {
	if err := d.server.Serve(l); err != nil && err != ssh.ErrServerClosed { //nolint:errorlint // the library returns this very value
		return fmt.Errorf("serve device %s: %w", d.cfg.Hostname, err)
	}
	return nil
}

// Close ends the listener and all sessions.
func (d *Device) Close() error { return d.server.Close() }

// HostKey is the key the device shows.
func (d *Device) HostKey() gossh.PublicKey { return d.cfg.HostKey.PublicKey() }

// Commands lists all command lines taken so far, in all sessions.
func (d *Device) Commands() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]string(nil), d.commands...)
}

// Stats tells how often somebody logged in, how many connections failed before that, and how many sessions were open at
// once at most.
func (d *Device) Stats() (logins, failures, mostOpen int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.logins, d.failures, d.mostOpen
}

func (d *Device) entered() {
	d.mu.Lock()
	d.logins++
	d.open++
	d.mostOpen = max(d.mostOpen, d.open)
	d.mu.Unlock()
}

func (d *Device) left() {
	d.mu.Lock()
	d.open--
	d.mu.Unlock()
}

func (d *Device) took(command string) {
	d.mu.Lock()
	d.commands = append(d.commands, command)
	d.mu.Unlock()
}

// HostSigner is the private side of HostKey.
func (d *Device) HostSigner() gossh.Signer { return d.cfg.HostKey }
