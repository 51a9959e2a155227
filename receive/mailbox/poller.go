package mailbox

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"sync"
	"time"

	"callhome"
	"callhome/codec/mimemail"
	"callhome/health"
	"callhome/receive"
)

// Options are what a Poller needs besides its configuration; all may be nil.
type Options struct {
	Dial    func(ctx context.Context, network, address string) (net.Conn, error)
	Metrics *receive.Metrics
	Health  *health.Registry
	Log     *slog.Logger
	Now     func() time.Time
}

// Status is how the mailbox is.
type Status struct {
	Address   string    `json:"address"`
	LastPoll  time.Time `json:"last_poll,omitzero"` // last look that worked
	Taken     int64     `json:"taken"`
	Refused   int64     `json:"refused"` // for good
	Other     int64     `json:"other"`   // mails that are no call-home messages
	LastError string    `json:"last_error,omitempty"`
}

// Poller looks into one mailbox.
type Poller struct {
	cfg     Config
	address address
	sink    receive.Sink
	tls     *tls.Config
	dial    func(ctx context.Context, network, address string) (net.Conn, error)
	metrics *receive.Metrics
	part    *health.Part
	log     *slog.Logger
	now     func() time.Time

	refused map[string]bool // UIDs of mails that were refused for good, or are no messages; owned by Run

	mu     sync.Mutex // guards what follows
	status Status
}

// New makes a Poller of a valid configuration.
func New(cfg Config, sink receive.Sink, o Options) (*Poller, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	a, err := cfg.address()
	if err != nil {
		return nil, err
	}
	p := &Poller{
		cfg: cfg, address: a, sink: sink, dial: o.Dial, metrics: o.Metrics, part: o.Health.Part("mailbox"), log: o.Log, now: o.Now,
		refused: map[string]bool{}, status: Status{Address: a.String()}, tls: &tls.Config{ServerName: a.host, MinVersion: tls.VersionTLS12},
	}
	if p.dial == nil {
		p.dial = (&net.Dialer{}).DialContext
	}
	if p.log == nil {
		p.log = slog.New(slog.DiscardHandler)
	}
	p.log = p.log.With("component", "mailbox", "mailbox", a.String())
	if p.now == nil {
		p.now = time.Now
	}
	if cfg.CAFile != "" {
		pem, err := os.ReadFile(cfg.CAFile)
		if err != nil {
			return nil, fmt.Errorf("mailbox.ca_file: %w", err)
		}
		if p.tls.RootCAs = x509.NewCertPool(); !p.tls.RootCAs.AppendCertsFromPEM(pem) {
			return nil, callhome.Errorf(callhome.KindInvalid, "mailbox.ca_file %s holds no certificate", cfg.CAFile)
		}
	}
	return p, nil
}

// Status tells how the mailbox is.
func (p *Poller) Status() Status {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.status
}

