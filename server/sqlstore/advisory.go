package sqlstore

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"callhome"
	"callhome/server/account"
	"callhome/server/advisory"
)

// Advisory is the transaction as advisory.Store.
func (t *Tx) Advisory() advisory.Store { return advisoryStore{t} }

type advisoryStore struct{ *Tx }

// tallyAdvisory counts devices by notice and state.
const tallyAdvisory = "advisory"

func answerWord(notice int64, state advisory.State) string {
	return strconv.FormatInt(notice, 10) + " " + string(state)
}

func identKey(publisher, ident string) string { return strings.ToLower(publisher + "\n" + ident) }

func scanNotice(r scanner) (n advisory.Notice, err error) {
	var id int64
	var body string
	if err = r.Scan(&id, &body); err == nil {
		err = fromJSON(body, &n)
	}
	n.ID = id
	return n, err
}

// ByIdent implements [advisory.Store].
func (s advisoryStore) ByIdent(ctx context.Context, publisher, ident string) (advisory.Notice, bool, error) {
	n, err := scanNotice(s.row(ctx, "advisory_by_ident", identKey(publisher, ident)))
	ok, err := found(err)
	return n, ok, err
}

// Notice implements [advisory.Store].
func (s advisoryStore) Notice(ctx context.Context, id int64) (advisory.Notice, error) {
	n, err := scanNotice(s.row(ctx, "advisory_notice", id))
	ok, err := found(err)
	if err == nil && !ok {
		err = callhome.Errorf(callhome.KindNotFound, "there is no notice %d", id)
	}
	return n, err
}

// PutNotice implements [advisory.Store].
func (s advisoryStore) PutNotice(ctx context.Context, n *advisory.Notice, at time.Time) error {
	if n.ID == 0 {
		n.ID = s.NewID()
	}
	body, err := jsonText(n)
	if err != nil {
		return err
	}
	if _, err := s.exec(ctx, "advisory_put_notice", n.ID, identKey(n.Publisher, n.Ident), string(n.Sort), string(n.Status), n.Impact, strings.ToLower(n.Ident), micros(at), body); err != nil {
		return err
	}
	if _, err := s.exec(ctx, "advisory_put_edition", s.NewID(), n.ID, n.Version, string(n.Status), micros(at), n.Hash(), body); err != nil {
		return err
	}
	if _, err := s.exec(ctx, "advisory_drop_keys", n.ID); err != nil {
		return err
	}
	for _, k := range n.Keys() {
		if _, err := s.exec(ctx, "advisory_put_key", k, n.ID); err != nil {
			return err
		}
	}
	return nil
}

// wordsAtOnce bounds the values of one query.
const wordsAtOnce = 500

