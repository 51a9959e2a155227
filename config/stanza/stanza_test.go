package stanza_test

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"callhome"
	"callhome/config"
	"callhome/config/stanza"
	"callhome/personality"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

var update = flag.Bool("update", false, "write the golden files")

var platforms = []personality.Name{personality.IOS, personality.IOSXR, personality.NXOS, personality.ASA}

func read(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(filepath.Join("testdata", name), got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(string(read(t, name)), string(got)); diff != "" {
		t.Errorf("%s differs (-want +got):\n%s", name, diff)
	}
}

// imported is what a running configuration becomes: the file, and the configuration it is read as.
func imported(t testing.TB, p personality.Name, running []byte) (*stanza.Imported, []byte, *config.Agent) {
	t.Helper()
	im, err := stanza.Import(p, running)
	if err != nil {
		t.Fatal(err)
	}
	b, err := im.YAML()
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Parse("agent.yaml", b)
	if err != nil {
		t.Fatalf("our own file is refused: %v\n%s", err, b)
	}
	return im, b, cfg
}

func exported(t testing.TB, p personality.Name, cfg *config.Agent) ([]byte, []string) {
	t.Helper()
	b, notes, err := stanza.Export(p, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return b, notes
}

func TestImportAndBack(t *testing.T) {
	for _, p := range platforms {
		t.Run(string(p), func(t *testing.T) {
			_, file, cfg := imported(t, p, read(t, string(p)+".txt"))
			golden(t, string(p)+".yaml", file)
			out, notes := exported(t, p, cfg)
			golden(t, string(p)+".back.txt", out)
			if len(notes) > 0 {
				t.Errorf("a configuration of the platform itself cannot be said there: %q", notes)
			}
			again, _, cfg2 := imported(t, p, out)
			for _, r := range again.Remarks {
				if strings.Contains(r.Reason, "not understood") || strings.Contains(r.Reason, "outside") {
					t.Errorf("our own stanza is not understood: %s", r)
				}
			}
			if diff := cmp.Diff(cfg, cfg2, cmp.AllowUnexported(callhome.Secret{}), cmpopts.EquateEmpty(), cmpopts.IgnoreFields(config.Agent{}, "Warnings")); diff != "" {
				t.Errorf("the way there and back changed something (-first +second):\n%s", diff)
			}
			if back, _ := exported(t, p, cfg2); string(back) != string(out) {
				t.Errorf("the second stanza differs:\n%s", cmp.Diff(string(out), string(back)))
			}
		})
	}
}

func TestExportOfEverything(t *testing.T) {
	cfg, err := config.Parse("full.yaml", read(t, "full.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range platforms {
		t.Run(string(p), func(t *testing.T) {
			out, notes := exported(t, p, cfg)
			golden(t, "full."+string(p)+".txt", out)
			for _, n := range notes {
				if !strings.Contains(string(out), "\n! "+n+"\n") {
					t.Errorf("the note %q is no comment", n)
				}
				if strings.Contains(n, "s3cret") {
					t.Errorf("the note %q tells a password", n)
				}
			}
			im, _, back := imported(t, p, out)
			for _, r := range im.Remarks {
				if strings.Contains(r.Reason, "not understood") || strings.Contains(r.Reason, "outside") {
					t.Errorf("our own stanza is not understood: %s", r)
				}
			}
			if again, _ := exported(t, p, back); !slices.Equal(commands(again), commands(out)) {
				t.Errorf("what the platform can say was lost:\n%s", cmp.Diff(commands(out), commands(again)))
			}
		})
	}
}

// commands are the lines that are no comments.
func commands(stanza []byte) (out []string) {
	for l := range strings.Lines(string(stanza)) {
		if !strings.HasPrefix(l, "!") {
			out = append(out, strings.TrimRight(l, "\n"))
		}
	}
	return out
}

func TestRemarksNameTheirLines(t *testing.T) {
	im, _, _ := imported(t, personality.IOS, read(t, "ios.txt"))
	want := map[int]string{
		23: "<removed>@relay3.ops.example priority 200: priority: 200 is outside 1..100",
		25: "source-interface GigabitEthernet0/0/0: names an interface of the device",
		34: "frobnicate the widget: not understood",
		39: "profile noc: not understood",
		61: `severity "huge" is not one of`,
		71: `the name "all" is reserved`,
	}
	for number, text := range want {
		i := slices.IndexFunc(im.Remarks, func(r stanza.Remark) bool { return r.Line == number })
		if i < 0 || !strings.Contains(im.Remarks[i].String(), text) {
			t.Errorf("line %d: no remark holds %q; there are:\n%v", number, text, im.Remarks)
		}
	}
	for _, r := range im.Remarks {
		if strings.Contains(r.String(), "s3cret") {
			t.Errorf("a remark tells a password: %s", r)
		}
	}
}

// TestCommands takes one command at a time and asks what it changes, or why it is refused.
func TestCommands(t *testing.T) {
	level := func(l callhome.Level) *callhome.Level { return &l }
	first := func(c *config.Agent) any { return c.CallHome.Profiles[0].Subscribe }
	for _, c := range []struct {
		platform personality.Name
		lines    string // of the mode; a leading "P " is in the mode of profile p
		at       func(*config.Agent) any
		want     any
		remark   string
	}{
		{"ios", "no service x", nil, nil, "not understood"},
		{"ios", "contact-email-addr nobody", nil, nil, "user@host"},
		{"ios", "phone-number 12345678901234", nil, nil, "begin with +"},
		{"ios", `street-address "A street"`, func(c *config.Agent) any { return c.CallHome.Contact.StreetAddress }, "A street", ""},
		{"ios", "street-address A street", func(c *config.Agent) any { return c.CallHome.Contact.StreetAddress }, "A street", ""},
		{"ios", "site-id ${HOME}", nil, nil, "environment variable"},
		{"ios", "site-id X\nno site-id", func(c *config.Agent) any { return c.CallHome.SiteID }, "", ""},
		{"ios", "rate-limit 61", nil, nil, "61 is outside 1..60"},
		{"iosxr", "rate-limit 6", nil, nil, "6 is outside 1..5"},
		{"ios", "rate-limit 9\nno rate-limit", func(c *config.Agent) any { return c.CallHome.RateLimit }, (*int)(nil), ""},
		{"ios", "mail-server a priority 1\nno mail-server a", func(c *config.Agent) any { return len(c.CallHome.MailServers) }, 0, ""},
		{"ios", "mail-server a priority 1\nmail-server A priority 7", func(c *config.Agent) any { return c.CallHome.MailServers[0].Priority }, 7, ""},
		{"ios", "mail-server a secure maybe", nil, nil, "neither none nor tls"},
		{"ios", "no alert-group all", func(c *config.Agent) any { return len(c.CallHome.DisabledAlertGroups) }, 7, ""},
		{"ios", "no alert-group all\nalert-group crash", func(c *config.Agent) any { return len(c.CallHome.DisabledAlertGroups) }, 6, ""},
		{"ios", "data-privacy level low", nil, nil, "not a level"},
		{"ios", "http-proxy h port 0", nil, nil, "0 is outside 1..65535"},
		{"ios", "source-ip-address 192.0.2.300", nil, nil, "not an IP address"},
		{"ios", "P subscribe-to-alert-group all", first, []callhome.Subscription{{Group: "all"}}, ""},
		{"ios", "P subscribe-to-alert-group crash\nP no subscribe-to-alert-group all", first, []callhome.Subscription(nil), ""},
		{"ios", "P subscribe-to-alert-group inventory periodic daily 24:00", nil, nil, "no time such as"},
		{"ios", "P subscribe-to-alert-group inventory periodic interval 5", nil, nil, "no schedule of that kind"},
		{"ios", "P subscribe-to-alert-group snapshot periodic interval 61", nil, nil, "61 is outside 1..60"},
		{"ios", "P subscribe-to-alert-group environment periodic daily", nil, nil, "no schedule of that kind"},
		{"ios", "P subscribe-to-alert-group syslog pattern (?=x)", nil, nil, "RE2"},
		{"ios", "P subscribe-to-alert-group syslog severity 5", first, []callhome.Subscription{{Group: "syslog", Severity: level(5)}}, ""},
		{"ios", "P destination message-size-limit 49", nil, nil, "49 is outside"},
		{"ios", "P destination address http ftp://x.example", nil, nil, "not an http:// or https:// address"},
		{"ios", "P destination preferred-msg-format mml", nil, nil, "not one of"},
		{"iosxr", "alert-group crash disable", func(c *config.Agent) any { return c.CallHome.DisabledAlertGroups }, []callhome.AlertGroup{"crash"}, ""},
		{"iosxr", `P subscribe-to-alert-group syslog severity debugging pattern "x"`, nil, nil, "the lowest is normal"},
		{"asa", "P subscribe-to-alert-group syslog message 1-", nil, nil, "neither a message number nor a range"},
		{"asa", "P subscribe-to-alert-group configuration export some", nil, nil, "neither full nor minimum"},
		{"asa", "data-privacy level high", nil, nil, "not understood"},
		{"nxos", "transport email mail-server a priority 0", func(c *config.Agent) any { return c.CallHome.MailServers[0].Priority }, 1, ""},
		{"nxos", "transport email smtp-server a port 26", func(c *config.Agent) any { return c.CallHome.MailServers[0].Port }, 26, ""},
		{"nxos", "transport email mail-server a priority 101", nil, nil, "101 is outside 0..100"},
		{"nxos", "transport http proxy server h port 81", func(c *config.Agent) any { return c.HTTP.Proxy.Host }, "", "not enabled"},
		{"nxos", "switch-priority 8", nil, nil, "8 is outside 0..7"},
		{"nxos", "periodic-inventory notification interval 31", nil, nil, "31 is outside 1..30"},
		{"nxos", "periodic-inventory notification interval 3", nil, nil, "becomes a week"},
		{"nxos", "destination-profile p index 51 http https://x.example/y", nil, nil, "51 is outside 1..50"},
		{"nxos", "destination-profile p message-level 10", nil, nil, "severity"},
		{"nxos", "destination-profile p alert-group test\nno periodic-inventory notification", first, []callhome.Subscription{{Group: "test"}}, ""},
		{"nxos", "destination-profile p\nno destination-profile p", func(c *config.Agent) any { return len(c.CallHome.Profiles) }, 0, ""},
	} {
		running := "call-home\n"
		if c.platform == personality.NXOS {
			running = "callhome\n"
		}
		for l := range strings.SplitSeq(c.lines, "\n") {
			if in, ok := strings.CutPrefix(l, "P "); ok {
				running += " profile p\n  " + in + "\n"
				continue
			}
			running += " " + l + "\n"
		}
		im, _, cfg := imported(t, c.platform, []byte(running))
		if c.at != nil {
			if diff := cmp.Diff(c.want, c.at(cfg)); diff != "" {
				t.Errorf("%s %q (-want +got):\n%s", c.platform, c.lines, diff)
			}
		}
		has := slices.ContainsFunc(im.Remarks, func(r stanza.Remark) bool { return strings.Contains(r.Reason, c.remark) })
		if c.remark != "" && !has {
			t.Errorf("%s %q: no remark holds %q: %v", c.platform, c.lines, c.remark, im.Remarks)
		}
	}
}

func TestProfileThatCannotSendIsInactive(t *testing.T) {
	for _, c := range []struct {
		lines  string
		active bool
		mails  int
	}{
		{" profile p\n  destination address email a@ops.example\n", true, 1},
		{" contact-email-addr a@ops.example\n mail-server m priority 1\n profile p\n  destination address email a@ops.example\n", true, 1},
		{" profile p\n  destination address email a@ops.example\n  destination transport-method http\n  destination address http https://x.example/y\n", true, 1},
		{" profile p\n", false, 0},
	} {
		im, _, cfg := imported(t, personality.IOS, []byte("call-home\n"+c.lines))
		p := cfg.CallHome.Profiles[0]
		told := slices.ContainsFunc(im.Remarks, func(r stanza.Remark) bool { return strings.Contains(r.Reason, "names no server") })
		if want := c.mails > 0 && len(cfg.CallHome.MailServers) == 0; told != want {
			t.Errorf("%q: the remarks tell of a missing mail server: %v, want %v: %v", c.lines, told, want, im.Remarks)
		}
		if p.Active != c.active || len(p.Email) != c.mails {
			t.Errorf("%q: got active %v with %d mail addresses, want %v with %d", c.lines, p.Active, len(p.Email), c.active, c.mails)
		}
	}
}

func TestNoRemarkTellsAPassword(t *testing.T) {
	im, _, cfg := imported(t, personality.IOS, []byte(`call-home
 mail-server a:s3cret priority 1
 profile p
  destination address http https://ops:s3cret@x.example/y
  destination address email ops:s3cret@x.example extra
`))
	for _, r := range im.Remarks {
		if strings.Contains(r.String(), "ops:s3cret") {
			t.Errorf("a remark tells a password: %s", r)
		}
	}
	cfg.CallHome.Profiles[0].HTTP = []string{"https://x.example/y", "https://ops:s3cret@x.example/z"}
	for _, n := range func() []string { _, notes := exported(t, personality.IOS, cfg); return notes }() {
		if strings.Contains(n, "s3cret") {
			t.Errorf("a note tells a password: %s", n)
		}
	}
	if len(im.Remarks) == 0 {
		t.Error("nothing was remarked on")
	}
}

func TestRefusals(t *testing.T) {
	if _, err := stanza.Import("junos", []byte("call-home\n")); callhome.KindOf(err) != callhome.KindInvalid {
		t.Errorf("import from junos: got %v, want an error of kind invalid", err)
	}
	if _, _, err := stanza.Export("junos", new(config.Agent)); callhome.KindOf(err) != callhome.KindInvalid {
		t.Errorf("export as junos: got %v, want an error of kind invalid", err)
	}
	for _, c := range []struct {
		platform personality.Name
		running  string
	}{{"ios", "hostname x\n"}, {"nxos", "snmp-server contact Rita Moura\n"}} {
		if _, err := stanza.Import(c.platform, []byte(c.running)); err == nil || !strings.Contains(err.Error(), "show running-config") {
			t.Errorf("import of %q: got %v, want an error that says what to give", c.running, err)
		}
	}
}

func FuzzImport(f *testing.F) {
	for i, p := range platforms {
		f.Add(i, read(f, string(p)+".txt"))
		f.Add(i, read(f, "full."+string(p)+".txt"))
	}
	f.Fuzz(func(t *testing.T, i int, running []byte) {
		p := platforms[uint(i)%uint(len(platforms))]
		if _, err := stanza.Import(p, running); err != nil {
			return
		}
		_, _, cfg := imported(t, p, running)
		out, _ := exported(t, p, cfg)
		_, _, again := imported(t, p, out)
		if back, _ := exported(t, p, again); !slices.Equal(commands(back), commands(out)) {
			t.Errorf("the stanza of the stanza differs:\n%s", cmp.Diff(commands(out), commands(back)))
		}
	})
}
