package journal

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"

	"callhome"
	"callhome/server/archive"
)

// readAhead is how much of a segment is read at once; a longer frame is read whole.
const readAhead = 1 << 20

// maxSpares is how many files are kept to be used again; a writer needs one at a time.
const maxSpares = 2

// Batch is what comes next in the journal.
type Batch struct {
	Arrivals []archive.Arrival
	Next     Position // where the following one begins
}

// Next gives up to limit arrivals from a position on, in order, and waits for one if there is none. The bodies share
// one piece of memory.
func (j *Journal) Next(ctx context.Context, from Position, limit int) (Batch, error) {
	for {
		j.mu.Lock()
		synced, news, stopping := j.synced, j.news, j.stopping
		j.mu.Unlock()
		if from.before(synced) {
			b, err := j.read(from, synced, limit)
			if err != nil || len(b.Arrivals) > 0 {
				return b, err
			}
			from = b.Next
			if from.before(synced) {
				continue
			}
		}
		if stopping {
			return Batch{}, errClosed
		}
		select {
		case <-news:
		case <-j.closed:
		case <-ctx.Done():
			return Batch{}, ctx.Err()
		}
	}
}

// Waiting reports whether there is anything from a position on.
func (j *Journal) Waiting(from Position) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return from.before(j.synced)
}

// read reads from one segment.
func (j *Journal) read(from, synced Position, limit int) (Batch, error) {
	b := Batch{Next: from}
	f, err := os.Open(j.path(from.Segment))
	if errors.Is(err, os.ErrNotExist) && from.Segment < synced.Segment {
		return Batch{Next: Position{Segment: from.Segment + 1}}, nil
	}
	if err != nil {
		return b, err
	}
	defer f.Close()
	buf := make([]byte, readAhead)
	n, err := f.ReadAt(buf, from.Offset)
	if err != nil && !errors.Is(err, io.EOF) {
		return b, err
	}
	buf = buf[:n]
	m := j.mark(from.Segment)
	if long := longFrame(buf, m); long > len(buf) {
		buf = make([]byte, long)
		if n, err = f.ReadAt(buf, from.Offset); err != nil && !errors.Is(err, io.EOF) {
			return b, err
		}
		buf = buf[:n]
	}
	for len(b.Arrivals) < limit && b.Next.before(synced) {
		size := frameAt(buf, m)
		if size == 0 {
			break
		}
		a, err := decode(buf)
		if err != nil {
			return b, err
		}
		b.Arrivals = append(b.Arrivals, a)
		b.Next.Offset += int64(size)
		buf = buf[min(size, len(buf)):]
	}
	if len(b.Arrivals) > 0 {
		return b, nil
	}
	return j.resume(f, from, synced)
}

// longFrame is the size that the frame at the beginning of b says it has, bounded; 0 when there is none.
func longFrame(b []byte, m mark) int {
	if len(b) < headerSize || !bytes.Equal(b[:len(m)], m[:]) {
		return 0
	}
	return min(frameSize(lengthOf(b)), archive.MaxBody+readAhead)
}

// resume finds the next sound frame after a place without one: further on in the same segment, which is then damaged,
// or at the beginning of the next.
func (j *Journal) resume(f *os.File, from, synced Position) (Batch, error) {
	end := j.o.Segment
	if info, err := f.Stat(); err == nil {
		end = max(end, info.Size())
	}
	if from.Segment == synced.Segment {
		end = synced.Offset
	}
	if found, ok, err := search(f, j.mark(from.Segment), from, end); err != nil || ok {
		if ok {
			j.damaged(from, found)
		}
		return Batch{Next: found}, err
	}
	if from.Segment < synced.Segment {
		return Batch{Next: Position{Segment: from.Segment + 1}}, nil
	}
	if from.Offset < synced.Offset {
		j.damaged(from, synced)
	}
	return Batch{Next: synced}, nil
}

// search looks for a sound frame in [from, end) of a segment.
func search(f *os.File, m mark, from Position, end int64) (found Position, ok bool, err error) {
	buf := make([]byte, readAhead+headerSize) // a header on the border is in two pieces
	for at := from.Offset; at < end; at += readAhead {
		n, err := f.ReadAt(buf[:min(int64(len(buf)), end-at)], at)
		if err != nil && !errors.Is(err, io.EOF) {
			return from, false, err
		}
		for i := bytes.Index(buf[:n], m[:]); i >= 0 && i < readAhead; i = nextMark(buf[:n], m, i) {
			if i%align == 0 && soundAt(f, buf[i:n], at+int64(i), m) {
				return Position{from.Segment, at + int64(i)}, true, nil
			}
		}
	}
	return from, false, nil
}

// nextMark is where a mark stands after i, -1 when nowhere.
func nextMark(b []byte, m mark, i int) int {
	next := bytes.Index(b[i+1:], m[:])
	if next < 0 {
		return next
	}
	return i + 1 + next
}

// soundAt reports whether a sound frame begins at a place, of which b holds the beginning.
func soundAt(f *os.File, b []byte, at int64, m mark) bool {
	if frameAt(b, m) > 0 {
		return true
	}
	long := longFrame(b, m)
	if long <= len(b) {
		return false
	}
	whole := make([]byte, long)
	n, _ := f.ReadAt(whole, at)
	return frameAt(whole[:n], m) > 0
}

// damaged tells of bytes that are lost; the file is kept for people.
func (j *Journal) damaged(from, to Position) {
	kept := j.path(from.Segment) + ".damaged"
	_ = os.Link(j.path(from.Segment), kept) // at worst it is there already
	err := callhome.Errorf(callhome.KindInternal, "the journal is damaged in segment %d from byte %d to %d; what follows is worked, the file is kept as %s", from.Segment, from.Offset, to.Offset, kept)
	j.o.Log.Error(err.Error(), "component", "journal")
	j.o.Health.Part("journal damage").Unwell(err.Error())
}

// Done says that all arrivals of a batch were worked and that this is durable.
func (j *Journal) Done(b Batch) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for i := range b.Arrivals {
		a := &b.Arrivals[i]
		if e := j.waiting[a.Key]; e == nil || e.id != a.ID { // of a write that failed and was there after all
			continue
		}
		delete(j.waiting, a.Key)
		j.arrivals--
		j.bytes -= int64(len(a.Body))
	}
	if n := len(b.Arrivals); n > 0 {
		j.oldest = b.Arrivals[n-1].ReceivedAt
	}
	old := j.worked.Segment
	j.worked = b.Next
	for s := old; s < b.Next.Segment; s++ {
		j.spare(s)
	}
}

// spare keeps the file of a segment to be used again, or removes it. A damaged one has a second name and is not used.
func (j *Journal) spare(segment uint64) {
	path := j.path(segment)
	if _, err := os.Lstat(path + ".damaged"); err == nil || len(j.spares) >= maxSpares {
		_ = os.Remove(path)
		return
	}
	if _, err := os.Lstat(path); err == nil {
		j.spares = append(j.spares, path)
	}
}
