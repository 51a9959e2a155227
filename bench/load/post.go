package load

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"callhome"
	"callhome/codec/aml"
)

// PostOptions say what is posted: call-home messages, each with a message ID of its own.
type PostOptions struct {
	Path    string
	Count   int
	Conns   int
	Size    int     // bytes of a message, about
	Devices int     // that send in turn
	Rate    float64 // messages a second of all; 0: as fast as they are answered
	TLS     *tls.Config
	First   int // number of the first message: later loads go on where earlier ones ended
}

// Posted is what came of it.
type Posted struct {
	Answered int // with 200
	Failed   int
	Took     time.Duration
	Delays   []time.Duration // of answers, sorted
}

// Rate is answers a second.
func (p Posted) Rate() float64 { return float64(p.Answered) / p.Took.Seconds() }

// Quantile of the delays, 0..1.
func (p Posted) Quantile(q float64) time.Duration {
	if len(p.Delays) == 0 {
		return 0
	}
	return p.Delays[min(len(p.Delays)-1, int(q*float64(len(p.Delays))))]
}

// Post posts messages on connections that stay open, with one write for each request.
func Post(addr string, o PostOptions) (Posted, error) {
	if o.Path == "" {
		o.Path = "/its/service/oddce/services/DDCEService"
	}
	maker, err := newPosts(o)
	if err != nil {
		return Posted{}, err
	}
	var next, failed atomic.Int64
	delays := make([][]time.Duration, o.Conns)
	errs := make([]error, o.Conns)
	began := time.Now()
	var wg sync.WaitGroup
	for c := range o.Conns {
		wg.Go(func() {
			p := &poster{addr: addr, tls: o.TLS}
			defer p.close()
			var buf []byte
			for {
				n := int(next.Add(1)) - 1
				if n >= o.Count {
					return
				}
				if o.Rate > 0 {
					if wait := time.Until(began.Add(time.Duration(float64(n) / o.Rate * float64(time.Second)))); wait > 0 {
						time.Sleep(wait)
					}
				}
				buf = maker.request(buf[:0], o.First+n)
				start := time.Now()
				status, err := p.do(buf)
				if err != nil {
					errs[c] = err
				}
				if status != 200 {
					failed.Add(1)
					continue
				}
				delays[c] = append(delays[c], time.Since(start))
			}
		})
	}
	wg.Wait()
	out := Posted{Took: time.Since(began), Failed: int(failed.Load()), Delays: slices.Concat(delays...)}
	out.Answered = len(out.Delays)
	slices.Sort(out.Delays)
	for _, err := range errs {
		if err != nil && out.Answered == 0 {
			return out, err
		}
	}
	return out, nil
}

// posts makes requests from templates, one for each device.
type posts struct {
	head   string
	bodies []postBody
}

// postBody is a message with holes for its numbers.
type postBody struct {
	text  []byte
	holes []int // where the ten digits of the number stand
}

// numberHole stands in a template where the number of the message goes. It is a message number that no load reaches.
const numberHole = "9876543210"

// PostDevice is the identity of a device of the load.
func PostDevice(n int) (model, serial string) { return "QX9006", fmt.Sprintf("QXB%06d", n) }

// PostMessage is the message of the load with a number, for a device.
func PostMessage(number string, device, size int) callhome.Message {
	model, serial := PostDevice(device)
	level := callhome.LevelWarning
	at := time.Now().UTC().Truncate(time.Second)
	id := fmt.Sprintf("%s:%s:%08X", number, serial, at.Unix())
	m := callhome.Message{
		MessageID: callhome.MessageID("M" + id), GroupID: "G" + id, EventTime: callhome.At(at), Type: "syslog", Group: callhome.GroupSyslog,
		Severity: &level, DeviceID: callhome.MakeDeviceID(model, serial), SystemName: "bench-" + serial, ContactEmail: "noc@ops.example",
		ContractID: "K-BENCH", SiteID: "LAB", Model: model, Serial: serial, SWVersion: "17.12.4",
		Description: "*Mar 14 09:26:53.114: %SYS-5-CONFIG_I: Configured from console by user " + number + " on vty0 (192.0.2.7)",
	}
	line := "GigabitEthernet0/0/1 is up, line protocol is up, 5 minute input rate 48000 bits/sec, 32 packets/sec\n"
	if more := size - 2600; more > 0 {
		m.Attachments = []callhome.Attachment{{Name: "show interfaces", Type: "inline", Text: strings.Repeat(line, 1+more/len(line))[:more]}}
	}
	return m
}

func newPosts(o PostOptions) (*posts, error) {
	p := &posts{head: "POST " + o.Path + " HTTP/1.1\r\nHost: backend\r\nContent-Type: text/xml\r\nContent-Length: "}
	v, _ := aml.VariantFor("ios")
	for d := range max(1, o.Devices) {
		m := PostMessage(numberHole, d, o.Size)
		b, err := aml.Append(nil, &m, v)
		if err != nil {
			return nil, err
		}
		body := postBody{text: b}
		for from := 0; ; {
			i := bytes.Index(b[from:], []byte(numberHole))
			if i < 0 {
				break
			}
			body.holes = append(body.holes, from+i)
			from += i + len(numberHole)
		}
		p.bodies = append(p.bodies, body)
	}
	return p, nil
}

// request appends the request of a message.
func (p *posts) request(dst []byte, n int) []byte {
	body := &p.bodies[n%len(p.bodies)]
	dst = append(dst, p.head...)
	dst = strconv.AppendInt(dst, int64(len(body.text)), 10)
	dst = append(dst, "\r\n\r\n"...)
	start := len(dst)
	dst = append(dst, body.text...)
	digits := fmt.Sprintf("%010d", n+1)
	for _, h := range body.holes {
		copy(dst[start+h:], digits)
	}
	return dst
}

// poster is one connection.
type poster struct {
	addr string
	tls  *tls.Config
	conn net.Conn
	r    *bufio.Reader
}

func (p *poster) close() {
	if p.conn != nil {
		_ = p.conn.Close()
	}
}

// do sends a request and reads the answer to its end.
func (p *poster) do(request []byte) (status int, err error) {
	if p.conn == nil {
		if p.tls != nil {
			p.conn, err = tls.Dial("tcp", p.addr, p.tls)
		} else {
			p.conn, err = net.Dial("tcp", p.addr)
		}
		if err != nil {
			p.conn = nil
			return 0, err
		}
		p.r = bufio.NewReaderSize(p.conn, 4096)
	}
	if _, err = p.conn.Write(request); err == nil {
		status, err = p.answer()
	}
	if err != nil {
		p.close()
		p.conn = nil
	}
	return status, err
}

func (p *poster) answer() (status int, err error) {
	line, err := p.r.ReadSlice('\n')
	if err != nil {
		return 0, err
	}
	if len(line) > 12 {
		status, _ = strconv.Atoi(string(line[9:12]))
	}
	length := 0
	for {
		line, err := p.r.ReadSlice('\n')
		if err != nil {
			return 0, err
		}
		if len(line) <= 2 {
			break
		}
		if rest, ok := bytes.CutPrefix(bytes.ToLower(line), []byte("content-length:")); ok {
			length, _ = strconv.Atoi(strings.TrimSpace(string(rest)))
		}
	}
	_, err = io.CopyN(io.Discard, p.r, int64(length))
	return status, err
}
