package agent

import (
	"fmt"
	"testing"
	"testing/synctest"

	"callhome"
	"callhome/agent/intake/periodic"

	"github.com/google/go-cmp/cmp"
)

// The status has the schedules that count, whatever the configuration leaves open, and leaves the configuration alone.
func TestStatusHasChosenSchedules(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := testConfig()
		cfg.CallHome.Profiles[0].Subscribe = []callhome.Subscription{
			{Group: callhome.GroupInventory, Periodic: &callhome.Periodic{Monthly: &callhome.Monthly{}}},
			{Group: callhome.GroupConfiguration, Periodic: &callhome.Periodic{Weekly: &callhome.Weekly{Day: "mon"}}},
			{Group: callhome.GroupSnapshot, Periodic: &callhome.Periodic{Hourly: &callhome.Hourly{}}},
			{Group: callhome.GroupSnapshot, Periodic: &callhome.Periodic{Interval: 30}},
			{Group: callhome.GroupTelemetry, Periodic: &callhome.Periodic{Daily: &callhome.Daily{At: "6:05"}}},
		}
		w := start(t, cfg)
		defer w.stop()
		monthly := periodic.Resolve(callhome.GroupInventory, cfg.CallHome.Profiles[0].Subscribe[0].Periodic, cfg.Device.Serial)
		weekly := periodic.Resolve(callhome.GroupConfiguration, cfg.CallHome.Profiles[0].Subscribe[1].Periodic, cfg.Device.Serial)
		want := []*callhome.Periodic{
			{Monthly: &callhome.Monthly{Day: monthly.Day, At: fmt.Sprintf("%02d:%02d", monthly.Hour, monthly.Minute)}},
			{Weekly: &callhome.Weekly{Day: "monday", At: fmt.Sprintf("%02d:%02d", weekly.Hour, weekly.Minute)}},
			{Hourly: &callhome.Hourly{Minute: &monthly.Minute}}, {Interval: 30}, {Daily: &callhome.Daily{At: "06:05"}},
		}
		var got []*callhome.Periodic
		for _, s := range w.agent.Status().Profiles[0].Subscribe {
			got = append(got, s.Periodic)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if m := cfg.CallHome.Profiles[0].Subscribe[0].Periodic.Monthly; m.Day != 0 || m.At != "" {
			t.Errorf("showing changed the configuration: %+v", m)
		}
	})
}

// CiscoTAC-1 has the rows of IOS XE: three of crashes, two of the inventory and its schedule, and a test.
func TestEventsOfThePredefinedProfile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t, testConfig())
		defer w.stop()
		var got []string
		for _, e := range w.agent.Events() {
			if e.Profile == "CiscoTAC-1" {
				got = append(got, fmt.Sprintf("%s %d/%d %s %s", e.Group, e.Index, e.Of, e.Severity, e.Subscription))
			}
		}
		want := []string{
			"configuration 1/12 normal periodic",
			"crash 2/12 debugging normal", "crash 3/12 debugging normal", "crash 4/12 debugging normal",
			"diagnostic 5/12 minor normal", "environment 6/12 warning normal",
			"inventory 7/12 normal normal", "inventory 8/12 normal normal", "inventory 9/12 normal periodic",
			"syslog 10/12 warning pattern", "syslog 11/12 major pattern", "test 12/12 normal normal",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

// Every alert counts for the part that it came from.
func TestModulesCountTheirAlerts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t, testConfig())
		defer w.stop()
		w.take("192.0.2.7", linkDown)
		w.take("192.0.2.1", fanDown)
		synctest.Wait()
		if _, err := w.agent.Test(t.Context(), TestOrder{Profile: "pager"}); err != nil {
			t.Fatal(err)
		}
		if err := w.agent.due(t.Context(), periodic.Due{Job: periodic.Job{Device: "edge-rtr-7", Group: callhome.GroupInventory, Profile: "backend"}}); err != nil {
			t.Fatal(err)
		}
		got := map[string]int64{}
		for _, m := range w.agent.Modules() {
			got[m.Name] = m.Events
		}
		want := map[string]int64{"syslog": 2, "logfile": 0, "journald": 0, "periodic": 1, "operator": 1, "agent": 0}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}
