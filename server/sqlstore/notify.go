package sqlstore

import (
	"context"
	"time"

	"callhome/server/account"
	"callhome/server/notify"
)

// notifyStore is notify.Store.
type notifyStore struct{ *Tx }

// Notify is the room's sight of the transaction.
func (t *Tx) Notify() notify.Store { return notifyStore{t} }

// mailTally is the kind of the maintained counts of mails; a word is "sent" or the reason why not.
const mailTally = "mails"

// AddNotice implements [notify.Store].
func (s notifyStore) AddNotice(ctx context.Context, n *notify.Notice) (bool, error) {
	n.ID = s.NewID()
	detail, err := jsonText(n)
	if err != nil {
		return false, err
	}
	rows, err := s.exec(ctx, "notify_add_notice", n.ID, n.Key, string(n.Kind), int64(n.Company), n.Device, n.Case, micros(n.At), detail)
	return rows > 0, err
}

// AddEntry implements [notify.Store].
func (s notifyStore) AddEntry(ctx context.Context, user account.UserID, n *notify.Notice) error {
	rows, err := s.exec(ctx, "notify_add_entry", s.NewID(), int64(user), n.ID, int64(n.Company))
	if err != nil || rows == 0 {
		return err
	}
	return s.unread(ctx, user, 1)
}

func (s notifyStore) unread(ctx context.Context, user account.UserID, n int64) error {
	if n == 0 {
		return nil
	}
	_, err := s.exec(ctx, "notify_count_unread", int64(user), n)
	return err
}

// tell counts what became of a mail.
func (s notifyStore) tell(m *notify.Mail) {
	switch {
	case m.Reason != "":
		s.countAt(mailTally, m.Notice.Company, string(m.Reason), s.Now(), 1)
	case m.State == notify.MailSent:
		s.countAt(mailTally, m.Notice.Company, string(m.State), s.Now(), 1)
	}
}

// AddMail implements [notify.Store].
func (s notifyStore) AddMail(ctx context.Context, m *notify.Mail) error {
	m.ID = s.NewID()
	s.tell(m)
	_, err := s.exec(ctx, "notify_add_mail", m.ID, m.Notice.ID, int64(m.User), int64(m.Notice.Company), m.Name, m.Address, flag(m.Pager), m.Digest,
		string(m.State), string(m.Reason), micros(m.AddedAt), micros(m.DueAt))
	return err
}

// TakeDigest implements [notify.Store].
func (s notifyStore) TakeDigest(ctx context.Context, d *notify.Digest) (bool, error) {
	var sent, lease int64
	err := s.row(ctx, "notify_take_digest", s.NewID(), d.Address, micros(d.DueAt), int64(d.User), flag(d.Held)).Scan(&d.ID, &sent, &lease)
	return sent == 0 && lease == 0, err
}

const mailColumns = "m.id, m.notice_id, m.user_id, m.name, m.address, m.pager, m.digest_id, m.state, m.reason, m.added_at, m.due_at, n.detail"

func scanMail(r scanner) (m notify.Mail, err error) {
	var notice, pager, added, due int64
	var detail string
	if err = r.Scan(&m.ID, &notice, &m.User, &m.Name, &m.Address, &pager, &m.Digest, &m.State, &m.Reason, &added, &due, &detail); err != nil {
		return m, err
	}
	m.Pager, m.AddedAt, m.DueAt = pager != 0, fromMicros(added), fromMicros(due)
	err = fromJSON(detail, &m.Notice)
	m.Notice.ID = notice
	return m, err
}

func scanID(r scanner) (id int64, err error) { return id, r.Scan(&id) }

// ClaimMails implements [notify.Store].
func (s notifyStore) ClaimMails(ctx context.Context, now, until time.Time, limit int) ([]notify.Mail, error) {
	rows, err := s.query(ctx, "notify_ready_mails", micros(now), limit)
	ids, err := collect(rows, err, scanID)
	if err != nil {
		return nil, err
	}
	var out []notify.Mail
	for _, id := range ids {
		if n, err := s.exec(ctx, "notify_lease_mail", id, micros(now), micros(until)); err != nil {
			return nil, err
		} else if n == 0 {
			continue
		}
		m, err := scanMail(s.row(ctx, "notify_mail", id))
		if err != nil {
			return nil, err
		}
		out = append(out, m)
	}
	return out, nil
}

// ClaimDigests implements [notify.Store].
func (s notifyStore) ClaimDigests(ctx context.Context, now, until time.Time, limit, items int) ([]notify.Digest, error) {
	rows, err := s.query(ctx, "notify_ready_digests", micros(now), limit)
	ids, err := collect(rows, err, scanID)
	if err != nil {
		return nil, err
	}
	var out []notify.Digest
	for _, id := range ids {
		var d notify.Digest
		var due, held int64
		err := s.row(ctx, "notify_lease_digest", id, micros(now), micros(until)).Scan(&d.ID, &d.Address, &due, &d.User, &held)
		if ok, err := found(err); err != nil {
			return nil, err
		} else if !ok {
			continue
		}
		d.DueAt, d.Held = fromMicros(due), held != 0
		if err := s.row(ctx, "notify_digest_total", id).Scan(&d.Total); err != nil {
			return nil, err
		}
		rows, err := s.query(ctx, "notify_digest_mails", id, items)
		if d.Mails, err = collect(rows, err, scanMail); err != nil {
			return nil, err
		}
		out = append(out, d)
	}
	return out, nil
}

// CountSend implements [notify.Store].
func (s notifyStore) CountSend(ctx context.Context, address string, pages bool, t time.Time) (n int64, err error) {
	return n, s.row(ctx, "notify_count_send", address, flag(pages), micros(t.Truncate(time.Hour))).Scan(&n)
}

