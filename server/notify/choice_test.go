package notify

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestModeOf(t *testing.T) {
	s := Settings{Choices: []Choice{
		{Mode: ModeDigest}, {Group: "core", Mode: ModeImmediate}, {Kind: KindAdvisory, Mode: ModeNone}, {Kind: KindAdvisory, Group: "core", Mode: ModeDigest},
	}}
	for _, c := range []struct {
		s     Settings
		kind  Kind
		group string
		want  Mode
	}{
		{Settings{}, KindCaseOpened, "", ModeImmediate},
		{Settings{}, KindConfigurationChange, "", ModeDigest},
		{s, KindCaseOpened, "", ModeDigest},
		{s, KindCaseOpened, "CORE", ModeImmediate},
		{s, KindAdvisory, "", ModeNone},
		{s, KindAdvisory, "core", ModeDigest},
		{s, KindPage, "", ModeImmediate},
	} {
		if got := c.s.ModeOf(c.kind, []string{c.group}); got != c.want {
			t.Errorf("%s of group %q: got %s, want %s", c.kind, c.group, got, c.want)
		}
	}
}

func TestNextDigest(t *testing.T) {
	for _, c := range []struct{ zone, now, want string }{
		{"", "2026-03-14T05:59:59Z", "2026-03-14T06:00:00Z"},
		{"", "2026-03-14T06:00:00Z", "2026-03-15T06:00:00Z"},
		{"Europe/Lisbon", "2026-03-28T12:00:00Z", "2026-03-29T05:00:00Z"}, // summer time began that night
		{"Asia/Kolkata", "2026-03-14T00:29:00Z", "2026-03-14T00:30:00Z"},
	} {
		now, _ := time.Parse(time.RFC3339, c.now)
		s := Settings{Hour: 6, Zone: c.zone}
		if got := s.NextDigest(now).UTC().Format(time.RFC3339); got != c.want {
			t.Errorf("%s after %s: got %s, want %s", c.zone, c.now, got, c.want)
		}
	}
}

// TestDigestsComeEveryDay: whatever the zone and hour, the next digest is within 25 hours and one follows the other.
func TestDigestsComeEveryDay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := Settings{Hour: rapid.IntRange(0, 23).Draw(t, "hour"), Zone: rapid.SampledFrom([]string{"", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "Africa/Cairo"}).Draw(t, "zone")}
		at := time.Unix(rapid.Int64Range(1700000000, 1900000000).Draw(t, "now"), 0)
		for range 3 {
			next := s.NextDigest(at)
			if d := next.Sub(at); d <= 0 || d > 26*time.Hour {
				t.Fatalf("after %v comes %v", at, next)
			}
			at = next
		}
	})
}

func TestSettingsValidate(t *testing.T) {
	for want, s := range map[string]Settings{
		"0 to 23": {Hour: 24}, "time zone": {Zone: "Mars/Olympus"}, "no notice": {Choices: []Choice{{Kind: "gossip", Mode: ModeNone}}},
		"immediate, digest": {Choices: []Choice{{Mode: "sometimes"}}},
	} {
		if err := s.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: got %v, want %q", s, err, want)
		}
	}
}

func TestConfigValidate(t *testing.T) {
	good := DefaultConfig()
	good.From, good.Portal, good.Own = "Callhome <callhome@support.example>", "https://portal.support.example", []string{"@intake.example", "devices@support.example"}
	if err := good.Validate(); err != nil {
		t.Fatal(err)
	}
	for key, spoil := range map[string]func(*Config){
		"notify.from": func(c *Config) { c.From = "nobody" }, "notify.reply_to": func(c *Config) { c.ReplyTo = "@" },
		"notify.portal": func(c *Config) { c.Portal = "portal" }, "notify.own_addresses[0]": func(c *Config) { c.Own = []string{"x"} },
		"notify.rate": func(c *Config) { c.Rate = 0 }, "notify.page_rate": func(c *Config) { c.PageRate = -1 },
		"notify.digest_hour": func(c *Config) { c.DigestHour = 24 }, "notify.max_attachments": func(c *Config) { c.MaxAttachments = 1 << 40 },
		"notify.keep_inbox": func(c *Config) { c.KeepInbox = time.Hour },
	} {
		c := good
		spoil(&c)
		if err := c.Validate(); err == nil || !strings.HasPrefix(err.Error(), key+":") {
			t.Errorf("got %v, want a fault of %s", err, key)
		}
	}
}
