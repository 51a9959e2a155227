package config

import (
	"errors"
	"fmt"
	"net"
	"reflect"
	"strings"

	"callhome"
	"callhome/agent"
	"callhome/agent/collect"
	"callhome/agent/intake/journald"
	"callhome/agent/intake/logfile"
	"callhome/agent/intake/syslogd"
	"callhome/deliver"
	"callhome/deliver/httpsend"
	"callhome/deliver/smtpsend"
	"callhome/outbox"
	"callhome/resolve"
	"callhome/trustpoint"
)

// Agent is the configuration of `callhome agent`.
type Agent struct {
	Role    string  `yaml:"role,omitempty" json:"role,omitempty"`         // agent; may be left out
	DataDir string  `yaml:"data_dir,omitempty" json:"data_dir,omitempty"` // databases, keys, state; made with mode 0700
	Control string  `yaml:"control,omitempty" json:"control,omitempty"`   // unix socket of the operator commands
	Console *Listen `yaml:"console,omitempty" json:"console,omitempty"`   // management screens
	Metrics *Listen `yaml:"metrics,omitempty" json:"metrics,omitempty"`   // /metrics, /healthz, /readyz

	Device      agent.Device          `yaml:"device,omitempty" json:"device,omitzero"`
	CallHome    CallHome              `yaml:"call_home" json:"call_home"`
	Intake      Intake                `yaml:"intake,omitempty" json:"intake,omitzero"`
	Devices     []agent.NetworkDevice `yaml:"devices,omitempty" json:"devices,omitempty"`
	DevicesFile string                `yaml:"devices_file,omitempty" json:"devices_file,omitempty"` // CSV, see docs/configuration.md
	ConfigDir   string                `yaml:"config_dir,omitempty" json:"config_dir,omitempty"`     // fragments, *.yaml, merged in name order
	OwnNames    []string              `yaml:"-" json:"-"`                                           // further names of the own host: what the system calls itself
	Contexts    []string              `yaml:"contexts,omitempty" json:"contexts,omitempty"`         // of the own device

	Collect     collect.Config         `yaml:"collect,omitempty" json:"collect,omitzero"`
	Queue       outbox.Config          `yaml:"queue,omitempty" json:"queue,omitzero"`
	Retry       deliver.Config         `yaml:"retry,omitempty" json:"retry,omitzero"`
	HTTP        httpsend.Config        `yaml:",inline" json:",inline"`
	SMTP        smtpsend.Options       `yaml:"smtp,omitempty" json:"smtp,omitzero"`
	MailSigning smtpsend.SigningConfig `yaml:"mail_signing,omitempty" json:"mail_signing,omitzero"`
	TrustPoints trustpoint.Config      `yaml:"trust_points,omitempty" json:"trust_points,omitempty"`
	Resolver    resolve.Config         `yaml:"resolver,omitempty" json:"resolver,omitzero"`
	Source      resolve.Source         `yaml:",inline" json:",inline"`
	Maintenance []agent.Maintenance    `yaml:"maintenance,omitempty" json:"maintenance,omitempty"`
	Backend     *Backend               `yaml:"backend,omitempty" json:"backend,omitempty"`
	Outputs     agent.Outputs          `yaml:"outputs,omitempty" json:"outputs,omitzero"`

	Warnings []error `yaml:"-" json:"-"` // found by Load: what is accepted and yet hinders messages, each with its place
}

// CallHome is the block call_home: the conductor's part and the mail servers, which are the sender's.
type CallHome struct {
	agent.CallHome `yaml:",inline"`
	MailServers    []smtpsend.Server `yaml:"mail_servers,omitempty" json:"mail_servers,omitempty"`
}

// Listen is an address to listen on.
type Listen struct {
	Listen string `yaml:"listen" json:"listen"` // host:port
}

// Intake is where events come from.
type Intake struct {
	syslogd.Config `yaml:",inline"`
	Logfile        *logfile.Config  `yaml:"logfile,omitempty" json:"logfile,omitempty"`
	Journald       *journald.Config `yaml:"journald,omitempty" json:"journald,omitempty"`
}

// Load reads the agent's configuration from a file, with its fragments and its device list, and checks it. The error
// joins every fault, each a [callhome.Error] whose path is file:line:column.
func Load(path string) (*Agent, error) {
	b, err := readFile(path)
	if err != nil {
		return nil, err
	}
	return Parse(path, b)
}

