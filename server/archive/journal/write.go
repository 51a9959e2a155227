package journal

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"callhome"
)

// write makes durable what is handed in, until the journal is closed.
func (j *Journal) write() {
	defer close(j.ended)
	var buf []byte
	for {
		select {
		case <-j.wake:
		case <-j.closed:
			for batch := j.take(); len(batch) > 0; batch = j.take() {
				buf = j.commit(batch, buf)
			}
			return
		}
		for batch := j.take(); len(batch) > 0; batch = j.take() {
			buf = j.commit(batch, buf)
		}
	}
}

// take takes the next batch.
func (j *Journal) take() []*request {
	j.mu.Lock()
	defer j.mu.Unlock()
	size, n := 0, 0
	for n < len(j.pending) && (n == 0 || size < maxBatch) {
		size += len(j.pending[n].arrival.Body)
		n++
	}
	batch := j.pending[:n:n]
	j.pending = j.pending[n:]
	return batch
}

// commit writes and syncs a batch, then answers. buf is used again.
func (j *Journal) commit(batch []*request, buf []byte) []byte {
	buf = buf[:0]
	var err error
	if j.at.Offset >= j.o.Segment || j.file == nil {
		err = j.roll()
	}
	m := j.mark(j.at.Segment)
	for _, r := range batch {
		if err == nil {
			r.arrival.ID = j.o.NewID()
			r.entry.id = r.arrival.ID
			buf, err = appendFrame(buf, m, r.arrival)
		}
	}
	if err == nil {
		_, err = j.file.WriteAt(buf, j.at.Offset)
	}
	if err == nil {
		err = j.o.sync(j.file)
	}
	j.settle(batch, int64(len(buf)), err)
	if cap(buf) > maxBatch {
		return nil
	}
	return buf
}

// settle answers a batch. After an error nobody knows what the file holds, so it is left, and the next batch begins
// another: a frame of it that is sound after all is found at the next start and worked, which its key makes harmless.
func (j *Journal) settle(batch []*request, size int64, err error) {
	if err != nil {
		err = &callhome.Error{Kind: callhome.KindUnavailable, Msg: "the journal cannot be written", Err: err}
		j.part.Unwell(fmt.Sprintf("messages are refused: %v", err))
		if j.file != nil {
			_ = j.file.Close()
			j.file = nil
		}
	} else {
		j.part.Well()
		j.at.Offset += size
	}
	j.mu.Lock()
	for _, r := range batch {
		if err != nil {
			delete(j.waiting, r.arrival.Key)
			continue
		}
		if j.arrivals == 0 {
			j.oldest = r.arrival.ReceivedAt
		}
		j.arrivals++
		j.bytes += int64(len(r.arrival.Body))
	}
	if err == nil {
		j.taken += int64(len(batch))
		j.synced = j.at
		close(j.news)
		j.news = make(chan struct{})
	}
	j.mu.Unlock()
	for _, r := range batch {
		r.entry.err = err
		close(r.entry.done)
	}
}

// roll begins the next segment, in a file that is done with or a new one.
func (j *Journal) roll() error {
	next := Position{Segment: j.at.Segment + 1}
	path := j.path(next.Segment)
	j.mu.Lock()
	var spare string
	if n := len(j.spares); n > 0 {
		spare, j.spares = j.spares[n-1], j.spares[:n-1]
	}
	j.mu.Unlock()
	if spare != "" {
		if err := os.Rename(spare, path); err != nil {
			return err
		}
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	if err := errors.Join(reserve(f, j.o.Segment), f.Sync(), syncDir(j.dir)); err != nil {
		return errors.Join(err, f.Close())
	}
	if j.file != nil {
		_ = j.file.Close() // all of it is synced
	}
	j.file, j.at = f, next
	return nil
}

// reserve makes room on disk, so that a sync writes data only. A file system that cannot reserve does without.
func reserve(f *os.File, size int64) error {
	err := unix.Fallocate(int(f.Fd()), 0, 0, size)
	if errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.ENOSYS) {
		return nil
	}
	return err
}

func fdatasync(f *os.File) error {
	for {
		if err := unix.Fdatasync(int(f.Fd())); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

const suffix = ".journal"

func (j *Journal) path(segment uint64) string {
	return filepath.Join(j.dir, fmt.Sprintf("%020d%s", segment, suffix))
}
