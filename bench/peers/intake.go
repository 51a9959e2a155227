package main

import (
	"crypto/tls"
	"fmt"
	"time"

	"callhome/bench/load"
	"callhome/bench/proc"
	"callhome/bench/sink"
	"callhome/bench/stand"
)

// intake is one way of sending lines by streams.
type intake struct {
	layouts   []load.Layout
	percent   int // of wanted lines
	transport string
	conns     int
	total     int
	cert      *stand.Certificate
	limits    bool // ours: the product's rate limit and throttling hold wanted lines back; else all are delivered
	subs      int  // ours; 0: a thousand
}

// taken is what it cost to take the lines in.
type taken struct {
	cpu  float64 // seconds for a million lines
	rate float64 // lines/s
	lost int64
	peak int64 // resident bytes
}

const (
	million     = 1e6
	distinct    = 10_000 // different lines, sent again and again
	patience    = 4 * time.Minute
	devices     = 64
	thousand    = 1000
	settleAfter = 2500 * time.Millisecond // a count that stands still for so long is final; peers tell it each second
)

// stamps of the lines lie close to the time of receipt, as those of devices do.
func (in intake) lines() []load.Line {
	return load.Lines(load.Options{Layouts: in.layouts, Percent: in.percent, Count: distinct, Devices: devices, At: time.Now()})
}

// starter starts a subject in a folder.
type starter func(dir string) (stand.Subject, error)

// runIntake starts a subject, sends it the lines, waits until it has worked on them and stops it.
func (b *bench) runIntake(in intake, name string, start starter) (taken, error) {
	dir, err := b.folder(name)
	if err != nil {
		return taken{}, err
	}
	s, err := start(dir)
	if err != nil {
		return taken{}, err
	}
	defer s.Stop()
	stream := load.Frame(in.lines())
	var cfg *tls.Config
	if in.cert != nil {
		cfg = in.cert.Client()
	}
	cpu, began := s.Process().CPU(), time.Now()
	if err := load.Flood(stand.Address(s.Port(in.transport)), cfg, in.conns, in.total, stream, stand.LastLine); err != nil {
		return taken{}, err
	}
	want := int64(in.total + in.conns)
	end, err := stand.Await(s, in.conns, want, patience)
	if err != nil && in.cert == nil {
		return taken{}, err // by TLS a line may be lost at the close: that is what is counted
	}
	out := taken{cpu: (s.Process().CPU() - cpu).Seconds() / float64(in.total) * million, rate: float64(in.total) / end.Sub(began).Seconds()}
	out.peak = proc.PeakRSS(s.Process().PID())
	got, err := stand.Settled(s, settleAfter)
	out.lost = want - got
	return out, err
}

// pair runs peer and product in turns and returns the medians of both.
func (b *bench) pair(in intake, peerName string, peer, ours starter) (theirs, mine taken, err error) {
	var all [2][]taken
	for range b.turns() {
		for i, side := range []struct {
			name  string
			start starter
		}{{peerName, peer}, {"callhome", ours}} {
			t, err := b.runIntake(in, side.name, side.start)
			if err != nil {
				return theirs, mine, fmt.Errorf("%s: %w", side.name, err)
			}
			all[i] = append(all[i], t)
		}
	}
	return medians(all[0]), medians(all[1]), nil
}

func medians(ts []taken) (m taken) {
	var cpu, rate []float64
	for _, t := range ts {
		cpu, rate = append(cpu, t.cpu), append(rate, t.rate)
		m.lost, m.peak = max(m.lost, t.lost), max(m.peak, t.peak)
	}
	m.cpu, m.rate = median(cpu), median(rate)
	return m
}

func rsyslog(dir string) (stand.Subject, error) { return stand.StartRsyslog(dir) }

// callhome starts our agent with a thousand subscriptions and a destination that takes everything.
func (b *bench) callhome(in intake, to *sink.HTTP) starter {
	return func(dir string) (stand.Subject, error) {
		subs := in.subs
		if subs == 0 {
			subs = thousand
		}
		return stand.StartCallhome(dir, b.bin, stand.CallhomeOptions{
			Subscriptions: subs, HTTP: to.URL, Limits: in.limits, Devices: devices, Cert: in.cert,
		})
	}
}

