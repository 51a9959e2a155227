package receive

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"callhome"
)

// FairConfig keeps one source from taking the place of all others. A source is an address, for IPv6 a /64.
type FairConfig struct {
	Rate       int `yaml:"rate,omitempty" json:"rate"`                         // messages a minute from one source, sustained; 0: no limit
	Burst      int `yaml:"burst,omitempty" json:"burst,omitempty"`             // messages at once after a rest
	MaxSources int `yaml:"max_sources,omitempty" json:"max_sources,omitempty"` // remembered; beyond it new ones share one allowance
}

// DefaultFairConfig is far above what a device sends, and below what hurts.
func DefaultFairConfig() FairConfig { return FairConfig{Rate: 6000, Burst: 6000, MaxSources: 65536} }

// Validate reports every fault, each with its key.
func (c FairConfig) Validate() error {
	var faults []error
	fault := func(ok bool, key, rule string, have int) {
		if !ok {
			faults = append(faults, &callhome.Error{Kind: callhome.KindInvalid, Path: "sources." + key, Msg: fmt.Sprintf("%d is not %s", have, rule)})
		}
	}
	fault(c.Rate >= 0, "rate", "0 (no limit) or more", c.Rate)
	fault(c.Rate == 0 || c.Burst >= 1, "burst", "at least 1", c.Burst)
	fault(c.MaxSources >= 1, "max_sources", "at least 1", c.MaxSources)
	return errors.Join(faults...)
}

// Fair is a Sink that lets each source have its share of another. Not limited are the own host, who shows a verified
// client certificate (gateways that drain a backlog), and mail, whose source is a relay and which its server may refuse by
// connection.
type Fair struct {
	sink Sink
	now  func() time.Time

	mu      sync.Mutex // guards what follows
	cfg     FairConfig
	buckets map[netip.Addr]*bucket
	shared  bucket // of sources that are not remembered
	limited int64
}

// bucket holds what a source may still send: it fills with time.
type bucket struct {
	tokens float64
	at     time.Time
}

// NewFair makes one. now is time.Now when nil.
func NewFair(cfg FairConfig, sink Sink, now func() time.Time) *Fair {
	if now == nil {
		now = time.Now
	}
	f := &Fair{sink: sink, now: now, buckets: map[netip.Addr]*bucket{}}
	f.Set(cfg)
	return f
}

// Set changes the limits.
func (f *Fair) Set(cfg FairConfig) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.cfg = cfg
	f.shared = bucket{tokens: float64(cfg.Burst), at: f.now()}
}

// Limited is how many messages were refused because their source sent too many.
func (f *Fair) Limited() int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.limited
}

// Accept implements Sink.
func (f *Fair) Accept(ctx context.Context, s *Submission) (Receipt, error) {
	known := s.TLS != nil && s.TLS.Fingerprint != ""
	if !known && s.Transport == callhome.TransportHTTP && s.Peer.IsValid() && !s.Peer.Addr().IsLoopback() {
		if wait := f.take(sourceOf(s.Peer.Addr())); wait > 0 {
			return Receipt{}, &Refusal{
				Reason: RefuseBusy, Public: "this source sends too many messages; try again later", RetryAfter: wait,
				Err: fmt.Errorf("source %s is above its rate", s.Peer.Addr()),
			}
		}
	}
	return f.sink.Accept(ctx, s)
}

func sourceOf(a netip.Addr) netip.Addr {
	return peerOf(addressed{net.TCPAddrFromAddrPort(netip.AddrPortFrom(a, 1))})
}

// addressed is a connection of which only the address is known.
type addressed struct{ remote net.Addr }

// RemoteAddr is the address.
func (a addressed) RemoteAddr() net.Addr { return a.remote }

// take lets one message of a source pass, or says how long to wait.
func (f *Fair) take(source netip.Addr) time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.cfg.Rate == 0 {
		return 0
	}
	now, perSecond := f.now(), float64(f.cfg.Rate)/60
	b := f.bucketOf(source, now, perSecond)
	b.fill(now, perSecond, float64(f.cfg.Burst))
	if b.tokens >= 1 {
		b.tokens--
		return 0
	}
	f.limited++
	return max(time.Duration((1-b.tokens)/perSecond*float64(time.Second)), time.Second)
}

func (b *bucket) fill(now time.Time, perSecond, most float64) {
	if d := now.Sub(b.at); d > 0 {
		b.tokens = min(most, b.tokens+d.Seconds()*perSecond)
		b.at = now
	}
}

// sweep is how many sources are looked at to find one that may be forgotten.
const sweep = 16

// bucketOf is a source's bucket. A full one says nothing and may be forgotten for a new source; f.mu is held.
func (f *Fair) bucketOf(source netip.Addr, now time.Time, perSecond float64) *bucket {
	if b := f.buckets[source]; b != nil {
		return b
	}
	if len(f.buckets) >= f.cfg.MaxSources {
		looked := 0
		for other, b := range f.buckets { // in no order, which spreads the looking
			if b.fill(now, perSecond, float64(f.cfg.Burst)); b.tokens >= float64(f.cfg.Burst) {
				delete(f.buckets, other)
				break
			}
			if looked++; looked >= sweep {
				break
			}
		}
	}
	if len(f.buckets) >= f.cfg.MaxSources {
		return &f.shared
	}
	b := &bucket{tokens: float64(f.cfg.Burst), at: now}
	f.buckets[source] = b
	return b
}
