package logfile

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"callhome/agent/intake"
)

const (
	// readSize is what one read takes from a file.
	readSize = 64 << 10
	// maxLine is the longest line taken whole, as on streams; what is longer is cut and flagged.
	maxLine = 1 << 20
	// printSize is how many bytes at the beginning tell two files with one inode apart. Log files begin with a time stamp.
	printSize = 256
)

// identity is what stays when a file is renamed.
type identity struct {
	Device uint64 `json:"device"`
	Inode  uint64 `json:"inode"`
}

func identify(info os.FileInfo) identity {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return identity{}
	}
	return identity{Device: uint64(st.Dev), Inode: st.Ino} //nolint:unconvert // Dev is 32 bits wide on some platforms
}

// position is what the state file holds of one file.
type position struct {
	Path string `json:"path"`
	identity
	Print  uint64 `json:"print"`      // of the first PrintLen bytes
	Length int    `json:"print_size"` // at most printSize
	Offset int64  `json:"offset"`
}

// file is one open file.
type file struct {
	position
	f        *os.File
	pending  []byte // read, but not yet taken: the line without an end, from Offset on
	skipping bool   // in the rest of a line that was cut
	rotated  bool   // its name means another file now, or none
	born     time.Time
	news     time.Time // when something was read last, or it was rotated
}

// openFile opens path at the given offset.
func openFile(path string, offset int64, now time.Time) (*file, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, err
	}
	if !info.Mode().IsRegular() {
		f.Close()
		return nil, fmt.Errorf("%s is no regular file", path)
	}
	if offset < 0 || offset > info.Size() {
		offset = info.Size()
	}
	w := &file{position: position{Path: path, identity: identify(info), Offset: offset}, f: f, news: now, born: born(int(f.Fd()), "", unix.AT_EMPTY_PATH)}
	w.Print, w.Length, err = fingerprint(f, printSize)
	if err != nil {
		f.Close()
		return nil, err
	}
	return w, nil
}

// fingerprint hashes the first n bytes, or as many as there are.
func fingerprint(f *os.File, n int) (sum uint64, length int, err error) {
	b := make([]byte, n)
	length, err = f.ReadAt(b, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return 0, 0, err
	}
	h := fnv.New64a()
	_, _ = h.Write(b[:length])
	return h.Sum64(), length, nil
}

// replaced reports whether the content was thrown away and written anew in place (copytruncate).
func (w *file) replaced() (bool, error) {
	info, err := w.f.Stat()
	if err != nil {
		return false, err
	}
	sum, n, err := fingerprint(w.f, max(w.Length, 1))
	if err != nil {
		return false, err
	}
	shrunk := info.Size() < w.Offset+int64(len(w.pending))
	if !shrunk && (w.Length == 0 || n == w.Length && sum == w.Print) {
		return false, w.extendPrint()
	}
	return true, nil
}

// rewind goes back to the beginning of content that was written anew.
func (w *file) rewind() (err error) {
	w.Offset, w.pending, w.skipping = 0, w.pending[:0], false
	w.Print, w.Length, err = fingerprint(w.f, printSize)
	return err
}

// extendPrint takes more of the beginning once there is more.
func (w *file) extendPrint() (err error) {
	if w.Length < printSize {
		w.Print, w.Length, err = fingerprint(w.f, printSize)
	}
	return err
}

// read gives all whole lines to the sink. It returns the number of bytes read.
func (w *file) read(ctx context.Context, sink intake.Sink, o *intake.Origin, now func() time.Time) (int, error) {
	total := 0
	buf := make([]byte, readSize)
	for ctx.Err() == nil {
		n, err := w.f.ReadAt(buf, w.Offset+int64(len(w.pending)))
		if n == 0 {
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return total, err
		}
		if again, err := w.replaced(); err != nil || again { // meanwhile: what was read is of neither file, and the next round finds it in the copy
			return total, err
		}
		total += n
		w.news = now()
		o.ReceivedAt = w.news
		w.pending = append(w.pending, buf[:n]...)
		if err := w.split(ctx, sink, o); err != nil {
			return total, err
		}
	}
	return total, ctx.Err()
}

// split takes the lines out of pending.
func (w *file) split(ctx context.Context, sink intake.Sink, o *intake.Origin) error {
	done := 0
	defer func() {
		w.Offset += int64(done)
		w.pending = append(w.pending[:0], w.pending[done:]...)
	}()
	for {
		i := bytes.IndexByte(w.pending[done:], '\n')
		if i < 0 {
			break
		}
		if err := w.take(ctx, sink, o, w.pending[done:done+i]); err != nil {
			return err
		}
		w.skipping = false
		done += i + 1
	}
	if rest := w.pending[done:]; len(rest) > maxLine {
		if err := w.take(ctx, sink, o, rest); err != nil {
			return err
		}
		w.skipping = true
		done = len(w.pending)
	}
	return nil
}

// take gives one line to the sink, cut if it is too long.
func (w *file) take(ctx context.Context, sink intake.Sink, o *intake.Origin, line []byte) error {
	if w.skipping {
		return nil
	}
	line = bytes.Trim(line, "\r\x00")
	if len(line) == 0 {
		return nil
	}
	o.Truncated = len(line) > maxLine
	return sink.Take(ctx, line[:min(len(line), maxLine)], o)
}

// finish gives the line without an end to the sink: nobody will end it.
func (w *file) finish(ctx context.Context, sink intake.Sink, o *intake.Origin) error {
	o.Unterminated = true
	defer func() { o.Unterminated = false }()
	if err := w.take(ctx, sink, o, w.pending); err != nil {
		return err
	}
	w.Offset += int64(len(w.pending))
	w.pending = nil
	return nil
}
