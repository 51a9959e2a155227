package sqlstore

import (
	"context"
	"strconv"
	"strings"
	"time"

	"callhome"
	"callhome/server/account"
	"callhome/server/casework"
)

// caseworkStore is casework.Store; its ticket systems and calendars are in casework_tickets.go.
type caseworkStore struct{ *Tx }

// Casework is the room's sight of the transaction.
func (t *Tx) Casework() casework.Store { return caseworkStore{t} }

func scanSlot(r scanner) (s casework.Slot, err error) {
	var due int64
	var detail string
	if err = r.Scan(&s.Key.Device, &s.Key.Rule, &s.Key.Part, &s.Company, &s.Case, &due, &detail); err != nil {
		return s, err
	}
	s.HeldDue = fromMicros(due)
	return s, fromJSON(detail, &s)
}

// LockSlot implements [casework.Store].
func (s caseworkStore) LockSlot(ctx context.Context, k casework.CauseKey, company account.CompanyID) (casework.Slot, error) {
	return scanSlot(s.row(ctx, "casework_lock_slot", k.Device, k.Rule, k.Part, int64(company)))
}

// LockSlots implements [casework.Store].
func (s caseworkStore) LockSlots(ctx context.Context, device int64, rule string) ([]casework.Slot, error) {
	rows, err := s.query(ctx, "casework_lock_slots", device, rule)
	return collect(rows, err, scanSlot)
}

// LockHeld implements [casework.Store].
func (s caseworkStore) LockHeld(ctx context.Context, now time.Time, limit int) ([]casework.Slot, error) {
	rows, err := s.query(ctx, "casework_lock_held", micros(now), limit)
	return collect(rows, err, scanSlot)
}

// PutSlot implements [casework.Store].
func (s caseworkStore) PutSlot(ctx context.Context, slot *casework.Slot) error {
	detail, err := jsonText(slot)
	if err != nil {
		return err
	}
	_, err = s.exec(ctx, "casework_put_slot", slot.Key.Device, slot.Key.Rule, slot.Key.Part, slot.Case, micros(slot.HeldDue), detail)
	return err
}

// RouseHeld implements [casework.Store].
func (s caseworkStore) RouseHeld(ctx context.Context, now time.Time) error {
	_, err := s.exec(ctx, "casework_rouse_held", micros(now))
	return err
}

// AddDeed implements [casework.Store].
func (s caseworkStore) AddDeed(ctx context.Context, d *casework.Deed) (bool, error) {
	evidence, err := jsonText(d.Evidence)
	if err != nil {
		return false, err
	}
	id := s.NewID()
	n, err := s.exec(ctx, "casework_add_deed", id, d.Cause.Device, d.Message, d.Cause.Rule, d.Cause.Part, int64(d.Company), d.Archive,
		micros(d.At), micros(d.EventAt), string(d.Disposition), d.Case, int64(d.Level), d.Title, evidence)
	if n > 0 {
		d.ID = id
	}
	return n > 0, err
}

// PutDeed implements [casework.Store].
func (s caseworkStore) PutDeed(ctx context.Context, d *casework.Deed) error {
	_, err := s.exec(ctx, "casework_put_deed", d.Cause.Device, d.Message, d.Cause.Rule, d.Cause.Part, string(d.Disposition), d.Case)
	return err
}

// DropDeeds implements [casework.Store].
func (s caseworkStore) DropDeeds(ctx context.Context, before time.Time, limit int) (int64, error) {
	return s.exec(ctx, "casework_drop_deeds", idAt(before), limit)
}

// NextNumber implements [casework.Store].
func (s caseworkStore) NextNumber(ctx context.Context) (n int64, err error) {
	return n, s.row(ctx, "casework_next_number").Scan(&n)
}

// caseTally is the kind of the maintained counts of cases; a word is team, state and level.
const caseTally = "cases"

func tallyWord(team, state string, level int64) string {
	return team + " " + state + " " + strconv.FormatInt(level, 10)
}

// words are what a search finds a case by.
func words(c *casework.Case) string {
	return strings.ToLower(string(c.Number) + " " + c.Subject.Host + " " + c.Title)
}

// AddCase implements [casework.Store].
func (s caseworkStore) AddCase(ctx context.Context, c *casework.Case) error {
	c.ID = s.NewID()
	detail, err := jsonText(c)
	if err != nil {
		return err
	}
	s.count(caseTally, c.Company, tallyWord(c.Team, string(c.State), int64(c.Level)), 1)
	s.publish("service-request", c.Company, c.ID)
	_, err = s.exec(ctx, "casework_add_case", c.ID, string(c.Number), int64(c.Company), c.Subject.Device, c.Rule, c.Subject.Site,
		string(c.State), flag(c.State.Active()), int64(c.Level), c.Team, c.Assignee, words(c), micros(c.OpenedAt), micros(c.DueAt), detail)
	return err
}

