package analysis

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"callhome"
	"callhome/server/advisory"

	"github.com/google/go-cmp/cmp"
)

// rule is a pack of one rule; match is the YAML below match:.
func onePack(t testing.TB, match, more string) *Pack {
	t.Helper()
	text := "name: test\nversion: '1'\nrules:\n  - id: r\n    name: R\n    class: hardware\n    outcome: service_request\n    title: T\n    diagnosis: D\n    recommendation: A\n    match:\n"
	for line := range strings.Lines(match) {
		text += "      " + line
	}
	text += "\n"
	for line := range strings.Lines(more) {
		text += "    " + line
	}
	p, err := ParsePack("test.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func oneRule(t testing.TB, match, more string) *Engine {
	t.Helper()
	e, err := New(onePack(t, match, more))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func syslogSubject(line string) *Subject {
	return &Subject{Message: &callhome.Message{Type: "syslog", Description: line}, Personality: "ios", Device: 1, ReceivedAt: sampleTime}
}

func evaluate(t testing.TB, e *Engine, s *Subject, h History) Result {
	t.Helper()
	r, err := e.Evaluate(context.Background(), s, h)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestPackErrorsNameTheirPlace(t *testing.T) {
	head := "name: test\nversion: '1'\nrules:\n"
	rule := "  - id: r\n    name: R\n    class: hardware\n    outcome: information\n    title: T\n    diagnosis: D\n"
	for _, c := range []struct{ name, text, place, words string }{
		{"empty", "", "x.yaml", "the file is empty"},
		{"no YAML", "a: [", "x.yaml", "did not find"},
		{"unknown key", head + rule + "    macth: {on: '%SYS-RELOAD'}\n", "x.yaml:10:5", "rules[0].macth: unknown key"},
		{"twice", "name: a\nname: b\n", "x.yaml:2:1", "given twice"},
		{"class", head + strings.Replace(rule, "hardware", "hardwear", 1) + "    match: {on: '%SYS-RELOAD'}\n", "x.yaml:6:12", `class "hardwear" is not one of`},
		{"anchor", head + rule + "    match: &m {on: '%SYS-RELOAD'}\n", "x.yaml:10:12", "anchors and aliases"},
		{"everything", head + rule + "    match: {platforms: ios}\n", "x.yaml:10:12", "holds for every message"},
		{"platform", head + rule + "    match: {on: '%SYS-RELOAD', platforms: [ios, oss]}\n", "x.yaml:10:49", `"oss" is not one of`},
		{"duration", head + rule + "    match: {on: '%SYS-RELOAD', history: {count: 3, within: 1 hour}}\n", "x.yaml:10:60", "is not a duration"},
		{"history", head + rule + "    match: {on: '%SYS-RELOAD', history: {count: 1, within: 1h}}\n", "x.yaml:10:41", "needs a count from 2"},
		{"level", head + rule + "    severity: awful\n    match: {on: '%SYS-RELOAD'}\n", "x.yaml:10:15", `severity "awful"`},
		{"clear", head + rule + "    state: clear\n    match: {on: '%SYS-RELOAD'}\n", "x.yaml:4:5", "names the rules it clears"},
		{"two packs", head + rule + "    match: {on: '%SYS-RELOAD'}\n---\nname: b\n", "x.yaml", "a file holds one pack"},
		{"request", head + strings.Replace(rule, "information", "service_request", 1) + "    recommendation: A\n    match: {groups: [inventory]}\n", "x.yaml:7:14", "never open a service request"},
	} {
		_, err := ParsePack("x.yaml", []byte(c.text))
		var place *callhome.Error
		if !errors.As(err, &place) || place.Path != c.place || !strings.Contains(err.Error(), c.words) || callhome.KindOf(err) != callhome.KindInvalid {
			t.Errorf("%s: got %v, want %s: …%s…", c.name, err, c.place, c.words)
		}
	}
}

func TestCompileErrorsNameTheirPlace(t *testing.T) {
	for _, c := range []struct{ name, match, more, words string }{
		{"key", "on: '%SYS-RELOAD'\ntext: '('", "", "missing closing )"},
		{"on", "on: 'A-B'", "", "match.on[0]: key \"A-B\" has no known form"},
		{"template", "on: '%SYS-RELOAD'", "component: ${fan}", "${fan} is nothing this rule captures"},
		{"open", "on: '%SYS-RELOAD'", "component: ${fan", "is not closed"},
		{"when", "on: '%SYS-RELOAD'\nwhen: 'levels > 3'", "", "unknown name levels"},
		{"when type", "on: '%SYS-RELOAD'\nwhen: 'severity + 1'", "", "expected bool"},
		{"where", "attachments: [{command: x, line: '(?P<a>.)', where: 'b > 1'}]", "", "attachments[0].where"},
		{"fsm", "attachments: [{command: x, textfsm: 'Value A'}]", "", "attachments[0].textfsm"},
		{"trend", "on: '%SYS-RELOAD'\ntrend: {of: used, samples: 3, within: 1h, rise: 1}", "", "\"used\" is nothing this rule captures"},
		{"version", "on: '%SYS-RELOAD'\nversions: '~3'", "", "is no constraint"},
		{"reserved", "on: '%SYS-RELOAD'\ntext: '(?P<count>.)'", "", "a group cannot be called count"},
		{"clears", "on: '%SYS-RELOAD'", "", ""},
	} {
		_, err := New(onePack(t, c.match, c.more))
		if c.words == "" {
			if err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
			continue
		}
		var place *callhome.Error
		if !errors.As(err, &place) || !strings.HasPrefix(place.Path, "test.yaml:") || !strings.Contains(err.Error(), c.words) {
			t.Errorf("%s: got %v, want …%s…", c.name, err, c.words)
		}
	}
}

func TestInventoryAndConfigurationOpenNoRequest(t *testing.T) {
	e := oneRule(t, "attachments: [{command: show version, line: '^bad (?P<what>.*)'}]", "component: ${what}")
	for _, c := range []struct {
		kind    string
		outcome Outcome
		lowered bool
	}{
		{"inventory", OutcomeRecommendation, true}, {"configuration", OutcomeRecommendation, true}, {"diagnostic", OutcomeServiceRequest, false},
	} {
		s := syslogSubject("")
		s.Message.Type, s.Message.Attachments = c.kind, []callhome.Attachment{{Name: "show version", Text: "bad luck\n"}}
		r := evaluate(t, e, s, nil)
		if len(r.Findings) != 1 || r.Findings[0].Outcome != c.outcome || r.Findings[0].Lowered != c.lowered {
			t.Errorf("%s: got %+v, want one finding with outcome %s", c.kind, r.Findings, c.outcome)
		}
	}
}

func TestHistoryCountsEachMessageOnce(t *testing.T) {
	e := oneRule(t, "on: '%LINK-UPDOWN'\ntext: 'Interface (?P<i>\\S+), .*down'\nhistory: {count: 3, within: 1h}", "component: ${i}\n")
	var h Memory
	at := func(minutes int, line string) int {
		s := syslogSubject(line)
		s.Message.EventTime = callhome.At(sampleTime.Add(time.Duration(minutes) * time.Minute))
		s.ReceivedAt = sampleTime.Add(time.Duration(minutes) * time.Minute)
		r := evaluate(t, e, s, &h)
		h.Add(s.Device, s.ReceivedAt, r.Observations...)
		return len(r.Findings)
	}
	down := func(i string) string { return "%LINK-3-UPDOWN: Interface " + i + ", changed state to down" }
	for _, c := range []struct {
		minutes int
		line    string
		want    int
	}{
		{0, down("Gi0/1"), 0}, {1, down("Gi0/1"), 0}, {2, down("Gi0/2"), 0}, {3, down("Gi0/1"), 1}, {59, down("GI0/1"), 1},
		{70, down("Gi0/1"), 0}, // only one more within the hour
		{71, down("Gi0/2"), 0},
	} {
		if got := at(c.minutes, c.line); got != c.want {
			t.Errorf("minute %d, %s: %d findings, want %d", c.minutes, c.line, got, c.want)
		}
	}
}

func TestBacklogIsNoStorm(t *testing.T) {
	e := oneRule(t, "on: '%LINK-UPDOWN'\nhistory: {count: 3, within: 1h}", "")
	var h Memory
	for n := range 5 { // one a day, received all at once
		s := syslogSubject("%LINK-3-UPDOWN: Interface Gi0/1, changed state to down")
		s.Message.EventTime = callhome.At(sampleTime.Add(-time.Duration(5-n) * 24 * time.Hour))
		r := evaluate(t, e, s, &h)
		h.Add(s.Device, s.ReceivedAt, r.Observations...)
		if len(r.Findings) > 0 {
			t.Fatalf("message %d: %+v", n, r.Findings[0])
		}
	}
}

type brokenHistory struct{ Memory }

func (*brokenHistory) Count(context.Context, int64, string, time.Time, time.Time) (int, error) {
	return 0, errors.New("database is away")
}

func TestBrokenHistoryEndsTheEvaluation(t *testing.T) {
	e := oneRule(t, "on: '%SYS-RELOAD'\nhistory: {count: 3, within: 1h}", "")
	r, err := e.Evaluate(t.Context(), syslogSubject("%SYS-3-RELOAD: x"), &brokenHistory{})
	if err == nil || len(r.Findings)+len(r.Observations) > 0 {
		t.Errorf("got %+v, %v; want an error and nothing found", r, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := e.Evaluate(ctx, syslogSubject("%SYS-3-RELOAD: x"), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("with a canceled context: got %v", err)
	}
}

func TestOneRulesFaultStopsNoOther(t *testing.T) {
	good := onePack(t, "on: '%SYS-RELOAD'", "")
	bad := onePack(t, "on: '%SYS-RELOAD'\nwhen: '[1, 2, 3][severity + 100] == 1'", "")
	bad.Name, bad.Rules[0].ID = "bad", "bad"
	e, err := New(bad, good)
	if err != nil {
		t.Fatal(err)
	}
	r := evaluate(t, e, syslogSubject("%SYS-3-RELOAD: x"), nil)
	if len(r.Findings) != 1 || r.Findings[0].Rule != "r" || len(r.Faults) != 1 || r.Faults[0].Rule != "bad" {
		t.Errorf("got %+v, want the finding of r and the fault of bad", r)
	}
}

func TestVersions(t *testing.T) {
	for _, c := range []struct {
		version, constraint string
		within, ok          bool
	}{
		{"15.2(7)E3", ">=15.2 <16", true, true}, {"15.1(4)M", ">=15.2 <16", false, true}, {"17.09.04a", ">=17.9.4 <17.9.5", true, true},
		{"17.9.10", ">17.9.9", true, true}, {"9.18(4)", "=9.18(4)", true, true}, {"9.18(4)", "!=9.18(4)", false, true},
		{"", ">=1", false, false}, {"x", ">=1", false, false}, {"1.0", "?1", false, false}, {"1.0", "", false, false},
	} {
		within, ok := PlainVersions("", c.version, c.constraint)
		if within != c.within || ok != c.ok {
			t.Errorf("%q within %q: got %v, %v; want %v, %v", c.version, c.constraint, within, ok, c.within, c.ok)
		}
	}
	e := oneRule(t, "on: '%SYS-RELOAD'\nversions: '>=17 <18'", "")
	s := syslogSubject("%SYS-3-RELOAD: x")
	if r := evaluate(t, e, s, nil); len(r.Findings) != 0 {
		t.Error("a rule for versions holds where none is known")
	}
	s.SWVersion = "17.9"
	if r := evaluate(t, e, s, nil); len(r.Findings) != 1 {
		t.Error("17.9 is not within >=17 <18")
	}
	never := e.WithVersions(func(string, string, string) (bool, bool) { return true, false })
	if r := evaluate(t, never, s, nil); len(r.Findings) != 0 {
		t.Error("a version that cannot be read is within")
	}
}

func TestSizeLimits(t *testing.T) {
	e := oneRule(t, "attachments: [{command: show *, line: '^row (?P<n>\\d+)'}]", "component: row ${n}")
	var b strings.Builder
	for n := range 3000 {
		fmt.Fprintf(&b, "row %d\n", n)
	}
	s := syslogSubject("")
	s.Message.Attachments = []callhome.Attachment{{Name: "show rows", Text: b.String()}}
	r := evaluate(t, e, s, nil)
	if len(r.Findings) != maxFindings || r.Cut != maxRows-maxFindings {
		t.Errorf("%d findings, %d cut; want %d, %d", len(r.Findings), r.Cut, maxFindings, maxRows-maxFindings)
	}
	absent := oneRule(t, "attachments: [{command: show *, absent: '^ntp'}]", "")
	s.Message.Attachments[0].Text = strings.Repeat("line\n", scanLimit/5+1)
	if r := evaluate(t, absent, s, nil); len(r.Findings) != 0 {
		t.Error("something is absent from a text that was cut")
	}
	s.Message.Attachments[0].Text = strings.Repeat("line\n", 10)
	if r := evaluate(t, absent, s, nil); len(r.Findings) != 1 {
		t.Error("nothing is absent from a whole text")
	}
	s.Message.Attachments[0].Text += "[truncated: 976 bytes removed]\n"
	if r := evaluate(t, absent, s, nil); len(r.Findings) != 0 {
		t.Error("something is absent from a text that the agent cut")
	}
	s.Message.Attachments[0].Text = "line\n"
	s.Message.Attachments[0].Encoding = "base64"
	if r := evaluate(t, absent, s, nil); len(r.Findings) != 0 {
		t.Error("something is absent from encoded bytes")
	}
}

func TestEvidence(t *testing.T) {
	e := oneRule(t, "attachments: [{command: show run*, line: '^username (?P<user>\\S+) password'}]", "component: ${user}\nteam: security")
	s := syslogSubject("")
	s.Message.Type = "diagnostic"
	s.Message.Attachments = []callhome.Attachment{{Name: "show running-config", Text: "hostname a\nusername noc password 7 094F471A1A0A\x1b[2J\n"}}
	r := evaluate(t, e, s, nil)
	want := []Quote{{Source: "show running-config", Line: 2, Text: "username noc password 7 <removed>"}}
	if len(r.Findings) != 1 {
		t.Fatalf("%d findings", len(r.Findings))
	}
	if diff := cmp.Diff(want, r.Findings[0].Evidence); diff != "" {
		t.Errorf("evidence (-want +got):\n%s", diff)
	}
	if f := r.Findings[0]; f.Captures["user"] != "noc" || f.Key != "noc" || f.Team != "security" || f.Pack != "test" || f.Version != "1" || !f.At.Equal(sampleTime) {
		t.Errorf("finding: %+v", f)
	}
}

func TestMaskSecrets(t *testing.T) {
	for in, want := range map[string]string{
		"snmp-server community Vey7kLm2 RO 10":                 "snmp-server community <removed> RO 10",
		"enable secret 9 $9$abc":                               "enable secret 9 <removed>",
		`encrypted-password "$1$abc"; ## SECRET-DATA`:          "encrypted-password <removed>; ## SECRET-DATA",
		"neighbor 192.0.2.1 password 7 0822455D0A16":           "neighbor 192.0.2.1 password 7 <removed>",
		"%LINK-3-UPDOWN: Interface Gi0/1, changed state to up": "%LINK-3-UPDOWN: Interface Gi0/1, changed state to up",
	} {
		if got := maskSecrets(in); got != want {
			t.Errorf("maskSecrets(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestTrend(t *testing.T) {
	for _, c := range []struct {
		series []float64
		rise   float64
		want   bool
	}{
		{[]float64{1, 2, 3, 4}, 3, true}, {[]float64{1, 2, 3, 4}, 4, false}, {[]float64{1, 5, 1, 5}, 3, false},
		{[]float64{9, 8, 3, 2}, -5, true}, {[]float64{2, 3, 8, 9}, -5, false}, {[]float64{5, 5, 5, 5}, 1, false},
	} {
		if got := rising(c.series, c.rise); got != c.want {
			t.Errorf("rising(%v, %v) = %v", c.series, c.rise, got)
		}
	}
}

func TestOnly(t *testing.T) {
	e := shippedEngine(t)
	one, err := e.Only("ios-fan-failed", "ios-fan-failed")
	if err != nil || len(one.Rules()) != 1 {
		t.Fatalf("Only: %d rules, %v", len(one.Rules()), err)
	}
	if _, err := e.Only("nothing"); callhome.KindOf(err) != callhome.KindNotFound {
		t.Errorf("Only of an unknown rule: %v", err)
	}
	if _, p, ok := e.Rule("ios-fan-failed"); !ok || p.Name != "cisco-ios" {
		t.Error("Rule does not find ios-fan-failed in cisco-ios")
	}
}

func TestRuleIDsAreUniqueOverPacks(t *testing.T) {
	a, b := onePack(t, "on: '%SYS-RELOAD'", ""), onePack(t, "on: '%SYS-RELOAD'", "")
	if _, err := New(a, b); err == nil || !strings.Contains(err.Error(), "in another pack") {
		t.Errorf("the same ID twice: %v", err)
	}
}

// TestEngineIsShared evaluates from several goroutines; the race detector watches.
func TestEngineIsShared(t *testing.T) {
	e := shippedEngine(t)
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := range e.rules {
				c := e.rules[(i+g*50)%len(e.rules)]
				s := &c.Samples.Positive[0]
				if found, err := e.runSample(context.Background(), c, s); err != nil || len(found) == 0 {
					t.Errorf("%s: %d findings, %v", c.ID, len(found), err)
				}
			}
		})
	}
	wg.Wait()
}

// TestAdvisoryVersions: the comparators of the advisory room fit, and read the constraints that rules are written in.
func TestAdvisoryVersions(t *testing.T) {
	e := oneRule(t, "on: '%SYS-RELOAD'\nversions: '>=17.6.1 <17.9.4'", "").WithVersions(advisory.InRange)
	for version, want := range map[string]int{"17.09.03": 1, "17.09.04a": 0, "17.3.1": 0, "what": 0} {
		s := syslogSubject("%SYS-3-RELOAD: x")
		s.SWVersion = version
		if r := evaluate(t, e, s, nil); len(r.Findings) != want {
			t.Errorf("%s: %d findings, want %d", version, len(r.Findings), want)
		}
	}
}

func TestGlob(t *testing.T) {
	for _, c := range []struct {
		g, s string
		want bool
	}{
		{"show *", "SHOW version", true}, {"show", "show version", false}, {"*run*", "show running-config", true}, {"WS-C65??", "ws-c6509", true},
		{"WS-C65??", "WS-C6509-E", false}, {"", "", true}, {"*", "", true}, {"a*b*c", "axxbyyc", true}, {"a*b*c", "axxbyy", false},
	} {
		if got := glob(c.g).match(c.s); got != c.want {
			t.Errorf("%q matches %q: %v", c.g, c.s, got)
		}
	}
}

func TestClean(t *testing.T) {
	if got := clean("a\x1b[2Jb\nc\xff", 100); strings.ContainsAny(got, "\x1b\n") || !strings.Contains(got, "\uFFFD") {
		t.Errorf("clean: %q", got)
	}
	if got := clean(strings.Repeat("å", 500), 100); len(got) > 100 || !strings.HasSuffix(got, "…") {
		t.Errorf("clean: %d bytes, %q", len(got), got)
	}
}
