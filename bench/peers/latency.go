package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/textproto"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"callhome/bench/load"
	"callhome/bench/sink"
	"callhome/bench/stand"
)

// delays are percentiles of the time from a line sent to its message received.
type delays struct {
	p50, p99 float64 // ms
	lost     int64
}

func (d delays) String() string {
	s := fmt.Sprintf("%.2f / %.2f ms", d.p50, d.p99)
	if d.lost > 0 {
		s += fmt.Sprintf(", %d lost", d.lost)
	}
	return s
}

const (
	pace     = 100 // lines a second
	warmUp   = 500 // lines before those that count: connections are made, code is loaded, files have their size
	warmPace = 500
	giveUp   = 20 * time.Second
	stampPad = "code "
)

// timed sends stamped lines by send and reads what the tally saw. fresh makes the tally of the timed part.
func (b *bench) timed(tally *sink.Tally, send func(text string) error) (delays, error) {
	n := b.amount(1000)
	if err := load.Paced(warmUp, warmPace, func(int) error { return send("warming up") }); err != nil {
		return delays{}, err
	}
	tally.Await(warmUp, giveUp)
	if err := load.Paced(n, pace, func(int) error { return send(stampPad + sink.StampNow()) }); err != nil {
		return delays{}, err
	}
	got := tally.Await(int64(n+warmUp), giveUp) - warmUp
	p := tally.Latency(50, 99)
	return delays{p50: p[0].Seconds() * 1000, p99: p[1].Seconds() * 1000, lost: int64(n) - got}, nil
}

// lineSender connects to a subject and sends lines that are wanted.
func lineSender(s stand.Subject) (func(string) error, func(), error) {
	c, err := net.Dial("tcp", stand.Address(s.Port("tcp")))
	if err != nil {
		return nil, nil, err
	}
	n := 0
	send := func(text string) error {
		n++
		_, err := fmt.Fprintf(c, "<189>%d: %s: %06d: %s UTC: %%FACILITY8-5-%s: %s\n", n, load.Device(n%devices), n, time.Now().UTC().Format("Jan _2 15:04:05.000"), load.Wish, text)
		return err
	}
	return send, func() { c.Close() }, nil
}

// through measures one subject.
func (b *bench) through(name string, tally *sink.Tally, start starter) (delays, error) {
	dir, err := b.folder(name)
	if err != nil {
		return delays{}, err
	}
	s, err := start(dir)
	if err != nil {
		return delays{}, err
	}
	defer s.Stop()
	send, done, err := lineSender(s)
	if err != nil {
		return delays{}, err
	}
	defer done()
	return b.timed(tally, send)
}

// medianDelays takes the median of each percentile.
func medianDelays(ds []delays) (m delays) {
	var p50, p99 []float64
	for _, d := range ds {
		p50, p99 = append(p50, d.p50), append(p99, d.p99)
		m.lost += d.lost
	}
	m.p50, m.p99 = median(p50), median(p99)
	return m
}

// contender is one side of a latency row.
type contender struct {
	name string
	run  func() (delays, error)
}

// contest runs all sides in turns.
func (b *bench) contest(cs []contender) (map[string]delays, error) {
	all := map[string][]delays{}
	for range b.turns() {
		for _, c := range cs {
			d, err := c.run()
			if err != nil {
				return nil, fmt.Errorf("%s: %w", c.name, err)
			}
			all[c.name] = append(all[c.name], d)
		}
	}
	out := map[string]delays{}
	for name, ds := range all {
		out[name] = medianDelays(ds)
	}
	return out, nil
}

// httpContender measures a subject that posts to a sink of its own.
func (b *bench) httpContender(name string, start func(dir, url string) (stand.Subject, error)) contender {
	return contender{name, func() (delays, error) {
		to, err := sink.ListenHTTP(nil)
		if err != nil {
			return delays{}, err
		}
		defer to.Close()
		return b.through(name, &to.Tally, func(dir string) (stand.Subject, error) { return start(dir, to.URL) })
	}}
}