func scanCase(r scanner) (c casework.Case, err error) {
	var detail string
	if err = r.Scan(&detail); err != nil {
		return c, err
	}
	return c, fromJSON(detail, &c)
}

// oneCase gives the case of a row, or says that there is none.
func oneCase(r scanner, what string) (*casework.Case, error) {
	c, err := scanCase(r)
	ok, err := found(err)
	if err == nil && !ok {
		err = callhome.Errorf(callhome.KindNotFound, "there is no service request %s", what)
	}
	if err != nil {
		return nil, err
	}
	return &c, nil
}

// LockCase implements [casework.Store].
func (s caseworkStore) LockCase(ctx context.Context, id int64) (*casework.Case, error) {
	return oneCase(s.row(ctx, "casework_lock_case", id), strconv.FormatInt(id, 10))
}

// PutCase implements [casework.Store].
func (s caseworkStore) PutCase(ctx context.Context, c *casework.Case) error {
	var company, level int64
	var team, state string
	if err := s.row(ctx, "casework_case_standing", c.ID).Scan(&company, &team, &state, &level); err != nil {
		return err
	}
	detail, err := jsonText(c)
	if err != nil {
		return err
	}
	s.count(caseTally, account.CompanyID(company), tallyWord(team, state, level), -1)
	s.count(caseTally, c.Company, tallyWord(c.Team, string(c.State), int64(c.Level)), 1)
	s.publish("service-request", c.Company, c.ID)
	_, err = s.exec(ctx, "casework_put_case", c.ID, c.Subject.Site, string(c.State), flag(c.State.Active()), int64(c.Level), c.Team,
		c.Assignee, words(c), micros(c.DueAt), detail)
	return err
}

// AddEvent implements [casework.Store].
func (s caseworkStore) AddEvent(ctx context.Context, e *casework.Event) error {
	e.ID = s.NewID()
	n, err := s.exec(ctx, "casework_add_event", e.ID, e.Case, e.Seq, micros(e.At), e.By.Who, e.By.Via, string(e.Kind), e.From, e.To, e.Text)
	if err == nil && n == 0 {
		err = callhome.Errorf(callhome.KindNotFound, "there is no service request %d", e.Case)
	}
	return err
}

// TakeCode implements [casework.Store].
func (s caseworkStore) TakeCode(ctx context.Context, hash string, id int64) (bool, error) {
	n, err := s.exec(ctx, "casework_take_code", hash, id)
	return n > 0, err
}

// FreeCode implements [casework.Store].
func (s caseworkStore) FreeCode(ctx context.Context, id int64) error {
	_, err := s.exec(ctx, "casework_free_code", id)
	return err
}

// CaseOfCode implements [casework.Store].
func (s caseworkStore) CaseOfCode(ctx context.Context, hash string) (id int64, err error) {
	ok, err := found(s.row(ctx, "casework_case_of_code", hash).Scan(&id))
	if err == nil && !ok {
		err = callhome.Errorf(callhome.KindNotFound, "no service request has this code")
	}
	return id, err
}

// DropCases implements [casework.Store].
func (s caseworkStore) DropCases(ctx context.Context, before time.Time, limit int) (int64, error) {
	type old struct {
		id, company, level int64
		team, state        string
	}
	rows, err := s.query(ctx, "casework_old_cases", idAt(before), limit)
	list, err := collect(rows, err, func(r scanner) (o old, err error) { return o, r.Scan(&o.id, &o.company, &o.team, &o.state, &o.level) })
	if err != nil {
		return 0, err
	}
	for _, o := range list {
		s.count(caseTally, account.CompanyID(o.company), tallyWord(o.team, o.state, o.level), -1)
		for _, q := range []string{
			"casework_drop_slots_case", "casework_drop_case_events", "casework_drop_case_deeds", "casework_drop_case_links", "casework_drop_case_pushes", "casework_drop_case",
		} {
			if _, err := s.exec(ctx, q, o.id); err != nil {
				return 0, err
			}
		}
	}
	return int64(len(list)), nil
}

// CasesDue implements [casework.Store].
func (s caseworkStore) CasesDue(ctx context.Context, now time.Time, limit int) ([]int64, error) {
	rows, err := s.query(ctx, "casework_due", micros(now), limit)
	return collect(rows, err, func(r scanner) (id int64, err error) { return id, r.Scan(&id) })
}

func (s caseworkStore) one(ctx context.Context, reach account.Reach, condition string, arg any, what string) (*casework.Case, error) {
	l := newListing("SELECT detail FROM cases")
	l.and(condition, arg)
	l.reach("company_id", reach)
	rows, err := s.ask(ctx, l.text(), l.args...)
	list, err := collect(rows, err, scanCase)
	if err == nil && len(list) == 0 {
		err = callhome.Errorf(callhome.KindNotFound, "there is no service request %s", what)
	}
	if err != nil {
		return nil, err
	}
	return &list[0], nil
}

