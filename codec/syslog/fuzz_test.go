package syslog_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"regexp"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"callhome/codec/syslog"
)

// within reports whether part is a piece of raw's memory, or empty.
func within(raw, part []byte) bool {
	if len(part) == 0 {
		return true
	}
	return cap(raw) >= cap(part) && &raw[:cap(raw)][cap(raw)-1] == &part[:cap(part)][cap(part)-1]
}

// FuzzParse wants that no line is too strange: no panic, the octets kept, every field a piece of the line, and JSON that
// is JSON.
func FuzzParse(f *testing.F) {
	for _, bl := range benchLines {
		f.Add([]byte(bl.line))
	}
	for _, s := range []string{
		`<132>wlc1: *spamApTask1: Jun 12 18:52:01.958: %CAPWAP-4-DISC: [PA]x`, `<134>1 1781384835.77 mx1 events type=x`,
		`<181>Jun 12 21:07:15 ise1 CISE_Passed 0001939 4 0 2026-06-12 23:07:15.5 +02:00 0042 5200 NOTICE P: ok, A=1\, 2, B={x}`,
		`<189>date=2026-06-12 time=21:07:15 devname="fw" level="notice"`, `<186>Jun 12 12:23:19 fp1 FPRM: <<%FPRM-2-X>> [F1][a] t`,
		`<13>Jun 12 21:07:14 relay1 <189>812: sw9: Jun 12 21:07:13: %SYS-3-CPUHOG: long`, "<13>Jun 12 21:07:14 h caf\xe9: x\n",
		`<166>2026-06-12T21:07:15Z fw : %FTD-6-430003: A: b, c, D: e`, `<14>Jun 12 21:07:15 sw1 <Noti:AAA.LogSsh> login`,
		`Jun 13 12:02:29 cu-b local7 2 ccm: 68: cu-b: Jun 13 2026 16:02:29.795 UTC : %UC_CM-2-X: %[NodeID=n]: t`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		before := bytes.Clone(raw)
		var l syslog.Line
		new(syslog.Parser).Parse(raw, received, &l)
		if !bytes.Equal(l.Raw, before) {
			t.Fatal("raw was changed")
		}
		for _, part := range [][]byte{
			l.Text, l.Host, l.Node, l.Stamp.Text, l.Zone, l.Uptime, l.CoreFacility, l.Mnemonic, l.MessageID, l.ParamRegion,
			l.Relay.Host, l.Relay.Tag, l.Segment.Group,
		} {
			if !within(raw, part) {
				t.Fatalf("%q is no piece of the line", part)
			}
		}
		var o map[string]any
		if err := json.Unmarshal(l.AppendJSON(nil), &o); err != nil {
			t.Fatalf("%v: %s", err, l.AppendJSON(nil))
		}
		if l.Dialect == "" || l.Severity < syslog.NoSeverity || l.Severity > syslog.Debug {
			t.Fatalf("dialect %q, severity %d", l.Dialect, l.Severity)
		}
	})
}

// frames takes all messages out of stream, fed as chunks says.
func frames(stream []byte, chunks func() int) []string {
	f := syslog.Framer{Max: 64}
	var out []string
	drain := func() {
		for {
			fr, ok, err := f.Next()
			switch {
			case err != nil:
				out = append(out, "refused")
			case !ok:
				return
			default:
				out = append(out, string(fr.Raw)+" "+fr.Flags.String())
			}
		}
	}
	for len(stream) > 0 {
		n := min(max(chunks(), 1), len(stream))
		f.Feed(stream[:n])
		stream = stream[n:]
		drain()
	}
	f.Finish()
	drain()
	return out
}

// FuzzFramer wants the same messages however the stream is cut.
func FuzzFramer(f *testing.F) {
	f.Add([]byte("<1>a\n<2>b\r\n7 <3>cdef\n continued\nJun 1 x\n\x00 47: *Mar\n9999 <x"), []byte{1, 3, 2})
	f.Add([]byte("5 <1>ab<2>c\n 99999999 <1>\n70 <1>long\n<2>after\nJunk\nJune 1\nao\xc3\xbbt 1\n"), []byte{7})
	f.Add(append(bytes.Repeat([]byte("x"), 70), "\n<1>y\n2 no\n"...), []byte{9, 1})
	f.Fuzz(func(t *testing.T, stream, cuts []byte) {
		if len(stream) > 2000 {
			return
		}
		i := 0
		want := frames(stream, func() int { return len(stream) })
		got := frames(stream, func() int {
			if len(cuts) == 0 {
				return 1
			}
			i++
			return int(cuts[i%len(cuts)] % 16)
		})
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%q cut by %v: %s", stream, cuts, d)
		}
	})
}

