package main

import (
	"fmt"
	"time"

	"callhome/bench/load"
	"callhome/bench/proc"
	"callhome/bench/sink"
	"callhome/bench/stand"
)

// received is what became of datagrams.
type received struct {
	cpu     float64 // seconds for a million lines received
	loss    float64 // of 1
	rate    float64 // received a second while they were sent
	unseen  int64   // lost, but not counted by the kernel as dropped at the socket
	counted int64   // drops that the product itself shows
}

func (b *bench) runUDP(name string, start starter, total, rate int) (received, error) {
	dir, err := b.folder(name)
	if err != nil {
		return received{}, err
	}
	s, err := start(dir)
	if err != nil {
		return received{}, err
	}
	defer s.Stop()
	lines := intake{layouts: []load.Layout{load.IOS}, percent: 1}.lines()
	port := s.Port("udp")
	before, cpu := proc.SocketDrops(port), s.Process().CPU()
	took, err := load.Datagrams(stand.Address(port), lines, total, rate)
	if err != nil {
		return received{}, err
	}
	got, err := stand.Settled(s, settleAfter)
	if err != nil {
		return received{}, err
	}
	if got == 0 {
		return received{}, fmt.Errorf("%s received nothing", name)
	}
	drops := proc.SocketDrops(port) - before
	r := received{
		cpu:  (s.Process().CPU() - cpu).Seconds() / float64(got) * million,
		loss: 1 - float64(got)/float64(total), rate: float64(got) / took.Seconds(), unseen: int64(total) - got - drops,
	}
	if c, ok := s.(*stand.Callhome); ok {
		r.counted, err = c.Metric("callhome_intake_kernel_dropped_lines_total")
	}
	return r, err
}

func (b *bench) pairUDP(total, rate int) (theirs, mine received, err error) {
	to, err := sink.ListenHTTP(nil)
	if err != nil {
		return theirs, mine, err
	}
	defer to.Close()
	var all [2][]received
	for range b.turns() {
		for i, start := range []starter{rsyslog, b.callhome(intake{limits: true}, to)} {
			r, err := b.runUDP([]string{"rsyslog", "callhome"}[i], start, total, rate)
			if err != nil {
				return theirs, mine, err
			}
			all[i] = append(all[i], r)
			time.Sleep(200 * time.Millisecond) // the kernel's buffers are empty again
		}
	}
	return medianOf(all[0]), medianOf(all[1]), nil
}

func medianOf(rs []received) (m received) {
	var cpu, loss, rate []float64
	for _, r := range rs {
		cpu, loss, rate = append(cpu, r.cpu), append(loss, r.loss), append(rate, r.rate)
		m.unseen += r.unseen
		m.counted += r.counted
	}
	m.cpu, m.loss, m.rate = median(cpu), median(loss), median(rate)
	return m
}

func (r received) String() string {
	return fmt.Sprintf("%.2f %% lost, %.2f s/M, %.0f k/s", 100*r.loss, r.cpu, r.rate/1000)
}

// udpPaced is row 5.
func (b *bench) udpPaced() ([]Result, error) {
	const rate = 300_000
	theirs, mine, err := b.pairUDP(b.amount(5*rate), rate)
	if err != nil {
		return nil, err
	}
	ratio := mine.cpu / theirs.cpu
	verdict := atMost(ratio, 1.0, 0.6)
	if mine.loss > 0 {
		verdict = Missed
	}
	return []Result{{Figure: "UDP, 300 k/s: loss, CPU; 8 MiB buffers", Goal: "0 % and ≤ 1.0×; ≤ 0.6×", Peer: "rsyslog " + theirs.String(), Ours: mine.String(), Ratio: ratio, Verdict: verdict}}, nil
}

// udpBlast is row 6.
func (b *bench) udpBlast() ([]Result, error) {
	theirs, mine, err := b.pairUDP(b.amount(3_000_000), 0)
	if err != nil {
		return nil, err
	}
	verdict := worst(atMost(mine.loss, 0.6*theirs.loss, 0.3*theirs.loss), atLeast(mine.rate/theirs.rate, 1, 1))
	if mine.unseen != 0 {
		verdict = Missed // a drop that nobody counted
	}
	ratio := 0.0
	if theirs.loss > 0 {
		ratio = mine.loss / theirs.loss
	}
	return []Result{{Figure: "UDP blast: loss, received/s, drops counted", Goal: "loss ≤ 0.6×, rate ≥ 1×, every drop shown; ≤ 0.3×", Peer: "rsyslog " + theirs.String(), Ratio: ratio, Verdict: verdict,
		Ours: fmt.Sprintf("%s; %d drops shown, %d not", mine, mine.counted, mine.unseen)}}, nil
}
