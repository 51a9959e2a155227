package agent

import (
	"testing"

	"callhome"
	"callhome/outbox"
)

// Nothing but crash, inventory and test messages reaches an anonymous profile, whoever asks.
func TestAnonymousProfilesTakeNothingElse(t *testing.T) {
	cfg := testConfig()
	limit := 1
	cfg.CallHome.RateLimit = &limit
	cfg.CallHome.Profiles = []callhome.Profile{{
		Name: "quiet", Active: true, AnonymousOnly: true, Format: callhome.FormatXML, HTTP: []string{"https://x.example/y"},
		Subscribe: []callhome.Subscription{{Group: callhome.GroupAll}},
	}}
	bubble(t, cfg, func(w *world) {
		ctx := w.t.Context()
		if _, err := w.agent.Send(ctx, SendOrder{Group: callhome.GroupConfiguration, Profile: "quiet"}); callhome.KindOf(err) != callhome.KindInvalid {
			t.Errorf("send configuration: got %v, want invalid", err)
		}
		if _, err := w.agent.Send(ctx, SendOrder{Group: callhome.GroupConfiguration}); callhome.KindOf(err) != callhome.KindNotFound {
			t.Errorf("send configuration to subscribers: got %v, want not found", err)
		}
		if _, err := w.agent.Request(ctx, RequestOrder{Service: "config-sanity", Profile: "quiet"}); callhome.KindOf(err) != callhome.KindInvalid {
			t.Errorf("request: got %v, want invalid", err)
		}
		if got, err := w.agent.Preview(ctx, PreviewOrder{Group: callhome.GroupConfiguration, Profile: "quiet"}); err == nil {
			t.Errorf("preview of the configuration: got %s, want an error", bodies(got))
		}
		digest := callhome.Alert{Event: callhome.Event{Source: callhome.SourceAgent, Text: "held back"}, Group: callhome.GroupSyslog, Commands: []string{}, Profiles: []callhome.ProfileName{"quiet"}}
		if err := w.queue.PutAlert(ctx, digest); err != nil {
			t.Fatal(err)
		}
		if _, err := w.agent.Test(ctx, TestOrder{Profile: "quiet"}); err != nil {
			t.Error(err)
		}
		got := w.envelopes()
		if len(got) != 1 || got[0].Group != callhome.GroupTest {
			t.Errorf("got %s, want the test message alone", bodies(got))
		}
		lines, err := w.queue.History(ctx, outbox.LedgerFilter{})
		if err != nil || len(lines) != 2 || lines[0].Reason != callhome.ReasonAnonymousOnly && lines[1].Reason != callhome.ReasonAnonymousOnly {
			t.Errorf("history: got %+v, %v, want a line with anonymous_only", lines, err)
		}
	})
}

// Schedules of anonymous reporting follow its own switch, not that of the service.
func TestAnonymousSchedules(t *testing.T) {
	own := callhome.Profile{
		Name: callhome.ProfileAnonymous, Active: true, AnonymousOnly: true, Format: callhome.FormatXML, HTTP: []string{"https://x.example/y"},
		Subscribe: []callhome.Subscription{
			{Group: callhome.GroupInventory, Periodic: &callhome.Periodic{Monthly: &callhome.Monthly{}}},
			{Group: callhome.GroupConfiguration, Periodic: &callhome.Periodic{Monthly: &callhome.Monthly{}}},
		},
	}
	for _, c := range []struct {
		name               string
		service, reporting bool
		profiles           []callhome.Profile
		want               int
	}{
		{"the service is off, reporting is on", false, true, nil, 1},
		{"both are on", true, true, nil, 1},
		{"reporting is off, its profile is configured", true, false, []callhome.Profile{own}, 0},
		{"a group that it does not send", true, true, []callhome.Profile{own}, 1},
	} {
		cfg := testConfig()
		cfg.CallHome.Enabled, cfg.CallHome.Profiles = c.service, c.profiles
		cfg.CallHome.AnonymousReporting = Anonymous{Enabled: c.reporting, URL: "https://x.example/y"}
		p, err := newPlan(cfg)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, j := range p.jobs() {
			if j.Profile.Equal(callhome.ProfileAnonymous) {
				n++
			}
		}
		if n != c.want {
			t.Errorf("%s: got %d jobs, want %d", c.name, n, c.want)
		}
	}
}
