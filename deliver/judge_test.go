package deliver

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"callhome/outbox"

	"pgregory.net/rapid"
)

func TestJudge(t *testing.T) {
	cfg := DefaultConfig()
	now := time.Date(2026, 3, 14, 9, 26, 53, 0, time.UTC)
	soft := errors.New("timeout")
	tests := []struct {
		name      string
		attempts  int
		age       time.Duration
		anonymous bool
		err       error
		want      outcome
		wait      time.Duration
	}{
		{"taken", 0, 0, false, nil, outDelivered, 0},
		{"taken though too old", 9, 99 * cfg.MaxAge, false, nil, outDelivered, 0},
		{"first failure", 0, 0, false, soft, outRetried, 5 * time.Second},
		{"second failure", 1, 0, false, soft, outRetried, 10 * time.Second},
		{"tenth failure", 9, 0, false, soft, outRetried, 2560 * time.Second},
		{"hundredth failure", 99, 0, false, soft, outRetried, time.Hour},
		{"at max_age", 99, cfg.MaxAge, false, soft, outRetried, time.Hour},
		{"beyond max_age", 99, cfg.MaxAge + 1, false, soft, outExpired, 0},
		{"refused", 0, 0, false, fmt.Errorf("send: %w", Permanent(soft)), outRefused, 0},
		{"refused and too old", 0, 2 * cfg.MaxAge, false, Permanent(soft), outRefused, 0},
		{"told when", 50, 0, false, RetryAfter(7*time.Minute, soft), outRetried, 7 * time.Minute},
		{"told at once", 0, 0, false, RetryAfter(-time.Hour, soft), outRetried, cfg.BackoffMin},
		{"told next year", 0, 0, false, RetryAfter(365*24*time.Hour, soft), outRetried, 24 * time.Hour},
		{"anonymous, second", 1, 0, true, soft, outRetried, 10 * time.Second},
		{"anonymous, third", 2, 0, true, soft, outDropped, 0},
		{"anonymous, too old", 0, 2 * cfg.MaxAge, true, soft, outDropped, 0},
		{"anonymous, refused", 0, 0, true, Permanent(soft), outDropped, 0},
	}
	for _, tt := range tests {
		e := &outbox.Entry{Attempts: tt.attempts, QueuedAt: now.Add(-tt.age)}
		e.Envelope.Anonymous = tt.anonymous
		got, wait := cfg.judge(e, tt.err, now, 0)
		if got != tt.want || wait != tt.wait {
			t.Errorf("%s: got %s in %v, want %s in %v", tt.name, got, wait, tt.want, tt.wait)
		}
	}
}

func TestPauseBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		least := time.Duration(rapid.Int64Range(int64(time.Millisecond), int64(time.Minute)).Draw(t, "least"))
		most := least + time.Duration(rapid.Int64Range(0, int64(100*time.Hour)).Draw(t, "more"))
		n := rapid.IntRange(0, 1<<30).Draw(t, "failures")
		chance := rapid.Float64Range(0, 0.999).Draw(t, "chance")
		got := pause(least, most, n, chance)
		if got < least/2 || got > most {
			t.Errorf("pause(%v, %v, %d, %v): got %v", least, most, n, chance, got)
		}
		if calm := pause(least, most, n, 0); got > calm || pause(least, most, n+1, 0) < calm {
			t.Errorf("pause(%v, %v, %d): jitter lengthens or pauses shrink", least, most, n)
		}
	})
}

func TestErrorMarks(t *testing.T) {
	if Permanent(nil) != nil || RetryAfter(time.Second, nil) != nil {
		t.Error("nil does not stay nil")
	}
	err := errors.New("x")
	if !errors.Is(Permanent(err), err) || !errors.Is(RetryAfter(1, err), err) || IsPermanent(err) || IsPermanent(RetryAfter(1, err)) {
		t.Error("marks hide the error or spread")
	}
}

func TestValidateNamesEveryFault(t *testing.T) {
	good := DefaultConfig()
	if err := good.Validate(); err != nil {
		t.Errorf("the defaults: %v", err)
	}
	bad := Config{BackoffMin: time.Hour, BackoffMax: time.Minute, Workers: 5000}
	err := bad.Validate()
	for _, key := range []string{"retry.backoff_max", "retry.max_age", "retry.send_timeout", "retry.probe_max", "retry.workers", "retry.per_destination"} {
		if err == nil || !strings.Contains(err.Error(), key) {
			t.Errorf("%s is not named in %v", key, err)
		}
	}
}
