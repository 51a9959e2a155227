package config

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"reflect"
	"strings"

	"callhome"
	"callhome/deliver"
	"callhome/deliver/httpsend"
	"callhome/gateway"
	"callhome/outbox"
	"callhome/receive"
	"callhome/receive/httprecv"
	"callhome/receive/mailbox"
	"callhome/receive/smtprecv"
	"callhome/resolve"
	"callhome/trustpoint"
	"time"
)

// RoleGateway is the transport gateway.
const RoleGateway Role = "gateway"

// Gateway is the configuration of `callhome gateway`.
type Gateway struct {
	Role    string  `yaml:"role,omitempty" json:"role,omitempty"`         // gateway; may be left out
	DataDir string  `yaml:"data_dir,omitempty" json:"data_dir,omitempty"` // queue, book, keys; made with mode 0700
	Control string  `yaml:"control,omitempty" json:"control,omitempty"`   // unix socket of the operator commands
	Metrics *Listen `yaml:"metrics,omitempty" json:"metrics,omitempty"`   // /metrics, /healthz, /readyz

	Listen         GatewayListen           `yaml:"listen,omitempty" json:"listen,omitzero"`
	TLS            trustpoint.ServerConfig `yaml:"tls,omitempty" json:"tls,omitzero"`
	Insecure       bool                    `yaml:"insecure,omitempty" json:"insecure,omitempty"` // allows http:// listeners beyond loopback
	MaxMessageSize int                     `yaml:"max_message_size,omitempty" json:"max_message_size,omitempty"`
	HTTPServer     httprecv.Config         `yaml:"http_server,omitempty" json:"http_server,omitzero"`
	SMTPServer     smtprecv.Config         `yaml:"smtp_server,omitempty" json:"smtp_server,omitzero"`
	Sources        receive.FairConfig      `yaml:"sources,omitempty" json:"sources,omitzero"`
	Mailbox        mailbox.Config          `yaml:"mailbox,omitempty" json:"mailbox,omitzero"`

	gateway.Config `yaml:",inline" json:",inline"`

	Queue       outbox.Config     `yaml:"queue,omitempty" json:"queue,omitzero"`
	Retry       deliver.Config    `yaml:"retry,omitempty" json:"retry,omitzero"`
	HTTP        httpsend.Config   `yaml:",inline" json:",inline"`
	TrustPoints trustpoint.Config `yaml:"trust_points,omitempty" json:"trust_points,omitempty"`
	Resolver    resolve.Config    `yaml:"resolver,omitempty" json:"resolver,omitzero"`
	Source      resolve.Source    `yaml:",inline" json:",inline"`

	Warnings []error `yaml:"-" json:"-"` // found by LoadGateway: what is accepted and yet hinders messages, each with its place
}

// GatewayListen says where messages are taken.
type GatewayListen struct {
	Devices []string `yaml:"devices,omitempty" json:"devices,omitempty"` // http://HOST:PORT, https://HOST:PORT
	SMTP    []string `yaml:"smtp,omitempty" json:"smtp,omitempty"`       // HOST:PORT, smtp://HOST:PORT, smtps://HOST:PORT
	Legacy  []string `yaml:"legacy,omitempty" json:"legacy,omitempty"`   // https://HOST:PORT for devices that speak only old TLS and ciphers: weak
}

// LoadGateway reads the gateway's configuration from a file and checks it; the error is that of Load.
func LoadGateway(path string) (*Gateway, error) {
	b, err := readFile(path)
	if err != nil {
		return nil, err
	}
	return ParseGateway(path, b)
}

// ParseGateway is LoadGateway for bytes that were read already.
func ParseGateway(name string, b []byte) (*Gateway, error) {
	cfg := gatewayDefaults()
	warnings, err := read(name, b, cfg)
	if err != nil {
		return nil, err
	}
	cfg.Warnings = warnings
	return cfg, nil
}

// gatewayDefaults is the configuration of an empty file. A gateway keeps messages for longer than an agent does, and tries
// less often (Call Home specification, transport gateway: 30 seconds to 30 minutes).
func gatewayDefaults() *Gateway {
	retry := deliver.DefaultConfig()
	retry.BackoffMin, retry.BackoffMax, retry.MaxAge = 30*time.Second, 30*time.Minute, 30*24*time.Hour
	queue := outbox.DefaultConfig()
	queue.MaxBytes = 10 << 30
	return &Gateway{
		DataDir: "./gateway", MaxMessageSize: httprecv.DefaultConfig().MaxMessageSize,
		HTTPServer: httprecv.DefaultConfig(), SMTPServer: smtprecv.DefaultConfig(), Sources: receive.DefaultFairConfig(),
		Mailbox: mailbox.DefaultConfig(), Config: gateway.DefaultConfig(), Queue: queue, Retry: retry, HTTP: httpsend.DefaultConfig(),
		Resolver: resolve.DefaultConfig(),
	}
}