func TestFramer(t *testing.T) {
	const limit = 64
	long := bytes.Repeat([]byte("x"), limit+10)
	for _, tc := range []struct {
		name, stream string
		want         []string
	}{
		{"trailers", "<1>a\n<2>b\r\n<3>c\x00<4>d\n\x00<5>e", []string{"<1>a []", "<2>b []", "<3>c []", "<4>d []", "<5>e [unterminated]"}},
		{"counted", "4 <1>a5 <2>bb", []string{"<1>a []", "<2>bb []"}},
		{"mixed", "4 <1>a<2>b\n5 <3>c\nX\n", []string{"<1>a []", "<2>b []", "<3>c\n []", "X [continuation]"}},
		{"space behind the trailer", "<1>a\n <2>b\n", []string{"<1>a []", "<2>b []"}},
		{"text that begins with a number", "47: *Mar 1\n12 Jun\n", []string{"47: *Mar 1 []", "12 Jun []"}},
		{"continuation", "<1>a\n  more\n\tlast\n<2>b\n", []string{"<1>a\n  more\n\tlast [continuation]", "<2>b []"}},
		{"month is no continuation", "<1>a\nJun 3 x\n", []string{"<1>a []", "Jun 3 x []"}},
		{"first line begins oddly", "hello\n<1>a\n", []string{"hello []", "<1>a []"}},
		{"cut", "<1>" + string(long) + "\n<2>b\n", []string{"<1>" + string(long[:limit-3]) + " [truncated]", "<2>b []"}},
		{"refused", "900 <1>abc\nabc\n<2>b\n", []string{"refused", "<2>b []"}},
		{"unfinished count", "9 <1>a", []string{"<1>a [unterminated]"}},
		{"nothing", "\n\r\n \x00", nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			for _, size := range []int{1, 2, 5, len(tc.stream)} {
				if d := cmp.Diff(tc.want, frames([]byte(tc.stream), func() int { return size })); d != "" {
					t.Errorf("in pieces of %d: %s", size, d)
				}
			}
		})
	}
}

func TestFramerRelease(t *testing.T) {
	var f syslog.Framer
	f.Feed([]byte("<1>a\n"))
	if _, ok, _ := f.Next(); ok || !f.Held() || f.Buffered() == 0 {
		t.Fatal("a line that could go on was not held back")
	}
	fr, ok := f.Release()
	if !ok || string(fr.Raw) != "<1>a" {
		t.Fatalf("got %q, %v", fr.Raw, ok)
	}
	f.Feed([]byte("more\n<2>b\n"))
	fr, ok, _ = f.Next()
	if !ok || string(fr.Raw) != "more" || !fr.Flags.Has(syslog.FlagContinuation) {
		t.Fatalf("got %q %v", fr.Raw, fr.Flags)
	}
	if _, ok, _ := f.Next(); ok {
		t.Fatal("the last line was not held back")
	}
	if _, ok := f.Release(); !ok {
		t.Fatal("the second line is not there")
	}
	if _, ok := f.Release(); ok || f.Held() {
		t.Fatal("nothing should be held any more")
	}
}

func TestReader(t *testing.T) {
	var stream []byte
	stream = syslog.AppendCounted(stream, []byte("<1>with\nfeed"))
	stream = syslog.AppendTrailed(stream, []byte("<2>with\nfeed"))
	broken := errors.New("line cut")
	for _, end := range []error{io.EOF, broken} {
		r := syslog.NewReader(io.MultiReader(iotest.OneByteReader(bytes.NewReader(stream)), iotest.ErrReader(end)))
		var got []string
		for {
			fr, err := r.Read()
			if err != nil {
				if !errors.Is(err, end) {
					t.Fatalf("got %v, want %v", err, end)
				}
				break
			}
			got = append(got, string(fr.Raw))
		}
		if d := cmp.Diff([]string{"<1>with\nfeed", "<2>with feed"}, got); d != "" {
			t.Error(d)
		}
	}
}

// coreExpression is the reference for a core: the first -digit- splits it, and a colon, a space, a bracket or the end
// closes it.
var coreExpression = regexp.MustCompile(`^%([A-Za-z][A-Za-z0-9_-]*?)-([0-7])-([A-Za-z0-9_-]+)(?:>>)?(?:[ :\t\[]|$)`)

// FuzzCore holds the scan of the core against a regular expression.
func FuzzCore(f *testing.F) {
	for _, s := range []string{
		"SYS-5-CONFIG_I: text", "SYS-SP-5-RESTART: x", "A-B-C-3-D-4-E : x", "LOG_-2-SYSTEM_MSG [F1]", "X9-7-Y>>: z", "AB-I-LETTER: x",
		"AB-8-X: y", "a-1-b", "KERN-4: x", "SYS-5-", "SYS-5-X(y): z", "Viptela-h-3-p-6-INFO-140: x",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if strings.ContainsAny(s, "\r\n\x00%") || strings.HasPrefix(s, "Viptela") || strings.HasPrefix(s, "Cisco-SDWAN") {
			return
		}
		l := parse(`<189>1: *Jun 12 21:07:15: %` + s)
		m := coreExpression.FindStringSubmatch("%" + s)
		if m != nil && len(strings.TrimRight(m[1], "-")) < 2 {
			m = nil
		}
		switch {
		case l.Dialect == syslog.CiscoLog || l.Dialect == syslog.UCM:
		case m == nil:
			if l.CoreFacility != nil && l.Vendor != syslog.VendorSmallSwitch && l.Mnemonic != nil && l.Dialect != syslog.ASA {
				t.Errorf("%q: a core %s-%d-%s, and the expression has none", s, l.CoreFacility, l.Severity, l.Mnemonic)
			}
		case string(l.CoreFacility) != strings.TrimRight(m[1], "-") || string(l.Mnemonic) != m[3] ||
			int(l.Severity) != int(m[2][0]-'0'):
			t.Errorf("%q: got %s-%d-%s, want %q", s, l.CoreFacility, l.Severity, l.Mnemonic, m)
		}
	})
}
