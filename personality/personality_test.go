package personality

import (
	"slices"
	"strings"
	"testing"
	"time"

	"callhome"
	"callhome/codec/syslog"
)

func TestByName(t *testing.T) {
	for _, n := range Names() {
		for _, spelt := range []string{string(n), strings.ToUpper(string(n))} {
			if p, ok := ByName(spelt); !ok || p.Name != n {
				t.Errorf("%q is not found", spelt)
			}
		}
	}
	if _, ok := ByName("vms"); ok {
		t.Error("vms is found")
	}
	want := []Name{"ios", "iosxr", "nxos", "asa", "ucm", "junos", "eos", "linux", "generic"}
	if got := Names(); !slices.Equal(got, want) {
		t.Errorf("names %v, want %v", got, want)
	}
}

// TestEveryDialectHasAnOwner: whatever a line is taken for, some platform judges it, and one only.
func TestEveryDialectHasAnOwner(t *testing.T) {
	for _, d := range syslog.Dialects() {
		var owners []Name
		for _, p := range All() {
			if slices.Contains(p.Dialects, d) {
				owners = append(owners, p.Name)
			}
		}
		if len(owners) != 1 {
			t.Errorf("dialect %s belongs to %v, want one platform", d, owners)
		}
	}
	for d, want := range map[syslog.Dialect]Name{syslog.IOS: IOS, syslog.ASA: ASA, syslog.RFC3164: Generic, syslog.UCM: UCM, "new": Generic} {
		if got := ForDialect(d).Name; got != want {
			t.Errorf("%s goes to %s, want %s", d, got, want)
		}
	}
	if got := ForLine(&syslog.Line{Dialect: syslog.RFC5424, Vendor: syslog.VendorJunos}).Name; got != Junos {
		t.Errorf("a Junos line with a general header goes to %s", got)
	}
}

// TestPredefinedProfilesAreInactive, CiscoTAC-1 among them on every platform.
func TestPredefinedProfilesAreInactive(t *testing.T) {
	for _, p := range All() {
		found := false
		for _, pr := range p.Profiles() {
			found = found || pr.Name == callhome.ProfileCiscoTAC && pr.Format == callhome.FormatXML
			if pr.Active || !pr.Predefined {
				t.Errorf("%s: %s is active %v, predefined %v", p.Name, pr.Name, pr.Active, pr.Predefined)
			}
			if err := p.Limits.CheckProfileName(string(pr.Name)); err != nil {
				t.Errorf("%s: %s: %v", p.Name, pr.Name, err)
			}
			for _, s := range pr.Subscribe {
				if err := p.Limits.Pattern.Check(s.Pattern); err != nil {
					t.Errorf("%s: %s: %v", p.Name, pr.Name, err)
				}
			}
		}
		if !found {
			t.Errorf("%s has no CiscoTAC-1 in XML", p.Name)
		}
	}
	nx, _ := ByName("nxos")
	if n := len(nx.Profiles()); n != 3 {
		t.Errorf("nxos has %d predefined profiles, want 3", n)
	}
	a, b := nx.Profiles(), nx.Profiles()
	*a[0].Subscribe[0].Severity = callhome.LevelFatal
	if *b[0].Subscribe[0].Severity != callhome.LevelDebugging {
		t.Error("two callers share a profile")
	}
}

func TestCommands(t *testing.T) {
	p, _ := ByName("asa")
	if got, want := strings.Join(p.Commands(callhome.GroupInventory, ""), "; "), "show inventory; show failover state; show module; show version; show environment"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	basic, full := p.Commands(callhome.GroupConfiguration, callhome.DetailBasic), p.Commands(callhome.GroupConfiguration, callhome.DetailFull)
	if slices.Contains(basic, "show running-config") || !slices.Contains(full, "show running-config") {
		t.Errorf("basic %v, full %v", basic, full)
	}
	if !p.PerContext("show running-config") || p.PerContext("show failover") {
		t.Error("contexts are mixed up")
	}
	if got := p.Commands(callhome.GroupLicense, ""); got != nil {
		t.Errorf("a group that asa lacks runs %v", got)
	}
	basic[0] = "reload"
	if p.Commands(callhome.GroupConfiguration, "")[0] == "reload" {
		t.Error("a caller changed the table")
	}
}

