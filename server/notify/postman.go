package notify

import (
	"context"
	"fmt"
	"log/slog"
	"net/mail"
	"time"

	"callhome"
	"callhome/codec/mimemail"
)

// Outbox takes what is to be delivered; *outbox.Queue is one. Nil means that it is durable there.
type Outbox interface {
	Put(ctx context.Context, envelopes ...callhome.Envelope) error
}

// Diagnostics gives the attachments of an archived message.
type Diagnostics interface {
	// Attachments are those of a message; callhome.KindNotFound when it is there no more.
	Attachments(ctx context.Context, archive int64) ([]callhome.Attachment, error)
}

// Postman brings mails and digests that are due to the outbox. Several, of several servers, may work on one store.
type Postman struct {
	InTx        func(ctx context.Context, f func(Store) error) error // runs f in one transaction, perhaps more than once
	Outbox      Outbox
	Diagnostics Diagnostics         // nil: mails carry no diagnostic data
	Mask        func([]byte) []byte // takes secrets out of what leaves; nil: mails carry no diagnostic data
	Log         *slog.Logger
	Now         func() time.Time

	cfg Config
}

// NewPostman makes a postman of a valid configuration; the fields above are filled in by the caller.
func NewPostman(cfg Config) *Postman { return &Postman{cfg: cfg, Now: time.Now} }

const (
	mailBatch   = 50
	digestBatch = 10
	digestItems = 300 // shown in one digest; the rest is counted, and in the inbox
	mailLease   = 5 * time.Minute
	postPause   = 2 * time.Second
)

// device is the lane of notices in the outbox: order is kept for each address.
const device = "callhome"

// Run works until ctx ends. Errors are logged, and what failed is tried again after its lease.
func (p *Postman) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		n, err := p.Step(ctx)
		if err != nil && ctx.Err() == nil {
			p.Log.Error("writing mails", "err", err)
		}
		if n > 0 && err == nil {
			continue
		}
		select {
		case <-ctx.Done():
		case <-time.After(postPause):
		}
	}
	return nil
}

// Step brings one batch of mails and one of digests to the outbox and says how many it was.
func (p *Postman) Step(ctx context.Context) (int, error) {
	n, err := p.mails(ctx)
	if err != nil {
		return n, err
	}
	d, err := p.digests(ctx)
	return n + d, err
}

