package classify

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"callhome"
	"callhome/callhometest"
	"callhome/codec/syslog"
	"callhome/personality"
)

var update = flag.Bool("update", false, "rewrite the golden files")

var received = time.Date(2026, 6, 13, 21, 7, 16, 0, time.UTC)

func parse(raw string) *syslog.Line {
	var p syslog.Parser
	var l syslog.Line
	p.Parse([]byte(raw), received, &l)
	return &l
}

// TestGolden judges the lines of testdata/lines.log, which were written for it, and compares with lines.golden.
func TestGolden(t *testing.T) {
	in, err := os.ReadFile(filepath.Join("testdata", "lines.log"))
	if err != nil {
		t.Fatal(err)
	}
	c := New()
	var got bytes.Buffer
	enc := json.NewEncoder(&got)
	enc.SetEscapeHTML(false)
	for line := range bytes.Lines(in) {
		line = bytes.TrimRight(line, "\n")
		v := c.Classify(parse(string(line)), nil)
		got.Write(line)
		got.WriteString("\n\t")
		if err := enc.Encode(ResultOf(&v)); err != nil {
			t.Fatal(err)
		}
	}
	golden := filepath.Join("testdata", "lines.golden")
	if *update {
		if err := os.WriteFile(golden, got.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Bytes(), want) {
		t.Errorf("verdicts differ from %s; look at them with -update and git diff:\n%s", golden, got.Bytes())
	}
}

func TestClassify(t *testing.T) {
	c := New()
	for _, tt := range []struct {
		name  string
		line  *syslog.Line
		as    personality.Name
		group callhome.AlertGroup
		level callhome.Level
		kind  string
		state callhome.EventState
		about string
	}{
		{"a link goes down", parse("<187>31: edge1: Jun 13 2026 21:07:15.454 UTC: %LINK-3-UPDOWN: Interface Gi0/1, changed state to down"), personality.IOS,
			callhome.GroupSyslog, callhome.LevelMinor, "LINK_DOWN", callhome.StateRaise, "Gi0/1"},
		{"and up", parse("<187>31: edge1: Jun 13 2026 21:07:15.454 UTC: %LINK-3-UPDOWN: Interface Gi0/1, changed state to up"), personality.IOS,
			callhome.GroupSyslog, callhome.LevelMinor, "LINK_DOWN", callhome.StateClear, "Gi0/1"},
		{"unknown mnemonic", parse("<187>31: edge1: Jun 13 2026 21:07:15.454 UTC: %QXFWD-2-PARITY: uncorrectable"), personality.IOS,
			callhome.GroupSyslog, callhome.LevelMajor, "", callhome.StateNone, ""},
		{"subfacility", parse("<187>31: edge1: Jun 13 2026 21:07:15.454 UTC: %SYS-SP-5-RESTART: System restarted --"), personality.IOS,
			callhome.GroupInventory, callhome.LevelNotification, "COLD_BOOT", callhome.StateNone, ""},
		{"any facility", parse("<187>31: edge1: Jun 13 2026 21:07:15.454 UTC: %C6KENV-SP-4-PSFANFAIL: the fan in power supply 1 has failed"), personality.IOS,
			callhome.GroupEnvironment, callhome.LevelWarning, "FAN_FAILURE", callhome.StateRaise, "1"},
		{"level of the table, not of the line", parse("<190>2026 Jun 13 21:07:15 leaf1 %PLATFORM-5-PS_FAIL: Power supply 2 failed"), personality.NXOS,
			callhome.GroupEnvironment, callhome.LevelCritical, "POWER_SUPPLY_FAILURE", callhome.StateRaise, "2"},
		{"number, whatever its level", parse("<162>Jun 13 2026 21:07:15: %ASA-7-735004: Power Supply 1: Failure Detected"), personality.ASA,
			callhome.GroupEnvironment, callhome.LevelDebugging, "POWER_SUPPLY_FAILURE", callhome.StateRaise, "1"},
		{"number within a range", parse("<162>Jun 13 2026 21:07:15: %ASA-1-101004: (Primary) Failover cable not connected"), personality.ASA,
			callhome.GroupDiagnostic, callhome.LevelCritical, "FAILOVER_CABLE", callhome.StateRaise, ""},
		{"cluster unit fails", parse("<162>Jun 13 2026 21:07:15: %ASA-3-747022: Clustering: Asking slave unit fw-2 to quit because it failed interface health check"), personality.ASA,
			callhome.GroupDiagnostic, callhome.LevelCritical, personality.TypeClusterSecondaryFailed, callhome.StateNone, "fw-2"},
		{"two parts", parse("<189>30: Jun 13 21:07:15.454: %OSPF-5-ADJCHG: Process 1, Nbr 192.0.2.9 on Gi0/2 from FULL to DOWN, Dead timer expired"), personality.IOS,
			callhome.GroupSyslog, callhome.LevelNotification, "OSPF_ADJACENCY", callhome.StateRaise, "192.0.2.9 Gi0/2"},
		{"host by program and phrase", parse("<4>Jun 13 21:07:15 h1 kernel: [ 12.345678] EXT4-fs error (device sda1): ext4_find_entry:1455"), personality.Linux,
			callhome.GroupDiagnostic, callhome.LevelMajor, "FILESYSTEM_ERROR", callhome.StateRaise, "sda1"},
		{"host, nothing known", parse("<30>Jun 13 21:07:15 h1 cron[4242]: (root) CMD (true)"), personality.Linux,
			callhome.GroupSyslog, callhome.LevelNormal, "", callhome.StateNone, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, _ := personality.ByName(string(tt.as))
			v := c.Classify(tt.line, p)
			if v.Group != tt.group || v.Level != tt.level || v.Type != tt.kind || v.State != tt.state || v.ObjectText() != tt.about || v.Personality != tt.as {
				t.Errorf("got %s %s %q %s about %q as %s by %q,\nwant %s %s %q %s about %q as %s", v.Group, v.Level, v.Type, v.State, v.ObjectText(), v.Personality, v.Rule,
					tt.group, tt.level, tt.kind, tt.state, tt.about, tt.as)
			}
		})
	}
}

