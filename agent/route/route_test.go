package route

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"callhome"
	"callhome/codec/syslog"
	"callhome/personality"
)

func lv(l callhome.Level) *callhome.Level { return &l }

// asaLine is a line as the parser leaves it, without the parser.
func asaLine(id, text string) *syslog.Line {
	raw := "<166>: %ASA-6-" + id + ": " + text
	return &syslog.Line{
		Raw: []byte(raw), Text: []byte(text), Dialect: syslog.ASA, MessageID: []byte(id), Mnemonic: []byte(id), CoreFacility: []byte("ASA"),
	}
}

func iosLine(fac string, sev int, mnem, text string) *syslog.Line {
	raw := fmt.Sprintf("<189>29: *Mar  1 00:00:46.411: %%%s-%d-%s: %s", fac, sev, mnem, text)
	return &syslog.Line{
		Raw: []byte(raw), Text: []byte(text), Dialect: syslog.IOS, Mnemonic: []byte(mnem), CoreFacility: []byte(fac), Severity: syslog.Severity(sev),
	}
}

func table(t testing.TB, cfg Config) *Table {
	t.Helper()
	tab, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return tab
}

// noc is a profile that is valid and active; tests change what they are about.
func noc(subs ...callhome.Subscription) callhome.Profile {
	return callhome.Profile{Name: "noc", Active: true, Subscribe: subs}
}

