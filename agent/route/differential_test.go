package route

import (
	"regexp"
	"regexp/syntax"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"callhome"
	"callhome/codec/syslog"
	"callhome/personality"
)

var (
	someGroups = []callhome.AlertGroup{
		callhome.GroupSyslog, callhome.GroupDiagnostic, callhome.GroupInventory, callhome.GroupCrash, callhome.GroupEnvironment,
	}
	somePatterns = []string{
		"", ".*", "^.*$", "UPDOWN", "%LINK-[0-7]-UPDOWN", "(?i)interface", "(?i)link", "OSPF|BGP", "(OSPF|BGP).*down", "^<189>", "down$", `\d{4}`,
		"Gi0/(1|2|3)", "a?b?", "changed state to (up|down)", "x{2,3}y", "[A-C]GP", "(?:UP|UPS)TATE", "UPDOWN.*Gi0/1", "(?i)STATE TO", "é", "�", "Inter(face)?",
	}
	someTexts = []string{
		"Interface Gi0/1, changed state to down", "Interface Gi0/2, changed state to up", "INTERFACE x", "neighbor 192.0.2.1 Down BGP",
		"Process 1, Nbr 192.0.2.1 on Gi0/3 from FULL to DOWN", "UPSTATE xxy", "\xff\xfe", "café", "interface \u212a lin\u212a", "1234", "",
	}
	someMnemonics = []string{"UPDOWN", "ADJCHG", "CONFIG_I", "106100", "302014"}
)

func genConfig(t *rapid.T) Config {
	cfg := Config{
		Enabled: rapid.IntRange(0, 9).Draw(t, "enabled") > 0, Anonymous: rapid.Bool().Draw(t, "anonymous"),
		Personality: mustPersonality(rapid.SampledFrom([]personality.Name{personality.IOS, personality.NXOS}).Draw(t, "personality")),
	}
	if rapid.IntRange(0, 4).Draw(t, "disable") == 0 {
		cfg.Disabled = []callhome.AlertGroup{rapid.SampledFrom(someGroups).Draw(t, "disabled")}
	}
	for i := range rapid.IntRange(0, 6).Draw(t, "profiles") {
		p := callhome.Profile{Name: callhome.ProfileName("p" + string(rune('0'+i))), Active: rapid.IntRange(0, 5).Draw(t, "active") > 0}
		if rapid.IntRange(0, 6).Draw(t, "anon") == 0 {
			p.AnonymousOnly = true
		}
		for range rapid.IntRange(1, 4).Draw(t, "subs") {
			p.Subscribe = append(p.Subscribe, genSubscription(t))
		}
		cfg.Profiles = append(cfg.Profiles, p)
	}
	return cfg
}

func genSubscription(t *rapid.T) callhome.Subscription {
	sub := callhome.Subscription{
		Group:   rapid.SampledFrom(append([]callhome.AlertGroup{callhome.GroupAll, callhome.GroupCiscoTAC}, someGroups...)).Draw(t, "group"),
		Pattern: rapid.SampledFrom(somePatterns).Draw(t, "pattern"),
	}
	if rapid.Bool().Draw(t, "severe") {
		sub.Severity = lv(callhome.Level(rapid.IntRange(0, 9).Draw(t, "severity")))
	}
	if rapid.IntRange(0, 3).Draw(t, "listed") == 0 {
		sub.MessageIDs = rapid.SliceOfN(rapid.SampledFrom([]string{"106100", "302013-302016", "LINK-UPDOWN", "UPDOWN", "1-9"}), 1, 2).Draw(t, "ids")
	}
	if rapid.IntRange(0, 3).Draw(t, "tagged") == 0 {
		sub.Tags = map[string]string{rapid.SampledFrom([]string{"ip", "mac"}).Draw(t, "key"): rapid.SampledFrom([]string{"192.0.2.1", "a b", ""}).Draw(t, "value")}
	}
	if rapid.IntRange(0, 3).Draw(t, "full") == 0 {
		sub.Detail = callhome.DetailFull
	}
	return sub
}