func (c *Gateway) resolvePaths(dir string) {
	c.DataDir = below(dir, c.DataDir)
	if c.Control == "" {
		c.Control = below(c.DataDir, "gateway.sock")
	}
	c.Control = below(dir, c.Control)
	c.Archive.Dir = below(dir, c.Archive.Dir)
	eachPath(reflect.ValueOf(c).Elem(), func(v reflect.Value) { v.SetString(below(dir, v.String())) })
	size := c.MaxMessageSize
	c.HTTPServer.MaxMessageSize, c.SMTPServer.MaxMessageSize = size, int64(size)
	c.HTTPServer.MaxInFlight = max(c.HTTPServer.MaxInFlight, size)
}

// Validate names every fault by its key path.
func (c *Gateway) Validate() error {
	errs := []error{
		checkRole(c.Role, RoleGateway), c.Config.Validate(), c.TLS.Validate(), prefixed("http_server", c.HTTPServer.Validate()),
		prefixed("smtp_server", c.SMTPServer.Validate()), c.Sources.Validate(), c.Mailbox.Validate(), c.Queue.Validate(), c.Retry.Validate(),
		c.HTTP.Validate(), c.TrustPoints.Validate(), c.Resolver.Validate(), c.Source.Validate(), c.validateListen(),
	}
	if c.Metrics != nil {
		if _, _, err := net.SplitHostPort(c.Metrics.Listen); err != nil {
			errs = append(errs, fault("metrics.listen", "%q is not of the form address:port", c.Metrics.Listen))
		}
	}
	return errors.Join(errs...)
}

func (c *Gateway) validateListen() error {
	var errs []error
	for i, l := range c.Listen.Devices {
		at := fmt.Sprintf("listen.devices[%d]", i)
		u, err := url.Parse(l)
		switch {
		case err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Port() == "":
			errs = append(errs, fault(at, "%q is not http://HOST:PORT or https://HOST:PORT", l))
		case u.Scheme == "http" && !c.Insecure && !loopbackHost(u.Hostname()):
			errs = append(errs, fault(at, "%s would take messages in the clear beyond this host; use https, or set insecure: true", l))
		}
	}
	for i, l := range c.Listen.Legacy {
		if u, err := url.Parse(l); err != nil || u.Scheme != "https" || u.Port() == "" {
			errs = append(errs, fault(fmt.Sprintf("listen.legacy[%d]", i), "%q is not https://HOST:PORT", l))
		}
	}
	for i, l := range c.Listen.SMTP {
		if _, _, err := net.SplitHostPort(strings.TrimPrefix(strings.TrimPrefix(l, "smtps://"), "smtp://")); err != nil {
			errs = append(errs, fault(fmt.Sprintf("listen.smtp[%d]", i), "%q is not HOST:PORT, smtp://HOST:PORT or smtps://HOST:PORT", l))
		}
	}
	return errors.Join(errs...)
}

func loopbackHost(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || (ip != nil && ip.IsLoopback())
}

// warnings are what a running gateway would be better without.
func (c *Gateway) warnings() []*callhome.Error {
	var out []*callhome.Error
	warn := func(path, format string, args ...any) {
		out = append(out, &callhome.Error{Kind: callhome.KindInvalid, Path: path, Msg: fmt.Sprintf(format, args...)})
	}
	for i, l := range c.Listen.Legacy {
		warn(fmt.Sprintf("listen.legacy[%d]", i), "%s is a weak listener: it speaks TLS 1.0 with broken ciphers; let only devices reach it that know no better", l)
	}
	if len(c.Listen.Devices)+len(c.Listen.SMTP)+len(c.Listen.Legacy) == 0 && !c.Mailbox.Enabled() {
		warn("listen", "nothing is listened on and no mailbox is polled: messages come by bundles only")
	}
	if len(c.Upstream) == 0 && len(c.Bundles.Peers) == 0 {
		warn("upstream", "there is no upstream and bundles.peers names nobody: messages are kept and never leave")
	}
	for i, u := range c.Upstream {
		if strings.HasPrefix(strings.ToLower(u.URL), "http://") {
			warn(fmt.Sprintf("upstream[%d].url", i), "messages go to %s in the clear; use https", callhome.MaskURL(u.URL))
		}
	}
	return out
}
