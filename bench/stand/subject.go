package stand

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"callhome/bench/load"
	"callhome/bench/proc"
)

// Subject is a running program that takes log lines.
type Subject interface {
	Name() string
	Process() *proc.Process
	// Port is where it listens for a transport: tcp, tls, udp.
	Port(transport string) int
	// Received is how many lines it has taken in and worked on so far. It may lag by a second.
	Received() (int64, error)
	// Finished tells whether the last lines of so many streams were worked on. A program that cannot tell says so by
	// comparing Received with want.
	Finished(streams int, want int64) (bool, error)
	Stop() proc.Usage
}

// LastLine ends every stream that is timed. It is a wanted line, so that peers write it down.
const LastLine = "<189>1: edge-0: 000001: *Nov 21 21:07:15.454 UTC: %FACILITY8-5-" + load.Wish + ": endofstream"

var errTimeout = errors.New("not done in time")

// Await waits until the subject has worked on everything and returns when that was.
func Await(s Subject, streams int, want int64, most time.Duration) (time.Time, error) {
	for deadline := time.Now().Add(most); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		done, err := s.Finished(streams, want)
		if err != nil {
			return time.Time{}, err
		}
		if done {
			return time.Now(), nil
		}
		if err := s.Process().Alive(); err != nil {
			return time.Time{}, err
		}
	}
	got, _ := s.Received()
	return time.Now(), fmt.Errorf("%s: %w: %d of %d lines", s.Name(), errTimeout, got, want)
}

// Settled waits until the count of received lines stands still for the given time and returns it.
func Settled(s Subject, still time.Duration) (int64, error) {
	last, since := int64(-1), time.Now()
	for {
		n, err := s.Received()
		if err != nil {
			return 0, err
		}
		if n != last {
			last, since = n, time.Now()
		}
		if time.Since(since) > still {
			return n, nil
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// Address is a port on loopback.
func Address(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// listenTime is how long a program may take until it listens.
const listenTime = 30 * time.Second

// hits is a file that a peer writes wanted lines to.
type hits struct {
	path   string
	offset int64
	seen   int // last lines among what was read
}

// ends counts the last lines in what was written since it was asked before.
func (h *hits) ends() (int, error) {
	f, err := os.Open(h.path)
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	defer f.Close()
	buf := make([]byte, 1<<20)
	for {
		n, _ := f.ReadAt(buf, h.offset) // an error is the end of the file
		whole := bytes.LastIndexByte(buf[:n], '\n') + 1
		if whole == 0 {
			return h.seen, nil
		}
		h.seen += bytes.Count(buf[:whole], []byte("endofstream"))
		h.offset += int64(whole)
	}
}

func write(dir, name, text string) (string, error) {
	path := filepath.Join(dir, name)
	return path, os.WriteFile(path, []byte(text), 0o600)
}
