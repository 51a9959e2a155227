package storetest

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"callhome"
	"callhome/server/account"
	"callhome/server/analysis"
	"callhome/server/sqlstore"

	"github.com/google/go-cmp/cmp"
)

// Analysis holds an analysis.Store to its promises.
func Analysis(t *testing.T, open func(testing.TB) *sqlstore.Store) {
	t.Run("Findings", func(t *testing.T) { analysisFindings(t, open(t)) })
	t.Run("Pages", func(t *testing.T) { analysisPages(t, open(t)) })
	t.Run("Reach", func(t *testing.T) { analysisReach(t, open(t)) })
	t.Run("Observations", func(t *testing.T) { analysisObservations(t, open(t)) })
	t.Run("Hunts", func(t *testing.T) { analysisHunts(t, open(t)) })
	t.Run("ClaimHunt", func(t *testing.T) { analysisClaims(t, open(t)) })
}

var analysisTime = time.Date(2026, 3, 14, 9, 26, 53, 0, time.UTC)

func aFinding(device, message int64, rule, key string) analysis.Record {
	return analysis.Record{
		Company: 7, Device: device, Message: message, MessageID: fmt.Sprintf("M%d:QX1:69B529DD", message),
		Finding: analysis.Finding{
			Rule: rule, Pack: "cisco-ios", Version: "1.0", Class: analysis.ClassEnvironment, Outcome: analysis.OutcomeServiceRequest,
			Level: callhome.LevelMajor, Title: "Fan 2 failed", Diagnosis: "It stands still.", Recommendation: "Replace it.",
			Component: "fan 2", Key: key, State: callhome.StateRaise, At: analysisTime, Team: "field-service",
			Evidence: []analysis.Quote{{Source: "description", Text: "%ENVMON-3-FAN_FAILED: Fan 2 failed"}},
			Labels:   map[string]string{"site": "oslo"}, References: []string{"A guide"}, Captures: map[string]string{"fan": "2"},
		},
	}
}

// within runs f in one transaction.
func within(t *testing.T, s *sqlstore.Store, f func(ctx context.Context, a analysis.Store) error) {
	t.Helper()
	if err := s.InTx(context.Background(), func(tx *sqlstore.Tx) error { return f(context.Background(), tx.Analysis()) }); err != nil {
		t.Fatal(err)
	}
}

func addFinding(t *testing.T, s *sqlstore.Store, r analysis.Record) (id int64) {
	t.Helper()
	within(t, s, func(ctx context.Context, a analysis.Store) (err error) {
		id, err = a.Add(ctx, r)
		return err
	})
	return id
}

func analysisFindings(t *testing.T, s *sqlstore.Store) {
	ctx := context.Background()
	want := aFinding(1, 11, "ios-fan-failed", "fan 2")
	id := addFinding(t, s, want)
	got, ok, err := s.Read().Analysis().Find(ctx, account.Everywhere(), id)
	if err != nil || !ok {
		t.Fatalf("Find: %v, %v", ok, err)
	}
	want.ID, want.StoredAt = id, got.StoredAt
	if diff := cmp.Diff(want, got); diff != "" || got.StoredAt.IsZero() {
		t.Errorf("Find (-want +got):\n%s", diff)
	}
	if again := addFinding(t, s, want); again != id {
		t.Errorf("the same finding of the same message: got ID %d, want %d", again, id)
	}
	other := want
	other.At = analysisTime.Add(time.Hour)
	if another := addFinding(t, s, other); another == id {
		t.Error("a finding of another time got the ID of the first")
	}
	latest, ok, err := s.Read().Analysis().Latest(ctx, 1, "ios-fan-failed", "fan 2")
	if err != nil || !ok || latest.ID == id || !latest.At.Equal(other.At) {
		t.Errorf("Latest: %+v, %v, %v; want the later one", latest, ok, err)
	}
	if _, ok, err := s.Read().Analysis().Latest(ctx, 1, "ios-fan-failed", "fan 3"); ok || err != nil {
		t.Errorf("Latest of another key: %v, %v", ok, err)
	}
	hunted := want
	hunted.Hunt = 5
	addFinding(t, s, hunted)
	counts, err := s.Read().Analysis().Counts(ctx, account.Everywhere(), time.Time{})
	wantCounts := analysis.Counts{ByOutcome: map[analysis.Outcome]int64{analysis.OutcomeServiceRequest: 2}, ByRule: map[string]int64{"ios-fan-failed": 2}}
	if diff := cmp.Diff(wantCounts, counts); diff != "" || err != nil {
		t.Errorf("Counts: %v (-want +got):\n%s", err, diff)
	}
	if counts, err := s.Read().Analysis().Counts(ctx, account.Reach{Companies: []account.CompanyID{3}}, time.Time{}); err != nil || len(counts.ByRule) > 0 {
		t.Errorf("Counts of another company: %+v, %v", counts, err)
	}
	within(t, s, func(ctx context.Context, a analysis.Store) error {
		if err := a.SetCase(ctx, id, 99); err != nil {
			return err
		}
		if err := a.SetCase(ctx, 12345, 99); callhome.KindOf(err) != callhome.KindNotFound {
			t.Errorf("SetCase of an unknown finding: got %v, want not found", err)
		}
		return a.MoveDevice(ctx, 1, 8)
	})
	if got, _, _ := s.Read().Analysis().Find(ctx, account.Everywhere(), id); got.Case != 99 || got.Company != 8 {
		t.Errorf("after SetCase and MoveDevice: case %d, company %d; want 99, 8", got.Case, got.Company)
	}
	within(t, s, func(ctx context.Context, a analysis.Store) error {
		n, err := a.Purge(ctx, time.Now().Add(time.Hour), 10)
		if n != 2 {
			t.Errorf("Purge: dropped %d, want 2: findings of a case stay", n)
		}
		return err
	})
}

