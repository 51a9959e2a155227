package sink

import (
	"bytes"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// Stamp comes before the moment of sending, in nanoseconds since 1970, in lines whose way is timed.
const Stamp = "sentns"

// StampNow is a word that tells the sink when a line was sent.
func StampNow() string { return Stamp + strconv.FormatInt(time.Now().UnixNano(), 10) + "e" }

// Tally counts what arrived.
type Tally struct {
	Count atomic.Int64
	Bytes atomic.Int64
	Last  atomic.Int64 // when the latest came, nanoseconds since 1970

	mu     sync.Mutex // guards what follows
	took   []time.Duration
	sample []byte
}

// take files a message that is complete.
func (t *Tally) take(body []byte) {
	now := time.Now().UnixNano()
	t.Bytes.Add(int64(len(body)))
	t.Last.Store(now)
	if sent, ok := stampOf(body); ok {
		t.mu.Lock()
		t.took = append(t.took, time.Duration(now-sent))
		t.mu.Unlock()
	}
	if t.Count.Add(1) == 1 {
		t.mu.Lock()
		t.sample = bytes.Clone(body)
		t.mu.Unlock()
	}
}

// stampOf finds the first stamp of a message.
func stampOf(body []byte) (int64, bool) {
	i := bytes.Index(body, []byte(Stamp))
	if i < 0 {
		return 0, false
	}
	rest := body[i+len(Stamp):]
	end := bytes.IndexByte(rest[:min(len(rest), 24)], 'e')
	if end < 0 {
		return 0, false
	}
	n, err := strconv.ParseInt(string(rest[:end]), 10, 64)
	return n, err == nil
}

// Sample is the first message.
func (t *Tally) Sample() []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.sample
}

// Latency returns percentiles of the time from sending a line to having its message.
func (t *Tally) Latency(percentiles ...float64) []time.Duration {
	t.mu.Lock()
	took := slices.Clone(t.took)
	t.mu.Unlock()
	out := make([]time.Duration, len(percentiles))
	if len(took) == 0 {
		return out
	}
	slices.Sort(took)
	for i, p := range percentiles {
		out[i] = took[min(len(took)-1, int(p/100*float64(len(took))))]
	}
	return out
}

// Await waits until n messages came, or none came for the given time. It returns how many came.
func (t *Tally) Await(n int64, idle time.Duration) int64 {
	began := time.Now()
	for {
		have := t.Count.Load()
		last := time.Unix(0, t.Last.Load())
		if last.Before(began) {
			last = began
		}
		if have >= n || time.Since(last) > idle {
			return have
		}
		time.Sleep(time.Millisecond)
	}
}
