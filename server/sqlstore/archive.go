package sqlstore

import (
	"context"
	"strings"
	"time"
	"unicode/utf8"

	"callhome"
	"callhome/server/account"
	"callhome/server/archive"
	"callhome/sqldb"
)

// Kinds of counters of the archive.
const (
	tallyStatus   = "messages.status"
	tallySeverity = "messages.severity"
	tallyGroup    = "messages.group"
	tallyBytes    = "messages.bytes"
)

// Archive is the archive's store.
func (t *Tx) Archive() archive.Store { return archiveStore{t} }

type archiveStore struct{ *Tx }

// Add implements [archive.Store].
func (s archiveStore) Add(ctx context.Context, r *archive.Record, body []byte) error {
	origin, err := jsonText(r.Origin)
	if err != nil {
		return err
	}
	if _, err := s.exec(ctx, "archive_add", r.ID, micros(r.ReceivedAt), micros(r.EventTime), int64(r.Company), r.Device, string(r.DeviceID),
		r.SystemName, string(r.MessageID), r.Type, r.Subtype, string(r.Group), r.Severity, cut(r.Description, archive.MaxDescription), string(r.Format),
		r.Dialect, r.Origin.Gateway, origin, r.Size, string(r.Status), strings.Join(r.Reasons, ","), r.Case, r.JoinedInto, archive.IDTime(r.MessageID)); err != nil {
		return err
	}
	if _, err := s.exec(ctx, "archive_add_body", r.ID, archive.Pack(body)); err != nil {
		return err
	}
	if _, err := s.exec(ctx, "archive_add_text", r.ID, searchText(r)); err != nil {
		return err
	}
	s.tallyRecord(r, 1)
	s.publish("message", r.Company, r.ID)
	return nil
}

// searchText is what a record is found by. The message ID is left out: it has an index of its own, and its pieces are
// like no other's, which makes an index of pieces grow.
func searchText(r *archive.Record) string {
	return strings.ToLower(strings.Join([]string{r.SystemName, string(r.DeviceID), cut(r.Description, archive.MaxDescription)}, "\n"))
}

// cut shortens a text without breaking a character.
func cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return s[:limit]
}

func (s archiveStore) tallyRecord(r *archive.Record, n int64) {
	s.countAt(tallyStatus, r.Company, string(r.Status), r.ReceivedAt, n)
	s.countAt(tallySeverity, r.Company, severityWord(r.Severity), r.ReceivedAt, n)
	s.countAt(tallyGroup, r.Company, string(r.Group), r.ReceivedAt, n)
	s.countAt(tallyBytes, r.Company, "", r.ReceivedAt, n*int64(r.Size))
}

func severityWord(n int) string {
	if n < 0 {
		return ""
	}
	return string(rune('0' + n))
}

// Change implements [archive.Store].
func (s archiveStore) Change(ctx context.Context, r *archive.Record) error {
	old, ok, err := s.Record(ctx, r.ID, account.Everywhere())
	if err != nil {
		return err
	}
	if !ok {
		return callhome.Errorf(callhome.KindNotFound, "there is no message %d", r.ID)
	}
	if _, err := s.exec(ctx, "archive_change", r.ID, string(r.Status), strings.Join(r.Reasons, ","), int64(r.Company), r.Device, r.Case, r.JoinedInto); err != nil {
		return err
	}
	s.tallyRecord(&old, -1)
	old.Status, old.Company = r.Status, r.Company
	s.tallyRecord(&old, 1)
	return nil
}

const archiveColumns = `messages.id, messages.received_at, messages.event_at, messages.company_id, messages.device, messages.device_id, messages.sys_name,
  messages.message_id, messages.type, messages.subtype, messages.alert_group, messages.severity, messages.description, messages.format,
  messages.dialect, messages.origin, messages.size, messages.status, messages.reasons, messages.case_id, messages.joined_into`

func scanRecord(row scanner) (r archive.Record, err error) {
	var received, event, company int64
	var origin, reasons string
	if err := row.Scan(&r.ID, &received, &event, &company, &r.Device, &r.DeviceID, &r.SystemName, &r.MessageID, &r.Type, &r.Subtype, &r.Group,
		&r.Severity, &r.Description, &r.Format, &r.Dialect, &origin, &r.Size, &r.Status, &reasons, &r.Case, &r.JoinedInto); err != nil {
		return r, err
	}
	r.ReceivedAt, r.EventTime, r.Company = fromMicros(received), fromMicros(event), account.CompanyID(company)
	if reasons != "" {
		r.Reasons = strings.Split(reasons, ",")
	}
	return r, fromJSON(origin, &r.Origin)
}

