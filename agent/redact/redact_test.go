package redact_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"callhome"
	"callhome/agent/redact"
	"callhome/codec/aml"
	"callhome/codec/plaintext"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden files")

var testKey = []byte("0123456789abcdef0123456789abcdef")

var samples = []string{"ios.conf", "iosxr.conf", "nxos.conf", "asa.conf", "eos.conf", "junos.conf", "linux.txt", "ucm.txt"}

// marks are in every secret of the samples, and nowhere else: letters for what people type, digits for what is encoded.
var marks = []string{"ZZ", "FEED", "FE:ED"}

func sample(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", "golden", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

func apply(t testing.TB, p redact.Policy, m *callhome.Message) *callhome.Message {
	t.Helper()
	out, err := redact.Apply(p, m)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestNoSecretSurvives(t *testing.T) {
	for _, name := range samples {
		text := sample(t, name)
		for _, form := range []string{text, strings.ReplaceAll(text, "\n", "\r\n")} {
			got := redact.Text(redact.Config{}, form)
			for i, line := range strings.Split(got, "\n") {
				for _, mark := range marks {
					if strings.Contains(line, mark) {
						t.Errorf("%s line %d: %s", name, i+1, line)
					}
				}
			}
			if again := redact.Text(redact.Config{}, got); again != got {
				t.Errorf("%s: a second application changed it:\n%s", name, cmp.Diff(got, again))
			}
		}
	}
}

// A secret is found wherever a line with it stands: indented, in a diff, in a log of typed commands.
func TestNoSecretSurvivesInOtherPlaces(t *testing.T) {
	for _, name := range samples {
		for _, line := range strings.Split(sample(t, name), "\n") {
			if !strings.Contains(line, "ZZ") || strings.Contains(name, "linux") && !strings.Contains(line, " ") || strings.HasPrefix(line, " ") {
				continue
			}
			for _, form := range []string{"   " + line, "+" + line, "-" + line, "%PARSER-5-CFGLOG_LOGGEDCMD: User:ola  logged command:" + line} {
				if got := redact.Text(redact.Config{}, form); strings.Contains(got, "ZZ") && !strings.Contains(line, "community ZZcomm {") {
					t.Errorf("%s: %s", name, got)
				}
			}
		}
	}
}

func TestHarmlessStays(t *testing.T) {
	text := sample(t, "harmless.txt")
	if got := redact.Text(redact.Config{}, text); got != text {
		t.Errorf("(-want +got):\n%s", cmp.Diff(text, got))
	}
}

func TestGoldenConfigurations(t *testing.T) {
	for _, name := range samples {
		m := &callhome.Message{SystemName: "oslo-gw-1", Attachments: []callhome.Attachment{{Name: "show running-config", Text: sample(t, name)}}}
		golden(t, name, apply(t, redact.Policy{Config: settings["hostname-high"]}, m).Attachments[0].Text)
	}
}

// One message at the four combinations, in the three formats.
func TestGoldenMessages(t *testing.T) {
	level := callhome.LevelNotification
	config := strings.Join(strings.Split(sample(t, "ios.conf"), "\n")[:20], "\n")
	m := &callhome.Message{
		MessageID: "M4:HRX77120:6967F3E2", GroupID: "G5:HRX77120:6967F3E2",
		EventTime: callhome.At(time.Date(2027, 1, 9, 4, 5, 6, 0, time.UTC)), CreationTime: callhome.At(time.Date(2027, 1, 9, 4, 5, 7, 0, time.UTC)),
		Name: "configuration", Type: "configuration", Group: callhome.GroupConfiguration, Severity: &level, SourceID: "Heron 400", Brand: "Heron",
		Builder: "HR400", BuilderVersion: "2.0", DeviceID: "HR-410@C@HRX77120", ServerID: "HR-410@C@HRX77120", SystemName: "oslo-gw-1",
		Model: "HR-410", Serial: "HRX77120", ContactEmail: "noc@ops.example",
		Description: "%PARSER-5-CFGLOG_LOGGEDCMD: User:ola  logged command:username per password ZZper",
		Attachments: []callhome.Attachment{{Name: "show running-config", Text: "oslo-gw-1#show running-config\n" + config + "\n ip address 192.0.2.1 255.255.255.0\n"}},
	}
	variant, _ := aml.VariantFor("ios")
	for setting, c := range settings {
		out := apply(t, redact.Policy{Config: c}, m)
		xml, err := aml.Append(nil, out, variant)
		if err != nil {
			t.Fatal(err)
		}
		golden(t, setting+".xml", string(xml))
		golden(t, setting+".long.txt", string(plaintext.Append(nil, out, plaintext.A)))
		golden(t, setting+".short.txt", string(plaintext.Append(nil, out, plaintext.Pager)))
	}
}

// settings are the four combinations that the call-home MIB knows.
var settings = map[string]redact.Config{
	"normal": {Level: redact.LevelNormal}, "high": {Level: redact.LevelHigh},
	"hostname-normal": {Level: redact.LevelNormal, Hostname: true}, "hostname-high": {Level: redact.LevelHigh, Hostname: true},
}

func TestOnlyTheSecretGoes(t *testing.T) {
	for in, want := range map[string]string{
		"username ola privilege 15 secret 9 $9$abc$def role x": "username ola privilege 15 secret 9 <removed> role x",
		`radius-server key 7 "a b" authentication`:             `radius-server key 7 "<removed>" authentication`,
		`secret "$9$abc"; ## SECRET-DATA`:                      `secret "<removed>"; ## SECRET-DATA`,
		"snmp-server community x RO 10":                        "snmp-server community <removed> RO 10",
		"https://u:p@h/x":                                      "https://u:<removed>@h/x",
		"a?password=x&b=1":                                     "a?password=<removed>&b=1",
		" key-string 7 06\r\n next\r\n":                        " key-string 7 <removed>\r\n next\r\n",
	} {
		if got := redact.Text(redact.Config{}, in); got != in && got != want || got == in {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

// incident is a message that carries identity in every place.
func incident() *callhome.Message {
	level := callhome.LevelMajor
	return &callhome.Message{
		MessageID: "M41:HRX77120QQ:6967F3E2", GroupID: "G42:HRX77120QQ:6967F3E2",
		EventTime: callhome.At(time.Date(2027, 1, 9, 4, 5, 6, 0, time.UTC)), CreationTime: callhome.At(time.Date(2027, 1, 9, 4, 5, 7, 0, time.UTC)),
		Name: "crash", Type: "crash", Group: callhome.GroupCrash, Severity: &level, SourceID: "Heron 400", Brand: "Heron", Builder: "HR400", BuilderVersion: "2.0",
		DeviceID: "HR-410@C@HRX77120QQ", ServerID: "HR-410@C@HRX77120QQ", CustomerID: "acme-QQ", ContractID: "K-QQ-1", SiteID: "Oslo QQ", CCOID: "olaQQ",
		Description: "oslo-qq-1: user olaQQ at 192.0.2.77 typed password ZZtyped on HRX77120QQ",
		SystemName:  "oslo-QQ-1.ops.example", ContactName: "Ola QQ", ContactEmail: "noc@QQ.example", ContactPhone: "+47-22-555-QQ", StreetAddress: "Storgata QQ",
		Model: "HR-410", Serial: "HRX77120QQ", PartNo: "68-0001-01", HWVersion: "1.2", SWVersion: "9.4(1)",
		SysDescr:   "Heron OS on oslo-QQ-1",
		Additional: []callhome.Tag{{Key: "PID", Value: "HR-410"}, {Key: "ChassisName", Value: "oslo-QQ-1"}, {Key: "ForwardAddress", Value: "a@QQ.example"}},
		FRUs:       []callhome.FRU{{Name: "HR-LC", Serial: "LC0099QQ", Slot: "1", Additional: []callhome.Tag{{Key: "owner", Value: "QQ"}}}},
		Chassis:    []callhome.FRU{{Name: "HR-410", Serial: "HRX77121QQ"}},
		Processes:  []callhome.Process{{Name: "bgpd", ID: "77", State: "halted", Exception: "session of 192.0.2.78"}},
		Pairs:      []callhome.Tag{{Key: "syslog_facility", Value: "BGP"}, {Key: "owner", Value: "QQ"}},
		Unknown:    []callhome.Unknown{{Path: "a/b", Value: "QQ"}},
		Attachments: []callhome.Attachment{
			{Name: "show version", Text: "oslo-QQ-1#show version\noslo-QQ-1 uptime is 3 weeks\nHeron OS Version 9.4(1)\nProcessor board ID HRX77120QQ\nSN: LC0099QQ\nsystem serial number: NEW1234QQ\n"},
			{Name: "show users", Text: "olaQQ vty 0 192.0.2.79\n 4 users in all\nMAC 0011.2233.4455 aa:bb:cc:dd:ee:ff 00-11-22-33-44-55\nfe80::1%eth0 2001:db8:1::77 [2001:db8::5]:443 192.0.2.80:514, 192.0.2.81.\n" +
				"Mar 14 09:26:53.114: up 10:11:12\nUsername: karlQQ\nsession opened for user perQQ by (uid=0)\nmail siriQQ@ops.example\nDevice ID: neighbourQQ\nwww.ops.example\n"},
			{Name: "show running-config", Text: "banner QQ\n"},
			{Name: "ping 192.0.2.82", Text: "ok\n"},
		},
	}
}

func TestAnonymousHasNoIdentity(t *testing.T) {
	m := incident()
	before, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	out := apply(t, redact.Policy{Anonymous: true, Key: testKey}, m)
	b, err := json.MarshalIndent(out, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	variant, _ := aml.VariantFor("ios")
	xml, err := aml.Append(b, out, variant)
	if err != nil {
		t.Fatal(err)
	}
	text := string(plaintext.Append(plaintext.Append(xml, out, plaintext.A), out, plaintext.Pager))
	for _, leak := range []string{"QQ", "qq", "192.0.2", "2001:db8", "fe80", "0011.2233", "aa:bb", "00-11-22", "Storgata", "ops.example", "4 users", "ZZ"} {
		if strings.Contains(text, leak) {
			t.Errorf("%q leaks:\n%s", leak, text)
		}
	}
	for _, stays := range []string{"HR-410", "9.4(1)", "uptime is 3 weeks", "10:11:12", "09:26:53.114", "68-0001-01", `"PID"`, "syslog_facility", "HR-LC"} {
		if !strings.Contains(text, stays) {
			t.Errorf("%q should stay:\n%s", stays, text)
		}
	}
	if after, _ := json.Marshal(m); string(after) != string(before) {
		t.Error("the message itself was changed")
	}
	if again := apply(t, redact.Policy{Anonymous: true, Key: testKey}, out); cmp.Diff(out, again) != "" {
		t.Errorf("a second application changed it:\n%s", cmp.Diff(out, again))
	}
}

func TestPseudonym(t *testing.T) {
	p := redact.Policy{Anonymous: true, Key: testKey}
	a, b := apply(t, p, incident()), apply(t, p, incident())
	alias := redact.Pseudonym(testKey, "HRX77120QQ")
	if a.Serial != alias || b.Serial != alias || a.DeviceID != callhome.DeviceID("HR-410@C@"+alias) || a.MessageID != callhome.MessageID("M41:"+alias+":6967F3E2") || a.GroupID != "G42:"+alias+":6967F3E2" {
		t.Errorf("the pseudonym is not the same everywhere: %s %s %s %s", a.Serial, a.DeviceID, a.MessageID, a.GroupID)
	}
	if !strings.Contains(a.Attachments[0].Text, "Processor board ID "+alias) {
		t.Errorf("texts should show the same pseudonym:\n%s", a.Attachments[0].Text)
	}
	if created, ok := a.MessageID.Created(); !ok || created.IsZero() {
		t.Error("the message ID lost its time")
	}
	if other := redact.Pseudonym([]byte("another key, also long enough"), "HRX77120QQ"); other == alias {
		t.Error("another installation should have other pseudonyms")
	}
	if redact.Pseudonym(testKey, "HRX77121QQ") == alias || redact.Pseudonym(testKey, alias) != alias || redact.Pseudonym(testKey, "") != "" {
		t.Error("pseudonyms: others differ, a pseudonym stays, nothing stays nothing")
	}
}

func TestApplyReachesEverything(t *testing.T) {
	const secret = "enable secret ZZ1"
	m := &callhome.Message{
		Description: secret, SysDescr: secret, Processes: []callhome.Process{{Exception: secret}},
		Attachments: []callhome.Attachment{{Name: "copy ftp://a:ZZ2@h/x", Text: secret}}, Unknown: []callhome.Unknown{{Value: secret}},
		Pairs: []callhome.Tag{{Key: "password", Value: "ZZ3"}, {Key: "note", Value: secret}}, Additional: []callhome.Tag{{Key: "x", Value: secret}},
	}
	b, err := json.Marshal(apply(t, redact.Policy{}, m))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(b), "ZZ") {
		t.Errorf("got %s", b)
	}
}

func TestRefusals(t *testing.T) {
	if err := (redact.Config{Level: "low"}).Validate(); callhome.KindOf(err) != callhome.KindInvalid || !strings.HasPrefix(err.Error(), "level: ") {
		t.Errorf("got %v", err)
	}
	if _, err := redact.Apply(redact.Policy{Config: redact.Config{Level: "low"}}, incident()); err == nil {
		t.Error("unknown level: got no error")
	}
	if _, err := redact.Apply(redact.Policy{Anonymous: true, Key: []byte("short")}, incident()); err == nil {
		t.Error("short key: got no error")
	}
	if err := redact.DefaultConfig().Validate(); err != nil {
		t.Error(err)
	}
}