// latencyHTTP is row 9.
func (b *bench) latencyHTTP() ([]Result, error) {
	all, err := b.contest([]contender{
		b.httpContender("syslog-ng", func(dir, url string) (stand.Subject, error) {
			return stand.StartSyslogNG(dir, b.tools, stand.SyslogNGOptions{HTTP: url})
		}),
		b.httpContender("syslog-ng disk", func(dir, url string) (stand.Subject, error) {
			return stand.StartSyslogNG(dir, b.tools, stand.SyslogNGOptions{HTTP: url, Disk: true})
		}),
		b.httpContender("callhome", func(dir, url string) (stand.Subject, error) {
			return stand.StartCallhome(dir, b.bin, stand.CallhomeOptions{Subscriptions: thousand, HTTP: url, Devices: devices})
		}),
		b.httpContender("callhome in memory", func(dir, url string) (stand.Subject, error) {
			return stand.StartCallhome(dir, b.bin, stand.CallhomeOptions{Subscriptions: thousand, HTTP: url, Devices: devices, Data: b.memoryFolder()})
		}),
		{"Alertmanager", b.alertmanagerDelays},
	})
	if err != nil {
		return nil, err
	}
	sync50, sync99, err := b.syncCost()
	if err != nil {
		return nil, err
	}
	ours, ng, am, disk := all["callhome"], all["syslog-ng"], all["Alertmanager"], all["syslog-ng disk"]
	return []Result{
		{Figure: "line to HTTP, durable, 100/s: p50 / p99", Goal: "p50 ≤ 1.0×, p99 ≤ 2.0×; ≤ 0.5×, ≤ 1.0×", Peer: "syslog-ng (not durable) " + ng.String(), Ours: fmt.Sprintf("%s; p99 %.2f×", ours, ours.p99/ng.p99),
			Ratio: ours.p50 / ng.p50, Verdict: worst(atMost(ours.p50/ng.p50, 1, 0.5), atMost(ours.p99/ng.p99, 2, 1))},
		{Figure: "the same beside syslog-ng with a disk buffer", Peer: "syslog-ng (reliable buffer, no sync) " + disk.String(), Ours: ours.String(), Ratio: ours.p50 / disk.p50, Verdict: Shown},
		{Figure: "the same with our queue in memory: what is not the disk", Peer: fmt.Sprintf("one fdatasync on this disk %.2f / %.2f ms; one lies on the way, of an alert without commands", sync50, sync99), Ours: all["callhome in memory"].String(),
			Ratio: all["callhome in memory"].p50 / ng.p50, Verdict: Shown},
		{Figure: "the same beside Alertmanager", Peer: "Alertmanager (memory) " + am.String(), Ours: ours.String(), Ratio: ours.p50 / am.p50, Verdict: Shown},
	}, nil
}

// alertmanagerDelays posts alerts, which Alertmanager passes on to the sink.
func (b *bench) alertmanagerDelays() (delays, error) {
	to, err := sink.ListenHTTP(nil)
	if err != nil {
		return delays{}, err
	}
	defer to.Close()
	dir, err := b.folder("alertmanager")
	if err != nil {
		return delays{}, err
	}
	a, err := stand.StartAlertmanager(dir, to.URL)
	if err != nil {
		return delays{}, err
	}
	defer a.Stop()
	n := 0
	return b.timed(&to.Tally, func(text string) error {
		n++
		body, err := json.Marshal([]map[string]any{{"labels": map[string]string{"alertname": "line", "n": fmt.Sprint(n), "text": text}}})
		if err != nil {
			return err
		}
		resp, err := http.Post("http://"+a.Addr+"/api/v2/alerts", "application/json", bytes.NewReader(body))
		if err != nil {
			return err
		}
		return resp.Body.Close()
	})
}

