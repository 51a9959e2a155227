package simulate

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"callhome"
)

// Limits of a load: enough for any machine we know, and an end to what a typing error asks for.
const (
	maxDevices  = 100_000
	maxRate     = 1_000_000
	maxTime     = 30 * 24 * time.Hour
	maxInFlight = 256 // senders at once
)

// Load is a fleet that sends as steadily as it is asked to and keeps count.
type Load struct {
	Devices int           // 1 to 100,000
	Rate    float64       // messages a second of the whole fleet; 0: as fast as the other side takes them
	For     time.Duration // how long
	Seed    uint64        // of the course of events
	// Open makes a way for one sender, which works in one goroutine.
	Open func() (Way, error)
	// Blind says that the ways are never answered.
	Blind bool
	// Tick is told every two seconds how far it is; nil if nobody wants to know.
	Tick func(acknowledged, lost int64)
}

// tickTime is how often a person wants to see that something goes on.
const tickTime = 2 * time.Second

// Way is how messages leave. Send returns nil when the other side has acknowledged the message, or where it never does,
// when the message is written. The error's text is a reason that is counted: it must not differ from message to message.
type Way interface {
	Send(ctx context.Context, d *Device, n uint64, rng *rand.Rand) error
	Close() error
}

// grace is how long a load that is stopped waits for answers under way.
const grace = 2 * time.Second

func (l *Load) validate() error {
	switch {
	case l.Devices < 1 || l.Devices > maxDevices:
		return callhome.Errorf(callhome.KindInvalid, "%d devices is outside 1..%d", l.Devices, maxDevices)
	case !(l.Rate >= 0 && l.Rate <= maxRate):
		return callhome.Errorf(callhome.KindInvalid, "%v messages a second is outside 0..%d (0: as fast as possible)", l.Rate, maxRate)
	case l.For <= 0 || l.For > maxTime:
		return callhome.Errorf(callhome.KindInvalid, "%v is no time to send for; use more than 0 and at most %v", l.For, maxTime)
	}
	return nil
}

// Run sends until the time is over or ctx ends, waits for answers under way and reports. Messages of one device leave in
// order, one at a time. The error is about the load itself or about ways that cannot be opened; what becomes of messages
// is in the report.
func (l *Load) Run(ctx context.Context) (*Report, error) {
	if err := l.validate(); err != nil {
		return nil, err
	}
	fleet := NewFleet(l.Devices)
	senders := make([]*sender, min(len(fleet), maxInFlight))
	base := uint64(rand.Uint32()) << 24 //nolint:gosec // keeps the numbers of two runs apart, guards nothing
	for i := range senders {
		way, err := l.Open()
		if err != nil {
			for _, s := range senders[:i] {
				err = errors.Join(err, s.way.Close())
			}
			return nil, err
		}
		senders[i] = &sender{way: way, number: base + uint64(i), step: uint64(len(senders)), report: newReport(),
			rng: rand.New(rand.NewPCG(l.Seed, uint64(i)))} //nolint:gosec // a course to be repeated, not a secret
		for j := i; j < len(fleet); j += len(senders) {
			senders[i].devices = append(senders[i].devices, fleet[j])
		}
	}
	return l.drive(ctx, senders)
}

// drive lets the senders work and adds up what they counted.
func (l *Load) drive(ctx context.Context, senders []*sender) (*Report, error) {
	start := time.Now()
	running, stop := context.WithDeadline(ctx, start.Add(l.For))
	defer stop()
	answers, giveUp := context.WithCancel(context.WithoutCancel(ctx))
	defer giveUp()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(grace, giveUp) })()
	var tally tally
	if l.Tick != nil {
		defer tally.every(tickTime, l.Tick)()
	}
	var wg sync.WaitGroup
	for i, s := range senders {
		if l.Rate > 0 { // a sender's share of the rate is its share of the fleet
			s.every = span(float64(l.Devices) / l.Rate / float64(len(s.devices)))
			s.due = start.Add(span(float64(i) / l.Rate))
		}
		wg.Go(func() { s.run(running, answers, &tally) })
	}
	wg.Wait()
	total := newReport()
	var err error
	for _, s := range senders {
		total.add(s.report)
		err = errors.Join(err, s.way.Close())
	}
	total.finish(l, time.Since(start))
	return total, err
}

// span is a number of seconds, at least a nanosecond and at most what a load may last.
func span(seconds float64) time.Duration {
	return max(1, time.Duration(min(seconds*float64(time.Second), float64(maxTime))))
}

// tally is what all senders together have done so far.
type tally struct{ acknowledged, lost atomic.Int64 }

// every calls tell at intervals until the returned function is called.
func (t *tally) every(d time.Duration, tell func(acknowledged, lost int64)) (stop func()) {
	ticker, done, ended := time.NewTicker(d), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-done:
				return
			case <-ticker.C:
				tell(t.acknowledged.Load(), t.lost.Load())
			}
		}
	}()
	return func() {
		ticker.Stop()
		close(done)
		<-ended
	}
}

// sender is one goroutine's part of the fleet.
type sender struct {
	way     Way
	devices []*Device
	rng     *rand.Rand
	report  *Report
	number  uint64 // of the next message; no two senders have the same
	step    uint64
	every   time.Duration // between messages; 0: at once
	due     time.Time     // of the next message
}

// run sends until running ends. A sender that fell behind catches up; latency counts from when a message was due, so that
// a slow receiver shows.
func (s *sender) run(running, answers context.Context, t *tally) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for i := 0; ; i++ {
		began := time.Now()
		if s.every > 0 {
			timer.Reset(time.Until(s.due))
			select {
			case <-running.Done():
				return
			case <-timer.C:
			}
			began, s.due = s.due, s.due.Add(s.every)
		}
		if running.Err() != nil {
			return
		}
		err := s.way.Send(answers, s.devices[i%len(s.devices)], s.number, s.rng)
		s.number += s.step
		s.report.count(time.Since(began), err)
		if err != nil {
			t.lost.Add(1)
			continue
		}
		t.acknowledged.Add(1)
	}
}
