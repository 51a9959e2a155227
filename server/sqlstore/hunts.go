package sqlstore

import (
	"context"
	"time"

	"callhome/server/account"
	"callhome/server/analysis"
)

// PutHunt is what analysis.Store promises.
func (s analysisStore) PutHunt(ctx context.Context, h analysis.HuntRecord) (int64, error) {
	rules, err := jsonText(h.Rules)
	if err != nil {
		return 0, err
	}
	progress, err := jsonText(h.Progress)
	if err != nil {
		return 0, err
	}
	if h.ID == 0 {
		h.ID = s.NewID()
	}
	_, err = s.exec(ctx, "analysis_put_hunt", h.ID, int64(h.Company), rules, string(h.State), h.By, micros(h.StartedAt), micros(h.UpdatedAt), h.Error, progress)
	return h.ID, err
}

const huntColumns = "id, company_id, rules, state, started_by, started_at, updated_at, error, progress"

func scanHunt(r scanner) (h analysis.HuntRecord, err error) {
	var rules, progress string
	var started, updated int64
	if err := r.Scan(&h.ID, &h.Company, &rules, &h.State, &h.By, &started, &updated, &h.Error, &progress); err != nil {
		return h, err
	}
	h.StartedAt, h.UpdatedAt = fromMicros(started), fromMicros(updated)
	if err := fromJSON(rules, &h.Rules); err != nil {
		return h, err
	}
	return h, fromJSON(progress, &h.Progress)
}

// Hunt is what analysis.Store promises.
func (s analysisStore) Hunt(ctx context.Context, reach account.Reach, id int64) (analysis.HuntRecord, bool, error) {
	l := newListing("SELECT " + huntColumns + " FROM hunts")
	l.and("id = ?", id)
	l.reach("company_id", reach)
	rows, err := s.ask(ctx, l.text(), l.args...)
	all, err := collect(rows, err, scanHunt)
	if err != nil || len(all) == 0 {
		return analysis.HuntRecord{}, false, err
	}
	return all[0], true, nil
}

// Hunts is what analysis.Store promises.
func (s analysisStore) Hunts(ctx context.Context, reach account.Reach, p account.Page) ([]analysis.HuntRecord, error) {
	l := newListing("SELECT " + huntColumns + " FROM hunts")
	l.reach("company_id", reach)
	l.page("id", p)
	rows, err := s.ask(ctx, l.text(), l.args...)
	return collect(rows, err, scanHunt)
}

// FreeHunts is what analysis.Store promises.
func (s analysisStore) FreeHunts(ctx context.Context, silent time.Time, limit int) ([]int64, error) {
	rows, err := s.query(ctx, "analysis_free_hunts", micros(silent), limit)
	return collect(rows, err, func(r scanner) (id int64, err error) { return id, r.Scan(&id) })
}

// ClaimHunt is what analysis.Store promises.
func (s analysisStore) ClaimHunt(ctx context.Context, id, owner int64, now, silent time.Time) (bool, error) {
	n, err := s.exec(ctx, "analysis_claim_hunt", id, owner, micros(now), micros(silent))
	return n > 0, err
}

// AdvanceHunt is what analysis.Store promises.
func (s analysisStore) AdvanceHunt(ctx context.Context, h analysis.HuntRecord, owner int64) (bool, error) {
	progress, err := jsonText(h.Progress)
	if err != nil {
		return false, err
	}
	n, err := s.exec(ctx, "analysis_advance_hunt", h.ID, owner, string(h.State), micros(h.UpdatedAt), h.Error, progress)
	return n > 0, err
}

// ReleaseHunt is what analysis.Store promises.
func (s analysisStore) ReleaseHunt(ctx context.Context, id, owner int64) error {
	_, err := s.exec(ctx, "analysis_release_hunt", id, owner)
	return err
}

// CancelHunt is what analysis.Store promises.
func (s analysisStore) CancelHunt(ctx context.Context, id int64, now time.Time) (bool, error) {
	n, err := s.exec(ctx, "analysis_cancel_hunt", id, micros(now))
	return n > 0, err
}