// latencySMTP is row 10.
func (b *bench) latencySMTP() ([]Result, error) {
	mail := func(name string, start func(dir string, to *sink.SMTP) (stand.Subject, error)) contender {
		return contender{name, func() (delays, error) {
			to, err := sink.ListenSMTP()
			if err != nil {
				return delays{}, err
			}
			defer to.Close()
			return b.through(name, &to.Tally, func(dir string) (stand.Subject, error) { return start(dir, to) })
		}}
	}
	all, err := b.contest([]contender{
		mail("syslog-ng", func(dir string, to *sink.SMTP) (stand.Subject, error) {
			return stand.StartSyslogNG(dir, b.tools, stand.SyslogNGOptions{SMTP: to.Addr})
		}),
		mail("syslog-ng disk", func(dir string, to *sink.SMTP) (stand.Subject, error) {
			return stand.StartSyslogNG(dir, b.tools, stand.SyslogNGOptions{SMTP: to.Addr, Disk: true})
		}),
		mail("callhome", func(dir string, to *sink.SMTP) (stand.Subject, error) {
			return stand.StartCallhome(dir, b.bin, stand.CallhomeOptions{Subscriptions: thousand, SMTPPort: to.Port(), Devices: devices})
		}),
		{"Postfix", b.postfixDelays},
	})
	if err != nil {
		return nil, err
	}
	ours, ng, px, disk := all["callhome"], all["syslog-ng"], all["Postfix"], all["syslog-ng disk"]
	return []Result{
		{Figure: "line to SMTP, durable, 100/s: p50 / p99", Goal: "p50 ≤ 0.5×", Peer: "Postfix (durable) " + px.String(), Ours: ours.String(),
			Ratio: ours.p50 / px.p50, Verdict: atMost(ours.p50/px.p50, 0.5, 0.25)},
		{Figure: "line to SMTP, durable, 100/s: p50 / p99", Goal: "p50 ≤ 1.3×, p99 ≤ 2×; p50 ≤ 0.8×", Peer: "syslog-ng (not durable) " + ng.String(), Ours: fmt.Sprintf("%s; p99 %.2f×", ours, ours.p99/ng.p99),
			Ratio: ours.p50 / ng.p50, Verdict: worst(atMost(ours.p50/ng.p50, 1.3, 0.8), atMost(ours.p99/ng.p99, 2, 2))},
		{Figure: "the same beside syslog-ng with a disk buffer", Peer: "syslog-ng (reliable buffer, no sync) " + disk.String(), Ours: ours.String(), Ratio: ours.p50 / disk.p50, Verdict: Shown},
	}, nil
}

// postfixDelays gives mails to Postfix on one open connection.
func (b *bench) postfixDelays() (delays, error) {
	to, err := sink.ListenSMTP()
	if err != nil {
		return delays{}, err
	}
	defer to.Close()
	dir, err := b.folder("postfix")
	if err != nil {
		return delays{}, err
	}
	px, err := stand.StartPostfix(dir, to.Port())
	if err != nil {
		return delays{}, err
	}
	defer px.Stop()
	c, err := textproto.Dial("tcp", px.Addr)
	if err != nil {
		return delays{}, err
	}
	defer func() { _ = c.Close() }() // it is idle by then
	if _, _, err := c.ReadResponse(220); err != nil {
		return delays{}, err
	}
	if err := ask(c, 250, "EHLO bench.example"); err != nil {
		return delays{}, err
	}
	return b.timed(&to.Tally, func(text string) error {
		for _, step := range []struct {
			code int
			say  string
		}{{250, "MAIL FROM:<callhome@ops.example>"}, {250, "RCPT TO:<noc@ops.example>"}, {354, "DATA"}, {250, "Subject: call home\r\n\r\n" + text + "\r\n."}} {
			if err := ask(c, step.code, step.say); err != nil {
				return err
			}
		}
		return nil
	})
}

// ask sends a command in one write and reads its answer.
func ask(c *textproto.Conn, code int, command string) error {
	if err := writeLine(c.W, command); err != nil {
		return err
	}
	_, _, err := c.ReadResponse(code)
	return err
}

func writeLine(w *bufio.Writer, s string) error {
	if _, err := w.WriteString(s + "\r\n"); err != nil {
		return err
	}
	return w.Flush()
}

// memoryFolder is a new folder in a file system that has no disk.
func (b *bench) memoryFolder() string {
	dir, err := os.MkdirTemp("/dev/shm", "callhome-bench-")
	if err != nil {
		return "" // the agent then uses its own folder, and the row shows no difference
	}
	b.cleanup = append(b.cleanup, dir)
	return dir
}

// syncCost is what one fdatasync of a small write costs here at the pace of the latency rows, in ms.
func (b *bench) syncCost() (p50, p99 float64, err error) {
	f, err := os.Create(filepath.Join(b.scratch, "sync"))
	if err != nil {
		return 0, 0, err
	}
	defer f.Close()
	var all []float64
	block := make([]byte, 4096)
	err = load.Paced(b.amount(500), pace, func(i int) error {
		if _, err := f.WriteAt(block, int64(i%64)*4096); err != nil {
			return err
		}
		began := time.Now()
		err := unix.Fdatasync(int(f.Fd()))
		all = append(all, time.Since(began).Seconds()*1000)
		return err
	})
	if err != nil {
		return 0, 0, err
	}
	slices.Sort(all)
	return all[len(all)/2], all[len(all)*99/100], nil
}
