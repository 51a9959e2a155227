package syslogd

import (
	"bytes"
	"context"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"time"

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
	// rateWindow is how many datagrams the rate is measured over.
	rateWindow = 256
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
	conn    datagramConn
	sink    intake.Sink
	now     func() time.Time
	counts  counts
	full    chan *chunk // reader ▸ worker
	free    chan *chunk // worker ▸ reader
	chunks  int         // made so far; owned by the reader

	dropMu    sync.Mutex // guards what follows
	lastDrops uint32     // the kernel's counter, which wraps
}

// chunk holds datagrams that arrived at about one time.
type chunk struct {
	at   time.Time
	data []byte
	ends []int // where each datagram ends in data
	from []netip.AddrPort
}

func newSocket(s *Server, a address, conn datagramConn) *socket {
	return &socket{address: a, conn: conn, sink: s.sink, now: s.now, full: make(chan *chunk, maxChunks), free: make(chan *chunk, maxChunks)}
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
	in, err := newBatch(d.conn)
	if err != nil {
		return
	}
	defer in.close()
	defer context.AfterFunc(ctx, func() { _ = d.conn.SetReadDeadline(time.Unix(1, 0)) })()
	c := d.next(taking)
	pace := pace{start: d.now()}
	polled := pace.start
	for c != nil {
		n, err := in.receive()
		at := d.now()
		if err != nil {
			break
		}
		if c = d.fill(taking, c, in, n, at); c == nil {
			return
		}
		if at.Sub(polled) >= dropPollTime {
			polled = at
			d.pollDrops()
		}
		if n == batchSize {
			continue
		}
		c = d.pass(taking, c)
		if pace.fast(n, at) {
			time.Sleep(pauseTime)
		}
	}
	d.drain(taking, c, in)
}

// drain takes what lies in the kernel's buffer and waits for nothing.
func (d *socket) drain(taking context.Context, c *chunk, in *batch) {
	end := time.Now().Add(drainTime)
	for c != nil && time.Now().Before(end) {
		n := in.receiveNow()
		if n <= 0 {
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
