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