// PutMail implements [notify.Store].
func (s notifyStore) PutMail(ctx context.Context, m *notify.Mail) error {
	s.tell(m)
	_, err := s.exec(ctx, "notify_put_mail", m.ID, string(m.State), string(m.Reason), m.Digest, micros(m.DueAt))
	return err
}

// DigestSent implements [notify.Store].
func (s notifyStore) DigestSent(ctx context.Context, id int64, now time.Time) error {
	rows, err := s.query(ctx, "notify_digest_companies", id)
	counts, err := collect(rows, err, func(r scanner) (c [2]int64, err error) { return c, r.Scan(&c[0], &c[1]) })
	if err != nil {
		return err
	}
	for _, c := range counts {
		s.countAt(mailTally, account.CompanyID(c[0]), string(notify.MailSent), s.Now(), c[1])
	}
	if _, err := s.exec(ctx, "notify_send_digest_mails", id); err != nil {
		return err
	}
	_, err = s.exec(ctx, "notify_send_digest", id, micros(now))
	return err
}

// Inbox implements [notify.Store].
func (s notifyStore) Inbox(ctx context.Context, reach account.Reach, user account.UserID, unread bool, page account.Page) ([]notify.Entry, error) {
	l := newListing("SELECT e.id, e.notice_id, e.read_at, n.detail FROM notice_entries e JOIN notices n ON n.id = e.notice_id")
	l.and("e.user_id = ?", int64(user))
	if unread {
		l.and("e.read_at = 0")
	}
	l.reach("e.company_id", reach)
	l.page("e.id", page)
	rows, err := s.ask(ctx, l.text(), l.args...)
	return collect(rows, err, func(r scanner) (e notify.Entry, err error) {
		var notice, read int64
		var detail string
		if err = r.Scan(&e.ID, &notice, &read, &detail); err != nil {
			return e, err
		}
		e.ReadAt = fromMicros(read)
		err = fromJSON(detail, &e.Notice)
		e.Notice.ID = notice
		return e, err
	})
}

// Unread implements [notify.Store].
func (s notifyStore) Unread(ctx context.Context, user account.UserID) (n int64, err error) {
	_, err = found(s.row(ctx, "notify_unread", int64(user)).Scan(&n))
	return n, err
}

// MarkRead implements [notify.Store].
func (s notifyStore) MarkRead(ctx context.Context, user account.UserID, now time.Time, ids ...int64) error {
	var marked int64
	if len(ids) == 0 {
		n, err := s.exec(ctx, "notify_mark_all_read", int64(user), micros(now))
		if err != nil {
			return err
		}
		marked = n
	}
	for _, id := range ids {
		n, err := s.exec(ctx, "notify_mark_read", int64(user), id, micros(now))
		if err != nil {
			return err
		}
		marked += n
	}
	return s.unread(ctx, user, -marked)
}

// Settings implements [notify.Store].
func (s notifyStore) Settings(ctx context.Context, user account.UserID) (out notify.Settings, ok bool, err error) {
	var choices string
	ok, err = found(s.row(ctx, "notify_settings", int64(user)).Scan(&out.User, &out.Hour, &out.Zone, &choices))
	if err != nil || !ok {
		return out, ok, err
	}
	return out, true, fromJSON(choices, &out.Choices)
}

// PutSettings implements [notify.Store].
func (s notifyStore) PutSettings(ctx context.Context, in *notify.Settings) error {
	choices, err := jsonText(in.Choices)
	if err != nil {
		return err
	}
	_, err = s.exec(ctx, "notify_put_settings", int64(in.User), in.Hour, in.Zone, choices)
	return err
}

// Mails implements [notify.Store].
func (s notifyStore) Mails(ctx context.Context, reach account.Reach, notice int64, address string, page account.Page) ([]notify.Mail, error) {
	l := newListing("SELECT " + mailColumns + " FROM notice_mails m JOIN notices n ON n.id = m.notice_id")
	l.andID("m.notice_id", notice)
	l.andText("m.address", address)
	l.reach("m.company_id", reach)
	l.page("m.id", page)
	rows, err := s.ask(ctx, l.text(), l.args...)
	return collect(rows, err, scanMail)
}

// Counts implements [notify.Store].
func (s notifyStore) Counts(ctx context.Context, reach account.Reach, since time.Time) (map[string]int64, error) {
	return s.tallies(ctx, mailTally, reach, since)
}

// DropNotices implements [notify.Store].
func (s notifyStore) DropNotices(ctx context.Context, before time.Time, limit int) (int64, error) {
	if _, err := s.exec(ctx, "notify_forget_rates", micros(before)); err != nil {
		return 0, err
	}
	if _, err := s.exec(ctx, "notify_drop_digests", micros(before)); err != nil {
		return 0, err
	}
	rows, err := s.query(ctx, "notify_old", idAt(before), limit)
	ids, err := collect(rows, err, scanID)
	if err != nil {
		return 0, err
	}
	for _, id := range ids {
		rows, err := s.query(ctx, "notify_drop_unread", id)
		users, err := collect(rows, err, scanID)
		if err != nil {
			return 0, err
		}
		for _, u := range users {
			if err := s.unread(ctx, account.UserID(u), -1); err != nil {
				return 0, err
			}
		}
		for _, q := range []string{"notify_drop_entries", "notify_drop_mails", "notify_drop_notice"} {
			if _, err := s.exec(ctx, q, id); err != nil {
				return 0, err
			}
		}
	}
	return int64(len(ids)), nil
}
