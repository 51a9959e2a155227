package callhome_test

import (
	"testing"
	"time"

	"callhome"
)

func TestParseEventTime(t *testing.T) {
	utc := time.Date(2026, 3, 14, 9, 26, 53, 0, time.UTC)
	for in, want := range map[string]callhome.Timestamp{
		"2026-03-14 09:26:53 GMT+00:00":      {Time: utc},
		"2026-03-14 09:26:53 GMT+0000":       {Time: utc},
		" 2026-03-14 09:26:53 GMT ":          {Time: utc},
		"2026-03-14 09:26:53 UTC":            {Time: utc},
		"2026-03-14T09:26:53Z":               {Time: utc},
		"2026-03-14 02:26:53 GMT-07:00":      {Time: utc},
		"2026-03-14T14:56:53+05:30":          {Time: utc},
		"2026-03-14  10:26:53.250 GMT+01":    {Time: utc.Add(250 * time.Millisecond)},
		"2026-03-14 09:26 GMT+00:00":         {Time: utc.Truncate(time.Minute)},
		"2026-03-14T09:26:53":                {Time: utc, NoZone: true},
		"2026-03-14 09:26":                   {Time: utc.Truncate(time.Minute), NoZone: true},
		"2026-03-14 09:26:53 PST":            {Time: utc, NoZone: true},
		"2026-03-14T09:26:53.000000001 CEST": {Time: utc.Add(1), NoZone: true},
	} {
		got, err := callhome.ParseEventTime(in)
		if err != nil || !got.Equal(want.Time) || got.NoZone != want.NoZone {
			t.Errorf("%q: got %v, %v, want %v", in, got, err, want)
		}
	}
	for _, in := range []string{"", "yesterday", "2026-03-14", "2026-13-14 09:26:53", "2026-03-14 09:26:53 GMT+25:00", "2026-03-14 09:26:53 in the morning", "2026-03-14 9", "2026-03-14 09:26:53 GMT+", "2026-03-14 09:26:53 GMTUTC"} {
		if got, err := callhome.ParseEventTime(in); err == nil {
			t.Errorf("%q: got %v, want an error", in, got)
		}
	}
}

func TestAppendEventTime(t *testing.T) {
	lisbon := callhome.At(time.Date(2026, 3, 14, 2, 26, 53, 0, time.FixedZone("", -7*3600)))
	bare := callhome.Timestamp{Time: time.Date(2026, 3, 14, 9, 26, 53, 0, time.UTC), NoZone: true}
	for _, c := range []struct{ got, want string }{
		{string(lisbon.AppendGMT(nil)), "2026-03-14 02:26:53 GMT-07:00"},
		{string(lisbon.AppendGMTCompact(nil)), "2026-03-14 02:26:53 GMT-0700"},
		{string(lisbon.AppendGMTMinute(nil)), "2026-03-14 02:26 GMT-07:00"},
		{string(lisbon.AppendReading(nil)), "2026-03-14T02:26:53"},
		{string(bare.AppendGMT(nil)), "2026-03-14 09:26:53"},
		{string(bare.AppendGMTMinute(nil)), "2026-03-14 09:26"},
		{string(bare.AppendReading(nil)), "2026-03-14T09:26:53"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}

func FuzzParseEventTime(f *testing.F) {
	for _, s := range []string{"2026-03-14 09:26:53 GMT+00:00", "2026-03-14T09:26:53", "2026-03-14 09:26 GMT-0730", "2026-03-14 09:26:53 GMT+", "2026-03-14 09:26 é"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := callhome.ParseEventTime(s)
		if err != nil {
			return
		}
		again, err := callhome.ParseEventTime(string(got.AppendGMT(nil)))
		if err != nil || again.NoZone != got.NoZone || !again.Equal(got.Truncate(time.Second)) {
			t.Errorf("%q: got %v, written and read again %v, %v", s, got, again, err)
		}
	})
}
