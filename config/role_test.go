package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"callhome"
	"callhome/config"
)

func TestRoleOf(t *testing.T) {
	for text, want := range map[string]config.Role{
		"":                                    config.RoleAgent,
		"call_home: {}":                       config.RoleAgent,
		"role: agent":                         config.RoleAgent,
		"role: nobody":                        config.RoleAgent,
		"role: gateway":                       config.RoleGateway,
		"listen: {devices: []}\nupstream: []": config.RoleGateway,
		"data_dir: x\nmailbox: {}":            config.RoleGateway,
		"- a list":                            config.RoleAgent,
		"{broken":                             config.RoleAgent,
		"call_home: {}\nx: {}":                config.RoleAgent,
	} {
		if got := config.RoleOf([]byte(text)); got != want {
			t.Errorf("%q: got %s, want %s", text, got, want)
		}
	}
}

func TestSchemaOfRoles(t *testing.T) {
	for _, role := range config.Roles() {
		if _, err := config.Schema(config.Role(role)); err != nil {
			t.Errorf("%s: %v", role, err)
		}
	}
	if _, err := config.Schema("pilot"); callhome.KindOf(err) != callhome.KindInvalid {
		t.Errorf("an unknown role: %v", err)
	}
}

func TestRoleIsHeldTo(t *testing.T) {
	_, err := config.Parse("a.yaml", []byte("role: gateway\ncall_home: {}\n"))
	faults := config.Faults(err)
	if len(faults) == 0 || faults[0].Path != "a.yaml:1:7" {
		t.Errorf("got %v", err)
	}
}

func TestGatewayFile(t *testing.T) {
	dir := t.TempDir()
	put := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put("token", "registration-token-1\n")
	put("password", "secret\n")
	text := `
data_dir: ./gateway
control: ./gateway/gateway.sock
listen: {devices: ["http://127.0.0.1:8090"], smtp: ["127.0.0.1:2527"]}
mailbox: {imap: "imaps://user@host", password_file: password}
upstream: [{url: "https://backend:8443/its/service/oddce/services/DDCEService", token_file: token}]
metrics: {listen: 127.0.0.1:9466}
urgent: fatal
windows: [{from: "22:00", to: "06:00", days: [mon]}]
max_message_size: 5000000
`
	put("gateway.yaml", text)
	cfg, err := config.LoadGateway(filepath.Join(dir, "gateway.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Upstream[0].Token.Reveal() != "registration-token-1" || cfg.Mailbox.Password.Reveal() != "secret" {
		t.Error("a secret's file was not read")
	}
	if cfg.DataDir != filepath.Join(dir, "gateway") || cfg.Urgent != callhome.LevelFatal || cfg.HTTPServer.MaxMessageSize != 5000000 || cfg.SMTPServer.MaxMessageSize != 5000000 {
		t.Errorf("%+v", cfg)
	}
	if cfg.Retry.BackoffMin != 30*time.Second || cfg.Retry.BackoffMax != 30*time.Minute || cfg.Retry.MaxAge != 30*24*time.Hour {
		t.Errorf("retry %+v", cfg.Retry)
	}
	if role, warnings, err := config.Check(filepath.Join(dir, "gateway.yaml"), ""); err != nil || role != config.RoleGateway || len(warnings) != 0 {
		t.Errorf("%s %v %v", role, warnings, err)
	}
	for name, c := range map[string]struct{ from, to, place, says string }{
		"unknown key": {"metrics:", "metrix:", ":7:1", "did you mean metrics?"},
		"clear":       {"http://127.0.0.1:8090", "http://0.0.0.0:8090", ":4:20", "in the clear"},
		"window":      {"22:00", "22", ":9:11", "22"},
		"mailbox":     {"imaps://user@host", "imap://user@host", ":5:17", "in the clear"},
		"token":       {"https://backend", "http://backend", ":6:18", "in the clear"},
		"file":        {"token_file: token", "token_file: nothing", ":6", "no such file"},
	} {
		_, err := config.ParseGateway(filepath.Join(dir, "g.yaml"), []byte(strings.Replace(text, c.from, c.to, 1)))
		f := config.Faults(err)
		if len(f) == 0 || !strings.Contains(f[0].Path, "g.yaml"+c.place) || !strings.Contains(f[0].Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	weak, err := config.ParseGateway("g.yaml", []byte("listen: {legacy: [\"https://127.0.0.1:1\"]}\nupstream: [{url: \"http://b/\"}]\n"))
	if err != nil || len(weak.Warnings) != 2 || !strings.Contains(weak.Warnings[0].Error(), "weak listener") {
		t.Errorf("%v %v", weak, err)
	}
}

// TestNumbersAsKeys: keys of a block may be numbers; what is none is a fault with its place, and so is a key that stands twice.
func TestNumbersAsKeys(t *testing.T) {
	const before = "tickets:\n  jira:\n    - name: jira\n      url: https://acme.atlassian.net\n      account: a@b.example\n      token: x\n      project: OPS\n      priorities: "
	cfg, err := config.ParseServer("server.yaml", []byte(before+"{1: Highest, 4: Low}\n"))
	if err != nil {
		t.Fatal(err)
	}
	if got := cfg.Tickets.Jira[0].Priorities; len(got) != 2 || got[1] != "Highest" || got[4] != "Low" {
		t.Errorf("got priorities %v", got)
	}
	for text, want := range map[string]string{"{high: Highest}\n": "high", "{1: Highest, 1: Low}\n": "stands twice"} {
		if _, err := config.ParseServer("server.yaml", []byte(before+text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want a fault that says %q", text, err, want)
		}
	}
}
