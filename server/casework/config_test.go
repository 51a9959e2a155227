package casework

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"time"

	"callhome"
	"callhome/server/analysis"
)

func good() Config {
	c := DefaultConfig()
	c.People = []Person{{Name: "ana", Email: "ana@ops.example"}}
	c.Rotas = []Rota{{Name: "first", Zone: "Europe/Lisbon", Layers: []Layer{{Members: []string{"ana"}, Start: "2026-03-02"}}}}
	c.Policies = []Policy{{Name: "usual", Steps: []Step{{Notify: []string{"rota:first"}}, {After: time.Hour, Notify: []string{"team:support"}}}}}
	c.Teams = []Team{{Name: "support", Members: []string{"ana"}, Escalation: "usual"}, {Name: "routing"}, {Name: "critical"}}
	c.Routing = []Route{
		{Team: "critical", MinLevel: callhome.LevelFatal},
		{Team: "routing", Labels: map[string][]string{"class": {"rout*"}}, Personality: []string{"ios", "nxos"}},
	}
	c.Maintenance = []Recurring{{Site: []string{"LIS-2"}, Days: []string{"sun"}, At: "02:00", For: time.Hour}}
	return c
}

func TestConfigValidate(t *testing.T) {
	c := good()
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	d := DefaultConfig()
	if err := d.Validate(); err != nil {
		t.Fatal(err)
	}
	for want, spoil := range map[string]func(*Config){
		"casework.number_prefix":                    func(c *Config) { c.Prefix = "sr" },
		"casework.quiet_time":                       func(c *Config) { c.QuietTime = -1 },
		"casework.flap_count":                       func(c *Config) { c.FlapCount = 1 },
		"casework.escalate_at[1]":                   func(c *Config) { c.EscalateAt = []int64{10, 10} },
		"casework.people[1].name":                   func(c *Config) { c.People = append(c.People, c.People[0]) },
		"casework.people[0]: ana has neither":       func(c *Config) { c.People[0].Email = "" },
		"casework.people[0].email":                  func(c *Config) { c.People[0].Email = "ana" },
		"casework.rotas[0].zone":                    func(c *Config) { c.Rotas[0].Zone = "Lisbon" },
		"casework.rotas[0].layers[0].members[0]":    func(c *Config) { c.Rotas[0].Layers[0].Members = []string{"zoe"} },
		"casework.rotas[0].layers[0].start":         func(c *Config) { c.Rotas[0].Layers[0].Start = "monday" },
		"casework.rotas[0].layers[0].handover":      func(c *Config) { c.Rotas[0].Layers[0].Handover = "9" },
		"casework.rotas[0].layers[0].days[0]":       func(c *Config) { c.Rotas[0].Layers[0].Days = []string{"monday"} },
		"casework.rotas[0].layers[0].every":         func(c *Config) { c.Rotas[0].Layers[0].Every = "month" },
		"casework.rotas[1].name":                    func(c *Config) { c.Rotas = append(c.Rotas, c.Rotas[0]) },
		"casework.escalation[0].steps[1].after":     func(c *Config) { c.Policies[0].Steps[0].After = 2 * time.Hour },
		"casework.escalation[0].steps[0].notify[0]": func(c *Config) { c.Policies[0].Steps[0].Notify = []string{"ana"} },
		"casework.escalation[0].repeat":             func(c *Config) { c.Policies[0].Steps = c.Policies[0].Steps[:1]; c.Policies[0].Repeat = 1 },
		"casework.teams[0].escalation":              func(c *Config) { c.Teams[0].Escalation = "none" },
		"casework.teams[0].members[0]":              func(c *Config) { c.Teams[0].Members = []string{"zoe"} },
		"casework.default_team":                     func(c *Config) { c.DefaultTeam = "nobody" },
		"casework.routing[0].team":                  func(c *Config) { c.Routing[0].Team = "nobody" },
		"casework.routing[1].labels.class[0]":       func(c *Config) { c.Routing[1].Labels["class"] = []string{"["} },
		"casework.maintenance[0]: needs":            func(c *Config) { c.Maintenance[0].Site = nil },
		"casework.maintenance[0].at":                func(c *Config) { c.Maintenance[0].At = "" },
		"casework.maintenance[0].for":               func(c *Config) { c.Maintenance[0].For = 0 },
		"casework.maintenance[0].days":              func(c *Config) { c.Maintenance[0].Days = nil },
	} {
		c := good()
		spoil(&c)
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want a fault of %s", err, want)
		}
	}
}

func TestTeamFor(t *testing.T) {
	c := good()
	for _, x := range []struct {
		cause Cause
		sub   Subject
		want  string
	}{
		{Cause{Level: callhome.LevelFatal, Labels: map[string]string{"class": "routing"}}, Subject{Personality: "ios"}, "critical"},
		{Cause{Level: callhome.LevelMajor, Labels: map[string]string{"class": "Routing"}}, Subject{Personality: "nxos"}, "routing"},
		{Cause{Level: callhome.LevelMajor}, Subject{Personality: "ios", Labels: map[string]string{"class": "routing"}}, "routing"},
		{Cause{Level: callhome.LevelMajor, Labels: map[string]string{"class": "routing"}}, Subject{Personality: "asa"}, "support"},
		{Cause{Level: callhome.LevelMajor, Team: "critical"}, Subject{}, "critical"},
		{Cause{Level: callhome.LevelMajor, Team: "unheard-of"}, Subject{}, "support"},
	} {
		if got := c.TeamFor(&x.sub, &x.cause); got != x.want {
			t.Errorf("%+v of %+v: got %s, want %s", x.cause, x.sub, got, x.want)
		}
	}
}

