package sqlstore

import (
	"context"
	"slices"
	"time"

	"callhome"
	"callhome/server/account"
	"callhome/server/analysis"
)

// Analysis is the transaction as analysis.Store.
func (t *Tx) Analysis() analysis.Store { return analysisStore{t} }

type analysisStore struct{ *Tx }

// findingRest is what of a finding is never searched for.
type findingRest struct {
	Evidence   []analysis.Quote  `json:"evidence,omitempty"`
	Clears     []string          `json:"clears,omitempty"`
	Team       string            `json:"team,omitempty"`
	Labels     map[string]string `json:"labels,omitempty"`
	References []string          `json:"references,omitempty"`
	Captures   map[string]string `json:"captures,omitempty"`
	ToldAt     int64             `json:"told_at,omitempty"`
}

// Kinds of counters of findings.
const (
	tallyOutcome = "finding-outcome"
	tallyRule    = "finding-rule"
)

const findingColumns = `id, company_id, device_id, message_id, message, rule, pack, version, class, outcome, lowered, level, key, component, title,
    diagnosis, recommendation, state, at, stored_at, case_id, hunt_id, rest`

// Add is what analysis.Store promises.
func (s analysisStore) Add(ctx context.Context, r analysis.Record) (int64, error) {
	rest, err := jsonText(findingRest{r.Evidence, r.Clears, r.Team, r.Labels, r.References, r.Captures, micros(r.ToldAt)})
	if err != nil {
		return 0, err
	}
	id := s.NewID()
	n, err := s.exec(ctx, "analysis_add", id, int64(r.Company), r.Device, r.Message, r.MessageID, r.Rule, r.Pack, r.Version, string(r.Class),
		string(r.Outcome), flag(r.Lowered), int64(r.Level), r.Key, r.Component, r.Title, r.Diagnosis, r.Recommendation, string(r.State), micros(r.At),
		micros(s.Now()), r.Case, r.Hunt, rest)
	switch {
	case err != nil:
		return 0, err
	case n > 0:
		s.publish("finding", r.Company, id)
		if r.Hunt == 0 {
			s.countAt(tallyOutcome, r.Company, string(r.Outcome), s.Now(), 1)
			s.countAt(tallyRule, r.Company, r.Rule, s.Now(), 1)
		}
		return id, nil
	}
	err = s.row(ctx, "analysis_same", r.Device, r.Message, r.Rule, r.Key, string(r.State), micros(r.At), r.Hunt).Scan(&id)
	return id, err
}

func scanFinding(row scanner) (r analysis.Record, err error) {
	var lowered, at, stored int64
	var text string
	err = row.Scan(&r.ID, &r.Company, &r.Device, &r.Message, &r.MessageID, &r.Rule, &r.Pack, &r.Version, &r.Class, &r.Outcome, &lowered, &r.Level,
		&r.Key, &r.Component, &r.Title, &r.Diagnosis, &r.Recommendation, &r.State, &at, &stored, &r.Case, &r.Hunt, &text)
	if err != nil {
		return r, err
	}
	var rest findingRest
	if err := fromJSON(text, &rest); err != nil {
		return r, err
	}
	r.Lowered, r.At, r.StoredAt = lowered != 0, fromMicros(at), fromMicros(stored)
	r.Evidence, r.Clears, r.Team, r.Labels = rest.Evidence, rest.Clears, rest.Team, rest.Labels
	r.References, r.Captures, r.ToldAt = rest.References, rest.Captures, fromMicros(rest.ToldAt)
	return r, nil
}

// Find is what analysis.Store promises.
func (s analysisStore) Find(ctx context.Context, reach account.Reach, id int64) (analysis.Record, bool, error) {
	l := newListing("SELECT " + findingColumns + " FROM findings")
	l.and("id = ?", id)
	l.reach("company_id", reach)
	rows, err := s.ask(ctx, l.text(), l.args...)
	all, err := collect(rows, err, scanFinding)
	if err != nil || len(all) == 0 {
		return analysis.Record{}, false, err
	}
	return all[0], true, nil
}