// TestEveryRowIsReached: for each row there is a line that it decides on, made of its own key and phrases.
func TestEveryRowIsReached(t *testing.T) {
	c := New()
	for _, p := range personality.All() {
		for i := range p.Rows {
			r := &p.Rows[i]
			k, err := personality.ParseKey(r.On)
			if err != nil {
				t.Fatal(err)
			}
			l := lineFor(p, k, r)
			if v := c.Classify(l, p); v.Rule != r.Rule() {
				t.Errorf("%s: a line for %q is decided by %q", p.Name, r.Rule(), v.Rule)
			}
		}
	}
}

func lineFor(p *personality.Personality, k personality.Key, r *personality.Row) *syslog.Line {
	text := "zzz"
	for _, ph := range r.Phrases() {
		text += " " + ph
	}
	l := &syslog.Line{Severity: 3, Text: []byte(text), CoreFacility: []byte("QX"), Mnemonic: []byte("QXNONE")}
	switch k.Kind {
	case personality.KeyName:
		n := p.Named[0]
		carrier, _ := personality.ParseKey(n.On)
		l.Mnemonic = []byte(carrier.Mnemonic)
		l.Text = []byte(n.After + k.Name + " " + text)
	case personality.KeyNumber:
		l.MessageID = []byte(itoa(k.Max))
		l.Mnemonic = l.MessageID
	case personality.KeyCore:
		if k.Facility != "*" {
			l.CoreFacility = []byte(k.Facility)
		}
		if k.Mnemonic != "*" {
			l.Mnemonic = []byte(k.Mnemonic)
		}
	case personality.KeyProgram:
		l.CoreFacility, l.Mnemonic = nil, nil
		l.Program = []byte(k.Name)
	}
	l.Raw = l.Text
	return l
}

func itoa(n uint32) string {
	b, _ := json.Marshal(n)
	return string(b)
}

func TestClassifyAllocatesNothing(t *testing.T) {
	c := New()
	lines := []*syslog.Line{
		parse("<187>31: edge1: Jun 13 2026 21:07:15.454 UTC: %LINK-3-UPDOWN: Interface Gi0/1, changed state to down"),
		parse("<187>31: edge1: Jun 13 2026 21:07:15.454 UTC: %QX-3-NOTHING: text"),
		parse("<166>Jun 13 2026 21:07:15: %ASA-6-302014: Teardown TCP connection 77"),
		parse("<4>Jun 13 21:07:15 h1 kernel: nothing of interest"),
		parse("<165>1 2026-06-13T21:07:15.454321Z edge1 rpd 4711 ID1 - text"),
	}
	if n := testing.AllocsPerRun(100, func() {
		for _, l := range lines {
			v := c.Classify(l, nil)
			_ = v
		}
	}); n != 0 {
		t.Errorf("five lines cost %v allocations", n)
	}
}

