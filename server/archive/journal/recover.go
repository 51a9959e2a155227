package journal

import (
	"os"
	"slices"
	"strconv"
	"strings"

	"callhome/server/archive"
)

// recover finds the end of the journal and what waits in it: everything from the place on up to which it was worked.
func (j *Journal) recover() error {
	segments, err := j.segments()
	if err != nil {
		return err
	}
	last := j.o.From.Segment
	for _, s := range segments {
		last = max(last, s)
		if s < j.o.From.Segment {
			j.spare(s)
		}
	}
	// Up to the end of the last segment everything is looked at; what is sound was written by us.
	j.synced = Position{Segment: last, Offset: 1 << 62}
	from := j.o.From
	for from.Segment <= last {
		b, err := j.readRecovering(from, last)
		if err != nil {
			return err
		}
		for i := range b.Arrivals {
			j.note(&b.Arrivals[i])
		}
		from = b.Next
	}
	j.at = Position{Segment: last} // the next write begins a new segment: an old end may hold torn bytes
	j.synced = Position{Segment: last + 1}
	return nil
}

// scanBatch is how many arrivals are looked at together at the start.
const scanBatch = 512

func (j *Journal) readRecovering(from Position, last uint64) (Batch, error) {
	if _, err := os.Lstat(j.path(from.Segment)); os.IsNotExist(err) {
		return Batch{Next: Position{Segment: from.Segment + 1}}, nil
	}
	return j.read(from, Position{Segment: last + 1}, scanBatch)
}

func (j *Journal) note(a *archive.Arrival) {
	done := make(chan struct{})
	close(done)
	j.waiting[a.Key] = &entry{id: a.ID, done: done}
	if j.arrivals == 0 {
		j.oldest = a.ReceivedAt
	}
	j.arrivals++
	j.bytes += int64(len(a.Body))
}

// segments are the numbers of the segments that are there, in order.
func (j *Journal) segments() ([]uint64, error) {
	files, err := os.ReadDir(j.dir)
	if err != nil {
		return nil, err
	}
	var out []uint64
	for _, f := range files {
		digits, isSegment := strings.CutSuffix(f.Name(), suffix)
		if n, err := strconv.ParseUint(digits, 10, 64); isSegment && err == nil {
			out = append(out, n)
		}
	}
	slices.Sort(out)
	return out, nil
}

var _ archive.Intake = (*Journal)(nil)