// Case implements [casework.Store].
func (s caseworkStore) Case(ctx context.Context, reach account.Reach, id int64) (*casework.Case, error) {
	return s.one(ctx, reach, "id = ?", id, strconv.FormatInt(id, 10))
}

// CaseByNumber implements [casework.Store].
func (s caseworkStore) CaseByNumber(ctx context.Context, reach account.Reach, n casework.CaseNumber) (*casework.Case, error) {
	return s.one(ctx, reach, "number = ?", string(n), string(n))
}

// Cases implements [casework.Store].
func (s caseworkStore) Cases(ctx context.Context, reach account.Reach, f casework.CaseFilter, page account.Page) ([]casework.Case, error) {
	l := newListing("SELECT detail FROM cases")
	if len(f.States) > 0 {
		args := make([]any, len(f.States))
		for i, st := range f.States {
			args[i] = string(st)
		}
		l.and("state IN (?"+strings.Repeat(", ?", len(args)-1)+")", args...)
	}
	if f.Active {
		l.and("active = 1")
	}
	l.andText("team", f.Team)
	l.andText("assignee", f.Assignee)
	l.andText("rule", f.Rule)
	l.andText("site", f.Site)
	l.andID("device_id", f.Device)
	if f.MinLevel > 0 {
		l.and("level >= ?", int64(f.MinLevel))
	}
	if !f.Since.IsZero() {
		l.and("opened_at >= ?", micros(f.Since))
	}
	if !f.Until.IsZero() {
		l.and("opened_at < ?", micros(f.Until))
	}
	if f.Text != "" {
		l.and(`words LIKE ? ESCAPE '\'`, "%"+strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`).Replace(strings.ToLower(f.Text))+"%")
	}
	l.reach("company_id", reach)
	l.page("id", page)
	rows, err := s.ask(ctx, l.text(), l.args...)
	return collect(rows, err, scanCase)
}

// Events implements [casework.Store].
func (s caseworkStore) Events(ctx context.Context, reach account.Reach, id int64, page account.Page) ([]casework.Event, error) {
	l := newListing("SELECT id, case_id, seq, at, who, via, kind, was, became, body FROM case_events")
	l.and("case_id = ?", id)
	l.reach("company_id", reach)
	l.page("id", page)
	rows, err := s.ask(ctx, l.text(), l.args...)
	return collect(rows, err, func(r scanner) (e casework.Event, err error) {
		var at int64
		err = r.Scan(&e.ID, &e.Case, &e.Seq, &at, &e.By.Who, &e.By.Via, &e.Kind, &e.From, &e.To, &e.Text)
		e.At = fromMicros(at)
		return e, err
	})
}

// Deeds implements [casework.Store].
func (s caseworkStore) Deeds(ctx context.Context, reach account.Reach, f casework.DeedFilter, page account.Page) ([]casework.Deed, error) {
	l := newListing("SELECT id, device_id, message, rule, part, company_id, archive_id, at, event_at, disposition, case_id, level, title, evidence FROM case_deeds")
	l.andID("case_id", f.Case)
	l.andID("device_id", f.Device)
	l.andText("rule", f.Rule)
	l.andText("disposition", string(f.Disposition))
	l.reach("company_id", reach)
	l.page("id", page)
	rows, err := s.ask(ctx, l.text(), l.args...)
	return collect(rows, err, func(r scanner) (d casework.Deed, err error) {
		var at, eventAt int64
		var evidence string
		err = r.Scan(&d.ID, &d.Cause.Device, &d.Message, &d.Cause.Rule, &d.Cause.Part, &d.Company, &d.Archive, &at, &eventAt, &d.Disposition,
			&d.Case, &d.Level, &d.Title, &evidence)
		if err != nil {
			return d, err
		}
		d.At, d.EventAt = fromMicros(at), fromMicros(eventAt)
		return d, fromJSON(evidence, &d.Evidence)
	})
}

// Tallies implements [casework.Store].
func (s caseworkStore) Tallies(ctx context.Context, reach account.Reach) ([]casework.Tally, error) {
	counts, err := s.tallies(ctx, caseTally, reach, time.Time{})
	var out []casework.Tally
	for word, n := range counts {
		parts := strings.Split(word, " ")
		level, bad := strconv.Atoi(parts[len(parts)-1])
		if n == 0 || len(parts) != 3 || bad != nil {
			continue
		}
		out = append(out, casework.Tally{Team: parts[0], State: casework.State(parts[1]), Level: callhome.Level(level), Cases: n})
	}
	return out, err
}