// Record implements [archive.Store].
func (s archiveStore) Record(ctx context.Context, id int64, reach account.Reach) (archive.Record, bool, error) {
	l := newListing("SELECT " + archiveColumns + " FROM messages")
	l.and("messages.id = ?", id)
	l.reach("messages.company_id", reach)
	rows, err := s.ask(ctx, l.text(), l.args...)
	all, err := collect(rows, err, scanRecord)
	if err != nil || len(all) == 0 {
		return archive.Record{}, false, err
	}
	return all[0], true, nil
}

// Body implements [archive.Store].
func (s archiveStore) Body(ctx context.Context, id int64) ([]byte, bool, error) {
	var packed []byte
	ok, err := found(s.row(ctx, "archive_body", id).Scan(&packed))
	if !ok {
		return nil, false, err
	}
	body, err := archive.Unpack(packed)
	return body, err == nil, err
}

// List implements [archive.Store].
func (s archiveStore) List(ctx context.Context, f archive.Filter) ([]archive.Record, error) {
	if f.Text != "" {
		return s.search(ctx, f)
	}
	l := newListing("SELECT " + archiveColumns + " FROM messages")
	filterMessages(l, f)
	l.page("messages.id", f.Page)
	rows, err := s.ask(ctx, l.text(), l.args...)
	return collect(rows, err, scanRecord)
}

// Walk implements [archive.Store].
func (s archiveStore) Walk(ctx context.Context, f archive.Filter) ([]archive.Record, error) {
	l := newListing("SELECT " + archiveColumns + " FROM messages")
	filterMessages(l, f)
	l.and("messages.id > ?", f.Page.After)
	l.add(" ORDER BY messages.id LIMIT ?", f.Page.Limited())
	rows, err := s.ask(ctx, l.text(), l.args...)
	return collect(rows, err, scanRecord)
}

func filterMessages(l *listing, f archive.Filter) {
	company := "messages.company_id"
	if f.MessageID != "" || f.Device != 0 || f.Case != 0 {
		company = "+" + company // not by the company's index: what else is asked for chooses few
	}
	l.andID(company, int64(f.Company))
	l.andID("messages.device", f.Device)
	l.andText("messages.device_id", string(f.DeviceID))
	if f.MessageID != "" {
		l.and("messages.id_time = ? AND messages.message_id = ?", archive.IDTime(f.MessageID), string(f.MessageID))
	}
	l.andText("messages.type", f.Type)
	l.andText("messages.alert_group", string(f.Group))
	l.andText("messages.gateway", f.Gateway)
	l.andID("messages.case_id", f.Case)
	if f.Status != "" {
		l.and("messages.status = ?", string(f.Status))
		if f.Status != archive.StatusProcessed {
			l.and("messages.status <> 'processed'") // makes the partial index fit
		}
	}
	if f.Gateway != "" {
		l.and("messages.gateway <> ''")
	}
	if f.Case != 0 {
		l.and("messages.case_id <> 0")
	}
	if f.Severity != nil {
		l.and("messages.severity >= ?", *f.Severity)
	}
	// IDs grow with the time of receipt, so the key serves for both.
	if !f.Since.IsZero() {
		l.and("messages.id >= ?", idAt(f.Since))
	}
	if !f.Until.IsZero() {
		l.and("messages.id < ?", idAt(f.Until))
	}
	l.reach(company, f.Reach)
}

