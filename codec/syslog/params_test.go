package syslog_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"callhome"
	"callhome/codec/syslog"
)

func TestParams(t *testing.T) {
	for _, tc := range []struct{ raw, want string }{
		{`<13>1 - h a - - [x@1 a="1" a="say \"b\" [c\] \\d \e"][y z=""] t`, `x@1.a=1|x@1.a=say "b" [c] \d \e|y.z=`},
		{`<13>1 - h a - - [meta sequenceId=10] t`, `meta.sequenceId=10`},
		{`9: h: Jun 12 2026 21:07:15.454 UTC : %UC_CM-3-X: %[ User =bob][NodeID=n1]: t`, `User=bob|NodeID=n1`},
		{`<187>: 2026 Jun 12 10:33:18 CET: %UCSM-3-X: [F0276][major][down][sys/a] t`, `1=F0276|2=major|3=down|4=sys/a`},
		{`<134>1 1781384835.7 mx1 events type=vpn peer='a b' word k="c d"`, `type=vpn|peer=a b|k=c d`},
		{`<181>Jun 12 21:07:15 i1 CISE_X 01 1 0 2026-06-12 23:07:15 +00:00 04 52 NOTICE P: ok, A=1\, 2, B={x, y=z}, C=`, `A=1, 2|B={x, y=z}|C=`},
		{`<166>2026-06-12T21:07:15Z fw : %FTD-6-430003: Rule: a, b, SrcIP: 192.0.2.1, Last: x: y`, `Rule=a, b|SrcIP=192.0.2.1|Last=x: y`},
		{`<13>Jun 12 21:07:15 h p: none=here`, ``},
	} {
		var got []string
		for k, v := range parse(tc.raw).Params() {
			got = append(got, k+"="+v)
		}
		if d := cmp.Diff(tc.want, strings.Join(got, "|")); d != "" {
			t.Errorf("%s: %s", tc.raw, d)
		}
	}
	if v, ok := parse(`<13>1 - h a - - [x@1 a="1"]`).Param("x@1.a"); v != "1" || !ok {
		t.Errorf("got %q %v", v, ok)
	}
	if _, ok := parse(`<13>x`).Param("a"); ok {
		t.Error("found what is not there")
	}
}

func TestEventState(t *testing.T) {
	for raw, want := range map[string]callhome.EventState{
		`0/RP0/ADMIN0:Jun 12 21:07:15 UTC: e[3]: %PKT_INFRA-FM-3-FAULT_MAJOR : A :x :DECLARE :0`: callhome.StateRaise,
		`0/RP0/ADMIN0:Jun 12 21:07:15 UTC: e[3]: %PKT_INFRA-FM-3-FAULT_MINOR : A :x :CLEAR :0`:   callhome.StateClear,
		`<187>: 2026 Jun 12 10:33:18 CET: %UCSM-3-X: [F0276][major][down][sys/a] t`:              callhome.StateRaise,
		`<187>: 2026 Jun 12 10:33:18 CET: %UCSM-3-X: [F0276][cleared][down][sys/a] t`:            callhome.StateClear,
		`<187>: 2026 Jun 12 10:33:18 CET: %UCSM-6-AUDIT: [session][internal][sys/a] t`:           callhome.StateNone,
		`<11>Jun 12 22:45:28 a1 %LOG_L-2-SYSTEM_MSG [F01][raised-clearing][x][minor][t/p] t`:     callhome.StateClear,
		`<28>Jun 12 21:07:15 mx1 alarmd[4]: Alarm set: PEM 1`:                                    callhome.StateRaise,
		`<28>Jun 12 21:07:15 mx1 craftd[4]:  Major alarm cleared, PEM 1`:                         callhome.StateClear,
		`<13>1 - h a - - [alarm resource="x" perceivedSeverity="cleared"] t`:                     callhome.StateClear,
		`<13>1 - h a - - [alarm resource="x" perceivedSeverity="major"] t`:                       callhome.StateRaise,
		`<189>1: *Jun 12 21:07:15: %LINK-3-UPDOWN: down`:                                         callhome.StateNone,
	} {
		if got := parse(raw).EventState; got != want {
			t.Errorf("%s: got %s, want %s", raw, got, want)
		}
	}
}

func TestAppendJSON(t *testing.T) {
	for _, tc := range []struct{ raw, want string }{
		{
			`<187>30: sw9: 000031: *Jun 12 21:07:15.450 CEST: %LINEPROTO-SP-5-UPDOWN: "down"`,
			`{"raw":"<187>30: sw9: 000031: *Jun 12 21:07:15.450 CEST: %LINEPROTO-SP-5-UPDOWN: \"down\"","dialect":"ios","facility":23,"severity":5,"pri_severity":3,"sequence":31,"counter":30,"host":"sw9","host_source":"header","timestamp":"2026-06-12T21:07:15.450+02:00","zone":"CEST","accuracy":"*","clock":"unsynchronised","mnemonic_facility":"LINEPROTO-SP","mnemonic":"UPDOWN","message":"\"down\"","flags":["year_inferred","pri_severity_mismatch"]}`,
		},
		{
			"caf\xe9\x1b",
			`{"raw":"caf�\u001b","raw_base64":"Y2Fm6Rs=","dialect":"unknown","message":"caf�\u001b","flags":["utf8"]}`,
		},
		{
			`<134>1 1781384835.5 mx1 events type=vpn`,
			`{"raw":"<134>1 1781384835.5 mx1 events type=vpn","dialect":"meraki","facility":16,"severity":6,"host":"mx1","host_source":"header","timestamp":"2026-06-13T21:07:15.5Z","app":"events","mnemonic":"events.vpn","tags":[{"key":"type","value":"vpn"}],"message":"type=vpn"}`,
		},
		{
			`<13>Jun 12 21:07:14 relay1 <189>7: *Jun 12 21:07:13: %SYS-5-RELOAD: now`,
			`{"raw":"<13>Jun 12 21:07:14 relay1 <189>7: *Jun 12 21:07:13: %SYS-5-RELOAD: now","dialect":"ios","facility":23,"severity":5,"pri_severity":5,"sequence":7,"host":"relay1","host_source":"relay","timestamp":"2026-06-12T21:07:13","accuracy":"*","clock":"unsynchronised","mnemonic_facility":"SYS","mnemonic":"RELOAD","message":"now","relay":{"pri":13,"host":"relay1","timestamp":"2026-06-12T21:07:14"},"flags":["tz_missing","year_inferred","relayed"]}`,
		},
	} {
		got := parse(tc.raw).AppendJSON(nil)
		if d := cmp.Diff(tc.want, string(got)); d != "" {
			t.Error(d)
		}
		if !json.Valid(got) {
			t.Errorf("%s is no JSON", got)
		}
	}
}

func TestParseAllocatesNothing(t *testing.T) {
	var p syslog.Parser
	var l syslog.Line
	for _, bl := range benchLines {
		raw := []byte(bl.line)
		if n := testing.AllocsPerRun(50, func() { p.Parse(raw, received, &l) }); n != 0 {
			t.Errorf("%s: %v allocations", bl.name, n)
		}
	}
}

func TestParseDialect(t *testing.T) {
	for _, d := range syslog.Dialects() {
		if got, err := syslog.ParseDialect(string(d)); got != d || err != nil {
			t.Errorf("%s: got %s, %v", d, got, err)
		}
	}
	if _, err := syslog.ParseDialect("vms"); err == nil || !strings.Contains(err.Error(), "vms") {
		t.Errorf("got %v", err)
	}
}
