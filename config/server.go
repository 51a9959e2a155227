package config

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"reflect"
	"strings"
	"time"

	"callhome"
	"callhome/deliver"
	"callhome/deliver/httpsend"
	"callhome/deliver/smtpsend"
	"callhome/outbox"
	"callhome/receive/httprecv"
	"callhome/receive/smtprecv"
	"callhome/resolve"
	"callhome/server"
	"callhome/server/account"
	"callhome/server/casework"
	"callhome/server/notify"
	"callhome/server/registry"
	"callhome/trustpoint"
)

// RoleServer is the back end.
const RoleServer Role = "server"

// Server is the configuration of `callhome server`.
type Server struct {
	Role     string  `yaml:"role,omitempty" json:"role,omitempty"`         // server; may be left out
	DataDir  string  `yaml:"data_dir,omitempty" json:"data_dir,omitempty"` // databases, keys; made with mode 0700
	Control  string  `yaml:"control,omitempty" json:"control,omitempty"`   // unix socket of the operator commands
	Database string  `yaml:"database,omitempty" json:"database,omitempty"` // sqlite: a file in data_dir; or postgres://user:password@host/name
	Metrics  *Listen `yaml:"metrics,omitempty" json:"metrics,omitempty"`   // /metrics, /healthz, /readyz

	Listen         ServerListen            `yaml:"listen,omitempty" json:"listen,omitzero"`
	TLS            trustpoint.ServerConfig `yaml:"tls,omitempty" json:"tls,omitzero"`
	Insecure       bool                    `yaml:"insecure,omitempty" json:"insecure,omitempty"` // allows http:// listeners beyond loopback
	MaxMessageSize int                     `yaml:"max_message_size,omitempty" json:"max_message_size,omitempty"`
	HTTPServer     httprecv.Config         `yaml:"http_server,omitempty" json:"http_server,omitzero"`
	SMTPServer     smtprecv.Config         `yaml:"smtp_server,omitempty" json:"smtp_server,omitzero"`

	server.Config `yaml:",inline" json:",inline"`
	Registration  registry.Policy        `yaml:"registration,omitempty" json:"registration,omitzero"`
	Casework      casework.Config        `yaml:"casework,omitempty" json:"casework,omitzero"`
	Notify        notify.Config          `yaml:"notify,omitempty" json:"notify,omitzero"`
	OIDC          account.ProviderConfig `yaml:"oidc,omitempty" json:"oidc,omitzero"`
	Rules         Rules                  `yaml:"rules,omitempty" json:"rules,omitzero"`
	Tickets       Tickets                `yaml:"tickets,omitempty" json:"tickets,omitzero"`

	MailServers []smtpsend.Server `yaml:"mail_servers,omitempty" json:"mail_servers,omitempty"`
	SMTP        smtpsend.Options  `yaml:"smtp,omitempty" json:"smtp,omitzero"`
	Queue       outbox.Config     `yaml:"queue,omitempty" json:"queue,omitzero"`
	Retry       deliver.Config    `yaml:"retry,omitempty" json:"retry,omitzero"`
	HTTP        httpsend.Config   `yaml:",inline" json:",inline"`
	TrustPoints trustpoint.Config `yaml:"trust_points,omitempty" json:"trust_points,omitempty"`
	Resolver    resolve.Config    `yaml:"resolver,omitempty" json:"resolver,omitzero"`
	Source      resolve.Source    `yaml:",inline" json:",inline"`

	Warnings []error `yaml:"-" json:"-"` // found by LoadServer: what is accepted and yet hinders, each with its place
}

// ServerListen says where the back end listens.
type ServerListen struct {
	Devices []string `yaml:"devices,omitempty" json:"devices,omitempty"` // http://HOST:PORT, https://HOST:PORT
	SMTP    []string `yaml:"smtp,omitempty" json:"smtp,omitempty"`       // HOST:PORT, smtp://HOST:PORT, smtps://HOST:PORT
	Portal  []string `yaml:"portal,omitempty" json:"portal,omitempty"`   // portal and API: http://HOST:PORT, https://HOST:PORT
}

// Rules says which rule packs are used besides the shipped ones.
type Rules struct {
	Dir           string   `yaml:"dir,omitempty" json:"dir,omitempty"`   // packs of one's own, *.yaml, with *.yaml.sig
	Keys          []string `yaml:"keys,omitempty" json:"keys,omitempty"` // public keys whose signatures count
	AllowUnsigned bool     `yaml:"allow_unsigned,omitempty" json:"allow_unsigned,omitempty"`
	WithoutOwn    bool     `yaml:"without_shipped,omitempty" json:"without_shipped,omitempty"` // leaves the shipped packs out
}

// DatabaseSQLite is the word for a SQLite file in data_dir.
const DatabaseSQLite = "sqlite"

// LoadServer reads the back end's configuration from a file and checks it; the error is that of Load.
func LoadServer(path string) (*Server, error) {
	b, err := readFile(path)
	if err != nil {
		return nil, err
	}
	return ParseServer(path, b)
}

