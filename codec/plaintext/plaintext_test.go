package plaintext_test

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"callhome"
	"callhome/codec/plaintext"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

func level(l callhome.Level) *callhome.Level { return &l }

func number(n int) *int { return &n }

// fanFailure is an environment message with everything a text can hold.
func fanFailure() *callhome.Message {
	return &callhome.Message{
		EventTime: callhome.At(time.Date(2027, 1, 9, 4, 5, 6, 0, time.FixedZone("", -5*3600))),
		Type:      "environment", Group: callhome.GroupEnvironment, Severity: level(callhome.LevelCritical),
		SwitchPriority: number(5), SourceID: "Heron 400", DeviceID: "HR-410@C@HRX@77120", CustomerID: "acme-7",
		ContractID: "K-1", SiteID: "Oslo 2", ServerID: "HR-410@C@HRX@77120",
		Description: "*Jan  9 04:05:06.114: %ENVMON-1-FAN: Fan tray 2 stopped\nspare in rack 9: Command Output Name : none",
		SystemName:  "oslo-gw-1", ContactName: "Ola Nordmann", ContactEmail: "noc@acme.example", ContactPhone: "+47-22-555-010",
		StreetAddress: "Storgata 1\n0155 Oslo", Model: "HR-410", Serial: "HRX@77120", PartNo: "68-0001-01",
		HWVersion: "1.2", SWVersion: "9.4(1)",
		Chassis:   []callhome.FRU{{Name: "HR-410", Serial: "HRX77121"}},
		FRUs:      []callhome.FRU{{Name: "HR-FAN", Serial: "F1", PartNo: "73-1", Slot: "2", HWVersion: "0.4", SWVersion: "na"}, {Slot: "3"}},
		Processes: []callhome.Process{{Name: "envd", ID: "118", State: "running", Exception: "none"}},
		Pairs:     []callhome.Tag{{Key: "syslog_facility", Value: "ENVMON"}, {Key: "Event Description", Value: "not this one"}},
		Attachments: []callhome.Attachment{
			{Name: "show environment", Text: "show environment\nFan  State\n2    stopped\n"},
			{Name: "show logging", Text: "Command Output Name : show evil\n Command output : x\n\x1b[31mred\x1b[0m\tend"},
			{Name: "show nothing"},
		},
	}
}

func TestGolden(t *testing.T) {
	for _, d := range []plaintext.Dialect{plaintext.A, plaintext.B, plaintext.C, plaintext.Pager, plaintext.Labels} {
		golden(t, strings.ToLower(d.Name)+".txt", plaintext.Append(nil, fanFailure(), d))
	}
}

func TestGoldenReadsBack(t *testing.T) {
	for _, d := range []plaintext.Dialect{plaintext.A, plaintext.B, plaintext.C} {
		b := plaintext.Append(nil, fanFailure(), d)
		for _, text := range [][]byte{b, bytes.ReplaceAll(b, []byte("\n"), []byte("\r\n"))} {
			got, err := plaintext.Decode(text)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(readBack(fanFailure(), d), got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", d.Name, diff)
			}
		}
	}
}

// A message from a device, written by nobody here: no escapes, other case, other blanks, a wrapped line.
const foreignB = "SOURCE:Heron\r\nswitch priority : 7\r\nDevice ID:HR-S9@C@HX@1\r\nTime of event:2027-01-09T04:05:06\r\n" +
	"Message Name:SYSLOG_ALERT\r\nMessage Type:Syslog\r\nSeverity Level:2\r\nSystem Name:192.0.2.10\r\n" +
	"Event Description:2027 Jan  9 04:05:06 192.0.2.10 %PORT-5-IF_UP: Interface\r\nfc2/5, vsan 1 is up\r\n" +
	"syslog_facility:PORT\r\nstart chassis information:\r\nAffected Chassis:HR-S9\r\nAffected Chassis Serial Number:HX@1\r\n" +
	"Backplane Colour:blue\r\nend chassis information:\r\nCommand Output Name:show port\r\nCommand Output Text:\r\na : b\r\n\r\nend\r\n"

