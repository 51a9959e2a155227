package ciscolog

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

func TestKeyMatches(t *testing.T) {
	for _, tc := range []struct {
		query, key string
		want       bool
	}{
		{"ip", "ip", true},
		{"ip", "ip.orig", true},
		{"ip", "ip.to.primary", true},
		{"ip.to", "ip.to", true},
		{"ip.to", "ip.to.primary", true},
		{"ip.to", "ip", false},
		{"ip.to", "ip.total", false},
		{"ip", "ipaddress", false},
		{"ip", "IP", false},
		{"", "ip", false},
		{"nodeid", "NodeID", true},
		{"nodeid", " Node ID ", true},
		{"nodeid", "NodeIDs", false},
		{"lastsignalreceived", "UNKNOWN_PARAMNAME:LastSignalReceived", true},
		{"NodeID", "Node ID", false},
	} {
		if got := KeyMatches(tc.query, []byte(tc.key)); got != tc.want {
			t.Errorf("KeyMatches(%q, %q) = %v", tc.query, tc.key, got)
		}
	}
}

func TestCanonicalKeys(t *testing.T) {
	for key := range ucmKeys {
		if got := CanonicalKey([]byte(" UNKNOWN_PARAMNAME:" + strings.ToUpper(key[:1]) + " " + key[1:] + " ")); got != key {
			t.Errorf("got %q, want %q", got, key)
		}
	}
}

func TestMatchAndTag(t *testing.T) {
	var r Record
	line := `7: gw1: Mar  7 2027 08:15:30.250 UTC: %TOLL-6-CALL: %[ip.from=192.0.2.4][ip.to=192.0.2.5][note=\[x\]]: Up`
	if v := ParseStrict([]byte(line), &r); v != nil {
		t.Fatal(v)
	}
	if !r.Match("ip", "192.0.2.5") || r.Match("ip.from", "192.0.2.5") || !r.Match("note", "[x]") {
		t.Error("wrong matches")
	}
	if value, ok := r.Tag("note"); !ok || string(value) != "[x]" {
		t.Errorf("got %q, %v", value, ok)
	}
	if _, ok := r.Tag("ip"); ok {
		t.Error("Tag took an extension for its key")
	}
	for range r.Tags {
		break // stopping early must be possible
	}
}

func TestOptions(t *testing.T) {
	berlin := time.FixedZone("", 3600)
	at := func(zone string, o Options) time.Time {
		var r Record
		if !Parse([]byte("7: gw1: Mar  7 2027 08:15:30.250 "+zone+": %TOLL-6-CALL: Up"), receivedOwn, &r, o) {
			t.Fatal(zone)
		}
		return r.Time
	}
	want := time.Date(2027, 3, 7, 7, 15, 30, 250e6, time.UTC)
	for zone, o := range map[string]Options{
		"":     {DefaultZone: berlin},
		"WHAT": {DefaultZone: berlin},
		"BST":  {Zones: map[string]int{"BST": 3600}},
		"UTC":  {Zones: map[string]int{"UTC": 3600}, DefaultZone: berlin}, // a sender that lies
		"CET":  {},
	} {
		if got := at(zone, o); !got.Equal(want) {
			t.Errorf("zone %q: got %s", zone, got)
		}
	}
	if got := at("UTC", Options{DefaultZone: berlin}); !got.Equal(want.Add(time.Hour)) {
		t.Errorf("the default zone was put before the line's own: %s", got)
	}
}

func TestDisplay(t *testing.T) {
	for _, tc := range []struct{ in, host, text string }{
		{"plain", "plain", "plain"},
		{"a\tb\x1b[2Jc", "a        b?[2Jc", "a        b?[2Jc"},
		{"a\nb", "a?b", "a\nb"},
		{"a#012b#011c#033d#101#01", "a#012b#011c#033d#101#01", "a\nb        c?d#101#01"},
		{"\xff\xfeé\xff", "\ufffdé\ufffd", "\ufffdé\ufffd"},
		{"a\u0085b", "a?b", "a?b"},
	} {
		if got := (Display{}).Host([]byte(tc.in)); got != tc.host {
			t.Errorf("host %q: got %q", tc.in, got)
		}
		if got := (Display{}).Text([]byte(tc.in)); got != tc.text {
			t.Errorf("text %q: got %q", tc.in, got)
		}
	}
	if got := (Display{Windows1252: true}).Text([]byte("\x80 \xe4\x81")); got != "€ ä\ufffd" {
		t.Errorf("got %q", got)
	}
}

func TestFlagNames(t *testing.T) {
	seen := map[string]bool{}
	for i, name := range flagNames {
		if got := (Flags(1) << i).String(); got != name || seen[name] {
			t.Errorf("flag %d is called %q", i, got)
		}
		seen[name] = true
	}
	if FlagDupPart != 1<<(len(flagNames)-1) {
		t.Error("names and flags do not go up together")
	}
	if got := (FlagTags | FlagDelim).String(); got != "delim,tags" {
		t.Errorf("got %q", got)
	}
}

func TestClone(t *testing.T) {
	for _, l := range ownLines(t) {
		var r, again Record
		line := append([]byte(nil), l.line...)
		if !Parse(line, receivedOwn, &r, Options{}) {
			continue
		}
		c := r.Clone()
		clear(line)
		Parse(l.line, receivedOwn, &again, Options{})
		got, want := new(bytes.Buffer), new(bytes.Buffer)
		describe(got, &c)
		describe(want, &again)
		if got.String() != want.String() {
			t.Errorf("%s: clone differs:\n%s%s", l.name, got, want)
		}
	}
}
