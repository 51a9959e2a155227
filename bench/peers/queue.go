package main

import (
	"fmt"
	"os/exec"
	"time"

	"callhome/bench/load"
	"callhome/bench/proc"
	"callhome/bench/sink"
	"callhome/bench/stand"
)

const (
	// lineSize makes messages of about 8 KiB.
	lineSize = 5300
	// sessions is how many connections a sender of mails or lines opens.
	sessions = 16
	quiet    = 15 * time.Second // nothing arrives for so long: something is lost or stuck
)

// bigLines are wanted lines whose messages have about 8 KiB.
func bigLines(n int) []load.Line {
	return load.Lines(load.Options{Layouts: []load.Layout{load.IOS}, Percent: 100, Count: n, Devices: devices, Size: lineSize, At: time.Now()})
}

// passed is what a durable queue let through.
type passed struct {
	rate float64 // messages a second, from the first line sent to the last message received
	size int64   // bytes of a message
	cpu  float64 // ms for a message
}

func (p passed) String() string {
	s := fmt.Sprintf("%.0f msgs/s of %.1f KiB", p.rate, float64(p.size)/1024)
	if p.cpu > 0 {
		s += fmt.Sprintf(", %.2f ms CPU each", p.cpu)
	}
	return s
}

// ourThrough floods our agent with lines whose messages all go to the tally's server.
func (b *bench) ourThrough(tally *sink.Tally, n int, o stand.CallhomeOptions) (passed, error) {
	dir, err := b.folder("callhome")
	if err != nil {
		return passed{}, err
	}
	o.Devices, o.Subscriptions = devices, thousand
	c, err := stand.StartCallhome(dir, b.bin, o)
	if err != nil {
		return passed{}, err
	}
	defer c.Stop()
	cpu, began := c.Process().CPU(), time.Now()
	if err := load.Flood(stand.Address(c.Port("tcp")), nil, sessions, n, load.Frame(bigLines(min(n, 1000))), ""); err != nil {
		return passed{}, err
	}
	return b.summary(tally, n, began, func() time.Duration { return c.Process().CPU() - cpu })
}

func (b *bench) summary(tally *sink.Tally, n int, began time.Time, cpu func() time.Duration) (passed, error) {
	if got := tally.Await(int64(n), quiet); got < int64(n) {
		return passed{}, fmt.Errorf("%d of %d messages arrived", got, n)
	}
	took := time.Unix(0, tally.Last.Load()).Sub(began).Seconds()
	p := passed{rate: float64(n) / took, size: tally.Bytes.Load() / tally.Count.Load()}
	if cpu != nil {
		p.cpu = cpu().Seconds() * 1000 / float64(n)
	}
	return p, nil
}

// smtpSource sends n mails of a size to a server as fast as it takes them, on connections that stay open.
func smtpSource(addr string, conns, n int, size int64) error {
	bin, err := proc.Find("smtp-source", "/usr/sbin/smtp-source")
	if err != nil {
		return err
	}
	out, err := exec.Command(bin, "-d", "-s", fmt.Sprint(conns), "-m", fmt.Sprint(n), "-l", fmt.Sprint(size),
		"-f", "callhome@ops.example", "-t", "noc@ops.example", addr).CombinedOutput()
	if err != nil {
		return fmt.Errorf("smtp-source: %w\n%s", err, out)
	}
	return nil
}

// postfixThrough sends mails through Postfix to the sink.
func (b *bench) postfixThrough(to *sink.SMTP, n int, size int64) (passed, error) {
	dir, err := b.folder("postfix")
	if err != nil {
		return passed{}, err
	}
	px, err := stand.StartPostfix(dir, to.Port())
	if err != nil {
		return passed{}, err
	}
	defer px.Stop()
	cpu, began := proc.FamilyCPU(px.Process().PID()), time.Now()
	if err := smtpSource(px.Addr, sessions, n, size); err != nil {
		return passed{}, err
	}
	return b.summary(&to.Tally, n, began, func() time.Duration { return proc.FamilyCPU(px.Process().PID()) - cpu })
}

