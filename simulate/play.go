package simulate

import (
	"context"
	"math/rand/v2"
	"time"
)

// Said is one line that a device of a playing fleet logged.
type Said struct {
	Device  *Device
	Trouble string // what it belongs to; "" for chatter
	Line    []byte
}

// Play lets the fleet live until ctx ends: every pace one device says something ordinary, every tenth time a trouble
// begins somewhere and takes its course. send is called from this goroutine only; a seed repeats a course.
func Play(ctx context.Context, fleet []*Device, seed uint64, pace time.Duration, send func(Said)) {
	rng := rand.New(rand.NewPCG(seed, seed)) //nolint:gosec // a course to be repeated, not a secret
	type pending struct {
		at   time.Time
		dev  *Device
		name string
		say  saying
	}
	var queue []pending
	tick := time.NewTicker(pace)
	defer tick.Stop()
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			if n%10 == 2 {
				d := fleet[(n/10)%len(fleet)]
				t := d.Pick(rng)
				for _, s := range t.lines {
					queue = append(queue, pending{now.Add(s.after), d, t.Name, s})
				}
			}
			rest := queue[:0]
			for _, p := range queue {
				if p.at.After(now) {
					rest = append(rest, p)
					continue
				}
				send(Said{p.dev, p.name, p.dev.Line(now, p.say.severity, p.say.mnemonic, p.say.text)})
			}
			queue = rest
			d := fleet[rng.IntN(len(fleet))]
			send(Said{Device: d, Line: d.Chatter(rng, now)})
		}
	}
}
