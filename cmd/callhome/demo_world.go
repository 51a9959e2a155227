package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"text/template"

	"callhome"
	"callhome/agent"
	"callhome/config"
	"callhome/ctl"
	"callhome/outbox"
	"callhome/receive"
	"callhome/receive/smtprecv"
	"callhome/server/api"
	"callhome/simulate"
	devicecli "callhome/simulate/device"
)

// sinks take the mails of the demo's agent and back end, print them and keep them as files.
type sinks struct {
	mailAddr string

	dir string
	say func(string, ...any)
	mu  sync.Mutex // guards what follows
	n   int
}

func openSinks(ctx context.Context, parts *sync.WaitGroup, dir string, log *slog.Logger, say func(string, ...any)) (*sinks, error) {
	s := &sinks{dir: dir, say: say}
	if err := os.MkdirAll(filepath.Join(dir, demoMails), 0o700); err != nil {
		return nil, fmt.Errorf("demo: %w", err)
	}
	old, err := filepath.Glob(filepath.Join(dir, demoMails, "*"))
	if err != nil {
		return nil, fmt.Errorf("demo: %w", err)
	}
	for _, f := range old {
		_ = os.Remove(f) // of the demo before
	}
	mail, err := smtprecv.New(smtprecv.DefaultConfig(), receive.SinkFunc(s.mail), smtprecv.Options{Log: log})
	if err != nil {
		return nil, err
	}
	if err := mail.Listen(ctx, "127.0.0.1:0"); err != nil {
		return nil, err
	}
	s.mailAddr = mail.Addrs()[0]
	parts.Go(func() { _ = mail.Run(ctx) }) // it ends with ctx
	return s, nil
}

// keep writes a mail to a file and numbers it.
func (s *sinks) keep(body []byte) (int, error) {
	s.mu.Lock()
	s.n++
	n := s.n
	s.mu.Unlock()
	return n, os.WriteFile(filepath.Join(s.dir, demoMails, fmt.Sprintf("%04d.eml", n)), body, 0o600)
}

func (s *sinks) mail(_ context.Context, sub *receive.Submission) (receive.Receipt, error) {
	n, err := s.keep(sub.Body)
	if err != nil {
		return receive.Receipt{}, err
	}
	m := ctl.Summarise(sub.Body)
	s.say("mail %-5d arrives    to %s: %s", n, strings.Join(sub.Mail.To, ", "), m.Subject)
	if m.Format == callhome.FormatShort {
		for line := range strings.Lines(m.Text) {
			s.say("%-10s %-10s | %s", "", "", strings.TrimRight(line, "\r\n"))
		}
	}
	return receive.Receipt{}, nil
}

// console is the command line of one device.
type console struct {
	Address  string
	Port     int
	Password string
}

// openConsoles gives every network device of the fleet a command line over SSH, and writes their keys to known_hosts.
func openConsoles(ctx context.Context, parts *sync.WaitGroup, dir string, fleet []*simulate.Device) (map[*simulate.Device]console, error) {
	out := map[*simulate.Device]console{}
	var known strings.Builder
	for _, dev := range fleet {
		password := rand.Text()
		d, err := devicecli.New(devicecli.Config{
			Hostname: dev.Hostname, Style: devicecli.Style(dev.Platform), Passwords: map[string]string{"callhome": password}, Answer: dev.Answer,
		})
		if err != nil {
			return nil, err
		}
		ln, err := listen(ctx, "demo", net.JoinHostPort(dev.Address.String(), "0"))
		if err != nil {
			return nil, err
		}
		parts.Go(func() { _ = d.Serve(ln) })
		context.AfterFunc(ctx, func() { _ = d.Close() })
		port := ln.Addr().(*net.TCPAddr).Port
		key := d.HostKey()
		fmt.Fprintf(&known, "[%s]:%d %s %s\n", dev.Address, port, key.Type(), base64Key(key.Marshal()))
		out[dev] = console{dev.Address.String(), port, password}
	}
	return out, os.WriteFile(filepath.Join(dir, knownHosts), []byte(known.String()), 0o600)
}

// demoConfig is the configuration of the demo's agent: a file like any other.
var demoConfig = template.Must(template.New("demo").Parse(`# Made by callhome demo. Copy it and change it to begin your own.
data_dir: ./agent
control: ./agent.sock
metrics: {listen: "127.0.0.1:0"}
device: {hostname: collector, personality: linux}
call_home:
  contact: {name: Rita Moura, email: noc@ops.example, phone: "+351-21-555-0144", street_address: "Rua das Flores 12, Lisboa"}
  customer_id: C-20417
  contract_id: K-7781-22
  site_id: LIS-2
  sender: {from: callhome@ops.example}
  mail_servers: [{host: {{.MailHost}}, port: {{.MailPort}}, priority: 1, security: none}]
  profiles:
    - name: pager               # one short line for the engineer on duty
      format: short-text
      email: [oncall@ops.example]
      subscribe:
        - {group: environment, severity: warning}
        - {group: diagnostic, severity: minor}
        - {group: crash}
        - {group: syslog, severity: critical}
    - name: team                # the whole story for the team
      format: long-text
      email: [noc@ops.example]
      subscribe:
        - {group: environment, severity: warning}
        - {group: diagnostic, severity: minor}
        - {group: inventory}
        - {group: crash}
        - {group: threat, severity: warning}
        - {group: syslog, severity: minor}
    - name: {{.Tickets}}             # XML for the back end, by way of the gateway
      format: xml
      http: ["{{.URL}}"]
      subscribe:
        - {group: environment}
        - {group: diagnostic}
        - {group: inventory}
        - {group: configuration}
        - {group: linecard}
        - {group: system}
        - {group: crash}
        - {group: threat}
        - {group: syslog, severity: minor, pattern: ".*"}
intake:
  syslog: ["udp://{{.Intake}}"]
devices:
{{- range .Devices}}
  - hostname: {{.Device.Hostname}}
    address: {{.Console.Address}}
    personality: {{.Device.Platform}}
    model: {{.Device.Model}}
    serial: {{.Device.Serial}}
    sw_version: "{{.Device.Version}}"
    ssh: {port: {{.Console.Port}}, username: callhome, password: "{{.Console.Password}}", known_hosts: ./known_hosts}
{{- end}}
`))

