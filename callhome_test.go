package callhome_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"callhome"

	"github.com/google/go-cmp/cmp"
)

func TestLevelFromSyslog(t *testing.T) {
	for severity, want := range map[int]callhome.Level{
		0: callhome.LevelFatal, 1: callhome.LevelCritical, 2: callhome.LevelMajor, 3: callhome.LevelMinor,
		4: callhome.LevelWarning, 5: callhome.LevelNotification, 6: callhome.LevelNormal, 7: callhome.LevelDebugging,
		8: callhome.LevelNotification, -1: callhome.LevelNotification,
	} {
		if got := callhome.LevelFromSyslog(severity); got != want {
			t.Errorf("LevelFromSyslog(%d): got %v, want %v", severity, got, want)
		}
	}
}

func TestParseLevel(t *testing.T) {
	for in, want := range map[string]callhome.Level{
		"debugging": 0, "debug": 0, "Normal": 1, "notify": 2, "notification": 2, "WARNING": 3, "9": 9, "catastrophic": 9,
	} {
		if got, err := callhome.ParseLevel(in); err != nil || got != want {
			t.Errorf("ParseLevel(%q): got %v, %v, want %v", in, got, err, want)
		}
	}
	for _, in := range []string{"", "10", "-1", "error"} {
		if got, err := callhome.ParseLevel(in); err == nil {
			t.Errorf("ParseLevel(%q): got %v, want an error", in, got)
		}
	}
}

func TestDeviceID(t *testing.T) {
	for in, want := range map[callhome.DeviceID][3]string{
		"QX9006@C@QXA2613K0PZ":  {"QX9006", "C", "QXA2613K0PZ"},
		"QX-S9509@C@QXF26@0441": {"QX-S9509", "C", "QXF26@0441"},
		"QX9006@C@":             {"QX9006", "C", ""},
	} {
		model, sid, serial, ok := in.Parts()
		if got := [3]string{model, sid, serial}; !ok || got != want {
			t.Errorf("%s: got %v, %v, want %v", in, got, ok, want)
		}
	}
	if _, _, _, ok := callhome.DeviceID("QX9006").Parts(); ok {
		t.Error("an ID without separators has no parts")
	}
}

func TestMessageIDCreated(t *testing.T) {
	at := time.Date(2026, 3, 14, 9, 26, 53, 0, time.UTC)
	id := callhome.MakeMessageID("M", 41, "QXA2613K0PZ", at)
	if id != "M41:QXA2613K0PZ:69B529DD" {
		t.Errorf("got %s", id)
	}
	for _, in := range []callhome.MessageID{id, "1004:QXA:69B529DD", "M1:QX:ED5FA85D"} { // the last counts from 1900
		if got, ok := in.Created(); !ok || !got.Equal(at) {
			t.Errorf("%s: got %v, %v, want %v", in, got, ok, at)
		}
	}
}

func TestTimestampText(t *testing.T) {
	for _, in := range []string{`"2026-03-14T09:26:53Z"`, `"2026-03-14T09:26:53"`, `"2026-03-14T09:26:53.114+05:30"`} {
		var ts callhome.Timestamp
		if err := json.Unmarshal([]byte(in), &ts); err != nil {
			t.Fatal(err)
		}
		out, err := json.Marshal(ts)
		if err != nil || string(out) != in {
			t.Errorf("got %s, %v, want %s", out, err, in)
		}
	}
}

func TestMessageJSON(t *testing.T) {
	level := callhome.LevelDebugging
	m := callhome.Message{
		Format: callhome.FormatXML, MessageID: "M1:S:00000000", Severity: &level, Description: "x",
		EventTime:   callhome.At(time.Date(2026, 3, 14, 9, 26, 53, 0, time.UTC)),
		Attachments: []callhome.Attachment{{Name: "show version", Text: "v"}},
	}
	b, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"severity":0`, `"level":"debugging"`, `"event_time":"2026-03-14T09:26:53Z"`} {
		if !strings.Contains(string(b), want) {
			t.Errorf("%s lacks %s", b, want)
		}
	}
	var back callhome.Message
	if err := json.Unmarshal(b, &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(m, back); diff != "" {
		t.Errorf("round trip (-want +got):\n%s", diff)
	}
}

func TestSecretNeverShows(t *testing.T) {
	s := callhome.NewSecret("hunter2")
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "password", s)
	b, _ := json.Marshal(map[string]any{"p": s})
	shown := fmt.Sprintf("%s %v %+v %#v %q %d", s, s, s, s, s, s) + string(b) + log.String()
	if strings.Contains(shown, "hunter2") {
		t.Errorf("the secret shows: %s", shown)
	}
	if s.Reveal() != "hunter2" {
		t.Error("Reveal lost it")
	}
}

func TestErrorText(t *testing.T) {
	err := &callhome.Error{Kind: callhome.KindInvalid, Path: "a.yaml:3:7", Msg: "not a number", Err: fmt.Errorf("strconv")}
	if got, want := err.Error(), "a.yaml:3:7: not a number: strconv"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := callhome.KindOf(fmt.Errorf("wrapped: %w", err)); got != callhome.KindInvalid {
		t.Errorf("KindOf: got %s", got)
	}
}

func TestMaskURL(t *testing.T) {
	for in, want := range map[string]string{
		"https://user:secret@h.example:8443/p?q=a:b@c": "https://user:<removed>@h.example:8443/p?q=a:b@c",
		"https://user:se@cret@h.example":               "https://user:<removed>@h.example",
		"https://user@h.example/p":                     "https://user@h.example/p",
		"https://h.example/p:x@y":                      "https://h.example/p:x@y",
		"noc@ops.example":                              "noc@ops.example",
		"":                                             "",
	} {
		if got := callhome.MaskURL(in); got != want {
			t.Errorf("MaskURL(%q) = %q, want %q", in, got, want)
		}
	}
	profiles := []callhome.Profile{{HTTP: []string{"https://u:p@h.example/"}}}
	if got := callhome.MaskProfiles(profiles)[0].HTTP[0]; got != "https://u:<removed>@h.example/" || profiles[0].HTTP[0] != "https://u:p@h.example/" {
		t.Errorf("MaskProfiles: got %q, and the profile itself has %q", got, profiles[0].HTTP[0])
	}
}
