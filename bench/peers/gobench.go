package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
)

// figures are the medians of one benchmark by unit, such as ns/op.
type figures map[string]float64

// goBench runs benchmarks of a package several times and returns their medians by name, without "Benchmark" and the
// number of processors.
func (b *bench) goBench(pkg, pattern string) (map[string]figures, error) {
	count, each := "5", "150ms"
	if b.quick {
		count, each = "3", "50ms"
	}
	cmd := exec.Command("go", "test", "-run", "^$", "-bench", pattern, "-benchmem", "-count", count, "-benchtime", each, pkg)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := cmd.CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("go test -bench %s %s: %w\n%s", pattern, pkg, err, out)
	}
	runs := map[string]map[string][]float64{}
	for line := range bytes.Lines(out) {
		cols := strings.Fields(string(line))
		if len(cols) < 4 || !strings.HasPrefix(cols[0], "Benchmark") {
			continue
		}
		name := strings.TrimPrefix(cols[0], "Benchmark")
		if i := strings.LastIndexByte(name, '-'); i > 0 {
			if _, err := strconv.Atoi(name[i+1:]); err == nil {
				name = name[:i]
			}
		}
		if runs[name] == nil {
			runs[name] = map[string][]float64{}
		}
		for i := 2; i+1 < len(cols); i += 2 {
			if v, err := strconv.ParseFloat(cols[i], 64); err == nil {
				runs[name][cols[i+1]] = append(runs[name][cols[i+1]], v)
			}
		}
	}
	res := map[string]figures{}
	for name, units := range runs {
		res[name] = figures{}
		for unit, xs := range units {
			res[name][unit] = median(xs)
		}
	}
	return res, nil
}

// need picks benchmarks that must be there.
func need(all map[string]figures, names ...string) ([]figures, error) {
	out := make([]figures, len(names))
	for i, n := range names {
		f, ok := all[n]
		if !ok {
			return nil, fmt.Errorf("benchmark %s did not run", n)
		}
		out[i] = f
	}
	return out, nil
}

// parse is row 7.
func (b *bench) parse() ([]Result, error) {
	all, err := b.goBench("./codec/syslog", "^Benchmark(Parse|PeerGoSyslog|PeerRegexp)$")
	if err != nil {
		return nil, err
	}
	f, err := need(all, "Parse/rfc5424", "PeerGoSyslog", "Parse/ios", "PeerRegexp", "Parse/asa")
	if err != nil {
		return nil, err
	}
	one := func(name string, ours, peer figures, peerName, goal string, must, stretch float64) Result {
		r := ours["ns/op"] / peer["ns/op"]
		v := atMost(r, must, stretch)
		if ours["allocs/op"] > 0 {
			v = Missed
		}
		return Result{
			Figure: "parse one line, " + name, Goal: goal, Ratio: r, Verdict: v,
			Peer: fmt.Sprintf("%s %.0f ns, %.0f allocs", peerName, peer["ns/op"], peer["allocs/op"]),
			Ours: fmt.Sprintf("%.0f ns, %.0f allocs", ours["ns/op"], ours["allocs/op"]),
		}
	}
	return []Result{
		one("RFC 5424", f[0], f[1], "go-syslog", "≤ 0.13×, 0 allocs; ≤ 0.07×", 0.13, 0.07),
		one("IOS", f[2], f[3], "regexp", "≤ 0.06×, 0 allocs; ≤ 0.04×", 0.06, 0.04),
		one("ASA", f[4], f[3], "regexp (IOS)", "≤ 0.06×, 0 allocs; ≤ 0.04×", 0.06, 0.04),
	}, nil
}

// subscriptions is row 8 and the growth of subscriptions.
func (b *bench) subscriptions() ([]Result, error) {
	all, err := b.goBench("./agent/route", "^Benchmark(MatchNothing|RegexpLoop)$")
	if err != nil {
		return nil, err
	}
	f, err := need(all, "MatchNothing/1000", "RegexpLoop", "MatchNothing/10")
	if err != nil {
		return nil, err
	}
	thousand, loop, ten := f[0]["ns/op"], f[1]["ns/op"], f[2]["ns/op"]
	return []Result{
		{Figure: "1,000 subscriptions, a line nobody wants", Goal: "≤ 1/300; ≤ 1/600", Peer: fmt.Sprintf("loop of regexps %.0f ns", loop), Ratio: thousand / loop,
			Ours: fmt.Sprintf("%.0f ns, %.0f allocs, 1/%.0f", thousand, f[0]["allocs/op"], loop/thousand), Verdict: atMost(thousand/loop, 1.0/300, 1.0/600)},
		{Figure: "subscriptions 10 to 1,000", Goal: "≤ ×1.5", Peer: fmt.Sprintf("itself, 10: %.0f ns", ten), Ours: fmt.Sprintf("%.0f ns", thousand),
			Ratio: thousand / ten, Verdict: atMost(thousand/ten, 1.5, 1.1)},
	}, nil
}
