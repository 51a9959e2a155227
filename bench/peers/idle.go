package main

import (
	"fmt"
	"time"

	"callhome/bench/load"
	"callhome/bench/proc"
	"callhome/bench/sink"
	"callhome/bench/stand"
)

const (
	settle = 3 * time.Second // after a start: what it does once is done
	// rest is long enough for an agent without lines to give memory back, which it does within 20 s.
	rest = 22 * time.Second
)

// idle is row 18, and of row 20 the start with nothing queued.
func (b *bench) idle() ([]Result, error) {
	var pss [3][]float64
	var starts [3][]float64
	for range b.turns() {
		for i, one := range []func() (int64, time.Duration, error){b.idleRsyslog, b.idleAlertmanager, b.idleCallhome} {
			n, took, err := one()
			if err != nil {
				return nil, err
			}
			pss[i], starts[i] = append(pss[i], float64(n)/(1<<20)), append(starts[i], took.Seconds()*1000)
		}
	}
	ours, took := median(pss[2]), median(starts[2])
	return []Result{
		{Figure: "idle memory (PSS), a small site's configuration", Goal: "≤ 12 MiB; ≤ 8 MiB", Peer: fmt.Sprintf("rsyslog %.1f, Alertmanager %.1f MiB", median(pss[0]), median(pss[1])),
			Ours: fmt.Sprintf("%.1f MiB", ours), Ratio: ours / median(pss[1]), Verdict: atMost(ours, 12, 8)},
		{Row: "20", Figure: "start to listening, nothing queued", Goal: "≤ 15 ms; ≤ 6 ms", Peer: fmt.Sprintf("rsyslog %.1f, Alertmanager %.1f ms", median(starts[0]), median(starts[1])),
			Ours: fmt.Sprintf("%.1f ms", took), Ratio: took / median(starts[0]), Verdict: atMost(took, 15, 6)},
	}, nil
}

func (b *bench) idleRsyslog() (int64, time.Duration, error) {
	dir, err := b.folder("rsyslog")
	if err != nil {
		return 0, 0, err
	}
	s, err := stand.StartRsyslog(dir)
	if err != nil {
		return 0, 0, err
	}
	defer s.Stop()
	took := s.Listening
	time.Sleep(settle)
	return proc.PSS(s.Process().PID()), took, nil
}

func (b *bench) idleAlertmanager() (int64, time.Duration, error) {
	dir, err := b.folder("alertmanager")
	if err != nil {
		return 0, 0, err
	}
	a, err := stand.StartAlertmanager(dir, "http://127.0.0.1:9/hook")
	if err != nil {
		return 0, 0, err
	}
	defer a.Stop()
	time.Sleep(settle)
	return proc.PSS(a.Process().PID()), a.Listening, nil
}

func (b *bench) idleCallhome() (int64, time.Duration, error) {
	dir, err := b.folder("callhome")
	if err != nil {
		return 0, 0, err
	}
	start := func() (*stand.Callhome, error) {
		return stand.StartCallhome(dir, b.bin, stand.CallhomeOptions{Subscriptions: 10, HTTP: "http://127.0.0.1:9/sink", Limits: true, Devices: 10})
	}
	first, err := start() // makes databases and keys
	if err != nil {
		return 0, 0, err
	}
	first.Stop()
	c, err := start()
	if err != nil {
		return 0, 0, err
	}
	defer c.Stop()
	time.Sleep(settle)
	return proc.PSS(c.Process().PID()), c.Listening, nil
}

// backlog is what a number of queued messages costs.
type backlog struct {
	memory  int64   // more than before, bytes
	disk    float64 // of the payload
	rate    float64 // messages queued a second
	restart time.Duration
}

// deadEnd is a port that nobody listens on.
func deadEnd() int { return proc.FreePort() }

// ourBacklog queues n messages for a destination that is down.
func (b *bench) ourBacklog(n int, size int64) (backlog, error) {
	dir, err := b.folder("callhome")
	if err != nil {
		return backlog{}, err
	}
	o := stand.CallhomeOptions{Subscriptions: 10, HTTP: fmt.Sprintf("http://%s/sink", stand.Address(deadEnd())), Devices: devices}
	c, err := stand.StartCallhome(dir, b.bin, o)
	if err != nil {
		return backlog{}, err
	}
	defer func() { c.Stop() }()
	time.Sleep(rest)
	before := proc.PSS(c.Process().PID())
	began := time.Now()
	if err := load.Flood(stand.Address(c.Port("tcp")), nil, sessions, n, load.Frame(bigLines(1000)), ""); err != nil {
		return backlog{}, err
	}
	for entries := int64(0); entries < int64(n); time.Sleep(50 * time.Millisecond) {
		if entries, err = c.Metric(`callhome_outbox_messages{state="entry"}`); err != nil {
			return backlog{}, err
		}
		if time.Since(began) > patience {
			return backlog{}, fmt.Errorf("%d of %d messages are queued after %v", entries, n, patience)
		}
	}
	out := backlog{rate: float64(n) / time.Since(began).Seconds()}
	time.Sleep(rest)
	out.memory = proc.PSS(c.Process().PID()) - before
	out.disk = float64(proc.DiskUse(c.Data())) / float64(int64(n)*size)
	c.Stop()
	if c, err = stand.StartCallhome(dir, b.bin, o); err != nil {
		return backlog{}, err
	}
	out.restart = c.Listening
	return out, nil
}