// List is what analysis.Store promises.
func (s analysisStore) List(ctx context.Context, reach account.Reach, f analysis.Filter, p account.Page) ([]analysis.Record, error) {
	l := newListing("SELECT " + findingColumns + " FROM findings")
	l.reach("company_id", reach)
	l.andID("device_id", f.Device)
	l.andID("message_id", f.Message)
	l.andText("rule", f.Rule)
	l.andText("outcome", string(f.Outcome))
	l.andText("class", string(f.Class))
	l.andID("case_id", f.Case)
	l.andID("hunt_id", f.Hunt)
	if !f.Since.IsZero() {
		l.and("stored_at >= ?", micros(f.Since))
	}
	l.page("id", p)
	rows, err := s.ask(ctx, l.text(), l.args...)
	return collect(rows, err, scanFinding)
}

// Latest is what analysis.Store promises.
func (s analysisStore) Latest(ctx context.Context, device int64, rule, key string) (analysis.Record, bool, error) {
	r, err := scanFinding(s.row(ctx, "analysis_latest", device, rule, key))
	ok, err := found(err)
	return r, ok, err
}

// Counts is what analysis.Store promises.
func (s analysisStore) Counts(ctx context.Context, reach account.Reach, since time.Time) (c analysis.Counts, err error) {
	outcomes, err := s.tallies(ctx, tallyOutcome, reach, since)
	if err != nil {
		return c, err
	}
	c.ByOutcome = make(map[analysis.Outcome]int64, len(outcomes))
	for word, n := range outcomes {
		c.ByOutcome[analysis.Outcome(word)] = n
	}
	c.ByRule, err = s.tallies(ctx, tallyRule, reach, since)
	return c, err
}

// SetCase is what analysis.Store promises.
func (s analysisStore) SetCase(ctx context.Context, id, caseID int64) error {
	n, err := s.exec(ctx, "analysis_set_case", id, caseID)
	if err == nil && n == 0 {
		return callhome.Errorf(callhome.KindNotFound, "there is no finding %d", id)
	}
	return err
}

// MoveDevice is what analysis.Store promises.
func (s analysisStore) MoveDevice(ctx context.Context, device int64, company account.CompanyID) error {
	_, err := s.exec(ctx, "analysis_move_device", device, int64(company))
	return err
}

// Purge is what analysis.Store promises.
func (s analysisStore) Purge(ctx context.Context, before time.Time, limit int) (int, error) {
	n, err := s.exec(ctx, "analysis_purge", micros(before), limit)
	return int(n), err
}

// Observe is what analysis.Store promises.
func (s analysisStore) Observe(ctx context.Context, device int64, observations ...analysis.Observation) error {
	for _, o := range observations {
		if _, err := s.exec(ctx, "analysis_observe", s.NewID(), device, o.Key, micros(o.At), micros(o.Keep), o.Value); err != nil {
			return err
		}
	}
	return nil
}

// Count is what analysis.Store promises.
func (s analysisStore) Count(ctx context.Context, device int64, key string, from, until time.Time) (n int, err error) {
	err = s.row(ctx, "analysis_count", device, key, micros(from), micros(until)).Scan(&n)
	return n, err
}

// Series is what analysis.Store promises.
func (s analysisStore) Series(ctx context.Context, device int64, key string, from, until time.Time, limit int) ([]float64, error) {
	rows, err := s.query(ctx, "analysis_series", device, key, micros(from), micros(until), limit)
	out, err := collect(rows, err, func(r scanner) (v float64, err error) { return v, r.Scan(&v) })
	slices.Reverse(out)
	return out, err
}

// PurgeObservations is what analysis.Store promises.
func (s analysisStore) PurgeObservations(ctx context.Context, now time.Time, limit int) (int, error) {
	n, err := s.exec(ctx, "analysis_purge_observations", micros(now), limit)
	return int(n), err
}