func TestExplain(t *testing.T) {
	updown := iosLine("LINK", 3, "UPDOWN", "Interface Gi0/1, changed state to down")
	minor := Subject{Line: updown, Group: callhome.GroupSyslog, Level: callhome.LevelMinor}
	sys := func(sub callhome.Subscription) callhome.Profile {
		sub.Group = callhome.GroupSyslog
		return noc(sub)
	}
	tests := []struct {
		name    string
		profile callhome.Profile
		change  func(*Config)
		subject Subject
		want    callhome.Reason
	}{
		{"threshold below", sys(callhome.Subscription{Severity: lv(callhome.LevelWarning)}), nil, minor, callhome.ReasonSent},
		{"threshold equal", sys(callhome.Subscription{Severity: lv(callhome.LevelMinor)}), nil, minor, callhome.ReasonSent},
		{"threshold above", sys(callhome.Subscription{Severity: lv(callhome.LevelMajor)}), nil, minor, callhome.ReasonBelowSeverity},
		{"no threshold is the default", sys(callhome.Subscription{}), nil, minor, callhome.ReasonSent},
		{"pattern holds", sys(callhome.Subscription{Pattern: "LINK-[0-7]-UP"}), nil, minor, callhome.ReasonSent},
		{"pattern fails", sys(callhome.Subscription{Pattern: "OSPF"}), nil, minor, callhome.ReasonPatternMismatch},
		{"severity and pattern must both hold", sys(callhome.Subscription{Severity: lv(callhome.LevelMajor), Pattern: "LINK"}), nil, minor, callhome.ReasonBelowSeverity},
		{"severity of one subscription, pattern of another", noc(
			callhome.Subscription{Group: callhome.GroupSyslog, Severity: lv(callhome.LevelMajor), Pattern: "LINK"},
			callhome.Subscription{Group: callhome.GroupSyslog, Severity: lv(callhome.LevelMinor), Pattern: "OSPF"},
		), nil, minor, callhome.ReasonPatternMismatch},
		{"either of two subscriptions", noc(
			callhome.Subscription{Group: callhome.GroupSyslog, Severity: lv(callhome.LevelMajor), Pattern: ".*"},
			callhome.Subscription{Group: callhome.GroupSyslog, Severity: lv(callhome.LevelMinor), Pattern: "UPDOWN"},
		), nil, minor, callhome.ReasonSent},
		{"all groups", noc(callhome.Subscription{Group: callhome.GroupAll}), nil, minor, callhome.ReasonSent},
		{"another group", noc(callhome.Subscription{Group: callhome.GroupEnvironment}), nil, minor, callhome.ReasonNotSubscribed},
		{"a line of another group by syslog", sys(callhome.Subscription{Severity: lv(callhome.LevelMajor), Pattern: ".*"}), nil,
			Subject{Line: updown, Group: callhome.GroupEnvironment, Level: callhome.LevelCritical}, callhome.ReasonSent},
		{"a line of a group without threshold by syslog", sys(callhome.Subscription{Severity: lv(callhome.LevelMajor)}), nil,
			Subject{Line: updown, Group: callhome.GroupConfiguration, Level: callhome.LevelNotification}, callhome.ReasonBelowSeverity},
		{"no line, another group, by syslog", sys(callhome.Subscription{}), nil,
			Subject{Group: callhome.GroupEnvironment, Level: callhome.LevelCritical}, callhome.ReasonNotSubscribed},
		{"no subscription", noc(), nil, minor, callhome.ReasonNotSubscribed},
		{"inactive", func() callhome.Profile { p := sys(callhome.Subscription{}); p.Active = false; return p }(), nil, minor, callhome.ReasonProfileInactive},
		{"service off", sys(callhome.Subscription{}), func(c *Config) { c.Enabled = false }, minor, callhome.ReasonServiceDisabled},
		{"service off goes before all else", func() callhome.Profile { p := sys(callhome.Subscription{}); p.Active = false; return p }(),
			func(c *Config) { c.Enabled, c.Disabled = false, []callhome.AlertGroup{callhome.GroupSyslog} }, minor, callhome.ReasonServiceDisabled},
		{"group disabled", sys(callhome.Subscription{}), func(c *Config) { c.Disabled = []callhome.AlertGroup{callhome.GroupSyslog} }, minor, callhome.ReasonGroupDisabled},
		{"group disabled goes before inactive", func() callhome.Profile { p := sys(callhome.Subscription{}); p.Active = false; return p }(),
			func(c *Config) { c.Disabled = []callhome.AlertGroup{callhome.GroupSyslog} }, minor, callhome.ReasonGroupDisabled},
		{"anonymous only", func() callhome.Profile { p := sys(callhome.Subscription{}); p.AnonymousOnly = true; return p }(), nil, minor, callhome.ReasonAnonymousOnly},
		{"number in the list", sys(callhome.Subscription{MessageIDs: []string{"106100"}}), nil,
			Subject{Line: asaLine("106100", "x"), Group: callhome.GroupSyslog, Level: callhome.LevelDebugging}, callhome.ReasonSent},
		{"number in a range whatever the severity", sys(callhome.Subscription{Severity: lv(callhome.LevelCatastrophic), MessageIDs: []string{"302013-302016"}}), nil,
			Subject{Line: asaLine("302016", "x"), Group: callhome.GroupSyslog, Level: callhome.LevelNormal}, callhome.ReasonSent},
		{"number just outside", sys(callhome.Subscription{MessageIDs: []string{"302013-302016"}}), nil,
			Subject{Line: asaLine("302017", "x"), Group: callhome.GroupSyslog, Level: callhome.LevelFatal}, callhome.ReasonMessageIDMismatch},
		{"list and severity: not in the list but severe", sys(callhome.Subscription{Severity: lv(callhome.LevelMajor), MessageIDs: []string{"106100"}}), nil,
			Subject{Line: asaLine("106023", "x"), Group: callhome.GroupSyslog, Level: callhome.LevelMajor}, callhome.ReasonSent},
		{"a list beside a threshold", noc(
			callhome.Subscription{Group: callhome.GroupSyslog, Severity: lv(callhome.LevelMajor), Pattern: ".*"},
			callhome.Subscription{Group: callhome.GroupSyslog, MessageIDs: []string{"106100", "302013-302016"}},
		), nil, minor, callhome.ReasonBelowSeverity},
		{"mnemonic in the list", sys(callhome.Subscription{Severity: lv(callhome.LevelFatal), MessageIDs: []string{"LINK-3-UPDOWN"}}), nil, minor, callhome.ReasonSent},
		{"mnemonic of another facility", sys(callhome.Subscription{MessageIDs: []string{"LINEPROTO-UPDOWN"}}), nil, minor, callhome.ReasonMessageIDMismatch},
		{"inventory has no threshold", noc(callhome.Subscription{Group: callhome.GroupInventory, Severity: lv(callhome.LevelFatal)}), nil,
			Subject{Line: updown, Group: callhome.GroupInventory, Level: callhome.LevelNormal}, callhome.ReasonSent},
		{"Cisco-TAC takes critical alerts", noc(callhome.Subscription{Group: callhome.GroupCiscoTAC}), nil,
			Subject{Line: updown, Group: callhome.GroupEnvironment, Level: callhome.LevelCritical}, callhome.ReasonSent},
		{"Cisco-TAC leaves the rest", noc(callhome.Subscription{Group: callhome.GroupCiscoTAC}), nil,
			Subject{Line: updown, Group: callhome.GroupEnvironment, Level: callhome.LevelMajor}, callhome.ReasonNotSubscribed},
		{"Cisco-TAC members by mark", noc(callhome.Subscription{Group: callhome.GroupCiscoTAC}), func(c *Config) { c.Personality = mustPersonality(personality.NXOS) },
			Subject{Line: updown, Group: callhome.GroupInventory, Level: callhome.LevelNotification}, callhome.ReasonSent},
		{"Cisco-TAC non-member by mark", noc(callhome.Subscription{Group: callhome.GroupCiscoTAC}), func(c *Config) { c.Personality = mustPersonality(personality.NXOS) },
			Subject{Line: updown, Group: callhome.GroupLicense, Level: callhome.LevelFatal}, callhome.ReasonNotSubscribed},
		{"cluster at critical", noc(callhome.Subscription{Group: callhome.GroupDiagnostic, Severity: lv(callhome.LevelCritical)}), nil, cluster(), callhome.ReasonSent},
		{"cluster below critical", noc(callhome.Subscription{Group: callhome.GroupDiagnostic, Severity: lv(callhome.LevelMinor)}), nil, cluster(), callhome.ReasonSent},
		{"cluster above critical", noc(callhome.Subscription{Group: callhome.GroupDiagnostic, Severity: lv(callhome.LevelFatal)}), nil, cluster(), callhome.ReasonBelowSeverity},
		{"cluster by Cisco-TAC", noc(callhome.Subscription{Group: callhome.GroupCiscoTAC}), nil, cluster(), callhome.ReasonNotSubscribed},
		{"cluster by syslog", sys(callhome.Subscription{}), nil, cluster(), callhome.ReasonNotSubscribed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cfg := Config{Profiles: []callhome.Profile{tt.profile}, Enabled: true, Personality: mustPersonality(personality.IOS)}
			if tt.change != nil {
				tt.change(&cfg)
			}
			tab := table(t, cfg)
			got := tab.Explain(tt.subject, nil)
			want := []Decision{{Name: "noc", Reason: tt.want}}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("Explain (-want +got):\n%s", diff)
			}
			match := tab.Match(tt.subject, nil)
			if (len(match) == 1) != (tt.want == callhome.ReasonSent) {
				t.Errorf("Match gives %v where Explain says %s", match, tt.want)
			}
			if tab.Wanted(tt.subject) != (len(match) > 0) {
				t.Errorf("Wanted and Match disagree")
			}
		})
	}
}