func TestDecodeForeign(t *testing.T) {
	want := &callhome.Message{
		Format: callhome.FormatFull, Dialect: "B", SourceID: "Heron", SwitchPriority: number(7), DeviceID: "HR-S9@C@HX@1",
		EventTime: callhome.Timestamp{Time: time.Date(2027, 1, 9, 4, 5, 6, 0, time.UTC), NoZone: true},
		Name:      "SYSLOG_ALERT", Type: "Syslog", Group: callhome.GroupSyslog, Severity: level(2), SystemName: "192.0.2.10",
		Description: "2027 Jan  9 04:05:06 192.0.2.10 %PORT-5-IF_UP: Interface\nfc2/5, vsan 1 is up",
		Model:       "HR-S9", Serial: "HX@1",
		Pairs:       []callhome.Tag{{Key: "syslog_facility", Value: "PORT"}},
		Unknown:     []callhome.Unknown{{Path: "chassis/Backplane Colour", Value: "blue"}},
		Attachments: []callhome.Attachment{{Name: "show port", Text: "a : b\n\nend"}},
		Flags:       []string{"tz_missing"},
	}
	got, err := plaintext.Decode([]byte(foreignB))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Devices mix the labels of outputs.
func TestDecodeMixedOutputLabels(t *testing.T) {
	const head = "TimeStamp : 2027-01-09 04:05:06 GMT+00:00\nMessage Description : x\n"
	for _, c := range []struct {
		name, in string
		want     []callhome.Attachment
	}{
		{"a name behind an output without", "Command Output : show env\nfan ok\nCommand Output Name : show ver\nCommand Output Text :\n17.1\n",
			[]callhome.Attachment{{Name: "show env", Text: "fan ok"}, {Name: "show ver", Text: "17.1"}}},
		{"the name twice", "Command Output Name : show env\nCommand Output : show env\nfan ok\n",
			[]callhome.Attachment{{Name: "show env", Text: "fan ok"}}},
		{"a name, and text behind the other label", "Command Output Name : show env\nMIME Type : text/plain\nCommand Output : fan ok\nCommand Output Name : show ver\nCommand Output :\n17.1\n",
			[]callhome.Attachment{{Name: "show env", Text: "fan ok"}, {Name: "show ver", Text: "17.1"}}},
		{"two without", "Command Output : show env\nCommand Output : show ver\n17.1\n",
			[]callhome.Attachment{{Name: "show env"}, {Name: "show ver", Text: "17.1"}}},
		{"two names", "Command Output Name : show env\nCommand Output Name : show ver\nCommand Output Text :\n17.1\n",
			[]callhome.Attachment{{Name: "show env"}, {Name: "show ver", Text: "17.1"}}},
	} {
		got, err := plaintext.Decode([]byte(head + c.in))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.want, got.Attachments); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
		if len(got.Unknown) > 0 {
			t.Errorf("%s: unknown %v", c.name, got.Unknown)
		}
	}
}