func genSubject(t *rapid.T) Subject {
	l := iosLine(rapid.SampledFrom([]string{"LINK", "LINEPROTO", "ASA"}).Draw(t, "facility"), 3,
		rapid.SampledFrom(someMnemonics).Draw(t, "mnemonic"), rapid.SampledFrom(someTexts).Draw(t, "text"))
	if l.Mnemonic[0] <= '9' {
		l.MessageID = l.Mnemonic
	}
	if rapid.Bool().Draw(t, "params") {
		l.ParamForm = syslog.ParamsCiscoLog
		l.ParamRegion = []byte(rapid.SampledFrom([]string{"[ip=192.0.2.1]", "[ip.orig=192.0.2.1]", "[mac=a b]", "[ip=][mac=192.0.2.1]"}).Draw(t, "region"))
		l.Raw = append(append([]byte{}, l.Raw...), l.ParamRegion...)
	}
	return Subject{
		Line: l, Group: rapid.SampledFrom(someGroups).Draw(t, "group"), Level: callhome.Level(rapid.IntRange(0, 9).Draw(t, "level")),
		Type: rapid.SampledFrom([]string{"", "", "", "LINK_DOWN", personality.TypeClusterJoin}).Draw(t, "type"),
	}
}

// TestMatchAgreesWithNaive holds the compiled table to a loop over all subscriptions, and Explain to Match.
func TestMatchAgreesWithNaive(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cfg := genConfig(t)
		tab, err := New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		for range 8 {
			s := genSubject(t)
			got, want := tab.Match(s, nil), naive(&cfg, s)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("line %q group %s level %s type %s (-naive +table):\n%s", s.Line.Raw, s.Group, s.Level, s.Type, diff)
			}
			var sent []Decision
			for _, d := range tab.Explain(s, nil) {
				if d.Reason == callhome.ReasonSent {
					sent = append(sent, d)
				}
			}
			if diff := cmp.Diff(want, sent); diff != "" {
				t.Fatalf("Explain (-naive +explain):\n%s", diff)
			}
		}
	})
}

// FuzzPattern holds what was learnt of a pattern to what the pattern does: a line that holds it has one of its phrases
// and all of the others, and a pattern that always holds does.
func FuzzPattern(f *testing.F) {
	for _, p := range somePatterns {
		for _, text := range someTexts {
			f.Add(p, text)
		}
	}
	f.Fuzz(func(t *testing.T, pattern, text string) {
		if len(pattern) > 100 || len(text) > 400 {
			t.Skip()
		}
		re, err := regexp.Compile(pattern)
		if err != nil {
			return
		}
		holds := re.MatchString(text)
		parsed, err := syntax.Parse(pattern, syntax.Perl)
		if err != nil {
			t.Fatal(err)
		}
		if holdsAlways(parsed) && !holds {
			t.Fatalf("pattern %q is taken to hold always, but not on %q", pattern, text)
		}
		some, all := required(pattern)
		if !holds {
			return
		}
		for _, p := range all {
			if !p.Contains([]byte(text)) {
				t.Fatalf("pattern %q holds on %q, which lacks %q", pattern, text, p.Text)
			}
		}
		if len(some) == 0 {
			return
		}
		if hits := personality.NewPhrases(some).Append(nil, []byte(text)); len(hits) == 0 {
			t.Fatalf("pattern %q holds on %q, where none of %v is found", pattern, text, some)
		}
	})
}

func TestRequired(t *testing.T) {
	for _, tt := range []struct{ pattern, want string }{
		{"%LINK-3-UPDOWN", "%LINK-3-UPDOWN"},
		{"APF-.-WLC_.*", "-WLC_"},
		{"OSPF|EIGRP", "OSPF|EIGRP"},
		{"foo(bar|baz)qux", "foobarqux|foobazqux"},
		{`\d+`, ""},
		{"(?i)failed", "failed"},
		{"(?i)link", "lin"},
		{"(abc)?", ""},
		{"(abc)+", "abc"},
		{"(?:abc){2}", "abcabc"},
	} {
		some, _ := required(tt.pattern)
		var got []string
		for _, p := range some {
			text := p.Text
			if p.Fold {
				text = strings.ToLower(text)
			}
			got = append(got, text)
		}
		if strings.Join(got, "|") != tt.want {
			t.Errorf("%q needs %q, want %q", tt.pattern, strings.Join(got, "|"), tt.want)
		}
	}
}
