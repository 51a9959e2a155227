package sqlstore

import (
	"cmp"
	"context"
	"slices"
	"time"

	"callhome/server/account"
)

// A tally is a maintained counter: dashboards read it instead of counting rows. Every process adds to rows of its own,
// so that transactions do not wait for each other, and a reading adds them up. Bucket is the hour, 0 for all time.

// tallyHour is the width of a bucket.
const tallyHour = time.Hour

type tallyKey struct {
	kind    string
	company account.CompanyID
	word    string
	bucket  int64
}

// tally gathers the changes of one transaction.
type tally struct{ changes map[tallyKey]int64 }

// count adds n to a counter of all time.
func (t *Tx) count(kind string, company account.CompanyID, word string, n int64) {
	t.add(tallyKey{kind, company, word, 0}, n)
}

// countAt adds n to a counter of all time and to that of the hour of at.
func (t *Tx) countAt(kind string, company account.CompanyID, word string, at time.Time, n int64) {
	t.count(kind, company, word, n)
	t.add(tallyKey{kind, company, word, micros(at.Truncate(tallyHour))}, n)
}

func (t *Tx) add(k tallyKey, n int64) {
	if n == 0 {
		return
	}
	if t.tally.changes == nil {
		t.tally.changes = map[tallyKey]int64{}
	}
	t.tally.changes[k] += n
}

// flush writes the counters at the end of a transaction, in an order that all transactions share.
func (t *Tx) flush(ctx context.Context) error {
	keys := make([]tallyKey, 0, len(t.tally.changes))
	for k, n := range t.tally.changes {
		if n != 0 {
			keys = append(keys, k)
		}
	}
	slices.SortFunc(keys, func(a, b tallyKey) int {
		return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.company, b.company), cmp.Compare(a.word, b.word), cmp.Compare(a.bucket, b.bucket))
	})
	for _, k := range keys {
		if _, err := t.exec(ctx, "core_tally", k.kind, int64(k.company), k.word, k.bucket, t.store.node, t.tally.changes[k]); err != nil {
			return err
		}
	}
	t.tally.changes = nil
	return nil
}

// tallies reads counters of a kind by word: of all time when since is zero, else of the hours from since on.
func (t *Tx) tallies(ctx context.Context, kind string, reach account.Reach, since time.Time) (map[string]int64, error) {
	l := newListing("SELECT word, SUM(n) FROM tallies")
	l.and("kind = ?", kind)
	if since.IsZero() {
		l.and("bucket = 0")
	} else {
		l.and("bucket >= ?", micros(since.Truncate(tallyHour)))
	}
	l.reach("company_id", reach)
	rows, err := t.ask(ctx, l.text()+" GROUP BY word", l.args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := map[string]int64{}
	for rows.Next() {
		var word string
		var n int64
		if err := rows.Scan(&word, &n); err != nil {
			return nil, err
		}
		out[word] = n
	}
	return out, rows.Err()
}