func (p *Postman) mails(ctx context.Context) (int, error) {
	var claimed, ready []Mail
	err := p.InTx(ctx, func(s Store) (err error) {
		now := p.Now()
		if claimed, err = s.ClaimMails(ctx, now, now.Add(mailLease), mailBatch); err != nil {
			return err
		}
		ready = ready[:0]
		for i := range claimed {
			held, err := p.hold(ctx, s, &claimed[i], now)
			if err != nil {
				return err
			}
			if !held {
				ready = append(ready, claimed[i])
			}
		}
		return nil
	})
	if err != nil || len(ready) == 0 {
		return len(claimed), err
	}
	envelopes := make([]callhome.Envelope, 0, len(ready))
	for i := range ready {
		m := &ready[i]
		env, err := p.write(ctx, m)
		if callhome.KindOf(err) == callhome.KindInvalid && err != nil {
			m.State, m.Reason = MailDropped, ReasonBadAddress
			p.Log.Warn("a mail cannot be written", "kind", string(m.Notice.Kind), "err", err)
			continue
		} else if err != nil {
			return 0, err
		}
		m.State = MailSent
		envelopes = append(envelopes, env)
	}
	if err := p.Outbox.Put(ctx, envelopes...); err != nil {
		return 0, fmt.Errorf("outbox: %w", err)
	}
	return len(claimed), p.InTx(ctx, func(s Store) error {
		for i := range ready {
			if err := s.PutMail(ctx, &ready[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

// hold puts a mail beyond the rate of its address into the digest of the next hour.
func (p *Postman) hold(ctx context.Context, s Store, m *Mail, now time.Time) (bool, error) {
	n, err := s.CountSend(ctx, m.Address, m.Notice.Kind == KindPage, now)
	limit := p.cfg.Rate
	if m.Notice.Kind == KindPage {
		limit = p.cfg.PageRate
	}
	if err != nil || n <= int64(limit) {
		return false, err
	}
	if err := join(ctx, s, m, now.Truncate(time.Hour).Add(time.Hour), time.Hour, true); err != nil {
		return false, err
	}
	m.Reason = ReasonRateLimited
	return true, s.PutMail(ctx, m)
}

func (p *Postman) digests(ctx context.Context) (int, error) {
	var claimed []Digest
	err := p.InTx(ctx, func(s Store) (err error) {
		now := p.Now()
		claimed, err = s.ClaimDigests(ctx, now, now.Add(mailLease), digestBatch, digestItems)
		return err
	})
	if err != nil {
		return 0, err
	}
	for i := range claimed {
		d := &claimed[i]
		if d.Total > 0 {
			env, err := p.writeDigest(d)
			if err != nil && callhome.KindOf(err) != callhome.KindInvalid {
				return i, err
			}
			if err == nil {
				if err := p.Outbox.Put(ctx, env); err != nil {
					return i, fmt.Errorf("outbox: %w", err)
				}
			}
		}
		if err := p.InTx(ctx, func(s Store) error { return s.DigestSent(ctx, d.ID, p.Now()) }); err != nil {
			return i, err
		}
	}
	return len(claimed), nil
}

func (p *Postman) envelope(m *mimemail.Mail, address string, format callhome.Format) (callhome.Envelope, error) {
	body, err := mimemail.Append(nil, m)
	if err != nil {
		return callhome.Envelope{}, err
	}
	from := m.From
	if a, err := mail.ParseAddress(from); err == nil {
		from = a.Address
	}
	return callhome.Envelope{
		MessageID: m.MessageID, Device: device, Profile: "notify", Format: format,
		Destination: callhome.Destination{Transport: callhome.TransportEmail, Address: address}, From: from, Body: body,
	}, nil
}

// write renders one mail. The same mail gives the same bytes, as long as the archive has its messages.
func (p *Postman) write(ctx context.Context, m *Mail) (callhome.Envelope, error) {
	n := &m.Notice
	out := mimemail.Mail{
		From: p.cfg.From, To: []string{to(m.Name, m.Address)}, ReplyTo: p.cfg.ReplyTo, Date: m.AddedAt.UTC(), Subject: n.Subject,
		MessageID: callhome.MessageID(fmt.Sprintf("N%d-%d", n.ID, m.ID)),
	}
	if m.Pager {
		if out.Body = []byte(n.Content.Short + "\n"); n.Content.Short == "" {
			out.Body = []byte(Short(string(n.Number), n.Level, n.Host, n.Subject, "") + "\n")
		}
		return p.envelope(&out, m.Address, callhome.FormatShort)
	}
	files, remarks, err := p.files(ctx, n)
	if err != nil {
		return callhome.Envelope{}, err
	}
	v := p.view(n, remarks)
	out.Files = files
	if n.Number != "" {
		out.Thread = string(n.Number)
	}
	if out.Body, out.HTML, err = render(v); err != nil {
		return callhome.Envelope{}, err
	}
	return p.envelope(&out, m.Address, callhome.FormatFull)
}

func to(name, address string) string {
	return (&mail.Address{Name: oneLine(name), Address: address}).String()
}

func (p *Postman) writeDigest(d *Digest) (callhome.Envelope, error) {
	v := p.digestView(d)
	out := mimemail.Mail{
		From: p.cfg.From, To: []string{d.Address}, ReplyTo: p.cfg.ReplyTo, Date: d.DueAt.UTC(), Subject: v.Subject,
		MessageID: callhome.MessageID(fmt.Sprintf("D%d", d.ID)),
	}
	var err error
	if out.Body, out.HTML, err = renderDigest(v); err != nil {
		return callhome.Envelope{}, err
	}
	return p.envelope(&out, d.Address, callhome.FormatFull)
}