func FuzzClassify(f *testing.F) {
	in, err := os.ReadFile(filepath.Join("testdata", "lines.log"))
	if err != nil {
		f.Fatal(err)
	}
	for line := range bytes.Lines(in) {
		f.Add(line)
	}
	c := New()
	f.Fuzz(func(t *testing.T, raw []byte) {
		var p syslog.Parser
		var l syslog.Line
		p.Parse(raw, received, &l)
		for _, as := range personality.All() {
			v := c.Classify(&l, as)
			if !v.Level.Valid() || v.Group == "" || v.State == "" {
				t.Fatalf("%q as %s: %+v", raw, as.Name, v)
			}
			if n := len(v.ObjectText()); n > len(raw)*2+1 {
				t.Fatalf("%q: object of %d bytes", raw, n)
			}
		}
	})
}

// TestCorpusNapalm holds the state of link and neighbour events to what the corpus calls them.
func TestCorpusNapalm(t *testing.T) {
	root := callhometest.Corpus(t, "testdata", "syslog", "napalm-logs")
	want := map[string]callhome.EventState{
		"INTERFACE_DOWN": callhome.StateRaise, "INTERFACE_UP": callhome.StateClear,
		"OSPF_NEIGHBOR_DOWN": callhome.StateRaise, "ISIS_NEIGHBOR_DOWN": callhome.StateRaise, "ISIS_NEIGHBOR_UP": callhome.StateClear,
		"MAJOR_ALARM_SET": callhome.StateRaise, "MAJOR_ALARM_CLEARED": callhome.StateClear, "MINOR_ALARM_SET": callhome.StateRaise,
		"MINOR_ALARM_CLEARED": callhome.StateClear, "SYSTEM_ALARM": callhome.StateRaise, "SYSTEM_ALARM_CLEARED": callhome.StateClear,
	}
	c, seen := New(), 0
	for _, platform := range []string{"ios", "iosxr", "nxos", "junos", "eos"} {
		for event, state := range want {
			files, err := filepath.Glob(filepath.Join(root, platform, event, "*", "syslog.msg"))
			if err != nil {
				t.Fatal(err)
			}
			for _, file := range files {
				seen++
				checkState(t, c, file, state)
			}
		}
	}
	if seen < 20 {
		t.Errorf("only %d messages found", seen)
	}
}

func checkState(t *testing.T, c *Classifier, file string, want callhome.EventState) {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	l := parse(string(bytes.TrimSpace(raw)))
	v := c.Classify(l, nil)
	if v.Type == "LINK_ADMIN_DOWN" {
		return // switched off by an operator: not trouble
	}
	if v.State != want || v.ObjectText() == "" {
		t.Errorf("%s: %s %s about %q by %q, want %s about something\n%s", file, v.Type, v.State, v.ObjectText(), v.Rule, want, l.Text)
	}
}

func BenchmarkClassify(b *testing.B) {
	c := New()
	for name, raw := range map[string]string{
		"ios-hit":     "<187>31: edge1: Jun 13 2026 21:07:15.454 UTC: %LINK-3-UPDOWN: Interface Gi0/1, changed state to down",
		"ios-miss":    "<187>31: edge1: Jun 13 2026 21:07:15.454 UTC: %SEC-6-IPACCESSLOGP: list INET permitted tcp 192.0.2.9(55244) -> 198.51.100.7(443), 1 packet",
		"asa-miss":    "<166>Jun 13 2026 21:07:15: %ASA-6-302014: Teardown TCP connection 77 for outside:192.0.2.9/443 to inside:198.51.100.7/50000 duration 0:00:30",
		"kernel":      "<6>Jun 13 21:07:15 h1 kernel: [12345.678901] usb 1-1: reset high-speed USB device number 4 using xhci_hcd",
		"rfc5424":     "<165>1 2026-06-13T21:07:15.454321Z edge1.example.net app 4711 ID47 - something of no interest happened here",
		"sshd-accept": "<86>Jun 13 21:07:15 h1 sshd[4711]: Accepted publickey for ops from 192.0.2.9 port 50022 ssh2",
	} {
		b.Run(name, func(b *testing.B) {
			l := parse(raw)
			b.ReportAllocs()
			for b.Loop() {
				v := c.Classify(l, nil)
				_ = v
			}
		})
	}
}
