package stand

import (
	"bufio"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"callhome/bench/load"
	"callhome/bench/proc"
)

// Callhome is our own agent.
type Callhome struct {
	p       *proc.Process
	data    string
	metrics string
	ports   map[string]int
	// Listening is how long it took from its start until it listened by TCP.
	Listening time.Duration
}

// CallhomeOptions say what the agent does.
type CallhomeOptions struct {
	Subscriptions int    // at least one; the wanted lines are among what the ninth takes
	HTTP          string // URL of the profile
	SMTPPort      int    // of the profile's mail server
	Limits        bool   // the product's own rate limit and throttling of repeats; else neither
	Devices       int    // that it speaks for
	Cert          *Certificate
	Wrap          []string // before its command, for strace
	Data          string   // its data folder; empty: one beside its configuration
}

const callhomeHead = `data_dir: %[7]s
control: %[1]s/agent.sock
metrics: {listen: %[2]s}
device: {hostname: bench-agent, personality: linux, model: QX9006, serial: QXA2613K0PZ}
intake:
  syslog: ["udp://%[3]s", "tcp://%[4]s"%[5]s]
  receive_buffer: %[6]d
`

// StartCallhome runs bin in dir, which may hold the data of an earlier run.
func StartCallhome(dir, bin string, o CallhomeOptions) (*Callhome, error) {
	path, err := proc.Find(bin)
	if err != nil {
		return nil, fmt.Errorf("%s is not there; make build makes it: %w", bin, err)
	}
	c := &Callhome{data: filepath.Join(dir, "data"), metrics: Address(proc.FreePort()), ports: map[string]int{"tcp": proc.FreePort(), "udp": proc.FreePort(), "tls": proc.FreePort()}}
	if o.Data != "" {
		c.data = o.Data
	}
	conf, err := write(dir, "agent.yaml", c.conf(o, dir))
	if err != nil {
		return nil, err
	}
	if c.p, err = proc.Start(dir, "callhome", nil, append(slices.Clone(o.Wrap), path, "agent", "--config", conf)...); err != nil {
		return nil, err
	}
	c.p.Wrapped = len(o.Wrap) > 0
	if c.Listening, err = proc.AwaitPort(c.p, Address(c.ports["tcp"]), listenTime); err != nil {
		c.p.Kill()
		return nil, err
	}
	return c, nil
}

func (c *Callhome) conf(o CallhomeOptions, dir string) string {
	var b strings.Builder
	tls := ""
	if o.Cert != nil {
		tls = fmt.Sprintf(`, "tls://%s"`, Address(c.ports["tls"]))
	}
	fmt.Fprintf(&b, callhomeHead, dir, c.metrics, Address(c.ports["udp"]), Address(c.ports["tcp"]), tls, ReceiveBuffer, c.data)
	if o.Cert != nil {
		fmt.Fprintf(&b, "  tls: {cert_file: %s, key_file: %s}\n", o.Cert.CertFile, o.Cert.KeyFile)
		fmt.Fprintf(&b, "trust_points:\n  - {name: sink, ca_file: %s}\nhttp: {trust_points: [sink]}\n", o.Cert.CertFile)
	}
	b.WriteString("devices:\n")
	for i := range max(1, o.Devices) {
		fmt.Fprintf(&b, "  - {hostname: %s, model: QX9006, serial: QXA%06d}\n", load.Device(i), i)
	}
	b.WriteString("call_home:\n  contact: {name: Rita Moura, email: noc@ops.example}\n  sender: {from: callhome@ops.example}\n")
	if !o.Limits {
		b.WriteString("  rate_limit: 0\n  duplicate_throttling: false\n")
	}
	if o.SMTPPort != 0 {
		fmt.Fprintf(&b, "  mail_servers:\n    - {host: 127.0.0.1, port: %d, priority: 1, security: none}\n", o.SMTPPort)
	}
	b.WriteString("  profiles:\n    - name: noc\n      format: xml\n")
	if o.SMTPPort != 0 {
		b.WriteString("      email: [noc@ops.example]\n")
	}
	if o.HTTP != "" {
		fmt.Fprintf(&b, "      http: [%q]\n", o.HTTP)
	}
	b.WriteString("      subscribe:\n")
	for _, s := range load.Subscriptions(max(9, o.Subscriptions)) {
		fmt.Fprintf(&b, "        - {group: syslog, severity: normal, pattern: '%s'}\n", s)
	}
	return b.String()
}

// Name implements Subject.
func (c *Callhome) Name() string { return "callhome" }

// Process implements Subject.
func (c *Callhome) Process() *proc.Process { return c.p }

// Port implements Subject.
func (c *Callhome) Port(transport string) int { return c.ports[transport] }

// Stop implements Subject.
func (c *Callhome) Stop() proc.Usage { return c.p.Stop() }

// Data is its data folder.
func (c *Callhome) Data() string { return c.data }

// Received implements Subject.
func (c *Callhome) Received() (int64, error) { return c.Metric("callhome_agent_lines_total") }

// Finished implements Subject by comparing the count: lines are judged where they are read.
func (c *Callhome) Finished(_ int, want int64) (bool, error) {
	n, err := c.Received()
	return n >= want, err
}

// Metric is the sum of all series of a metric whose text begins with name, which may include labels.
func (c *Callhome) Metric(name string) (int64, error) {
	resp, err := http.Get("http://" + c.metrics + "/metrics")
	if err != nil {
		return 0, fmt.Errorf("read metrics: %w", err)
	}
	defer resp.Body.Close()
	var sum float64
	for s := bufio.NewScanner(resp.Body); s.Scan(); {
		series, value, ok := strings.Cut(s.Text(), " ")
		if rest, found := strings.CutPrefix(series, name); !ok || !found || (rest != "" && rest[0] != '{' && rest[0] != ',') {
			continue
		}
		v, err := strconv.ParseFloat(value[strings.LastIndexByte(value, ' ')+1:], 64)
		if err == nil {
			sum += v
		}
	}
	return int64(sum), nil
}

// Size is the size of the binary.
func Size(bin string) (int64, error) {
	info, err := os.Stat(bin)
	if err != nil {
		return 0, fmt.Errorf("%w; make build makes it", err)
	}
	return info.Size(), nil
}