func cluster() Subject {
	return Subject{
		Line: asaLine("747022", "Clustering: Asking slave unit fw-2 to quit"), Group: callhome.GroupDiagnostic,
		Level: callhome.LevelCritical, Type: personality.TypeClusterSecondaryFailed,
	}
}

func TestTags(t *testing.T) {
	tab := table(t, Config{Enabled: true, Profiles: []callhome.Profile{
		noc(callhome.Subscription{Group: callhome.GroupSyslog, Tags: map[string]string{"ip": "192.0.2.7"}}),
	}})
	for _, tt := range []struct {
		tags []callhome.Tag
		want callhome.Reason
	}{
		{[]callhome.Tag{{Key: "ip", Value: "192.0.2.7"}}, callhome.ReasonSent},
		{[]callhome.Tag{{Key: "ip.orig", Value: "192.0.2.7"}}, callhome.ReasonSent},
		{[]callhome.Tag{{Key: "ip", Value: "192.0.2.8"}, {Key: "ip.xlated", Value: "192.0.2.7"}}, callhome.ReasonSent},
		{[]callhome.Tag{{Key: "ipx", Value: "192.0.2.7"}}, callhome.ReasonTagMismatch},
		{[]callhome.Tag{{Key: "ip", Value: "192.0.2.70"}}, callhome.ReasonTagMismatch},
		{nil, callhome.ReasonTagMismatch},
	} {
		s := Subject{Group: callhome.GroupSyslog, Level: callhome.LevelMinor, Tags: tt.tags}
		if got := tab.Explain(s, nil)[0].Reason; got != tt.want {
			t.Errorf("%v: got %s, want %s", tt.tags, got, tt.want)
		}
		if got := tab.Wanted(s); got != (tt.want == callhome.ReasonSent) {
			t.Errorf("%v: wanted %v, want %s", tt.tags, got, tt.want)
		}
	}
}

func TestAnonymousReporting(t *testing.T) {
	anon := callhome.Profile{Name: callhome.ProfileAnonymous, Active: true, AnonymousOnly: true, Subscribe: []callhome.Subscription{
		{Group: callhome.GroupCrash}, {Group: callhome.GroupInventory}, {Group: callhome.GroupTest}}}
	crash := Subject{Line: iosLine("SYS", 2, "CRASHINFO", "x"), Group: callhome.GroupCrash, Level: callhome.LevelMajor}
	for _, tt := range []struct {
		enabled, anonymous bool
		want               callhome.Reason
	}{
		{true, true, callhome.ReasonSent},
		{false, true, callhome.ReasonSent}, // does not need the full service
		{true, false, callhome.ReasonProfileInactive},
		{false, false, callhome.ReasonProfileInactive},
	} {
		tab := table(t, Config{Profiles: []callhome.Profile{anon}, Enabled: tt.enabled, Anonymous: tt.anonymous})
		if got := tab.Explain(crash, nil)[0].Reason; got != tt.want {
			t.Errorf("enabled %v, anonymous %v: got %s, want %s", tt.enabled, tt.anonymous, got, tt.want)
		}
	}
	bare := anon
	bare.Subscribe = nil
	tab := table(t, Config{Profiles: []callhome.Profile{bare}, Anonymous: true})
	if !tab.Wanted(crash) {
		t.Error("a profile for anonymous reporting without subscriptions does not take a crash")
	}
	if tab.Wanted(Subject{Line: crash.Line, Group: callhome.GroupEnvironment, Level: callhome.LevelFatal}) {
		t.Error("a profile for anonymous reporting takes an environment alert")
	}
}