// mailLimit is what smtp-source reaches straight to the sink.
func (b *bench) mailLimit(n int, size int64) (passed, error) {
	to, err := sink.ListenSMTP()
	if err != nil {
		return passed{}, err
	}
	defer to.Close()
	began := time.Now()
	if err := smtpSource(to.Addr, sessions, n, size); err != nil {
		return passed{}, err
	}
	return b.summary(&to.Tally, n, began, nil)
}

func medianPassed(ps []passed) (m passed) {
	var rate, cpu []float64
	for _, p := range ps {
		rate, cpu = append(rate, p.rate), append(cpu, p.cpu)
		m.size = p.size
	}
	m.rate, m.cpu = median(rate), median(cpu)
	return m
}

// bySMTP and byHTTPS run our agent once each; byPostfix the peer.
func (b *bench) bySMTP(n int) (passed, error) {
	to, err := sink.ListenSMTP()
	if err != nil {
		return passed{}, err
	}
	defer to.Close()
	return b.ourThrough(&to.Tally, n, stand.CallhomeOptions{SMTPPort: to.Port()})
}

func (b *bench) byHTTPS(n int) (passed, error) {
	dir, err := b.folder("tls")
	if err != nil {
		return passed{}, err
	}
	cert, err := stand.MakeCertificate(dir)
	if err != nil {
		return passed{}, err
	}
	to, err := sink.ListenHTTP(cert.Server())
	if err != nil {
		return passed{}, err
	}
	defer to.Close()
	return b.ourThrough(&to.Tally, n, stand.CallhomeOptions{HTTP: to.URL, Cert: cert})
}

func (b *bench) byPostfix(n int, size int64) (passed, error) {
	to, err := sink.ListenSMTP()
	if err != nil {
		return passed{}, err
	}
	defer to.Close()
	return b.postfixThrough(to, n, size)
}

// besidePostfix runs one way of ours and Postfix in turns.
func (b *bench) besidePostfix(ours func(int) (passed, error)) (theirs, mine passed, err error) {
	n := b.amount(12_000)
	var px, us []passed
	for range b.turns() {
		u, err := ours(n)
		if err != nil {
			return theirs, mine, fmt.Errorf("callhome: %w", err)
		}
		p, err := b.byPostfix(n/4, u.size)
		if err != nil {
			return theirs, mine, fmt.Errorf("postfix: %w", err)
		}
		us, px = append(us, u), append(px, p)
	}
	return medianPassed(px), medianPassed(us), nil
}

// throughSMTP is row 11.
func (b *bench) throughSMTP() ([]Result, error) {
	theirs, mine, err := b.besidePostfix(b.bySMTP)
	if err != nil {
		return nil, err
	}
	limit, err := b.mailLimit(b.amount(20_000), mine.size)
	if err != nil {
		return nil, err
	}
	r := mine.rate / theirs.rate
	return []Result{
		{Figure: "durable queue and delivery by SMTP", Goal: "≥ 5×; ≥ 10×", Peer: "Postfix " + theirs.String(), Ours: mine.String(), Ratio: r, Verdict: atLeast(r, 5, 10)},
		costOf("SMTP", theirs, mine),
		{Figure: "the same, beside the sink alone", Peer: "smtp-source to sink " + limit.String(), Ours: mine.String(), Ratio: mine.rate / limit.rate, Verdict: Shown},
	}, nil
}

// costOf compares the CPU time of a message, which other work on the machine disturbs less than the rate.
func costOf(way string, theirs, mine passed) Result {
	return Result{Figure: "the same by " + way + ": CPU for a message", Peer: fmt.Sprintf("Postfix %.2f ms", theirs.cpu), Ours: fmt.Sprintf("%.2f ms", mine.cpu), Ratio: mine.cpu / theirs.cpu, Verdict: Shown}
}

// throughHTTPS is row 12.
func (b *bench) throughHTTPS() ([]Result, error) {
	theirs, mine, err := b.besidePostfix(b.byHTTPS)
	if err != nil {
		return nil, err
	}
	r := mine.rate / theirs.rate
	return []Result{{Figure: "durable queue and delivery by HTTPS", Goal: "≥ 8×; ≥ 15×", Peer: "Postfix by SMTP " + theirs.String(), Ours: mine.String(), Ratio: r, Verdict: atLeast(r, 8, 15)}, costOf("HTTPS", theirs, mine)}, nil
}