func TestDecodeSeverityOutOfRange(t *testing.T) {
	got, err := plaintext.Decode([]byte("TimeStamp : 2027-01-09 04:05:06 GMT+00:00\nSeverity Level : 12\nEvent Description : x\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := []callhome.Unknown{{Path: "Severity Level", Value: "12"}}
	if diff := cmp.Diff(want, got.Unknown); diff != "" || got.Severity != nil || strings.Join(got.Flags, " ") != "severity_invalid" {
		t.Errorf("got severity %v, flags %v (-want +got):\n%s", got.Severity, got.Flags, diff)
	}
}

func TestDecodeShortLabels(t *testing.T) {
	const in = "Subject : System Notification from oslo-gw-1\nDevice Id : oslo-gw-1\nTimeStamp : 2027-01-09 04:05:06 GMT-05:00\nError Message : %ENVMON-1-FAN: Fan tray 2 stopped\nSeverity Level : 6\n"
	got, err := plaintext.Decode([]byte(in))
	if err != nil {
		t.Fatal(err)
	}
	want := &callhome.Message{
		Format: callhome.FormatShort, Dialect: "labels", SystemName: "oslo-gw-1", Severity: level(6),
		EventTime:   callhome.At(time.Date(2027, 1, 9, 4, 5, 6, 0, time.FixedZone("", -5*3600))),
		Description: "%ENVMON-1-FAN: Fan tray 2 stopped",
	}
	if diff := cmp.Diff(want, got, timesEqual); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if again := plaintext.Append(nil, got, plaintext.Labels); string(again) != in {
		t.Errorf("written again:\n%s", again)
	}
}

func TestDecodePager(t *testing.T) {
	for _, in := range []string{
		"oslo-gw-1 2027-01-09 04:05:06 GMT-05:00\nCritical (6): Fan tray 2 stopped\n",
		"oslo-gw-1 2027-01-09 04:05:06 GMT-05:00\r\nCritical (6): Fan tray 2 stopped\r\n",
	} {
		got, err := plaintext.Decode([]byte(in))
		if err != nil {
			t.Fatal(err)
		}
		if got.SystemName != "oslo-gw-1" || *got.Severity != 6 || got.Description != "Fan tray 2 stopped" || got.Dialect != "pager" {
			t.Errorf("got %+v", got)
		}
	}
}

func TestPagerLimit(t *testing.T) {
	m := fanFailure()
	m.Description = "%X-1-Y: " + strings.Repeat("æ", 300)
	for _, host := range []string{"gw", strings.Repeat("h", 200)} {
		m.SystemName = host
		for _, limit := range []int{160, 80, 60} {
			b := plaintext.Append(nil, m, plaintext.Pager.WithLimit(limit))
			if n := utf8.RuneCount(b); n > limit || bytes.Count(b, []byte("\n")) != 2 {
				t.Errorf("limit %d: got %d characters: %s", limit, n, b)
			}
		}
		if b := plaintext.Append(nil, m, plaintext.Pager); !strings.Contains(string(b), "Critical (6): ") || !strings.Contains(string(b), "2027-01-09 04:05:06") {
			t.Errorf("level or time was cut: %s", b)
		}
	}
}

func TestLabelsLimit(t *testing.T) {
	m := fanFailure()
	m.Description = strings.Repeat("word ", 100)
	for _, line := range strings.Split(string(plaintext.Append(nil, m, plaintext.Labels)), "\n") {
		if utf8.RuneCountInString(line) > 160 {
			t.Errorf("a line of %d characters: %s", len(line), line)
		}
	}
	b := plaintext.Append(nil, m, plaintext.Labels.WithLimit(200))
	if n := utf8.RuneCount(b); n != 200 || !strings.Contains(string(b), "...\nSeverity Level : 6\n") {
		t.Errorf("got %d characters:\n%s", n, b)
	}
}

func TestDecodeRefuses(t *testing.T) {
	for name, in := range map[string]string{
		"nothing": "", "prose": "Hello,\n\nplease call me back.\n", "xml": "<?xml version=\"1.0\"?><a/>",
		"a mail's first lines": "Subject: hello\nDate: today\n", "too many labels": strings.Repeat("a:b\n", 20_001),
		"too deep": strings.Repeat("start x information:\n", 9),
	} {
		_, err := plaintext.Decode([]byte(in))
		var e *callhome.Error
		if !errors.As(err, &e) || e.Kind != callhome.KindInvalid {
			t.Errorf("%s: got %v, want an error of kind invalid", name, err)
		}
	}
}

func TestNoTerminalEscapesLeave(t *testing.T) {
	m := fanFailure()
	m.Description, m.SystemName = "a\x1b]0;title\x07b\x9bc\u009bd\u202ee\x00\x7f", "h\x1b[2J\rost"
	m.Attachments = []callhome.Attachment{{Name: "show\x1b[1m x", Text: "one\rtwo\r\r\nthree\x08\x08\x1b[H\tfour"}}
	for _, d := range []plaintext.Dialect{plaintext.A, plaintext.B, plaintext.C, plaintext.Pager, plaintext.Labels} {
		b := plaintext.Append(nil, m, d)
		for i, r := range string(b) {
			if r < ' ' && r != '\n' && r != '\t' || r >= 0x7f && r <= 0x9f || r == 0x202e {
				t.Errorf("%s: %U at byte %d of\n%q", d.Name, r, i, b)
			}
		}
		if !utf8.Valid(b) {
			t.Errorf("%s: not UTF-8: %q", d.Name, b)
		}
	}
	if b := string(plaintext.Append(nil, m, plaintext.A)); !strings.Contains(b, "one\ntwo\nthree^H^H^[[H\tfour\n") {
		t.Errorf("the output should stay readable:\n%s", b)
	}
}

func TestLookup(t *testing.T) {
	if d, err := plaintext.Lookup("b"); err != nil || d.Name != "B" {
		t.Errorf("got %v, %v", d.Name, err)
	}
	if _, err := plaintext.Lookup("D"); err == nil {
		t.Error("D: got no error")
	}
}