// compare runs one way of sending beside a peer.
func (b *bench) compare(in intake, peerName string, peer func(intake) starter) (theirs, mine taken, err error) {
	to, err := sink.ListenHTTP(nil)
	if err != nil {
		return theirs, mine, err
	}
	defer to.Close()
	return b.pair(in, peerName, peer(in), b.callhome(in, to))
}

func asRsyslog(intake) starter { return rsyslog }

func perMillion(t taken) string { return fmt.Sprintf("%.2f s/M", t.cpu) }

func lineRate(t taken) string { return fmt.Sprintf("%.2f M/s, lost %d", t.rate/million, t.lost) }

// tcpVariants are the loads of rows 1 and 2: quiet, ordinary and storm, as configured by default and without any limit.
// Where every wanted line becomes a delivered message, fewer are sent.
var tcpVariants = []struct {
	figure  string
	percent int
	limits  bool
	total   int
	judged  bool
}{
	{"1 % wanted, product limits", 1, true, 2_000_000, true},
	{"nothing wanted", 0, true, 2_000_000, false},
	{"storm: 100 % wanted, product limits", 100, true, 500_000, false},
	{"1 % wanted, every one kept and delivered", 1, false, 1_000_000, false},
	{"storm: 100 % wanted, every one kept and delivered", 100, false, 30_000, false},
}

// tcpCPU is row 1, and with it row 2, which the same runs tell.
func (b *bench) tcpCPU() ([]Result, error) {
	var out []Result
	for _, v := range tcpVariants {
		in := intake{layouts: []load.Layout{load.IOS}, percent: v.percent, transport: "tcp", conns: 1, total: b.amount(v.total), limits: v.limits}
		theirs, mine, err := b.compare(in, "rsyslog", asRsyslog)
		if err != nil {
			return out, fmt.Errorf("%s: %w", v.figure, err)
		}
		ratio := mine.cpu / theirs.cpu
		cpu := Result{Row: "1", Figure: "TCP intake, CPU; " + v.figure, Peer: "rsyslog " + perMillion(theirs), Ours: perMillion(mine), Ratio: ratio, Verdict: Shown}
		rate := Result{Row: "2", Figure: "TCP lines/s, 1 connection; " + v.figure, Peer: "rsyslog " + lineRate(theirs), Ours: lineRate(mine), Ratio: mine.rate / theirs.rate, Verdict: Shown}
		if v.judged {
			cpu.Goal, cpu.Verdict = "≤ 0.30×; ≤ 0.16×", atMost(ratio, 0.30, 0.16)
			rate.Goal, rate.Verdict = "≥ 1.5×; ≥ 2×", atLeast(rate.Ratio, 1.5, 2)
		}
		out = append(out, cpu, rate)
	}
	return out, nil
}

// tcpRate is row 2 alone.
func (b *bench) tcpRate() ([]Result, error) {
	in := intake{layouts: []load.Layout{load.IOS}, percent: 1, transport: "tcp", conns: 2, total: b.amount(2_000_000), limits: true}
	theirs, mine, err := b.compare(in, "rsyslog", asRsyslog)
	if err != nil {
		return nil, err
	}
	return []Result{{Row: "2b", Figure: "TCP lines/s, 2 connections; 1 % wanted", Peer: "rsyslog " + lineRate(theirs), Ours: lineRate(mine), Ratio: mine.rate / theirs.rate, Verdict: Shown}}, nil
}

// mixed is row 3.
func (b *bench) mixed() ([]Result, error) {
	in := intake{layouts: load.Layouts(), percent: 1, transport: "tcp", conns: 8, total: b.amount(2_000_000), limits: true}
	theirs, mine, err := b.compare(in, "rsyslog", asRsyslog)
	if err != nil {
		return nil, err
	}
	right, of, err := b.classified(in.lines())
	if err != nil {
		return nil, err
	}
	ratio := mine.cpu / theirs.cpu
	verdict := worst(atMost(ratio, 0.35, 0.2), atLeast(float64(right)/float64(of), 1, 1))
	return []Result{
		{Figure: "five layouts, 8 connections, CPU", Goal: "≤ 0.35×, all read right; ≤ 0.2×", Peer: "rsyslog " + perMillion(theirs), Verdict: verdict, Ratio: ratio,
			Ours: fmt.Sprintf("%s, %.2f %% of %d lines right", perMillion(mine), 100*float64(right)/float64(of), of)},
		{Figure: "five layouts, 8 connections, lines/s", Peer: "rsyslog " + lineRate(theirs), Ours: lineRate(mine), Ratio: mine.rate / theirs.rate, Verdict: Shown},
	}, nil
}

