package gateway

import (
	"context"
	"fmt"
	"time"

	"callhome/gateway/book"
)

// silenceEvery is how often silent devices are looked for: silence is counted in days.
const silenceEvery = 10 * time.Minute

// silentPage is how many are read at once.
const silentPage = 500

// Silent lists devices that were due: two known periods without a message, or silent_after where no period is known.
func (g *Gateway) Silent(ctx context.Context, after string, limit int) ([]book.Device, error) {
	return g.book.Silent(ctx, after, limit, g.cfg.Load().SilentAfter, g.now())
}

func (g *Gateway) watchSilence(ctx context.Context) {
	tick := time.NewTicker(silenceEvery)
	defer tick.Stop()
	told := map[string]bool{}
	for {
		g.lookForSilence(ctx, told)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// lookForSilence tells of each device once, when it became silent.
func (g *Gateway) lookForSilence(ctx context.Context, told map[string]bool) {
	still := map[string]bool{}
	for after := ""; ; {
		page, err := g.Silent(ctx, after, silentPage)
		if err != nil {
			return // the next time
		}
		for i := range page {
			d := &page[i]
			after, still[d.Key] = d.Key, true
			if !told[d.Key] {
				g.log.Warn("a device is silent", "device_id", d.Key, "host", d.Hostname, "last_message", d.LastSeen.Format(time.RFC3339), "period", d.Period.String())
			}
		}
		if len(page) < silentPage {
			break
		}
	}
	clear(told)
	for key := range still {
		told[key] = true
	}
	g.silence.Store(int64(len(still)))
	if len(still) > 0 {
		g.parts.silent.Unwell(fmt.Sprintf("%d devices are silent; see `callhome gateway devices --silent`", len(still)))
	} else {
		g.parts.silent.Well()
	}
}
