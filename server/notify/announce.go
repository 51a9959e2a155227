package notify

import (
	"context"
	"net/mail"
	"strings"
	"time"

	"callhome"
	"callhome/server/account"
)

// Announcer decides who hears of a notice, when and how.
type Announcer struct {
	Now func() time.Time

	cfg Config
}

// New makes an announcer of a valid configuration.
func New(cfg Config) *Announcer { return &Announcer{Now: time.Now, cfg: cfg} }

// Announce stores a notice for its recipients: inbox entries, and mails that a Postman sends. It happens in the caller's
// transaction, once for each key: announced again, nothing changes. Each person and each address is told once, however
// often it is among the recipients. Anonymous notices are not announced.
func (a *Announcer) Announce(ctx context.Context, s Store, n Notice, to []Recipient) error {
	if n.Anonymous || len(to) == 0 {
		return nil
	}
	if n.Key == "" {
		return callhome.Errorf(callhome.KindInternal, "a notice of kind %s has no key", n.Kind)
	}
	n.bounded()
	fresh, err := s.AddNotice(ctx, &n)
	if err != nil || !fresh {
		return err
	}
	users, addresses := map[account.UserID]bool{}, map[string]bool{}
	for i := range to {
		r := to[i]
		settings, err := a.SettingsOf(ctx, s, r.User)
		if err != nil {
			return err
		}
		mode := ModeImmediate
		if r.User != 0 {
			mode = settings.ModeOf(n.Kind, n.Groups)
		}
		if mode == ModeNone {
			continue
		}
		if r.User != 0 && !users[r.User] {
			users[r.User] = true
			if err := s.AddEntry(ctx, r.User, &n); err != nil {
				return err
			}
		}
		address := strings.ToLower(strings.TrimSpace(r.Address))
		if address == "" || addresses[address] {
			continue
		}
		addresses[address] = true
		if err := a.mail(ctx, s, &n, &r, mode, &settings); err != nil {
			return err
		}
	}
	return nil
}

// SettingsOf are a person's settings, or the defaults.
func (a *Announcer) SettingsOf(ctx context.Context, s Store, user account.UserID) (Settings, error) {
	standard := Settings{User: user, Hour: a.cfg.DigestHour}
	if user == 0 {
		return standard, nil
	}
	got, ok, err := s.Settings(ctx, user)
	if err == nil && !ok {
		got = standard
	}
	return got, err
}

// Choose stores a person's settings.
func (a *Announcer) Choose(ctx context.Context, s Store, settings *Settings) error {
	if err := settings.Validate(); err != nil {
		return err
	}
	return s.PutSettings(ctx, settings)
}

func (a *Announcer) mail(ctx context.Context, s Store, n *Notice, r *Recipient, mode Mode, settings *Settings) error {
	now := a.Now()
	m := Mail{Notice: *n, User: r.User, Name: r.Name, Address: strings.TrimSpace(r.Address), Pager: r.Pager, State: MailWaiting, AddedAt: now, DueAt: now}
	parsed, err := mail.ParseAddress(m.Address)
	switch {
	case err != nil:
		m.State, m.Reason = MailDropped, ReasonBadAddress
		m.Address = clip(oneLine(m.Address), maxSubject)
	case a.cfg.From == "":
		m.State, m.Reason = MailDropped, ReasonNoSender
	case a.cfg.own(parsed.Address):
		m.State, m.Reason = MailDropped, ReasonOwnAddress
	case Automatic(parsed.Address):
		m.State, m.Reason = MailDropped, ReasonAutomatic
	default:
		m.Address = parsed.Address
		if m.Name == "" {
			m.Name = parsed.Name
		}
	}
	if m.State == MailWaiting && mode == ModeDigest {
		if err := join(ctx, s, &m, settings.NextDigest(now), 24*time.Hour, false); err != nil {
			return err
		}
	}
	return s.AddMail(ctx, &m)
}

// digestTries: the digest of a time may be on its way already when clocks differ; the second one never is.
const digestTries = 3

// join puts a mail into the digest of its address at a time, or the first later one that is still open.
func join(ctx context.Context, s Store, m *Mail, due time.Time, every time.Duration, held bool) error {
	for range digestTries {
		d := Digest{User: m.User, Address: m.Address, DueAt: due, Held: held}
		open, err := s.TakeDigest(ctx, &d)
		if err != nil {
			return err
		}
		if open {
			m.Digest, m.DueAt = d.ID, due
			return nil
		}
		due = due.Add(every)
	}
	return callhome.Errorf(callhome.KindConflict, "the digests of %s are all on their way", m.Address)
}