// configure writes the configuration and says where the agent will listen.
func (d *demo) configure(fleet []*simulate.Device, consoles map[*simulate.Device]console) (file, intake string, err error) {
	intake = freeUDP(demoSyslog)
	host, port, err := net.SplitHostPort(d.sinks.mailAddr)
	if err != nil {
		return "", "", fmt.Errorf("demo: %w", err)
	}
	type member struct {
		Device  *simulate.Device
		Console console
	}
	var members []member
	for _, dev := range fleet {
		members = append(members, member{dev, consoles[dev]})
	}
	file = filepath.Join(d.dir, "agent.yaml")
	f, err := os.OpenFile(file, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return "", "", fmt.Errorf("demo: %w", err)
	}
	defer f.Close()
	err = demoConfig.Execute(f, map[string]any{"MailHost": host, "MailPort": port, "URL": d.home.gatewayURL + gatewayPath, "Tickets": demoTickets, "Intake": intake, "Devices": members})
	return file, intake, err
}

// freeUDP is the address, or one with another port if somebody has it.
func freeUDP(address string) string {
	for _, try := range []string{address, "127.0.0.1:0"} {
		if pc, err := net.ListenPacket("udp", try); err == nil { //nolint:noctx // local and at once
			at := pc.LocalAddr().String()
			_ = pc.Close()
			return at
		}
	}
	return address
}

func (d *demo) welcome(cfg *config.Agent, file, intake string) {
	_, port, _ := net.SplitHostPort(intake)
	d.screen.Lock()
	defer d.screen.Unlock()
	fmt.Fprintf(d.out, `Callhome demo: %d simulated devices log to an agent, which asks them for evidence and tells a pager and a team's
mailbox. What it has to say to the back end it hands to a gateway, and that to the back end, which registers the devices,
opens service requests and sends mails about them.
Configurations: %s %s %s   log: %s

  Send a line of your own:   logger -n 127.0.0.1 -P %s -d --rfc3164 -t kernel -p kern.crit "EXT4-fs error (device sda1): inode #2: comm ls: checksum invalid"
  Ask the agent:             callhome --socket %s show call-home history
  Ask the gateway:           callhome --socket %s gateway status
  Ask the back end:          callhome --socket %s admin device list
  Ask its API:               curl -s -H "Authorization: Bearer $(cat %s)" %s/service-requests
  Read a mail:               callhome demo mail 1 --dir %s

`, demoDevices, file, filepath.Join(d.dir, demoGatewayFile), filepath.Join(d.dir, demoServerFile), filepath.Join(d.dir, demoLog), port, cfg.Control,
		d.home.gateway.started.Control, d.home.back.cfg.Control, filepath.Join(d.dir, demoToken), d.home.webURL+api.Prefix, d.dir)
}

// happened prints what the agent decides.
func (d *demo) happened(h agent.Happening) {
	switch h.What {
	case agent.Admitted:
		d.say("%-10s alert      %s, level %d (%s)", h.Device, h.Group, h.Level, h.Level)
	case agent.HeldBack:
		d.say("%-10s held back  %s: %s", h.Device, h.Reason, h.Group)
	}
}

func (d *demo) summarise(s agent.Statistics) {
	d.screen.Lock()
	defer d.screen.Unlock()
	count := func(t callhome.Transport, status outbox.Status) (n int64) {
		for _, c := range s.Counts {
			if c.Transport == t && c.Status == status {
				n += c.N
			}
		}
		return n
	}
	fmt.Fprintf(d.out, "\nAfter %.0f s: the agent sent %d messages by mail, %d to the gateway; %d still queued, %d dead letters\n", timeSince(d.start),
		count(callhome.TransportEmail, outbox.StatusSent), count(callhome.TransportHTTP, outbox.StatusSent), s.Depth.Entries, s.Depth.DeadLetters)
	for _, r := range callhome.Reasons() {
		if n := s.Dropped[r]; n > 0 {
			fmt.Fprintf(d.out, "Held back: %d (%s)\n", n, r)
		}
	}
}

// listMails prints what the mail sink of the last demo took.
func listMails(out io.Writer, dir string) error {
	files, err := filepath.Glob(filepath.Join(dir, demoMails, "*.eml"))
	if err != nil || len(files) == 0 {
		return callhome.Errorf(callhome.KindNotFound, "no mails in %s; run `callhome demo` first", filepath.Join(dir, demoMails))
	}
	for i, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			return err
		}
		m := ctl.Summarise(b)
		fmt.Fprintf(out, "%4d  %-20s %s\n", i+1, m.To, m.Subject)
	}
	return nil
}

// printMail prints a mail of the last demo as a person reads it.
func printMail(out io.Writer, dir, number string) error {
	n, err := strconv.Atoi(number)
	if err != nil {
		return usageError{fmt.Errorf("%q is not a mail's number; `callhome demo mails` lists them", number)}
	}
	b, err := os.ReadFile(filepath.Join(dir, demoMails, fmt.Sprintf("%04d.eml", n)))
	if err != nil {
		return callhome.Errorf(callhome.KindNotFound, "there is no mail %d; `callhome demo mails` lists them", n)
	}
	_, err = io.WriteString(out, ctl.Readable(b))
	return err
}