// Run looks every interval until ctx ends.
func (p *Poller) Run(ctx context.Context) error {
	tick := time.NewTicker(p.cfg.Interval)
	defer tick.Stop()
	for {
		_ = p.Poll(ctx) // it is told to health, and tried again
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Poll looks once.
func (p *Poller) Poll(ctx context.Context) error {
	err := p.look(ctx)
	if ctx.Err() != nil {
		return ctx.Err() //nolint:wrapcheck // the caller's own
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if err != nil {
		p.status.LastError = err.Error()
		p.part.Unwell("the mailbox " + p.address.String() + " cannot be read: " + err.Error())
		p.log.Warn("the mailbox could not be read", "err", err)
		return err
	}
	p.status.LastError, p.status.LastPoll = "", p.now()
	p.part.Well()
	return nil
}

// box is an open mailbox, whatever its protocol. Its methods are called from one goroutine.
type box interface {
	// list gives the mails that are there, in their order, with UID and size.
	list() ([]mail, error)
	// subject gives a mail's header, at least up to its subject.
	header(m mail) ([]byte, error)
	// body gives a whole mail as it is.
	body(m mail) ([]byte, error)
	// done deletes a mail, or moves it to a folder where one is given.
	done(m mail, folder string) error
	// commit makes what done did last, and says good-bye. close without it undoes what the protocol can undo.
	commit() error
	close()
}

// mail is one mail of a list.
type mail struct {
	uid    string // stays the same from look to look
	number uint32 // in this session
	size   int64
}

func (p *Poller) look(ctx context.Context) (err error) {
	b, err := p.open(ctx)
	if err != nil {
		return err
	}
	defer b.close()
	mails, err := b.list()
	if err != nil {
		return fmt.Errorf("list: %w", err)
	}
	there := make(map[string]bool, len(mails))
	taken := 0
	for _, m := range mails {
		there[m.uid] = true
		if taken >= p.cfg.MaxMails || ctx.Err() != nil || p.refused[m.uid] {
			continue
		}
		took, err := p.one(ctx, b, m)
		if err != nil {
			return err
		}
		if took {
			taken++
		}
	}
	for uid := range p.refused { // what is gone need not be remembered
		if !there[uid] {
			delete(p.refused, uid)
		}
	}
	return b.commit()
}

// errBusy ends a look: the sink takes nothing now.
var errBusy = errors.New("messages cannot be taken now; the mails stay in the mailbox")

// one takes one mail, and reports whether it did.
func (p *Poller) one(ctx context.Context, b box, m mail) (bool, error) {
	head, err := b.header(m)
	if err != nil {
		return false, fmt.Errorf("read a mail's header: %w", err)
	}
	if m.size > p.cfg.MaxSize || !isCallHome(head) {
		return false, p.other(b, m, false)
	}
	body, err := b.body(m)
	if err != nil {
		return false, fmt.Errorf("read a mail: %w", err)
	}
	sub := &receive.Submission{Body: body, Transport: callhome.TransportEmail, ReceivedAt: p.now(), Mail: &receive.Mail{}}
	receipt, err := p.sink.Accept(ctx, sub)
	if err != nil {
		ref := receive.RefusalOf(err)
		p.metrics.Refused(callhome.TransportEmail, ref.Reason)
		if ref.Reason == receive.RefuseBusy {
			return false, errors.Join(b.commit(), fmt.Errorf("%w: %w", errBusy, err))
		}
		p.log.Info("a mail was refused and stays outside", "uid", m.uid, "reason", string(ref.Reason), "err", ref.Err)
		return false, p.other(b, m, true)
	}
	p.metrics.Took(callhome.TransportEmail, receipt, len(body))
	p.count(func(s *Status) { s.Taken++ })
	if err := b.done(m, p.cfg.DoneFolder); err != nil {
		return false, fmt.Errorf("remove a mail that was taken: %w", err)
	}
	return true, nil
}

// other moves a mail that is not for us out of the way, or leaves it where it is.
func (p *Poller) other(b box, m mail, refused bool) error {
	p.count(func(s *Status) {
		if refused {
			s.Refused++
		} else {
			s.Other++
		}
	})
	p.refused[m.uid] = true
	if p.cfg.OtherFolder == "" {
		return nil
	}
	if err := b.done(m, p.cfg.OtherFolder); err != nil {
		return fmt.Errorf("move a mail: %w", err)
	}
	return nil
}

func (p *Poller) count(f func(*Status)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f(&p.status)
}

// open connects and logs in.
func (p *Poller) open(ctx context.Context) (box, error) {
	dialing, cancel := context.WithTimeout(ctx, p.cfg.Timeout)
	defer cancel()
	conn, err := p.dial(dialing, "tcp", p.address.hostPort)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	if p.address.secure {
		secured := tls.Client(conn, p.tls)
		if err := secured.HandshakeContext(dialing); err != nil {
			return nil, errors.Join(fmt.Errorf("TLS: %w", err), conn.Close())
		}
		conn = secured
	}
	conn = &patient{Conn: conn, timeout: p.cfg.Timeout}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	if p.address.protocol == "imap" {
		return openIMAP(conn, stop, p.address, p.cfg)
	}
	return openPOP3(conn, stop, p.address, p.cfg)
}

// patient waits so long for each byte, and no longer.
type patient struct {
	net.Conn
	timeout time.Duration
}

// Read reads with a deadline.
func (c *patient) Read(b []byte) (int, error) {
	if err := c.SetReadDeadline(time.Now().Add(c.timeout)); err != nil {
		return 0, err
	}
	return c.Conn.Read(b)
}

// Write writes with a deadline.
func (c *patient) Write(b []byte) (int, error) {
	if err := c.SetWriteDeadline(time.Now().Add(c.timeout)); err != nil {
		return 0, err
	}
	return c.Conn.Write(b)
}

// isCallHome reports whether a mail's header has the subject of a call-home message.
func isCallHome(head []byte) bool {
	subject, ok := mimemail.SubjectOf(head)
	if !ok {
		return false
	}
	_, ok = mimemail.ParseSubject(subject)
	return ok
}