// postfixBacklog queues n mails in Postfix for a server that is down.
func (b *bench) postfixBacklog(n int, size int64) (backlog, error) {
	dir, err := b.folder("postfix")
	if err != nil {
		return backlog{}, err
	}
	px, err := stand.StartPostfix(dir, deadEnd())
	if err != nil {
		return backlog{}, err
	}
	defer px.Stop()
	if err := smtpSource(px.Addr, 1, 1, size); err != nil { // its processes are started by the first mail
		return backlog{}, err
	}
	time.Sleep(settle)
	before, disk := proc.PSS(px.Process().PID()), proc.DiskUse(px.QueueDir())
	began := time.Now()
	if err := smtpSource(px.Addr, sessions, n, size); err != nil {
		return backlog{}, err
	}
	out := backlog{rate: float64(n) / time.Since(began).Seconds()}
	time.Sleep(rest)
	out.memory = proc.PSS(px.Process().PID()) - before
	out.disk = float64(proc.DiskUse(px.QueueDir())-disk) / float64(int64(n)*size)
	return out, nil
}

// messageSize is the size of the message of a big line.
func (b *bench) messageSize() (int64, error) {
	to, err := sink.ListenHTTP(nil)
	if err != nil {
		return 0, err
	}
	defer to.Close()
	p, err := b.ourThrough(&to.Tally, 100, stand.CallhomeOptions{HTTP: to.URL})
	return p.size, err
}

// queued is row 19, of row 20 the start with messages queued, and the growth of the queue.
func (b *bench) queued() ([]Result, error) {
	size, err := b.messageSize()
	if err != nil {
		return nil, err
	}
	few, many := b.amount(10_000), b.amount(100_000)
	px, err := b.postfixBacklog(few, size)
	if err != nil {
		return nil, fmt.Errorf("postfix: %w", err)
	}
	small, err := b.ourBacklog(few, size)
	if err != nil {
		return nil, err
	}
	large, err := b.ourBacklog(many, size)
	if err != nil {
		return nil, err
	}
	memory := float64(small.memory) / float64(px.memory)
	manyMemory := float64(large.memory) / float64(px.memory)
	start := small.restart.Seconds() * 1000
	rate := large.rate / small.rate
	return []Result{
		{Row: "19", Figure: fmt.Sprintf("memory for %d queued messages of %.1f KiB", few, float64(size)/1024), Goal: "≤ 0.25×", Peer: "Postfix +" + mib(px.memory), Ours: "+" + mib(small.memory), Ratio: memory, Verdict: atMost(memory, 0.25, 0.08)},
		{Row: "19", Figure: fmt.Sprintf("the same for %d", many), Goal: "≤ 0.25× of Postfix with a tenth", Peer: "Postfix +" + mib(px.memory), Ours: "+" + mib(large.memory), Ratio: manyMemory, Verdict: atMost(manyMemory, 0.25, 0.08)},
		{Row: "19", Figure: "disk for the queue, of the payload", Goal: "≤ 1.1; ≤ 0.4", Peer: fmt.Sprintf("Postfix %.2f", px.disk), Ours: fmt.Sprintf("%.2f; %.2f with ten times as many", small.disk, large.disk), Ratio: small.disk / px.disk, Verdict: atMost(max(small.disk, large.disk), 1.1, 0.4)},
		{Row: "20", Figure: fmt.Sprintf("start to listening, %d queued", few), Goal: "≤ 60 ms; ≤ 20 ms", Peer: "–", Ours: fmt.Sprintf("%.1f ms; %.1f ms with ten times as many", start, large.restart.Seconds()*1000), Verdict: atMost(start, 60, 20)},
		{Row: "g-queue", Figure: "queue ×10: rate of queueing", Goal: "≥ ×0.9", Peer: fmt.Sprintf("itself %.0f msgs/s", small.rate), Ours: fmt.Sprintf("%.0f msgs/s", large.rate), Ratio: rate, Verdict: atLeast(rate, 0.9, 1)},
		{Row: "g-queue", Figure: "queue ×10: memory", Goal: "≤ ×1.2", Peer: "itself +" + mib(small.memory), Ours: "+" + mib(large.memory), Ratio: float64(large.memory) / float64(small.memory), Verdict: atMost(float64(large.memory)/float64(small.memory), 1.2, 1.05)},
	}, nil
}

// size is row 21.
func (b *bench) size() ([]Result, error) {
	n, err := stand.Size(b.bin)
	if err != nil {
		return nil, err
	}
	theirs, err := proc.Find("prometheus-alertmanager", "alertmanager")
	if err != nil {
		return nil, err
	}
	am, err := stand.Size(theirs)
	if err != nil {
		return nil, err
	}
	mb := float64(n) / 1e6
	return []Result{{Figure: "size of the binary", Goal: "≤ 40 MB; ≤ 25 MB", Peer: fmt.Sprintf("Alertmanager %.1f MB", float64(am)/1e6), Ours: fmt.Sprintf("%.1f MB", mb), Ratio: float64(n) / float64(am), Verdict: atMost(mb, 40, 25)}}, nil
}