// TestCommandsOnlyRead: nothing that a table runs changes a device.
func TestCommandsOnlyRead(t *testing.T) {
	network := []string{"show ", "admin show ", "utils service list", "utils core active list", "utils dbreplication runtimestate", "file tail "}
	host := []string{
		"cat /", "coredumpctl list", "coredumpctl info", "df ", "dmesg ", "dmidecode", "dpkg-query ", "free ", "hostnamectl status", "ip -br ", "ip -s link",
		"ip address", "ip route show", "ip rule show", "ipmitool sdr ", "ipmitool sel elist", "journalctl ", "last ", "lastb ", "lsblk", "lscpu", "lspci",
		"lsusb", "nft list ", "rpm -qa", "sensors", "smartctl --scan", "ss ", "sysctl -a", "systemctl --failed", "systemctl list-unit-files ", "uname ",
		"uptime", "vmstat ",
	}
	for _, p := range All() {
		allowed := network
		if p.Name == Linux {
			allowed = host
		}
		for _, g := range p.Groups {
			for _, c := range append(append(slices.Clone(g.Commands), g.Full...), p.Cluster...) {
				if !slices.ContainsFunc(allowed, func(prefix string) bool { return strings.HasPrefix(c, prefix) }) {
					t.Errorf("%s %s: %q is not known to only read", p.Name, g.Keyword, c)
				}
				if p.Name == Linux && strings.ContainsAny(c, "|;&<>$`\\") {
					t.Errorf("%s %s: %q needs a shell", p.Name, g.Keyword, c)
				}
			}
		}
	}
}

