package syslogd

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"callhome"
	"callhome/agent/intake"
)

const (
	// chunkBytes and maxChunks bound the ring between reader and worker: 8 MiB, which is 50,000 lines of common length.
	// Chunks are made when the worker falls behind, so a socket at rest has two.
	chunkBytes = 128 << 10
	maxChunks  = 64

	// pauseRate is the number of datagrams a second from which the reader lets them gather: below, every one is taken
	// the moment it arrives; above, waking up for each costs more than all the rest.
	pauseRate = 20_000
	// pauseTime is how long they gather, which is the delay this adds.
	pauseTime = 500 * time.Microsecond
	// gatherMax is the number from which they are not left to gather: then we are late already.
	gatherMax = 1024
	// rateWindow is how many datagrams the rate is measured over.
	rateWindow = 256
	// wakeTime is how often a reader looks whether it should end while nothing comes.
	wakeTime = 200 * time.Millisecond
	// dropPollTime is how often the kernel is asked for its losses.
	dropPollTime = time.Second
)

// datagramConn is what UDP and unixgram sockets share.
type datagramConn interface {
	net.PacketConn
	syscall.Conn
}

// socket is one datagram socket with its reader and its worker.
type socket struct {
	address address
	local   net.Addr
	sink    intake.Sink
	now     func() time.Time
	log     *slog.Logger
	counts  counts
	full    chan *chunk // reader ▸ worker
	free    chan *chunk // worker ▸ reader
	chunks  int         // made so far; owned by the reader

	mu        sync.Mutex // guards what follows; the reader needs no lock, the descriptor outlives it
	fd        int        // -1 once closed
	lastDrops uint32     // the kernel's counter, which wraps
}

// chunk holds datagrams that arrived at about one time.
type chunk struct {
	at   time.Time
	data []byte
	ends []int // where each datagram ends in data
	from []netip.AddrPort
}

// newSocket takes the descriptor away from the runtime's poller. A poller wakes up at every datagram, also while we let
// them gather; a thread that sleeps in the kernel does not, which halves the cost at high rates. The descriptor is a bare
// number because an os.File would be given to the poller again.
func newSocket(s *Server, a address, conn datagramConn) (*socket, error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, err
	}
	fd, fault := -1, error(nil)
	err = raw.Control(func(old uintptr) { fd, fault = unix.FcntlInt(old, unix.F_DUPFD_CLOEXEC, 0) })
	_ = conn.Close()
	if err := errors.Join(err, fault); err != nil {
		return nil, err
	}
	wake := unix.NsecToTimeval(wakeTime.Nanoseconds())
	if err := errors.Join(unix.SetNonblock(fd, false), unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &wake)); err != nil {
		_ = unix.Close(fd)
		return nil, err
	}
	return &socket{address: a, local: conn.LocalAddr(), fd: fd, sink: s.sink, now: s.now, log: s.log, full: make(chan *chunk, maxChunks), free: make(chan *chunk, maxChunks)}, nil
}

// close ends the socket; nobody reads any more.
func (d *socket) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.fd >= 0 {
		_ = unix.Close(d.fd)
		d.fd = -1
	}
}

// run reads until ctx ends and returns when the sink has taken all, or taking ended.
func (d *socket) run(ctx, taking context.Context) {
	var worker sync.WaitGroup
	worker.Go(func() { d.work(taking) })
	d.read(ctx, taking)
	close(d.full)
	worker.Wait()
	d.pollDrops()
}