// search finds a text by the index of three-letter pieces, and makes sure of each hit: the index knows the pieces of a
// text, not their order.
func (s archiveStore) search(ctx context.Context, f archive.Filter) ([]archive.Record, error) {
	text := strings.ToLower(f.Text)
	if utf8.RuneCountInString(text) < archive.MinText {
		return nil, callhome.Errorf(callhome.KindInvalid, "the text %q is too short to be searched for; give %d characters at least", f.Text, archive.MinText)
	}
	var out []archive.Record
	for limit := f.Page.Limited(); ; {
		l := newListing("SELECT " + archiveColumns + " FROM message_texts CROSS JOIN messages ON messages.id = message_texts.rowid")
		key := "message_texts.rowid"
		if s.store.db.Engine == sqldb.PostgreSQL {
			l = newListing("SELECT " + archiveColumns + " FROM message_texts JOIN messages ON messages.id = message_texts.id")
			key = "message_texts.id"
			l.and("message_texts.body LIKE ? ESCAPE '!'", "%"+likeEscape.Replace(text)+"%")
		} else {
			l.and("message_texts MATCH ?", pieces(text))
		}
		filterMessages(l, f)
		l.page(key, f.Page)
		rows, err := s.ask(ctx, l.text(), l.args...)
		page, err := collect(rows, err, scanRecord)
		if err != nil {
			return nil, err
		}
		for i := range page {
			if strings.Contains(searchText(&page[i]), text) {
				out = append(out, page[i])
			}
		}
		if len(page) < limit || len(out) >= limit {
			return out[:min(len(out), limit)], nil
		}
		f.Page.After = page[len(page)-1].ID
	}
}

var likeEscape = strings.NewReplacer("!", "!!", "%", "!%", "_", "!_")

// pieces asks for all three-letter pieces of a text.
func pieces(text string) string {
	runes := []rune(text)
	var q strings.Builder
	seen := map[string]bool{}
	for i := 0; i+archive.MinText <= len(runes); i++ {
		piece := string(runes[i : i+archive.MinText])
		if seen[piece] {
			continue
		}
		seen[piece] = true
		if q.Len() > 0 {
			q.WriteString(" AND ")
		}
		q.WriteString(`"` + strings.ReplaceAll(piece, `"`, `""`) + `"`)
	}
	return q.String()
}

// Counts implements [archive.Store].
func (s archiveStore) Counts(ctx context.Context, reach account.Reach, since time.Time) (archive.Counts, error) {
	c := archive.Counts{ByStatus: map[archive.Status]int64{}, BySeverity: map[int]int64{}, ByGroup: map[callhome.AlertGroup]int64{}}
	for kind, take := range map[string]func(word string, n int64){
		tallyStatus:   func(w string, n int64) { c.ByStatus[archive.Status(w)] = n },
		tallySeverity: func(w string, n int64) { c.BySeverity[wordSeverity(w)] = n },
		tallyGroup:    func(w string, n int64) { c.ByGroup[callhome.AlertGroup(w)] = n },
		tallyBytes:    func(_ string, n int64) { c.Bytes = n },
	} {
		words, err := s.tallies(ctx, kind, reach, since)
		if err != nil {
			return c, err
		}
		for w, n := range words {
			take(w, n)
		}
	}
	return c, nil
}

func wordSeverity(w string) int {
	if w == "" {
		return -1
	}
	return int(w[0] - '0')
}

// Purge implements [archive.Store].
func (s archiveStore) Purge(ctx context.Context, c archive.Class, before time.Time, limit int) (records, bytes int64, err error) {
	l := newListing("SELECT " + archiveColumns + " FROM messages")
	l.and("messages.id < ?", idAt(before))
	l.andID("messages.company_id", int64(c.Company))
	if len(c.Groups) > 0 {
		args := make([]any, len(c.Groups))
		for i, g := range c.Groups {
			args[i] = string(g)
		}
		l.and("messages.alert_group IN (?"+strings.Repeat(", ?", len(args)-1)+")", args...)
	}
	l.andText("messages.status", string(c.Status))
	if c.Status != "" && c.Status != archive.StatusProcessed {
		l.and("messages.status <> 'processed'") // makes the partial index fit
	}
	l.add(" ORDER BY messages.id LIMIT ?", limit)
	rows, err := s.ask(ctx, l.text(), l.args...)
	old, err := collect(rows, err, scanRecord)
	if err != nil {
		return 0, 0, err
	}
	for i := range old {
		for _, query := range []string{"archive_delete", "archive_delete_body", "archive_delete_text"} {
			if _, err := s.exec(ctx, query, old[i].ID); err != nil {
				return 0, 0, err
			}
		}
		s.tallyRecord(&old[i], -1)
		records++
		bytes += int64(old[i].Size)
	}
	return records, bytes, nil
}

// ForgetKeys implements [archive.Store].
func (s archiveStore) ForgetKeys(ctx context.Context, before time.Time, limit int) (int64, error) {
	return s.exec(ctx, "archive_forget_keys", idAt(before), limit)
}
