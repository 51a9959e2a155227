package api

import (
	"container/list"
	"sync"
	"time"
)

// limiter is one token bucket for each key, of which only the latest keys are kept: memory is bounded whatever comes.
type limiter struct {
	rate  float64 // tokens a second
	burst float64
	keys  int // how many are kept

	mu      sync.Mutex // guards what follows
	buckets map[string]*list.Element
	recent  *list.List // of *bucket, the latest first
}

type bucket struct {
	key    string
	tokens float64
	at     time.Time
}

func newLimiter(rate, burst float64, keys int) *limiter {
	return &limiter{rate: rate, burst: burst, keys: keys, buckets: map[string]*list.Element{}, recent: list.New()}
}

// allow takes a token of a key's bucket; when there is none it tells how long to wait.
func (l *limiter) allow(key string, now time.Time) (wait time.Duration, ok bool) {
	return l.take(key, 1, now)
}

// left is allow without taking.
func (l *limiter) left(key string, now time.Time) (wait time.Duration, ok bool) {
	return l.take(key, 0, now)
}

func (l *limiter) take(key string, n float64, now time.Time) (wait time.Duration, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.bucket(key, now)
	if gone := now.Sub(b.at).Seconds(); gone > 0 {
		b.tokens = min(l.burst, b.tokens+gone*l.rate)
	}
	b.at = now
	if b.tokens < 1 {
		return time.Duration((1 - b.tokens) / l.rate * float64(time.Second)), false
	}
	b.tokens -= n
	return 0, true
}

func (l *limiter) bucket(key string, now time.Time) *bucket {
	if e := l.buckets[key]; e != nil {
		l.recent.MoveToFront(e)
		return e.Value.(*bucket)
	}
	if len(l.buckets) >= l.keys {
		oldest := l.recent.Back()
		delete(l.buckets, oldest.Value.(*bucket).key)
		l.recent.Remove(oldest)
	}
	b := &bucket{key: key, tokens: l.burst, at: now}
	l.buckets[key] = l.recent.PushFront(b)
	return b
}