// read moves datagrams from the kernel into chunks.
func (d *socket) read(ctx, taking context.Context) {
	in, err := newBatch(d.fd)
	if err != nil {
		d.log.Error("socket is not read", "listener", d.address.String(), "err", err)
		return
	}
	defer in.close()
	c := d.next(taking)
	pace := pace{start: d.now()}
	polled := pace.start
	gathered := 0 // since the last pause
	for c != nil && ctx.Err() == nil {
		n, err := in.receive()
		if err != nil {
			d.log.Error("socket is not read any more", "listener", d.address.String(), "err", err)
			break
		}
		at := d.now()
		if c = d.fill(taking, c, in, n, at); c == nil {
			return
		}
		if at.Sub(polled) >= dropPollTime {
			polled = at
			d.pollDrops()
		}
		gathered += n
		fast := pace.fast(n, at)
		if n == batchSize {
			continue
		}
		c = d.pass(taking, c)
		if fast && gathered < gatherMax {
			gather := unix.NsecToTimespec(pauseTime.Nanoseconds())
			_ = unix.Nanosleep(&gather, nil) // not time.Sleep, whose timers are no finer than a millisecond here
		}
		gathered = 0
	}
	d.drain(taking, c, in)
}

// drain takes what lies in the kernel's buffer and waits for nothing.
func (d *socket) drain(taking context.Context, c *chunk, in *batch) {
	end := time.Now().Add(drainTime)
	for c != nil && time.Now().Before(end) {
		n, err := in.receiveNow()
		if err != nil || n == 0 {
			break
		}
		c = d.fill(taking, c, in, n, d.now())
	}
	d.pass(taking, c)
}

// fill copies a batch into c, and into further chunks as they get full. It returns nil when taking ended.
func (d *socket) fill(taking context.Context, c *chunk, in *batch, n int, at time.Time) *chunk {
	var total int
	for i := range n {
		raw, from, cut := in.datagram(i)
		if cut {
			d.counts.oversize.Add(1)
		}
		if raw = trimTrailer(raw); len(raw) == 0 {
			continue
		}
		if len(c.data)+len(raw) > chunkBytes {
			if c = d.pass(taking, c); c == nil {
				return nil
			}
		}
		if len(c.ends) == 0 {
			c.at = at
		}
		c.data = append(c.data, raw...)
		c.ends = append(c.ends, len(c.data))
		c.from = append(c.from, from)
		total += len(raw)
	}
	d.counts.lines.Add(uint64(n))
	d.counts.bytes.Add(uint64(total))
	return c
}

// trimTrailer removes what a sender that thinks of streams puts behind its message.
func trimTrailer(raw []byte) []byte { return bytes.TrimRight(raw, "\r\n\x00") }

// pass hands c to the worker, unless it is empty, and returns an empty one.
func (d *socket) pass(taking context.Context, c *chunk) *chunk {
	if c == nil || len(c.ends) == 0 {
		return c
	}
	d.full <- c // there is room for every chunk that was ever made
	return d.next(taking)
}

// next is an empty chunk. When all are on their way it waits for the worker, and the kernel buffers and counts.
func (d *socket) next(taking context.Context) *chunk {
	select {
	case c := <-d.free:
		return c
	default:
	}
	if d.chunks < maxChunks {
		d.chunks++
		return &chunk{data: make([]byte, 0, chunkBytes)}
	}
	select {
	case c := <-d.free:
		return c
	case <-taking.Done():
		return nil
	}
}

// work hands lines to the sink.
func (d *socket) work(taking context.Context) {
	o := intake.Origin{Source: callhome.SourceSyslog, Transport: d.address.transport, Name: d.address.String()}
	for c := range d.full {
		o.ReceivedAt = c.at
		start := 0
		for i, end := range c.ends {
			o.Peer = c.from[i]
			if err := d.sink.Take(taking, c.data[start:end:end], &o); err != nil && taking.Err() != nil {
				return
			}
			start = end
		}
		c.data, c.ends, c.from = c.data[:0], c.ends[:0], c.from[:0]
		d.free <- c
	}
}

// pace measures the rate of datagrams.
type pace struct {
	start time.Time
	n     int
	high  bool
}

// fast counts n datagrams at a time and reports whether the last full window was above pauseRate.
func (p *pace) fast(n int, at time.Time) bool {
	p.n += n
	if p.n >= rateWindow {
		p.high = at.Sub(p.start) < rateWindow*time.Second/pauseRate*time.Duration(p.n)/rateWindow
		p.start, p.n = at, 0
	} else if p.high && at.Sub(p.start) > 10*rateWindow*time.Second/pauseRate {
		p.high = false
	}
	return p.high
}