func TestDetail(t *testing.T) {
	tab := table(t, Config{Enabled: true, Profiles: []callhome.Profile{
		noc(callhome.Subscription{Group: callhome.GroupConfiguration}, callhome.Subscription{Group: callhome.GroupConfiguration, Detail: callhome.DetailFull}),
		{Name: "ops", Active: true, Subscribe: []callhome.Subscription{{Group: callhome.GroupConfiguration, Detail: callhome.DetailBasic}}},
	}})
	got := tab.Match(Subject{Group: callhome.GroupConfiguration, Level: callhome.LevelNormal}, nil)
	want := []Decision{
		{Profile: 0, Name: "noc", Reason: callhome.ReasonSent, Detail: callhome.DetailFull},
		{Profile: 1, Name: "ops", Reason: callhome.ReasonSent},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestFollow(t *testing.T) {
	off := noc()
	off.Name, off.Active = "off", false
	tab := table(t, Config{Enabled: true, Profiles: []callhome.Profile{noc(), off}, Disabled: []callhome.AlertGroup{callhome.GroupThreat}})
	names := []callhome.ProfileName{"NOC", "off", "gone"}
	if got := tab.Follow(names, Subject{Group: callhome.GroupSyslog}, nil); len(got) != 1 || got[0].Name != "noc" {
		t.Errorf("got %v, want noc alone", got)
	}
	if got := tab.Follow(names, Subject{Group: callhome.GroupThreat}, nil); len(got) != 0 {
		t.Errorf("a disabled group is followed: %v", got)
	}
}

func TestNewNamesEveryFault(t *testing.T) {
	_, err := New(Config{
		Disabled: []callhome.AlertGroup{"weather"},
		Profiles: []callhome.Profile{noc(
			callhome.Subscription{Group: callhome.GroupSyslog, Pattern: "ok"},
			callhome.Subscription{Group: callhome.GroupSyslog, Pattern: "a(b[c"},
			callhome.Subscription{Group: "moods", MessageIDs: []string{"302016-302013"}},
			callhome.Subscription{Group: callhome.GroupSyslog, Pattern: strings.Repeat("é", 81)},
			callhome.Subscription{Group: callhome.GroupSyslog, MessageIDs: []string{"10x"}, Severity: lv(12)},
		)},
		Personality: mustPersonality(personality.IOS), Enabled: true,
	})
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{
		`call_home.disabled_alert_groups[0]: alert group "weather"`,
		`call_home.profiles[0].subscribe[1].pattern: profile "noc": "a(b[c" is no regular expression (RE2): missing closing ] at character 4: "[c"`,
		`call_home.profiles[0].subscribe[2].group`,
		`"302016-302013" runs backwards`,
		`call_home.profiles[0].subscribe[3].pattern: profile "noc": the pattern has 81 characters; at most 80 are allowed`,
		`"10x" is no message number`,
		`call_home.profiles[0].subscribe[4].severity`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not say %q:\n%v", want, err)
		}
	}
	var ce *callhome.Error
	if !errors.As(err, &ce) || ce.Kind != callhome.KindInvalid {
		t.Errorf("kind %v, want invalid", callhome.KindOf(err))
	}
}

func TestXRPatternsNeedNormal(t *testing.T) {
	sub := callhome.Subscription{Group: callhome.GroupSyslog, Severity: lv(callhome.LevelDebugging), Pattern: ".*"}
	if _, err := New(Config{Profiles: []callhome.Profile{noc(sub)}, Personality: mustPersonality(personality.IOSXR)}); err == nil {
		t.Error("a pattern at debugging is taken")
	}
	sub.Severity = lv(callhome.LevelNormal)
	if _, err := New(Config{Profiles: []callhome.Profile{noc(sub)}, Personality: mustPersonality(personality.IOSXR)}); err != nil {
		t.Error(err)
	}
}

func TestGroupIndex(t *testing.T) {
	for i, g := range callhome.AlertGroups() {
		if groupIndex(g) != i || groupName(i) != g {
			t.Errorf("%s has number %d, want %d", g, groupIndex(g), i)
		}
	}
	if n := len(callhome.AlertGroups()); n != groupUnknown {
		t.Errorf("there are %d groups, the numbering is for %d", n, groupUnknown)
	}
}
