package simulate

import (
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"time"
)

// Report is what a load came to.
type Report struct {
	Devices      int            `json:"devices"`
	Seconds      float64        `json:"seconds"`
	Sent         int            `json:"sent"`
	Acknowledged int            `json:"acknowledged"`
	Lost         int            `json:"lost"` // sent, and never acknowledged
	Reasons      map[string]int `json:"lost_reasons,omitempty"`
	RateAsked    float64        `json:"rate_asked"` // messages a second; 0: as fast as possible
	Rate         float64        `json:"rate"`       // reached
	Latency      Latency        `json:"latency_ms"` // of what was acknowledged
	// Blind means that the other side does not answer: what is written counts as acknowledged.
	Blind bool `json:"unconfirmed,omitempty"`

	buckets []int
	worst   time.Duration
}

// Latency are percentiles in milliseconds.
type Latency struct {
	P50 float64 `json:"p50"`
	P90 float64 `json:"p90"`
	P99 float64 `json:"p99"`
	Max float64 `json:"max"`
}

// Latencies are counted in buckets, each two percent wider than the one before, from one microsecond to some hours.
const (
	bucketFloor  = float64(time.Microsecond)
	bucketGrowth = 1.02
	bucketCount  = 1200
	// maxReasons bounds the list of reasons; the rest counts as other.
	maxReasons = 50
)

func newReport() *Report {
	return &Report{Reasons: map[string]int{}, buckets: make([]int, bucketCount)}
}

func (r *Report) count(took time.Duration, err error) {
	r.Sent++
	if err != nil {
		r.lose(err.Error(), 1)
		return
	}
	r.Acknowledged++
	r.worst = max(r.worst, took)
	r.buckets[bucketOf(took)]++
}

func (r *Report) lose(reason string, n int) {
	r.Lost += n
	if _, known := r.Reasons[reason]; !known && len(r.Reasons) >= maxReasons {
		reason = "other"
	}
	r.Reasons[reason] += n
}

func bucketOf(d time.Duration) int {
	if float64(d) <= bucketFloor {
		return 0
	}
	return min(bucketCount-1, int(math.Log(float64(d)/bucketFloor)/math.Log(bucketGrowth))+1)
}

func (r *Report) add(o *Report) {
	r.Sent += o.Sent
	r.Acknowledged += o.Acknowledged
	r.worst = max(r.worst, o.worst)
	for reason, n := range o.Reasons {
		r.lose(reason, n)
	}
	for i, n := range o.buckets {
		r.buckets[i] += n
	}
}

func (r *Report) finish(l *Load, took time.Duration) {
	r.Devices, r.RateAsked, r.Blind, r.Seconds = l.Devices, l.Rate, l.Blind, round(took.Seconds())
	if took > 0 {
		r.Rate = round(float64(r.Acknowledged) / took.Seconds())
	}
	r.Latency = Latency{P50: r.percentile(0.50), P90: r.percentile(0.90), P99: r.percentile(0.99), Max: milliseconds(r.worst)}
}

// percentile is the upper edge of the bucket that the share of all latencies lies below, or the worst if that is less.
func (r *Report) percentile(share float64) float64 {
	rank := int(math.Ceil(share * float64(r.Acknowledged)))
	if rank == 0 {
		return 0
	}
	seen := 0
	for i, n := range r.buckets {
		if seen += n; seen >= rank {
			edge := time.Duration(bucketFloor * math.Pow(bucketGrowth, float64(i)))
			return milliseconds(min(edge, r.worst))
		}
	}
	return milliseconds(r.worst)
}

func milliseconds(d time.Duration) float64 { return round(float64(d) / float64(time.Millisecond)) }

// round keeps three decimals.
func round(f float64) float64 { return math.Round(f*1000) / 1000 }

// Print writes the report for people.
func (r *Report) Print(w io.Writer) error {
	word := "acknowledged"
	if r.Blind {
		word = "written (the receiver does not answer)"
	}
	asked := "as fast as possible"
	if r.RateAsked > 0 {
		asked = fmt.Sprintf("asked for %g/s", r.RateAsked)
	}
	if _, err := fmt.Fprintf(w, "%d devices in %.1f s: %d sent, %d %s, %d lost\n", r.Devices, r.Seconds, r.Sent, r.Acknowledged, word, r.Lost); err != nil {
		return err
	}
	for _, reason := range slices.Sorted(maps.Keys(r.Reasons)) {
		fmt.Fprintf(w, "  lost: %6d  %s\n", r.Reasons[reason], reason)
	}
	_, err := fmt.Fprintf(w, "rate %.1f/s (%s); latency p50 %g ms, p90 %g ms, p99 %g ms, max %g ms\n",
		r.Rate, asked, r.Latency.P50, r.Latency.P90, r.Latency.P99, r.Latency.Max)
	return err
}
