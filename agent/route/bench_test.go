package route

import (
	"fmt"
	"regexp"
	"testing"

	"callhome"
	"callhome/personality"
)

// manySubscriptions are n subscriptions of one profile, each with a pattern of its own.
func manySubscriptions(n int) Config {
	p := callhome.Profile{Name: "noc", Active: true}
	for i := range n {
		p.Subscribe = append(p.Subscribe, callhome.Subscription{
			Group: callhome.GroupSyslog, Severity: lv(callhome.LevelNormal), Pattern: manyPattern(i),
		})
	}
	return Config{Profiles: []callhome.Profile{p}, Enabled: true, Personality: mustPersonality(personality.IOS)}
}

func manyPattern(i int) string {
	switch i % 4 {
	case 0:
		return fmt.Sprintf(`%%FACILITY%d-[0-7]-EVENT_%04d`, i%50, i)
	case 1:
		return fmt.Sprintf(`neighbor 192\.0\.2\.%d .*Down`, i)
	case 2:
		return fmt.Sprintf(`Interface TenGigabitEthernet%d/0/%d, changed state`, i%9, i)
	}
	return fmt.Sprintf(`(SLOT|MODULE)%d failed`, i)
}

var benchSubject = func() Subject {
	l := iosLine("LINEPROTO", 5, "UPDOWN", "Line protocol on Interface GigabitEthernet1/0/24, changed state to down")
	return Subject{Line: l, Group: callhome.GroupSyslog, Level: callhome.LevelNotification}
}()

func BenchmarkMatchNothing(b *testing.B) {
	for _, n := range []int{10, 100, 1000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			tab := table(b, manySubscriptions(n))
			var buf [8]Decision
			b.ReportAllocs()
			for b.Loop() {
				if len(tab.Match(benchSubject, buf[:0])) != 0 {
					b.Fatal("a decision")
				}
			}
		})
	}
}

// BenchmarkMatchOnePercent has one line in a hundred that a subscription takes.
func BenchmarkMatchOnePercent(b *testing.B) {
	for _, n := range []int{10, 1000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			tab := table(b, manySubscriptions(n))
			hit := benchSubject
			hit.Line = iosLine("FACILITY8", 5, "EVENT_0008", "something happened")
			var buf [8]Decision
			b.ReportAllocs()
			i, sent := 0, 0
			for b.Loop() {
				s := benchSubject
				if i++; i%100 == 0 {
					s = hit
				}
				sent += len(tab.Match(s, buf[:0]))
			}
			if i >= 100 && sent == 0 {
				b.Fatal("no decision")
			}
		})
	}
}

// BenchmarkRegexpLoop is what the table is measured against.
func BenchmarkRegexpLoop(b *testing.B) {
	cfg := manySubscriptions(1000)
	var all []*regexp.Regexp
	for _, s := range cfg.Profiles[0].Subscribe {
		all = append(all, regexp.MustCompile(s.Pattern))
	}
	for b.Loop() {
		for _, re := range all {
			if re.Match(benchSubject.Line.Raw) {
				b.Fatal("a match")
			}
		}
	}
}

func TestMatchAllocatesNothing(t *testing.T) {
	tab := table(t, manySubscriptions(1000))
	var buf [8]Decision
	if n := testing.AllocsPerRun(100, func() { tab.Match(benchSubject, buf[:0]) }); n != 0 {
		t.Errorf("a line that nobody wants costs %v allocations", n)
	}
}
