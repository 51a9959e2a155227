package mailbox

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"callhome"
)

// Config is the block mailbox. Without an address there is none.
type Config struct {
	IMAP         string          `yaml:"imap,omitempty" json:"imap,omitempty"` // imap://USER@HOST[:PORT][/FOLDER] or imaps://
	POP3         string          `yaml:"pop3,omitempty" json:"pop3,omitempty"` // pop3://USER@HOST[:PORT] or pop3s://
	Password     callhome.Secret `yaml:"password,omitempty" json:"password,omitzero"`
	PasswordFile string          `yaml:"password_file,omitempty" json:"password_file,omitempty"`
	CAFile       string          `yaml:"ca_file,omitempty" json:"ca_file,omitempty"`           // PEM; the system's certificates without it
	Insecure     bool            `yaml:"insecure,omitempty" json:"insecure,omitempty"`         // allows a password in the clear beyond this host
	Interval     time.Duration   `yaml:"interval,omitempty" json:"interval,omitempty"`         // between two looks
	DoneFolder   string          `yaml:"done_folder,omitempty" json:"done_folder,omitempty"`   // IMAP: where taken mails go; none: they are deleted
	OtherFolder  string          `yaml:"other_folder,omitempty" json:"other_folder,omitempty"` // IMAP: where other mails go; none: they stay
	MaxSize      int64           `yaml:"max_size,omitempty" json:"max_size,omitempty"`         // bytes of one mail; larger ones count as other mails
	MaxMails     int             `yaml:"max_mails,omitempty" json:"max_mails,omitempty"`       // taken in one look
	Timeout      time.Duration   `yaml:"timeout,omitempty" json:"timeout,omitempty"`           // without a byte from the server
}

// DefaultConfig looks once a minute.
func DefaultConfig() Config {
	return Config{Interval: time.Minute, MaxSize: 32 << 20, MaxMails: 1000, Timeout: time.Minute}
}

// Enabled reports whether there is a mailbox.
func (c Config) Enabled() bool { return c.IMAP != "" || c.POP3 != "" }

// Validate reports every fault, each with its key below mailbox.
func (c Config) Validate() error {
	if !c.Enabled() {
		return nil
	}
	var faults []error
	check := func(ok bool, key, format string, args ...any) {
		if !ok {
			faults = append(faults, &callhome.Error{Kind: callhome.KindInvalid, Path: "mailbox." + key, Msg: fmt.Sprintf(format, args...)})
		}
	}
	key := "imap"
	if c.IMAP == "" {
		key = "pop3"
	}
	check(c.IMAP == "" || c.POP3 == "", "pop3", "give imap or pop3, not both")
	a, err := c.address()
	check(err == nil, key, "%v", err)
	check(err != nil || a.secure || c.Insecure || loopback(a.host), key,
		"the password would go over the network in the clear; use %ss://, or set mailbox.insecure: true", a.protocol)
	check(c.POP3 == "" || (c.DoneFolder == "" && c.OtherFolder == ""), "done_folder", "POP3 knows no folders; taken mails are deleted")
	check(c.Interval >= time.Second, "interval", "%v is not at least 1s", c.Interval)
	check(c.Timeout >= time.Second, "timeout", "%v is not at least 1s", c.Timeout)
	check(c.MaxSize >= 1024, "max_size", "%d is not at least 1024 bytes", c.MaxSize)
	check(c.MaxMails >= 1, "max_mails", "%d is not at least 1", c.MaxMails)
	return errors.Join(faults...)
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || (ip != nil && ip.IsLoopback())
}

// address is a mailbox's address taken apart.
type address struct {
	protocol string // imap or pop3
	secure   bool
	host     string
	hostPort string
	user     string
	folder   string
}

// String is the address without a password.
func (a address) String() string {
	s := a.protocol
	if a.secure {
		s += "s"
	}
	return s + "://" + a.user + "@" + a.hostPort
}

// ports by protocol (RFC 3501, RFC 8314, RFC 1939).
var ports = map[string]string{"imap": "143", "imaps": "993", "pop3": "110", "pop3s": "995"}

func (c Config) address() (a address, err error) {
	text := c.IMAP
	if text == "" {
		text = c.POP3
	}
	u, err := url.Parse(text)
	if err != nil {
		return a, errors.New("is not an address; write imaps://USER@HOST or pop3s://USER@HOST") // url.Error would repeat a password
	}
	scheme := strings.ToLower(u.Scheme)
	port, ok := ports[scheme]
	a.protocol, a.secure = strings.TrimSuffix(scheme, "s"), strings.HasSuffix(scheme, "s")
	if !ok || (a.protocol == "imap") != (c.IMAP != "") || u.Hostname() == "" || u.User.Username() == "" {
		return a, errors.New("is not an address; write imaps://USER@HOST or pop3s://USER@HOST")
	}
	if _, has := u.User.Password(); has {
		return a, errors.New("the password does not belong into the address; use mailbox.password_file")
	}
	if u.Port() != "" {
		port = u.Port()
	}
	a.host, a.hostPort, a.user = u.Hostname(), net.JoinHostPort(u.Hostname(), port), u.User.Username()
	if a.folder = strings.Trim(u.Path, "/"); a.folder == "" {
		a.folder = "INBOX"
	}
	return a, nil
}