// ParseServer is LoadServer for bytes that were read already.
func ParseServer(name string, b []byte) (*Server, error) {
	cfg := serverDefaults()
	warnings, err := read(name, b, cfg)
	if err != nil {
		return nil, err
	}
	cfg.Warnings = warnings
	return cfg, nil
}

// serverDefaults is the configuration of an empty file.
func serverDefaults() *Server {
	retry := deliver.DefaultConfig()
	retry.MaxAge = 14 * 24 * time.Hour
	return &Server{
		DataDir: "./data", Database: DatabaseSQLite, MaxMessageSize: httprecv.DefaultConfig().MaxMessageSize,
		HTTPServer: httprecv.DefaultConfig(), SMTPServer: smtprecv.DefaultConfig(), Config: server.DefaultConfig(),
		Casework: casework.DefaultConfig(), Notify: notify.DefaultConfig(), SMTP: smtpsend.DefaultOptions(), Queue: outbox.DefaultConfig(),
		Retry: retry, HTTP: httpsend.DefaultConfig(), Resolver: resolve.DefaultConfig(),
	}
}

func (c *Server) resolvePaths(dir string) {
	c.DataDir = below(dir, c.DataDir)
	if c.Control == "" {
		c.Control = below(c.DataDir, "server.sock")
	}
	c.Control = below(dir, c.Control)
	if c.Rules.Dir != "" {
		c.Rules.Dir = below(dir, c.Rules.Dir)
	}
	eachPath(reflect.ValueOf(c).Elem(), func(v reflect.Value) { v.SetString(below(dir, v.String())) })
	size := c.MaxMessageSize
	c.HTTPServer.MaxMessageSize, c.SMTPServer.MaxMessageSize = size, int64(size)
	c.HTTPServer.MaxInFlight = max(c.HTTPServer.MaxInFlight, size)
}

// Validate names every fault by its key path.
func (c *Server) Validate() error {
	errs := []error{
		checkRole(c.Role, RoleServer), c.Config.Validate(), c.TLS.Validate(), prefixed("http_server", c.HTTPServer.Validate()),
		prefixed("smtp_server", c.SMTPServer.Validate()), placed(c.Casework.Validate()), placed(c.Notify.Validate()),
		c.Queue.Validate(), c.Retry.Validate(), c.HTTP.Validate(), c.TrustPoints.Validate(), c.Resolver.Validate(), c.Source.Validate(),
		smtpsend.Config{Servers: c.MailServers, SMTP: c.SMTP}.Validate(), c.validateListen(), c.Tickets.validate(c.Casework.TicketSystems()),
	}
	if c.Metrics != nil {
		if _, _, err := net.SplitHostPort(c.Metrics.Listen); err != nil {
			errs = append(errs, fault("metrics.listen", "%q is not of the form address:port", c.Metrics.Listen))
		}
	}
	if d := c.Database; d != DatabaseSQLite && !strings.HasPrefix(d, "postgres://") && !strings.HasPrefix(d, "postgresql://") {
		errs = append(errs, fault("database", "%q is neither sqlite nor postgres://user:password@host/name", d))
	}
	return errors.Join(errs...)
}

func (c *Server) validateListen() error {
	var errs []error
	for key, list := range map[string][]string{"devices": c.Listen.Devices, "portal": c.Listen.Portal} {
		for i, raw := range list {
			u, err := url.Parse(raw)
			if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
				errs = append(errs, fault(fmt.Sprintf("listen.%s[%d]", key, i), "%q is not of the form http://address:port or https://address:port", raw))
				continue
			}
			if u.Scheme == "http" && !c.Insecure && !loopbackHost(u.Hostname()) {
				errs = append(errs, fault(fmt.Sprintf("listen.%s[%d]", key, i), "%s would be in the clear beyond this host; use https, or set insecure: true", raw))
			}
		}
	}
	return errors.Join(errs...)
}

// warnings are what is accepted and yet hinders.
func (c *Server) warnings() []*callhome.Error {
	var out []*callhome.Error
	warn := func(path, msg string) {
		out = append(out, &callhome.Error{Kind: callhome.KindInvalid, Path: path, Msg: msg})
	}
	if len(c.Listen.Devices)+len(c.Listen.SMTP) == 0 {
		warn("listen", "nothing is listened on for devices: no message can come in")
	}
	if len(c.MailServers) > 0 && c.Notify.From == "" {
		warn("notify.from", "without it no mail is sent")
	}
	if c.Probe.Every > 0 && c.Probe.URL == "" && len(c.Listen.Devices) == 0 {
		warn("probe.every", "there is nowhere to call home to: give probe.url, or listen.devices")
	}
	if c.Notify.From != "" && len(c.MailServers) == 0 {
		warn("notify.from", "without mail_servers mails wait in the queue")
	}
	return out
}
