package ctl

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"callhome"
	"callhome/config"

	"github.com/google/go-cmp/cmp"
)

const replayConfig = `
device: {hostname: edge1, personality: ios}
call_home:
  profiles:
    - {name: ops, http: ["https://x.example/y"], subscribe: [{group: syslog, severity: minor}]}
    - {name: env, http: ["https://x.example/y"], subscribe: [{group: environment}]}
`

const replayLines = `<187>1: edge1: Jun 13 2026 23:59:50 UTC: %LINK-3-UPDOWN: Interface Gi0/1, changed state to down
<187>2: edge1: Jun 13 2026 23:59:55 UTC: %LINK-3-UPDOWN: Interface Gi0/1, changed state to down
<189>3: edge1: Jun 13 2026 23:59:56 UTC: %SYS-5-CONFIG_I: Configured from console

<185>4: edge1: Jun 14 2026 00:00:10 UTC: %PLATFORM_ENV-1-FAN: Faulty fan detected, tray P2
`

func replayed(t *testing.T, ctx context.Context, opts ReplayOptions) string {
	t.Helper()
	cfg, err := config.Parse("agent.yaml", []byte(replayConfig))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := Replay(ctx, &out, strings.NewReader(replayLines), cfg, opts); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestReplayCounts(t *testing.T) {
	var got ReplayReport
	if err := json.Unmarshal([]byte(replayed(t, t.Context(), ReplayOptions{JSON: true})), &got); err != nil {
		t.Fatal(err)
	}
	want := ReplayReport{
		Lines: 4, Wanted: 3, Sent: 3,
		From: time.Date(2026, 6, 13, 23, 59, 50, 0, time.UTC), To: time.Date(2026, 6, 14, 0, 0, 10, 0, time.UTC),
		Counts: []ReplayCount{
			{"2026-06-13", "ops", "syslog", 1}, {"2026-06-14", "env", "environment", 1}, {"2026-06-14", "ops", "environment", 1},
		},
		Profile: map[callhome.ProfileName]int{"ops": 2, "env": 1},
		Group:   map[callhome.AlertGroup]int{"syslog": 1, "environment": 2},
		Day:     map[string]int{"2026-06-13": 1, "2026-06-14": 2},
		Held:    map[callhome.Reason]int{"duplicate": 1},
		HeldOf:  map[callhome.ProfileName]map[callhome.Reason]int{"ops": {"duplicate": 1}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestReplayAtASpeed(t *testing.T) {
	var waited []time.Duration
	text := replayed(t, t.Context(), ReplayOptions{Speed: 10, Wait: func(_ context.Context, d time.Duration) error {
		waited = append(waited, d)
		return nil
	}})
	if diff := cmp.Diff([]time.Duration{500 * time.Millisecond, 100 * time.Millisecond, 1400 * time.Millisecond}, waited); diff != "" {
		t.Errorf("waits (-want +got):\n%s", diff)
	}
	for _, want := range []string{
		"2026-06-13 23:59:50  edge1 ", "duplicate    ops  ", "ops,env  ", "4 lines from 2026-06-13 23:59:50 to 2026-06-14 00:00:10 UTC; 3 messages",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
}

func TestReplayEndsWithItsCounts(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	text := replayed(t, ctx, ReplayOptions{Speed: 1, Wait: func(ctx context.Context, _ time.Duration) error {
		cancel()
		return ctx.Err()
	}})
	if !strings.Contains(text, "2 lines from") {
		t.Errorf("an interrupted replay must print its counts; got\n%s", text)
	}
}
