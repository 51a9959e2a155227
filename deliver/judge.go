package deliver

import (
	"time"

	"callhome/outbox"
)

const (
	// anonymousTries is the first try and two more: "Anonymous Reporting", Smart Call Home deployment guide.
	anonymousTries = 3
	// maxRetryAfter bounds what a receiver may ask for; a mistyped year must not silence a device.
	maxRetryAfter = 24 * time.Hour
	// jitterShare of each pause is chance, so that devices that failed together do not come back together.
	jitterShare = 0.5
)

// outcome is what is to become of an entry after a try.
type outcome string

const (
	outDelivered outcome = "delivered"
	outRetried   outcome = "retried"
	outRefused   outcome = "refused" // for good
	outExpired   outcome = "expired"
	outDropped   outcome = "dropped" // anonymous
)

// judge decides about an entry whose try ended with err. chance is in [0, 1). The pause counts for outRetried only.
func (c *Config) judge(e *outbox.Entry, err error, now time.Time, chance float64) (outcome, time.Duration) {
	switch {
	case err == nil:
		return outDelivered, 0
	case e.Envelope.Anonymous && (IsPermanent(err) || e.Attempts+1 >= anonymousTries || now.Sub(e.QueuedAt) > c.MaxAge):
		return outDropped, 0
	case IsPermanent(err):
		return outRefused, 0
	case now.Sub(e.QueuedAt) > c.MaxAge:
		return outExpired, 0
	}
	if after, named := retryAfter(err); named {
		return outRetried, min(max(after, c.BackoffMin), maxRetryAfter)
	}
	return outRetried, pause(c.BackoffMin, c.BackoffMax, e.Attempts, chance)
}

// pause doubles from least to most with the number of failures before, and is shortened by chance by at most
// jitterShare.
func pause(least, most time.Duration, failures int, chance float64) time.Duration {
	d := least
	for range failures {
		if d >= most {
			break
		}
		d *= 2
	}
	d = min(d, most)
	return max(d-time.Duration(float64(d)*jitterShare*chance), least/2, time.Millisecond)
}
