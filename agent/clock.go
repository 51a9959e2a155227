package agent

import (
	"context"
	"strings"
	"time"

	"callhome"
	"callhome/agent/throttle"
)

const (
	// clockTick is how often timed things are looked after: parts that do not come, digests.
	clockTick = time.Second
	// throttleSave is how often what throttling remembers is written down; a crash forgets at most that much.
	throttleSave = time.Minute
)

// clock looks after what happens by time alone, until ctx ends. handing lasts longer: what came due is handed over.
func (a *Agent) clock(ctx, handing context.Context) {
	tick := time.NewTicker(clockTick)
	defer tick.Stop()
	saved := a.parts.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now := a.parts.Now()
		if err := a.joiner.expire(handing, now); err != nil {
			return
		}
		a.tellGaps(now)
		a.digest(handing, now)
		if now.Sub(saved) >= throttleSave {
			saved = now
			a.saveThrottle()
		}
	}
}

// digest sends messages that tell what throttling held back. They are handed to the writer, which outlasts a full disk:
// throttling has forgotten what they tell.
func (a *Agent) digest(ctx context.Context, now time.Time) {
	a.throttleMu.Lock()
	digests := a.limiter.Digests(now)
	a.throttleMu.Unlock()
	for i := range digests {
		alert := digestAlert(&digests[i], now)
		if len(alert.Profiles) == 0 {
			continue
		}
		_ = a.admitAlert(ctx, admission{alert: alert, facts: throttle.FactsOf(&alert)}, false) // counted, if there is no time left
	}
}

// digestAlert is a digest as an alert of the agent itself. It goes to whom the messages it tells of would have gone.
func digestAlert(d *throttle.Digest, now time.Time) callhome.Alert {
	return callhome.Alert{
		Event: callhome.Event{
			Source: callhome.SourceAgent, ReceivedAt: now, Time: now, Device: d.Device, Severity: -1,
			Text: strings.Join(append([]string{d.Summary()}, d.Lines()...), "\n"),
		},
		Group: callhome.GroupSyslog, Level: d.Level, State: d.State, Type: digestType, Commands: []string{}, Profiles: d.Profiles,
	}
}

// digestType is the event type of digests.
const digestType = "DIGEST"

// throttleConfig are the rules of a plan.
func throttleConfig(cfg *Config, p *plan) throttle.Config {
	c := throttle.DefaultConfig(p.devices.own.personality)
	c.RateLimit = rateLimit(&cfg.CallHome, p.devices.own.personality)
	c.Duplicates = duplicates(&cfg.CallHome)
	return c
}

func (a *Agent) saveThrottle() {
	if a.parts.ThrottleState == nil {
		return
	}
	a.throttleMu.Lock()
	snapshot := a.limiter.Snapshot()
	a.throttleMu.Unlock()
	if err := a.parts.ThrottleState.Save(snapshot); err != nil {
		a.parts.Log.Warn("what throttling remembers could not be saved", "err", err)
	}
}

func (a *Agent) restoreThrottle() error {
	if a.parts.ThrottleState == nil {
		return nil
	}
	var s throttle.Snapshot
	if err := a.parts.ThrottleState.Load(&s); err != nil {
		return err
	}
	return a.limiter.Restore(s, a.parts.Now())
}
