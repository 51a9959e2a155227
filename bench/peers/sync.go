package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"callhome/bench/load"
	"callhome/bench/proc"
	"callhome/bench/sink"
	"callhome/bench/stand"
)

// traced is the command line of strace before a program whose syncs are counted in a file, and delayed.
func traced(out string, delay time.Duration) ([]string, error) {
	bin, err := proc.Find("strace")
	if err != nil {
		return nil, err
	}
	args := []string{bin, "-f", "--seccomp-bpf", "-qq", "-o", out, "-e", "trace=fsync,fdatasync"}
	if delay > 0 {
		args = append(args, "-e", fmt.Sprintf("inject=fsync,fdatasync:delay_exit=%d", delay.Microseconds()))
	}
	return args, nil
}

// syncs counts the calls that a trace holds.
func syncs(path string) (int, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	n := 0
	for line := range bytes.Lines(b) {
		if bytes.Contains(line, []byte("sync(")) {
			n++
		}
	}
	return n, nil
}

// accepted is how fast alerts or mails became durable.
type accepted struct {
	rate    float64
	perSync float64 // alerts for each sync
	end     float64 // whole way, messages a second
}

// ourAccept counts alerts that became durable while syncs are counted and delayed. pace 0 floods.
func (b *bench) ourAccept(n, pace int, delay time.Duration) (accepted, error) {
	to, err := sink.ListenHTTP(nil)
	if err != nil {
		return accepted{}, err
	}
	defer to.Close()
	dir, err := b.folder("callhome")
	if err != nil {
		return accepted{}, err
	}
	trace := filepath.Join(dir, "trace")
	wrap, err := traced(trace, delay)
	if err != nil {
		return accepted{}, err
	}
	c, err := stand.StartCallhome(dir, b.bin, stand.CallhomeOptions{Subscriptions: thousand, HTTP: to.URL, Devices: devices, Wrap: wrap})
	if err != nil {
		return accepted{}, err
	}
	defer c.Stop()
	before, err := syncs(trace)
	if err != nil {
		return accepted{}, err
	}
	began := time.Now()
	if err := b.offer(c, n, pace); err != nil {
		return accepted{}, err
	}
	for alerts := int64(0); alerts < int64(n); time.Sleep(2 * time.Millisecond) {
		if alerts, err = c.Metric("callhome_agent_alerts_total"); err != nil {
			return accepted{}, err
		}
		if time.Since(began) > patience {
			return accepted{}, fmt.Errorf("%d of %d alerts are durable after %v", alerts, n, patience)
		}
	}
	a := accepted{rate: float64(n) / time.Since(began).Seconds()}
	got := to.Await(int64(n), quiet)
	a.end = float64(got) / time.Unix(0, to.Last.Load()).Sub(began).Seconds()
	after, err := syncs(trace)
	a.perSync = float64(n) / float64(max(1, after-before))
	return a, err
}

func (b *bench) offer(c *stand.Callhome, n, pace int) error {
	if pace == 0 {
		lines := load.Lines(load.Options{Layouts: []load.Layout{load.IOS}, Percent: 100, Count: min(n, 1000), Devices: devices, At: time.Now()})
		return load.Flood(stand.Address(c.Port("tcp")), nil, 32, n, load.Frame(lines), "")
	}
	send, done, err := lineSender(c)
	if err != nil {
		return err
	}
	defer done()
	return load.Paced(n, pace, func(int) error { return send("paced") })
}

// postfixAccept is how fast Postfix takes mails while its syncs are delayed.
func (b *bench) postfixAccept(n int, delay time.Duration) (accepted, error) {
	to, err := sink.ListenSMTP()
	if err != nil {
		return accepted{}, err
	}
	defer to.Close()
	dir, err := b.folder("postfix")
	if err != nil {
		return accepted{}, err
	}
	trace := filepath.Join(dir, "trace")
	wrap, err := traced(trace, delay)
	if err != nil {
		return accepted{}, err
	}
	px, err := stand.StartPostfix(dir, to.Port(), wrap...)
	if err != nil {
		return accepted{}, err
	}
	defer px.Stop()
	before, err := syncs(trace)
	if err != nil {
		return accepted{}, err
	}
	began := time.Now()
	if err := smtpSource(px.Addr, 32, n, 1024); err != nil {
		return accepted{}, err
	}
	a := accepted{rate: float64(n) / time.Since(began).Seconds()}
	got := to.Await(int64(n), quiet)
	a.end = float64(got) / time.Unix(0, to.Last.Load()).Sub(began).Seconds()
	after, err := syncs(trace)
	a.perSync = float64(n) / float64(max(1, after-before))
	return a, err
}

// slowSync shows group commit: row 15's method, for the agent. And it counts syncs for each durable alert.
func (b *bench) slowSync() ([]Result, error) {
	const delay = 5 * time.Millisecond
	var us, px []float64
	var mine, theirs accepted
	for range b.turns() {
		var err error
		if mine, err = b.ourAccept(b.amount(20_000), 0, delay); err != nil {
			return nil, fmt.Errorf("callhome: %w", err)
		}
		if theirs, err = b.postfixAccept(b.amount(4000), delay); err != nil {
			return nil, fmt.Errorf("postfix: %w", err)
		}
		us, px = append(us, mine.rate), append(px, theirs.rate)
	}
	paced, err := b.ourAccept(b.amount(800), pace, 0)
	if err != nil {
		return nil, fmt.Errorf("callhome paced: %w", err)
	}
	ours, peer := median(us), median(px)
	return []Result{
		{Row: "15a", Figure: "agent, 5 ms for each fsync, 32 connections: made durable", Goal: "≥ 1.0×; –", Peer: fmt.Sprintf("Postfix %.0f mails/s, delivered %.0f/s", peer, theirs.end),
			Ours: fmt.Sprintf("%.0f alerts/s, delivered %.0f/s", ours, mine.end), Ratio: ours / peer, Verdict: atLeast(ours/peer, 1, 2)},
		{Row: "15a", Figure: "syncs for an alert that comes alone, over its whole life", Goal: "≥ 1", Peer: fmt.Sprintf("Postfix in a flood %.2f", 1/theirs.perSync),
			Ours: fmt.Sprintf("%.2f alone, %.3f in a flood", 1/paced.perSync, 1/mine.perSync), Verdict: atLeast(1/paced.perSync, 1, 1)},
	}, nil
}
