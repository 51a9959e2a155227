package journald

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"callhome/agent/intake"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestLines(t *testing.T) {
	tests := []struct{ json, want string }{
		{`{"MESSAGE":"Link down","PRIORITY":"3","SYSLOG_FACILITY":"0","SYSLOG_IDENTIFIER":"kernel"}`, "<3>kernel: Link down"},
		{`{"MESSAGE":"x","PRIORITY":"6","SYSLOG_FACILITY":"3","SYSLOG_IDENTIFIER":"sshd","SYSLOG_PID":"17","_PID":"18"}`, "<30>sshd[17]: x"},
		{`{"MESSAGE":"x","_COMM":"my prog","_PID":"18"}`, "<13>my_prog[18]: x"},
		{`{"MESSAGE":[72,105,255,10,33],"PRIORITY":"9"}`, "<13>Hi\xff\n!"},
		{`{"MESSAGE":["one","two"],"PRIORITY":["4","5"]}`, "<12>one"},
		{`{"MESSAGE":null}`, ""},
		{`{"PRIORITY":"4"}`, ""},
		{`nonsense`, ""},
		{`[]`, ""},
	}
	for _, tt := range tests {
		var got string
		r, err := New(Config{}, intake.SinkFunc(func(_ context.Context, raw []byte, _ *intake.Origin) error { got = string(raw); return nil }), Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := r.take(t.Context(), []byte(tt.json+"\n")); err != nil || got != tt.want {
			t.Errorf("%s: got %q, %v; want %q", tt.json, got, err, tt.want)
		}
	}
}

func FuzzEntry(f *testing.F) {
	f.Add(`{"MESSAGE":[72,105],"PRIORITY":"3","__CURSOR":"x"}`)
	f.Add(`{"MESSAGE":[[1],["a"]]}`)
	f.Fuzz(func(t *testing.T, row string) {
		r, err := New(Config{}, intake.SinkFunc(func(_ context.Context, raw []byte, _ *intake.Origin) error {
			if !strings.HasPrefix(string(raw), "<") {
				t.Errorf("no PRI: %q", raw)
			}
			return nil
		}), Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := r.take(t.Context(), []byte(row)); err != nil {
			t.Error(err)
		}
	})
}

// The stand-in ends after three entries and fails once: every entry comes once and in order, also over our own restart.
func TestRestartsBehindTheCursor(t *testing.T) {
	dir := t.TempDir()
	script, err := os.ReadFile("testdata/journalctl")
	if err != nil {
		t.Fatal(err)
	}
	var entries, want []string
	for i := range 8 {
		long := strings.Repeat("y", i*40000)
		entries = append(entries, fmt.Sprintf(`{"__CURSOR":"c%d","MESSAGE":"entry %d %s","PRIORITY":"4","SYSLOG_FACILITY":"3","SYSLOG_IDENTIFIER":"d"}`, i+1, i, long))
		want = append(want, fmt.Sprintf("<28>d: entry %d %s", i, long))
	}
	for name, text := range map[string]string{"journalctl": string(script), "entries": strings.Join(entries, "\n") + "\n", "fail": ""} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	store := intake.State(filepath.Join(dir, "cursor.json"))
	var mu sync.Mutex
	var got []string
	enough := make(chan struct{}, 1)
	stopAt := 2
	sink := intake.SinkFunc(func(ctx context.Context, raw []byte, _ *intake.Origin) error {
		mu.Lock()
		defer mu.Unlock()
		if len(got) == stopAt {
			enough <- struct{}{}
			<-ctx.Done()
			return ctx.Err()
		}
		got = append(got, string(raw))
		if len(got) == len(want) {
			enough <- struct{}{}
		}
		return nil
	})
	for _, stopAt = range []int{2, 100} {
		r, err := New(Config{Command: filepath.Join(dir, "journalctl"), Units: []string{"frr.service"}, Matches: []string{"_TRANSPORT=kernel"}}, sink, Options{Store: store})
		if err != nil {
			t.Fatal(err)
		}
		r.firstPause = time.Millisecond
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- r.Run(ctx) }()
		select {
		case <-enough:
		case <-time.After(20 * time.Second):
			t.Error("the entries did not come")
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("lines (-want +got):\n%.1000s", diff)
	}
	args, err := os.ReadFile(filepath.Join(dir, "args"))
	if err != nil {
		t.Fatal(err)
	}
	if first, _, _ := strings.Cut(string(args), "\n"); !strings.HasSuffix(first, "--lines=0 --unit=frr.service _TRANSPORT=kernel") {
		t.Errorf("arguments of the first start: %s", first)
	}
	if !strings.Contains(string(args), "--lines=all --after-cursor=c2 ") {
		t.Errorf("no start behind the cursor: %s", args)
	}
}

func TestConfigFaults(t *testing.T) {
	for want, cfg := range map[string]Config{
		"journald.command": {Command: "./journalctl"}, "units[0]": {Units: []string{"--root=/"}}, "matches[0]": {Matches: []string{"--root=/"}},
	} {
		if err := cfg.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: got %v, want %q", cfg, err, want)
		}
	}
}