// tlsIntake is row 4.
func (b *bench) tlsIntake() ([]Result, error) {
	dir, err := b.folder("tls")
	if err != nil {
		return nil, err
	}
	cert, err := stand.MakeCertificate(dir)
	if err != nil {
		return nil, err
	}
	in := intake{layouts: []load.Layout{load.IOS}, percent: 1, transport: "tls", conns: 4, total: b.amount(1_000_000), cert: cert, limits: true}
	theirs, mine, err := b.compare(in, "syslog-ng", func(in intake) starter {
		return func(dir string) (stand.Subject, error) {
			return stand.StartSyslogNG(dir, b.tools, stand.SyslogNGOptions{Cert: in.cert})
		}
	})
	if err != nil {
		return nil, err
	}
	ratio := mine.cpu / theirs.cpu
	verdict := atMost(ratio, 0.35, 0.2)
	if mine.lost != 0 {
		verdict = Missed
	}
	return []Result{
		{Figure: "TLS intake, 4 connections, CPU; lines lost at the close", Goal: "≤ 0.35×, 0 lost; ≤ 0.2×", Ratio: ratio, Verdict: verdict,
			Peer: fmt.Sprintf("syslog-ng %s, lost %d", perMillion(theirs), theirs.lost), Ours: fmt.Sprintf("%s, lost %d", perMillion(mine), mine.lost)},
		{Figure: "TLS intake, lines/s", Peer: "syslog-ng " + lineRate(theirs), Ours: lineRate(mine), Ratio: mine.rate / theirs.rate, Verdict: Shown},
	}, nil
}

// growLines measures whether a line costs more after millions of lines.
func (b *bench) growLines() ([]Result, error) {
	to, err := sink.ListenHTTP(nil)
	if err != nil {
		return nil, err
	}
	defer to.Close()
	in := intake{layouts: []load.Layout{load.IOS}, percent: 1, transport: "tcp", conns: 1, limits: true}
	small, large := in, in
	small.total, large.total = b.amount(1_000_000), b.amount(5_000_000)
	var at [2][]taken
	for range b.turns() {
		for i, w := range []intake{small, large} {
			t, err := b.runIntake(w, "callhome", b.callhome(w, to))
			if err != nil {
				return nil, err
			}
			at[i] = append(at[i], t)
		}
	}
	one, five := medians(at[0]), medians(at[1])
	few := in
	few.total, few.subs = small.total, 10
	ten, err := b.runIntake(few, "callhome", b.callhome(few, to))
	if err != nil {
		return nil, err
	}
	cpu, peak := five.cpu/one.cpu, float64(five.peak)/float64(one.peak)
	return []Result{
		{Row: "g-lines", Figure: "lines 1 M to 5 M: CPU per line", Goal: "≤ ×1.05", Peer: "itself, 1 M: " + perMillion(one), Ours: perMillion(five), Ratio: cpu, Verdict: atMost(cpu, 1.05, 1)},
		{Row: "g-lines", Figure: "lines 1 M to 5 M: peak memory", Goal: "bounded", Peer: "itself, 1 M: " + mib(one.peak), Ours: mib(five.peak), Ratio: peak, Verdict: atMost(peak, 1.2, 1.05)},
		{Row: "g-lines", Figure: "subscriptions 10 to 1,000, whole process: CPU per line", Goal: "≤ ×1.5", Peer: "itself, 10: " + perMillion(ten), Ours: perMillion(one),
			Ratio: one.cpu / ten.cpu, Verdict: atMost(one.cpu/ten.cpu, 1.5, 1.1)},
	}, nil
}

func mib(n int64) string { return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20)) }