func analysisPages(t *testing.T, s *sqlstore.Store) {
	ctx := context.Background()
	var ids []int64
	for n := range int64(25) {
		r := aFinding(n%2, n, "rule-"+fmt.Sprint(n%5), "key")
		r.Outcome = []analysis.Outcome{analysis.OutcomeInformation, analysis.OutcomeRecommendation}[n%2]
		r.Hunt = n % 3
		ids = append(ids, addFinding(t, s, r))
	}
	slices.Reverse(ids)
	var got []int64
	for after := int64(0); ; {
		page, err := s.Read().Analysis().List(ctx, account.Everywhere(), analysis.Filter{}, account.Page{After: after, Limit: 10})
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		for _, r := range page {
			got = append(got, r.ID)
		}
		after = page[len(page)-1].ID
	}
	if diff := cmp.Diff(ids, got); diff != "" {
		t.Errorf("pages (-want +got):\n%s", diff)
	}
	for _, c := range []struct {
		name string
		f    analysis.Filter
		want int
	}{
		{"device", analysis.Filter{Device: 1}, 12},
		{"message", analysis.Filter{Message: 3}, 1},
		{"rule", analysis.Filter{Rule: "rule-2"}, 5},
		{"outcome", analysis.Filter{Outcome: analysis.OutcomeInformation}, 13},
		{"class", analysis.Filter{Class: analysis.ClassRouting}, 0},
		{"hunt", analysis.Filter{Hunt: 2}, 8},
		{"case", analysis.Filter{Case: 5}, 0},
		{"since", analysis.Filter{Since: time.Now().Add(time.Hour)}, 0},
		{"both", analysis.Filter{Device: 1, Rule: "rule-2"}, 2},
	} {
		page, err := s.Read().Analysis().List(ctx, account.Everywhere(), c.f, account.Page{Limit: 100})
		if err != nil || len(page) != c.want {
			t.Errorf("by %s: %d findings, %v; want %d", c.name, len(page), err, c.want)
		}
	}
}

func analysisReach(t *testing.T, s *sqlstore.Store) {
	ctx := context.Background()
	id := addFinding(t, s, aFinding(1, 1, "r", "k"))
	for _, c := range []struct {
		reach account.Reach
		sees  bool
	}{
		{account.Everywhere(), true}, {account.Reach{Companies: []account.CompanyID{3, 7}}, true},
		{account.Reach{Companies: []account.CompanyID{3}}, false}, {account.Reach{}, false},
	} {
		_, ok, err := s.Read().Analysis().Find(ctx, c.reach, id)
		list, lerr := s.Read().Analysis().List(ctx, c.reach, analysis.Filter{}, account.Page{})
		if err != nil || lerr != nil || ok != c.sees || (len(list) == 1) != c.sees {
			t.Errorf("reach %+v: found %v, listed %d (%v, %v); want %v", c.reach, ok, len(list), err, lerr, c.sees)
		}
	}
}

func analysisObservations(t *testing.T, s *sqlstore.Store) {
	ctx := context.Background()
	at := func(minutes int) time.Time { return analysisTime.Add(time.Duration(minutes) * time.Minute) }
	within(t, s, func(ctx context.Context, a analysis.Store) error {
		for n := range 6 {
			o := analysis.Observation{Key: "rule fan 2", At: at(n), Value: float64(n) + 0.5, Keep: at(n + 60)}
			if err := a.Observe(ctx, 1, o); err != nil {
				return err
			}
		}
		return a.Observe(ctx, 2, analysis.Observation{Key: "rule fan 2", At: at(0), Keep: at(600)})
	})
	read := s.Read().Analysis()
	for _, c := range []struct {
		device      int64
		key         string
		from, until int
		want        int
	}{
		{1, "rule fan 2", 0, 10, 6}, {1, "rule fan 2", 2, 4, 3}, {1, "rule fan 3", 0, 10, 0}, {2, "rule fan 2", 0, 10, 1}, {3, "rule fan 2", 0, 10, 0},
	} {
		if n, err := read.Count(ctx, c.device, c.key, at(c.from), at(c.until)); err != nil || n != c.want {
			t.Errorf("Count of %d %q from %d to %d: got %d, %v, want %d", c.device, c.key, c.from, c.until, n, err, c.want)
		}
	}
	series, err := read.Series(ctx, 1, "rule fan 2", at(0), at(10), 3)
	if diff := cmp.Diff([]float64{3.5, 4.5, 5.5}, series); diff != "" || err != nil {
		t.Errorf("Series: %v (-want +got):\n%s", err, diff)
	}
	within(t, s, func(ctx context.Context, a analysis.Store) error {
		n, err := a.PurgeObservations(ctx, at(63), 100)
		if n != 3 {
			t.Errorf("PurgeObservations: dropped %d, want 3", n)
		}
		return err
	})
	if n, _ := s.Read().Analysis().Count(ctx, 1, "rule fan 2", at(0), at(10)); n != 3 {
		t.Errorf("after the purge: %d, want 3", n)
	}
}

