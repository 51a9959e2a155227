package sqlstore

import (
	"context"

	"callhome"
	"callhome/server/account"
	"callhome/server/confighistory"
)

// ConfigHistory is the transaction as confighistory.Store.
func (t *Tx) ConfigHistory() confighistory.Store { return configStore{t} }

type configStore struct{ *Tx }

// configColumns are those of a revision, in the order of scanConfig.
const configColumns = "r.id, r.device_id, r.company_id, r.kind, r.number, r.command, r.message_id, r.at, r.stored_at, r.form, r.blob, r.size, r.line_count, r.added, r.removed"

func scanConfig(row scanner, more ...any) (r confighistory.Revision, err error) {
	var at, stored int64
	err = row.Scan(append([]any{
		&r.ID, &r.Device, &r.Company, &r.Kind, &r.Number, &r.Command, &r.MessageID, &at, &stored, &r.Form, &r.Blob, &r.Size, &r.Lines, &r.Added, &r.Removed,
	}, more...)...)
	r.At, r.StoredAt = fromMicros(at), fromMicros(stored)
	return r, err
}

func scanConfigOnly(row scanner) (confighistory.Revision, error) { return scanConfig(row) }

func scanConfigHead(row scanner) (h confighistory.Head, err error) {
	var seen, salted int64
	h.Revision, err = scanConfig(row, &seen, &h.Salted, &salted, &h.SaltedMsg)
	h.SeenAt, h.SaltedAt = fromMicros(seen), fromMicros(salted)
	return h, err
}

// Head implements [confighistory.Store].
func (s configStore) Head(ctx context.Context, device int64, kind confighistory.Kind) (confighistory.Head, bool, error) {
	h, err := scanConfigHead(s.row(ctx, "config_head", device, string(kind)))
	ok, err := found(err)
	return h, ok, err
}

// ByMessage implements [confighistory.Store].
func (s configStore) ByMessage(ctx context.Context, device int64, kind confighistory.Kind, id callhome.MessageID) (confighistory.Revision, bool, error) {
	if id == "" {
		return confighistory.Revision{}, false, nil
	}
	r, err := scanConfig(s.row(ctx, "config_by_message", device, string(id), string(kind)))
	ok, err := found(err)
	return r, ok, err
}

// Put implements [confighistory.Store].
func (s configStore) Put(ctx context.Context, h confighistory.Head, b confighistory.Blob) error {
	if _, err := s.exec(ctx, "config_put_text", b.Hash, b.Size, b.Data); err != nil {
		return err
	}
	r := h.Revision
	r.ID = s.NewID()
	if _, err := s.exec(ctx, "config_put_revision", r.ID, r.Device, int64(r.Company), string(r.Kind), r.Number, r.Command, string(r.MessageID), micros(r.At),
		micros(r.StoredAt), r.Form, b.Hash, r.Size, r.Lines, r.Added, r.Removed); err != nil {
		return err
	}
	_, err := s.exec(ctx, "config_put_head", r.Device, string(r.Kind), int64(r.Company), r.ID, micros(h.SeenAt), h.Salted, micros(h.SaltedAt), string(h.SaltedMsg))
	return err
}

// Touch implements [confighistory.Store].
func (s configStore) Touch(ctx context.Context, h confighistory.Head) error {
	_, err := s.exec(ctx, "config_touch", h.Device, string(h.Kind), micros(h.SeenAt), h.Salted, micros(h.SaltedAt), string(h.SaltedMsg))
	return err
}

// Blob implements [confighistory.Store].
func (s configStore) Blob(ctx context.Context, hash string) (data []byte, err error) {
	ok, err := found(s.row(ctx, "config_text", hash).Scan(&data))
	if err == nil && !ok {
		err = callhome.Errorf(callhome.KindNotFound, "the text of a configuration is not there any more")
	}
	return data, err
}

// SetCompany implements [confighistory.Store].
func (s configStore) SetCompany(ctx context.Context, device int64, company account.CompanyID) error {
	for _, name := range []string{"config_move_revisions", "config_move_heads"} {
		if _, err := s.exec(ctx, name, device, int64(company)); err != nil {
			return err
		}
	}
	return nil
}

// Forget implements [confighistory.Store].
func (s configStore) Forget(ctx context.Context, device int64) error {
	for _, name := range []string{"config_forget_texts", "config_forget_heads", "config_forget_revisions"} {
		if _, err := s.exec(ctx, name, device); err != nil {
			return err
		}
	}
	return nil
}

// Revision implements [confighistory.Store].
func (s configStore) Revision(ctx context.Context, reach account.Reach, device int64, kind confighistory.Kind, number int) (confighistory.Revision, error) {
	row := s.row(ctx, "config_latest", device, string(kind))
	if number != 0 {
		row = s.row(ctx, "config_revision", device, string(kind), number)
	}
	r, err := scanConfig(row)
	ok, err := found(err)
	if err == nil && (!ok || !reach.Has(r.Company)) {
		err = callhome.Errorf(callhome.KindNotFound, "device %d has no %s configuration of this number", device, kind)
	}
	if err != nil {
		return confighistory.Revision{}, err
	}
	return r, nil
}

// Revisions implements [confighistory.Store].
func (s configStore) Revisions(ctx context.Context, reach account.Reach, device int64, kind confighistory.Kind, page account.Page) ([]confighistory.Revision, error) {
	l := newListing("SELECT " + configColumns + " FROM config_revisions r")
	l.and("r.device_id = ?", device)
	l.andText("r.kind", string(kind))
	l.reach("r.company_id", reach)
	l.page("r.id", page)
	rows, err := s.ask(ctx, l.text(), l.args...)
	return collect(rows, err, scanConfigOnly)
}

// Heads implements [confighistory.Store].
func (s configStore) Heads(ctx context.Context, reach account.Reach, device int64, kind confighistory.Kind, page account.Page) ([]confighistory.Head, error) {
	l := newListing("SELECT " + configColumns + ", h.seen_at, h.salted, h.salted_at, h.salted_msg FROM config_heads h JOIN config_revisions r ON r.id = h.revision_id")
	l.andID("h.device_id", device)
	l.andText("h.kind", string(kind))
	l.reach("h.company_id", reach)
	l.page("h.revision_id", page)
	rows, err := s.ask(ctx, l.text(), l.args...)
	return collect(rows, err, scanConfigHead)
}