// Parse is Load for bytes that were read already; relative paths count from the folder of name.
func Parse(name string, b []byte) (*Agent, error) {
	cfg := defaults()
	warnings, err := read(name, b, cfg)
	if err != nil {
		return nil, err
	}
	cfg.Warnings = warnings
	return cfg, nil
}

// merge takes in the fragments and the list of devices.
func (c *Agent) merge(d *decoder) {
	d.fragments(c)
	d.deviceList(c)
}

// defaults is the configuration of an empty file.
func defaults() *Agent {
	cfg := &Agent{
		DataDir: "./data",
		Collect: collect.DefaultConfig(), Queue: outbox.DefaultConfig(), Retry: deliver.DefaultConfig(), Resolver: resolve.DefaultConfig(),
		HTTP: httpsend.DefaultConfig(), SMTP: smtpsend.DefaultOptions(),
		Intake: Intake{Config: syslogd.DefaultConfig()},
	}
	cfg.CallHome.SetDefaults()
	return cfg
}

// resolvePaths makes relative paths count from the configuration's folder, and names the control socket.
func (c *Agent) resolvePaths(dir string) {
	c.DataDir = below(dir, c.DataDir)
	if c.Control == "" {
		c.Control = below(c.DataDir, "agent.sock")
	}
	c.Control = below(dir, c.Control)
	eachPath(reflect.ValueOf(c).Elem(), func(v reflect.Value) { v.SetString(below(dir, v.String())) })
}

// eachPath calls f for every setting that names another file: those called something_file, and known_hosts. They were
// used already where they name parts of the configuration itself.
func eachPath(v reflect.Value, f func(reflect.Value)) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			eachPath(v.Elem(), f)
		}
	case reflect.Slice:
		for i := range v.Len() {
			eachPath(v.Index(i), f)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			name, inline := yamlName(v.Type().Field(i))
			switch field := v.Field(i); {
			case field.Kind() == reflect.String && (strings.HasSuffix(name, "_file") || name == "known_hosts"):
				f(field)
			case inline || name != "":
				eachPath(field, f)
			}
		}
	}
}

// Conductor is the part of the configuration that the conductor works by.
func (c *Agent) Conductor() agent.Config {
	return agent.Config{
		Device: c.Device, CallHome: c.CallHome.CallHome, Devices: c.Devices, Contexts: c.Contexts, OwnNames: c.OwnNames, Collect: c.Collect,
		Maintenance: c.Maintenance, Outputs: c.Outputs,
	}
}

// Validate names every fault by its key path.
func (c *Agent) Validate() error {
	conductor := c.Conductor()
	maintenance, err := c.validateMaintenance()
	conductor.Maintenance = maintenance
	errs := []error{
		checkRole(c.Role, RoleAgent), conductor.Validate(), err, c.validateDevices(), c.Queue.Validate(), c.Retry.Validate(), c.HTTP.Validate(), c.TrustPoints.Validate(),
		c.Resolver.Validate(), c.Source.Validate(), c.Intake.Validate(), c.MailSigning.Validate(),
	}
	if c.Intake.Logfile != nil {
		errs = append(errs, c.Intake.Logfile.Validate())
	}
	if c.Intake.Journald != nil {
		errs = append(errs, c.Intake.Journald.Validate())
	}
	for key, l := range map[string]*Listen{"console": c.Console, "metrics": c.Metrics} {
		if l == nil {
			continue
		}
		if _, _, err := net.SplitHostPort(l.Listen); err != nil {
			errs = append(errs, fault(key+".listen", "%q is not of the form address:port", l.Listen))
		}
	}
	return errors.Join(append(errs, c.Backend.validate(), c.validateMail())...)
}

func fault(path, format string, args ...any) error {
	return &callhome.Error{Kind: callhome.KindInvalid, Path: path, Msg: fmt.Sprintf(format, args...)}
}

// maxMailServers is the largest number any platform takes (Call Home chapters of IOS and NX-OS).
const maxMailServers = 5

func (c *Agent) validateMail() error {
	var errs []error
	if n := len(c.CallHome.MailServers); n > maxMailServers {
		errs = append(errs, fault("call_home.mail_servers", "%d servers are too many; at most %d are allowed", n, maxMailServers))
	}
	mail := smtpsend.Config{Servers: c.CallHome.MailServers, SMTP: c.SMTP}
	for _, f := range Faults(mail.Validate()) {
		if strings.HasPrefix(f.Path, "mail_servers") {
			f.Path = "call_home." + f.Path
		}
		errs = append(errs, f)
	}
	return errors.Join(errs...)
}