// Candidates implements [advisory.Store].
func (s advisoryStore) Candidates(ctx context.Context, keys []string) ([]int64, error) {
	var out []int64
	for part := range slices.Chunk(keys, wordsAtOnce) {
		l := newListing("SELECT DISTINCT k.notice_id FROM advisory_keys k JOIN advisory_notices n ON n.id = k.notice_id")
		l.and("k.word IN (?"+strings.Repeat(", ?", len(part)-1)+")", anyOf(part)...)
		l.and("n.status <> ?", string(advisory.Withdrawn))
		rows, err := s.ask(ctx, l.text(), l.args...)
		ids, err := collect(rows, err, func(r scanner) (id int64, err error) { return id, r.Scan(&id) })
		if err != nil {
			return nil, err
		}
		out = append(out, ids...)
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

func scanAnswer(r scanner, more ...any) (a advisory.Stored, err error) {
	var since, checked int64
	var text string
	if err = r.Scan(append([]any{&a.ID, &a.Notice, &a.Device, &a.Company, &a.Sort, &a.State, &since, &checked, &text}, more...)...); err != nil {
		return a, err
	}
	a.Since, a.Checked = fromMicros(since), fromMicros(checked)
	return a, fromJSON(text, &a.Result)
}

func scanAnswerOnly(r scanner) (advisory.Stored, error) { return scanAnswer(r) }

// AnswersOf implements [advisory.Store].
func (s advisoryStore) AnswersOf(ctx context.Context, device int64) (map[int64]advisory.Stored, error) {
	rows, err := s.query(ctx, "advisory_answers_of", device)
	list, err := collect(rows, err, scanAnswerOnly)
	out := make(map[int64]advisory.Stored, len(list))
	for _, a := range list {
		out[a.Notice] = a
	}
	return out, err
}

// AnswersFor implements [advisory.Store].
func (s advisoryStore) AnswersFor(ctx context.Context, notice, after int64, limit int) ([]advisory.Stored, error) {
	rows, err := s.query(ctx, "advisory_answers_for", notice, after, limit)
	return collect(rows, err, scanAnswerOnly)
}

// PutAnswer implements [advisory.Store].
func (s advisoryStore) PutAnswer(ctx context.Context, a advisory.Stored) error {
	text, err := jsonText(a.Result)
	if err != nil {
		return err
	}
	var company account.CompanyID
	var state advisory.State
	known, err := found(s.row(ctx, "advisory_state", a.Notice, a.Device).Scan(&company, &state))
	if err != nil {
		return err
	}
	if known {
		s.count(tallyAdvisory, company, answerWord(a.Notice, state), -1)
	}
	s.count(tallyAdvisory, a.Company, answerWord(a.Notice, a.State), 1)
	if a.ID == 0 {
		a.ID = s.NewID()
	}
	_, err = s.exec(ctx, "advisory_put_answer", a.ID, a.Notice, a.Device, int64(a.Company), string(a.Sort), string(a.State), micros(a.Since), micros(a.Checked), text)
	return err
}

// SetCompany implements [advisory.Store].
func (s advisoryStore) SetCompany(ctx context.Context, device int64, company account.CompanyID) error {
	answers, err := s.AnswersOf(ctx, device)
	if err != nil {
		return err
	}
	for _, a := range answers {
		s.count(tallyAdvisory, a.Company, answerWord(a.Notice, a.State), -1)
		s.count(tallyAdvisory, company, answerWord(a.Notice, a.State), 1)
	}
	_, err = s.exec(ctx, "advisory_move_answers", device, int64(company))
	return err
}

// Forget implements [advisory.Store].
func (s advisoryStore) Forget(ctx context.Context, device int64) error {
	answers, err := s.AnswersOf(ctx, device)
	if err != nil {
		return err
	}
	for _, a := range answers {
		s.count(tallyAdvisory, a.Company, answerWord(a.Notice, a.State), -1)
	}
	_, err = s.exec(ctx, "advisory_forget_answers", device)
	return err
}

// Editions implements [advisory.Store].
func (s advisoryStore) Editions(ctx context.Context, id int64) ([]advisory.Edition, error) {
	rows, err := s.query(ctx, "advisory_editions", id)
	return collect(rows, err, func(r scanner) (e advisory.Edition, err error) {
		var at int64
		err = r.Scan(&e.Version, &e.Status, &at, &e.Hash)
		e.StoredAt = fromMicros(at)
		return e, err
	})
}

// Notices implements [advisory.Store].
func (s advisoryStore) Notices(ctx context.Context, f advisory.NoticeFilter, page account.Page) ([]advisory.Notice, error) {
	l := newListing("SELECT n.id, n.body FROM advisory_notices n")
	l.andText("n.sort", string(f.Sort))
	l.andText("n.status", string(f.Status))
	l.andText("n.impact", strings.ToLower(f.Impact))
	l.andText("n.ident", strings.ToLower(f.Ident))
	if f.CVE != "" {
		l.and("n.id IN (SELECT k.notice_id FROM advisory_keys k WHERE k.word = ?)", advisory.CVEKey(f.CVE))
	}
	l.page("n.id", page)
	rows, err := s.ask(ctx, l.text(), l.args...)
	return collect(rows, err, func(r scanner) (advisory.Notice, error) {
		n, err := scanNotice(r)
		n.Items = nil
		return n, err
	})
}

// Answers implements [advisory.Store].
func (s advisoryStore) Answers(ctx context.Context, reach account.Reach, f advisory.ResultFilter, page account.Page) ([]advisory.Stored, error) {
	l := newListing("SELECT a.id, a.notice_id, a.device_id, a.company_id, a.sort, a.state, a.since, a.checked_at, a.answer, n.body " +
		"FROM advisory_answers a JOIN advisory_notices n ON n.id = a.notice_id")
	l.andID("a.notice_id", f.Notice)
	l.andID("a.device_id", f.Device)
	l.andText("a.state", string(f.State))
	l.andText("a.sort", string(f.Sort))
	l.reach("a.company_id", reach)
	l.page("a.id", page)
	rows, err := s.ask(ctx, l.text(), l.args...)
	return collect(rows, err, func(r scanner) (advisory.Stored, error) {
		var body string
		a, err := scanAnswer(r, &body)
		if err != nil {
			return a, err
		}
		var n advisory.Notice
		err = fromJSON(body, &n)
		a.Ident, a.Title, a.Impact = n.Ident, n.Title, n.Impact
		return a, err
	})
}

// Counts implements [advisory.Store].
func (s advisoryStore) Counts(ctx context.Context, reach account.Reach) (map[int64]map[advisory.State]int64, error) {
	words, err := s.tallies(ctx, tallyAdvisory, reach, time.Time{})
	if err != nil {
		return nil, err
	}
	out := map[int64]map[advisory.State]int64{}
	for w, n := range words {
		id, state, _ := strings.Cut(w, " ")
		notice, err := strconv.ParseInt(id, 10, 64)
		if err != nil || n <= 0 {
			continue
		}
		if out[notice] == nil {
			out[notice] = map[advisory.State]int64{}
		}
		out[notice][advisory.State(state)] = n
	}
	return out, nil
}