func TestCaseNumbers(t *testing.T) {
	for in, want := range map[string]CaseNumber{"SR-000123": "SR-000123", "sr-123\n": "SR-000123", "SR-1234567": "SR-1234567"} {
		if got, err := ParseCaseNumber(in); err != nil || got != want {
			t.Errorf("%q: got %s, %v", in, got, err)
		}
	}
	for _, in := range []string{"", "SR-", "SR", "123", "SR-0", "SR--1", "SR-1;DROP", "SR-99999999999999999999", "TOOLONGPREFIX-1"} {
		if got, err := ParseCaseNumber(in); callhome.KindOf(err) != callhome.KindInvalid {
			t.Errorf("%q was taken as %s", in, got)
		}
	}
}

func TestCodesAreReadAsPeopleTypeThem(t *testing.T) {
	for range 200 {
		code, err := newCode()
		if err != nil || len(code) != codeLength || strings.ContainsAny(code, "01ILOU") {
			t.Fatalf("code %q, %v", code, err)
		}
		if got, ok := normalCode(" " + strings.ToLower(code[:3]) + "-" + code[3:]); !ok || got != code {
			t.Errorf("%s read as %s", code, got)
		}
	}
	for _, s := range []string{"", "ABC", "ABCDEFG", "ABCDE0", "ÄBCDE", "' OR 1"} {
		if _, ok := normalCode(s); ok {
			t.Errorf("%q is taken for a code", s)
		}
	}
}

func TestCauseOf(t *testing.T) {
	f := analysis.Finding{
		Rule: "env.fan", Pack: "environment", Version: "3", Class: "environment", Outcome: analysis.OutcomeServiceRequest, Level: callhome.LevelMajor, Title: "Fan",
		Key: "2", Team: "hardware", Labels: map[string]string{"vendor": "acme"}, Evidence: []analysis.Quote{{Source: "show environment", Text: "FAIL"}},
	}
	c := CauseOf(&f, "M1", 41, callhome.GroupEnvironment)
	if c.Labels["class"] != "environment" || c.Labels["vendor"] != "acme" || c.Evidence[0] != (Evidence{41, "show environment", "FAIL"}) || c.CauseKey(7) != (CauseKey{7, "env.fan", "2"}) {
		t.Errorf("got %+v", c)
	}
}

func TestPacket(t *testing.T) {
	c := Case{
		Number: "SR-000123", Component: "PSU 2", Title: "Power supply failed", Level: callhome.LevelMajor, OpenedAt: time.Date(2026, 3, 14, 9, 0, 0, 0, time.UTC),
		Subject: Subject{Host: "edge-rtr-7", Model: "QX9006", Serial: "QXA1", Contract: "K-7781-22", ContactName: "Rita Moura", ContactEmail: "noc@ops.example", StreetAddress: "Rua das Flores 12, Lisboa"},
	}
	units := []callhome.FRU{{Name: "PSU-A", Slot: "PSU 1", Serial: "P1", PartNo: "341-1"}, {Name: "PSU-A", Slot: "psu 2", Serial: "P2", PartNo: "341-1"}}
	now := c.OpenedAt.Add(time.Hour)
	p := NewPacket(&c, units, nil, nil, now)
	if !p.Certain || p.Part.Serial != "P2" || len(p.Missing) != 0 {
		t.Errorf("got %+v", p)
	}
	for _, want := range []string{"SR-000123", "341-1", "P2", "psu 2", "Rua das Flores 12, Lisboa", "K-7781-22", "noc@ops.example"} {
		if !strings.Contains(p.Text(), want) {
			t.Errorf("the text lacks %s:\n%s", want, p.Text())
		}
	}
	c.Component, c.Subject.StreetAddress = "PSU-A", ""
	if p := NewPacket(&c, units, nil, nil, now); p.Certain || p.Part.Serial != "QXA1" || strings.Join(p.Missing, ",") != "part number,street address" && strings.Join(p.Missing, ",") != "street address" {
		t.Errorf("two units of one name: %+v", p)
	}
	var b bytes.Buffer
	if err := p.WriteZip(&b, []Log{{41, "show env; rm -rf /../../etc", "FAIL"}, {42, "huge", strings.Repeat("x", maxLogBytes)}}); err != nil {
		t.Fatal(err)
	}
	z, err := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil || len(z.File) != 3 {
		t.Fatalf("%d files, %v", len(z.File), err)
	}
	for _, f := range z.File {
		if strings.Contains(f.Name, "..") || strings.HasPrefix(f.Name, "/") || strings.ContainsAny(f.Name, " ;") {
			t.Errorf("a file is called %q", f.Name)
		}
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(r)
		if f.Name == "packet.json" {
			var back Packet
			if err := json.Unmarshal(text, &back); err != nil || back.Part.Serial != "P2" || len(back.Logs) != 2 || !strings.Contains(back.Logs[1], "too large") {
				t.Errorf("packet.json: %+v, %v", back, err)
			}
		}
	}
}