func analysisHunts(t *testing.T, s *sqlstore.Store) {
	ctx := context.Background()
	h := analysis.HuntRecord{Company: 7, Rules: []string{"a", "b"}, State: analysis.HuntRunning, By: "noc", StartedAt: analysisTime, UpdatedAt: analysisTime}
	put := func() {
		within(t, s, func(ctx context.Context, a analysis.Store) (err error) {
			h.ID, err = a.PutHunt(ctx, h)
			return err
		})
	}
	put()
	h.Progress = analysis.Progress{Position: 500, Rewind: 120, Done: 500, Total: 1000, Findings: 3, Rate: 81.5}
	h.State, h.UpdatedAt = analysis.HuntCanceled, analysisTime.Add(time.Minute)
	put()
	got, ok, err := s.Read().Analysis().Hunt(ctx, account.Reach{Companies: []account.CompanyID{7}}, h.ID)
	if diff := cmp.Diff(h, got); diff != "" || !ok || err != nil {
		t.Errorf("Hunt: %v, %v (-want +got):\n%s", ok, err, diff)
	}
	if _, ok, _ := s.Read().Analysis().Hunt(ctx, account.Reach{Companies: []account.CompanyID{8}}, h.ID); ok {
		t.Error("another company sees the hunt")
	}
	if list, err := s.Read().Analysis().Hunts(ctx, account.Everywhere(), account.Page{}); len(list) != 1 || err != nil {
		t.Errorf("Hunts: %d, %v; want 1", len(list), err)
	}
}

func analysisClaims(t *testing.T, s *sqlstore.Store) {
	ctx := context.Background()
	h := analysis.HuntRecord{Rules: []string{"a"}, State: analysis.HuntRunning, StartedAt: analysisTime, UpdatedAt: analysisTime}
	at := func(minute int) time.Time { return analysisTime.Add(time.Duration(minute) * time.Minute) }
	const lease = 2 // minutes
	within(t, s, func(ctx context.Context, a analysis.Store) (err error) {
		h.ID, err = a.PutHunt(ctx, h)
		return err
	})
	claim := func(owner int64, minute int, want bool) {
		t.Helper()
		within(t, s, func(ctx context.Context, a analysis.Store) error {
			got, err := a.ClaimHunt(ctx, h.ID, owner, at(minute), at(minute-lease))
			if got != want {
				t.Errorf("claim of %d in minute %d: %v", owner, minute, got)
			}
			return err
		})
	}
	free := func(minute int, want int) {
		t.Helper()
		ids, err := s.Read().Analysis().FreeHunts(ctx, at(minute-lease), 10)
		if err != nil || len(ids) != want {
			t.Errorf("free in minute %d: %v, %v; want %d", minute, ids, err, want)
		}
	}
	advance := func(owner int64, state analysis.HuntState, minute int, want bool) {
		t.Helper()
		within(t, s, func(ctx context.Context, a analysis.Store) error {
			h.State, h.UpdatedAt, h.Position = state, at(minute), int64(minute)
			got, err := a.AdvanceHunt(ctx, h, owner)
			if got != want {
				t.Errorf("advance by %d in minute %d: %v", owner, minute, got)
			}
			return err
		})
	}
	free(1, 1)
	claim(11, 1, true)
	claim(12, 2, false) // held
	claim(11, 2, true)  // lives
	free(3, 0)
	advance(11, analysis.HuntRunning, 3, true)
	free(6, 1)
	claim(12, 6, true) // 11 is silent
	advance(11, analysis.HuntRunning, 7, false)
	within(t, s, func(ctx context.Context, a analysis.Store) error { return a.ReleaseHunt(ctx, h.ID, 11) }) // not its own
	free(7, 0)
	within(t, s, func(ctx context.Context, a analysis.Store) error { return a.ReleaseHunt(ctx, h.ID, 12) })
	free(7, 1)
	claim(13, 7, true)
	within(t, s, func(ctx context.Context, a analysis.Store) error {
		ok, err := a.CancelHunt(ctx, h.ID, at(8))
		if !ok {
			t.Error("a running hunt was not canceled")
		}
		return err
	})
	advance(13, analysis.HuntDone, 9, false)
	claim(13, 9, false)
	if got, _, err := s.Read().Analysis().Hunt(ctx, account.Everywhere(), h.ID); got.State != analysis.HuntCanceled || got.Position != 3 || err != nil {
		t.Errorf("in the end: %+v, %v", got, err)
	}
}
