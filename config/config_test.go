package config_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"callhome"
	"callhome/config"
)

const valid = `
data_dir: ./data
device: {hostname: edge-rtr-7, personality: ios, model: QX9006, serial: QXA2613K0PZ, hw_version: 1.1, sw_version: 17.12}
call_home:
  contact: {email: noc@ops.example}
  mail_servers: [{host: 127.0.0.1, port: 2525, priority: 1, security: none}]
  profiles:
    - name: noc
      email: [noc@ops.example]
      http: ["https://backend.example/x"]
      subscribe:
        - {group: syslog, severity: major, pattern: ".*"}
        - {group: environmental, severity: warning}
intake:
  syslog: ["udp://127.0.0.1:5514"]
`

func parse(t *testing.T, text string) *config.Agent {
	t.Helper()
	cfg, err := config.Parse("/etc/callhome/agent.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

func TestParse(t *testing.T) {
	cfg := parse(t, valid)
	p := cfg.CallHome.Profiles[0]
	for what, ok := range map[string]bool{
		"a profile is active unless it says otherwise": p.Active && p.Format == callhome.FormatXML,
		"the service is on":                            cfg.CallHome.Enabled,
		"versions are text":                            cfg.Device.HWVersion == "1.1" && cfg.Device.SWVersion == "17.12",
		"groups read other platforms' words":           p.Subscribe[1].Group == callhome.GroupEnvironment,
		"paths count from the file's folder":           cfg.DataDir == "/etc/callhome/data",
		"the control socket is in data_dir":            cfg.Control == "/etc/callhome/data/agent.sock",
		"severities read keywords":                     *p.Subscribe[0].Severity == callhome.LevelMajor,
		"defaults stay":                                cfg.Retry.MaxAge == 14*24*time.Hour,
	} {
		if !ok {
			t.Errorf("%s: got %+v", what, cfg)
		}
	}
}

// faultCases break one thing each; want is the place and part of the sentence.
var faultCases = []struct{ name, old, new, place, want string }{
	{"unknown key", "contact:", "contract:", ":5:3", "did you mean contact?"},
	{"key twice", "data_dir: ./data", "data_dir: ./data\ndata_dir: ./x", ":3:1", "stands twice"},
	{"bad severity", "severity: major", "severity: huge", ":12:37", `severity "huge" is not one of`},
	{"bad group", "group: syslog", "group: sysloog", ":12:19", "is unknown"},
	{"bad pattern", `pattern: ".*"`, `pattern: "("`, ":12:53", "missing closing )"},
	{"bad URL", "https://backend.example/x", "ftp://backend.example/x", ":10:14", "not an http:// or https:// address"},
	{"no destination", "email: [noc@ops.example]\n      http: [\"https://backend.example/x\"]", "format: xml", ":8:7", "no email or http destination"},
	{"a key that is not there", "intake:", "devices: [{hostname: a, address: 192.0.2.1, ssh: {username: u, key_file: none.pem}}]\nintake:", ":14:74", "none.pem does not exist; put the file there"},
	{"a certificate that is not there", "intake:", "intake:\n  tls: {cert_file: /none/c.pem, key_file: /none/k.pem}", ":15:20", "/none/c.pem does not exist"},
	{"authorities in a folder", "intake:", "trust_points: [{name: own, ca_file: /}]\nintake:", ":14:37", "is a folder"},
	{"half an address", "intake:", "devices: [{hostname: a, address: 192.0.2}]\nintake:", ":14:34", "is no IP address"},
	{"a number too large", "intake:", "devices: [{hostname: a, addresses: [192.0.2.256]}]\nintake:", ":14:37", "is no IP address"},
	{"a name of two words", "intake:", "devices: [{hostname: core one}]\nintake:", ":14:22", "has a blank"},
	{"a control character", "hostname: edge-rtr-7", `hostname: "edge\u0007"`, ":3:20", "control character"},
	{"maintenance without end", "intake:", "maintenance: [{from: 2026-12-01T22:00:00Z}]\nintake:", ":14:15", "maintenance[0].to: is missing"},
	{"maintenance without beginning", "intake:", "maintenance: [{to: 2026-12-01T22:00:00Z}]\nintake:", ":14:15", "maintenance[0].from: is missing"},
	{"reserved name", "name: noc", "name: ALL", ":8:13", "reserved"},
	{"not a number", "port: 2525", "port: many", ":6:42", "not a whole number"},
	{"a list is wanted", `syslog: ["udp://127.0.0.1:5514"]`, "syslog: udp://127.0.0.1:5514", ":15:11", "must be a list"},
	{"bad listener", "udp://127.0.0.1:5514", "http://127.0.0.1:5514", ":15:12", "http"},
	{"environment", "host: 127.0.0.1", `host: "${CALLHOME_TEST_UNSET}"`, ":6:25", "CALLHOME_TEST_UNSET is not set"},
	{"not YAML", "data_dir: ./data", "data_dir: \"./data", ":2:1", "is not YAML"},
	{"a tab", "  contact:", "\tcontact:", ":5:1", "a tab indents"},
	{"indentation", "    - name: noc", "     - name: two\n    - name: noc", ":9:1", "is not YAML"},
	{"personality", "personality: ios", "personality: vms", ":3:45", `"vms" is not one of`},
	{"address twice", "email: [noc@ops.example]", "email: [noc@ops.example, NOC@ops.example]", ":9:32", "stands twice"},
	{"detail", "severity: major,", "detail: huge,", ":12:35", "not one of basic, full"},
	{"size", "name: noc", "name: noc\n      message_size_limit: 49", ":9:27", "49"},
}

func TestFaultsNameTheirPlace(t *testing.T) {
	for _, c := range faultCases {
		t.Run(c.name, func(t *testing.T) {
			text := strings.Replace(valid, c.old, c.new, 1)
			if text == valid {
				t.Fatalf("%q is not in the valid configuration", c.old)
			}
			_, err := config.Parse("agent.yaml", []byte(text))
			faults := config.Faults(err)
			if !slices.ContainsFunc(faults, func(f *callhome.Error) bool {
				return f.Path == "agent.yaml"+c.place && strings.Contains(f.Error(), c.want)
			}) {
				t.Errorf("got %v, want agent.yaml%s: … %s …", err, c.place, c.want)
			}
			if got := callhome.KindOf(faults[0]); got != callhome.KindInvalid {
				t.Errorf("kind: got %s", got)
			}
		})
	}
}

// What could not be read does not hide what is wrong elsewhere, and is not complained of again.
func TestAllFaultsAtOnce(t *testing.T) {
	_, err := config.Parse("agent.yaml", []byte(`bogus: 1
device: {personality: ios}
call_home:
  rate_limit: many
  customer_id: "a\"b"
  profiles: [{name: a, subscribe: [{group: nope}]}]
other: 2
console: {listen: nowhere}
`))
	var got []string
	for _, f := range config.Faults(err) {
		got = append(got, strings.TrimPrefix(f.Path, "agent.yaml:"))
	}
	if want := []string{"1:1", "4:15", "5:16", "6:44", "7:1", "8:19"}; !slices.Equal(got, want) {
		t.Errorf("got faults at %v, want %v: %v", got, want, err)
	}
}

// A configuration that is not complete for mail is accepted, as devices do, and told of.
func TestWarningsNameTheirPlace(t *testing.T) {
	if cfg := parse(t, valid); len(cfg.Warnings) > 0 {
		t.Errorf("the valid configuration: got warnings %v", cfg.Warnings)
	}
	for _, c := range []struct{ old, want string }{
		{`  mail_servers: [{host: 127.0.0.1, port: 2525, priority: 1, security: none}]`, "names no server"},
		{`  contact: {email: noc@ops.example}`, "says from whom"},
	} {
		cfg := parse(t, strings.Replace(valid, c.old, "  enabled: true", 1))
		if len(cfg.Warnings) != 1 || !strings.HasPrefix(cfg.Warnings[0].Error(), "/etc/callhome/agent.yaml:9:14: call_home.profiles[0].email: ") ||
			!strings.Contains(cfg.Warnings[0].Error(), c.want) {
			t.Errorf("without %q: got %v, want one warning at 9:14 with %q", c.old, cfg.Warnings, c.want)
		}
	}
}

// One fault is told once, also where two rules could find it.
func TestMissingTimesAreToldOnce(t *testing.T) {
	_, err := config.Parse("agent.yaml", []byte(valid+"maintenance: [{name: x}]\n"))
	if n := len(config.Faults(err)); n != 2 {
		t.Errorf("got %d faults, want from and to: %v", n, err)
	}
}

func TestEnvironmentAndSecretFiles(t *testing.T) {
	dir := t.TempDir()
	secret := filepath.Join(dir, "pw")
	if err := os.WriteFile(secret, []byte("s3cret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("CALLHOME_TEST_PORT", "2526")
	text := strings.Replace(valid, "port: 2525", `port: "${CALLHOME_TEST_PORT}"`+", username: u, insecure_auth: true, password_file: "+secret, 1)
	cfg := parse(t, text)
	m := cfg.CallHome.MailServers[0]
	if m.Port != 2526 || m.Password.Reveal() != "s3cret" {
		t.Errorf("got port %d, password %q", m.Port, m.Password.Reveal())
	}
	running, err := config.Running(cfg, true)
	if err != nil || strings.Contains(running, "s3cret") {
		t.Errorf("the running configuration shows a secret, or fails: %v\n%s", err, running)
	}
}

func TestFragmentsAndDeviceList(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	main := write("agent.yaml", valid+"config_dir: conf.d\ndevices_file: devices.csv\ndevices: [{hostname: one, address: 192.0.2.1}]\n")
	write("conf.d/20.yaml", "devices: [{hostname: three, address: 192.0.2.3}]\ncall_home: {customer_id: C-1}\n")
	write("conf.d/10.yaml", "devices: [{hostname: two, address: 192.0.2.2}]\n")
	write("devices.csv", "hostname,address,personality,ssh_username,ssh_key_file\nfour,192.0.2.4,asa,callhome,"+write("k", "key\n")+"\n")
	cfg, err := config.Load(main)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, d := range cfg.Devices {
		names = append(names, d.Hostname)
	}
	if got := strings.Join(names, " "); got != "one two three four" || cfg.CallHome.CustomerID != "C-1" || len(cfg.CallHome.Profiles) != 1 {
		t.Errorf("got devices %q, customer %q, %d profiles", got, cfg.CallHome.CustomerID, len(cfg.CallHome.Profiles))
	}
	write("devices.csv", "hostname,address\nfour,192.0.2.4\none,192.0.2.9\n")
	_, err = config.Load(main)
	if err == nil || !strings.Contains(err.Error(), "devices.csv:3:1") {
		t.Errorf("a name twice: got %v, want devices.csv:3:1", err)
	}
}

// TestRelativePaths: they count from the configuration's folder, wherever the program was started.
func TestRelativePaths(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "pw"), []byte("s3cret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "id"), []byte("key\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, "agent.yaml")
	cfg, err := config.Parse(name, []byte(valid+"devices: [{hostname: one, address: 192.0.2.1, ssh: {username: u, password_file: ./pw, key_file: id, known_hosts: ./kh}}]\n"))
	if err != nil {
		t.Fatal(err)
	}
	ssh := cfg.Devices[0].SSH
	if ssh.Password.Reveal() != "s3cret" || ssh.KeyFile != filepath.Join(dir, "id") || ssh.KnownHosts != filepath.Join(dir, "kh") {
		t.Errorf("got password %q, key file %q, known hosts %q", ssh.Password.Reveal(), ssh.KeyFile, ssh.KnownHosts)
	}
	_, err = config.Parse(name, []byte(valid+"devices: [{hostname: one, address: 192.0.2.1, ssh: {username: u, password_file: none}}]\n"))
	if n := len(config.Faults(err)); n != 1 || !strings.Contains(err.Error(), filepath.Join(dir, "none")) {
		t.Errorf("got %d faults, want one that names the file: %v", n, err)
	}
}

func TestSchemaIsJSON(t *testing.T) {
	b, err := config.Schema(config.RoleAgent)
	if err != nil {
		t.Fatal(err)
	}
	var s struct {
		Properties map[string]any `json:"properties"`
	}
	if err := json.Unmarshal(b, &s); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"call_home", "intake", "devices", "data_dir", "trust_points"} {
		if s.Properties[key] == nil {
			t.Errorf("the schema lacks %s", key)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(valid))
	for _, c := range faultCases {
		f.Add([]byte(strings.Replace(valid, c.old, c.new, 1)))
	}
	f.Add([]byte("a: &a [*a]"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if strings.Contains(string(b), "_file") || strings.Contains(string(b), "config_dir") {
			t.Skip("reads other files")
		}
		cfg, err := config.Parse("agent.yaml", b)
		if (cfg == nil) == (err == nil) {
			t.Fatalf("got %v and %v, want one of them", cfg, err)
		}
	})
}

// The configuration that is shown has no secret, also where an address carries one.
func TestRunningHasNoSecrets(t *testing.T) {
	cfg := parse(t, `
call_home:
  mail_servers: [{host: 127.0.0.1, port: 2525, priority: 1, security: starttls, username: relay, password: hidden-1}]
  profiles: [{name: a, http: ["https://user:hidden-2@x.example/y"]}]
http_proxy: {host: 127.0.0.1, port: 3128, username: u, password: hidden-3}
`)
	for _, all := range []bool{false, true} {
		got, err := config.Running(cfg, all)
		if err != nil || strings.Contains(got, "hidden") || !strings.Contains(got, "x.example/y") {
			t.Errorf("all %v: error %v, got\n%s", all, err, got)
		}
	}
	if got := cfg.CallHome.Profiles[0].HTTP[0]; got != "https://user:hidden-2@x.example/y" {
		t.Errorf("showing changed the configuration: %s", got)
	}
}