func TestFieldCheck(t *testing.T) {
	p, _ := ByName("ios")
	l := &p.Limits
	for _, tt := range []struct {
		name  string
		field Field
		value string
		ok    bool
	}{
		{"phone of 12", l.Phone, "+12345678901", true},
		{"phone of 17", l.Phone, "+1234567890123456", true},
		{"phone of 11", l.Phone, "+1234567890", false},
		{"phone of 18", l.Phone, "+12345678901234567", false},
		{"phone without plus", l.Phone, "351215550144", false},
		{"phone with a second plus", l.Phone, "+351 21+555-0144", false},
		{"phone with blanks and dashes", l.Phone, "+351-21-555 0144", true},
		{"not set", l.Phone, "", true},
		{"address with quotes", l.StreetAddress, `Rua "das" Flores`, false},
		{"address of blanks", l.StreetAddress, "   ", false},
		{"address of 200", l.StreetAddress, strings.Repeat("x", 200), true},
		{"address of 201", l.StreetAddress, strings.Repeat("x", 201), false},
		{"mail", l.ContactEmail, "noc@ops.example", true},
		{"mail without host", l.ContactEmail, "noc@", false},
		{"mail with a blank", l.ContactEmail, "no c@ops.example", false},
		{"pattern of 80", l.Pattern, strings.Repeat("é", 80), true},
		{"pattern of 81", l.Pattern, strings.Repeat("é", 81), false},
		{"control character", l.Command, "show\x07", false},
	} {
		if err := tt.field.Check(tt.value); (err == nil) != tt.ok {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func TestLimits(t *testing.T) {
	ios, _ := ByName("ios")
	nx, _ := ByName("nxos")
	xr, _ := ByName("iosxr")
	for name, tt := range map[string]struct {
		err error
		ok  bool
	}{
		"ios size 49":        {ios.Limits.CheckSize(49), false},
		"ios size 50":        {ios.Limits.CheckSize(50), true},
		"ios size 3145728":   {ios.Limits.CheckSize(3145728), true},
		"ios size 3145729":   {ios.Limits.CheckSize(3145729), false},
		"nxos size 0":        {nx.Limits.CheckSize(0), true},
		"nxos size 5000001":  {nx.Limits.CheckSize(5000001), false},
		"ios rate 0":         {ios.Limits.CheckRate(0), true},
		"ios rate 60":        {ios.Limits.CheckRate(60), true},
		"ios rate 61":        {ios.Limits.CheckRate(61), false},
		"xr rate 5":          {xr.Limits.CheckRate(5), true},
		"xr rate 6":          {xr.Limits.CheckRate(6), false},
		"profile ALL":        {ios.Limits.CheckProfileName("ALL"), false},
		"profile without":    {ios.Limits.CheckProfileName(""), false},
		"profile 31":         {ios.Limits.CheckProfileName(strings.Repeat("p", 31)), true},
		"profile 32":         {ios.Limits.CheckProfileName(strings.Repeat("p", 32)), false},
		"profile with blank": {ios.Limits.CheckProfileName("my profile"), false},
	} {
		if (tt.err == nil) != tt.ok {
			t.Errorf("%s: %v", name, tt.err)
		}
	}
	if !nx.Limits.Unlimited(0) || ios.Limits.Unlimited(0) {
		t.Error("0 bytes is no limit on NX-OS alone")
	}
	if nx.Throttle.PerType != 30 || nx.Throttle.Window != 2*time.Hour || ios.Throttle.Repeat != 24*time.Hour {
		t.Error("throttling differs from the guides")
	}
}

func TestTimeLayouts(t *testing.T) {
	at := time.Date(2026, 3, 14, 9, 26, 53, 0, time.UTC)
	for name, want := range map[string]string{"ios": "2026-03-14 09:26:53 GMT+00:00", "nxos": "2026-03-14 09:26:53 GMT+0000"} {
		p, _ := ByName(name)
		if got := at.Format(p.Time.XML); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

func TestHint(t *testing.T) {
	for _, tt := range []struct{ hint, text, params, a, b string }{
		{"Interface ", "Interface Gi0/1, changed state", "", "Gi0/1", ""},
		{"Nbr &on ", "Nbr 192.0.2.1 on Gi0/2 from FULL", "", "192.0.2.1", "Gi0/2"},
		{"port |interface ", "on interface Et1.", "", "Et1", ""},
		{"neighbor ", "neighbor 2001:db8::1 Up", "", "2001:db8::1", ""},
		{">reason=", "color=RED, reason=PEM 1 Not OK", "", "PEM 1 Not OK", ""},
		{"DECLARE :", "Fan :DECLARE :0/FT1:", "", "0/FT1", ""},
		{"A :~ :", "A :Fan tray removed :DECLARE", "", "Fan tray removed", ""},
		{"< NIC", "e1000e: eth0 NIC Link", "", "eth0", ""},
		{"^", "192.0.2.1 (External AS 1)", "", "192.0.2.1", ""},
		{"@node", "text", "", "module 3", ""},
		{"NodeID=", "text", "[AppID=x][NodeID=cucm-a]", "cucm-a", ""},
		{"nothing ", "text", "", "", ""},
		{"x ", "x ", "", "", ""},
		{"", "text", "", "", ""},
	} {
		h := ParseHint(tt.hint)
		got := h.Find([]byte(tt.text), []byte(tt.params), []byte("module 3"))
		if string(got[0]) != tt.a || string(got[1]) != tt.b {
			t.Errorf("hint %q in %q: got %q and %q, want %q and %q", tt.hint, tt.text, got[0], got[1], tt.a, tt.b)
		}
	}
}

func FuzzHint(f *testing.F) {
	f.Add("Nbr &on |at ~ for", "Nbr 192.0.2.1 on Gi0/2", "[k=v]")
	f.Add(">a|<b&^", "a b", "")
	f.Fuzz(func(t *testing.T, hint, text, params string) {
		h := ParseHint(hint)
		for _, part := range h.Find([]byte(text), []byte(params), nil) {
			if s := string(part); !strings.Contains(text, s) && !strings.Contains(params, s) {
				t.Fatalf("hint %q cuts %q out of %q", hint, s, text)
			}
		}
	})
}
