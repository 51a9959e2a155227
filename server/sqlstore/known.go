package sqlstore

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"callhome/server/archive"
)

// Known tells which messages are in the archive. A sieve over their keys answers for most that are new; it is filled
// in the background, and until then every question goes to the database.
type Known struct {
	store *Store
	sieve atomic.Pointer[archive.Sieve] // nil: not filled yet
	next  atomic.Pointer[archive.Sieve] // being filled
	log   *slog.Logger
}

const (
	// keysPage is how many keys are read at once, and keysPause the pause between, so that a start is not slowed.
	keysPage  = 5000
	keysPause = 2 * time.Millisecond
	// sieveCheck is how often it is seen whether the sieve has become too small.
	sieveCheck = time.Minute
)

// NewKnown makes it; Run fills the sieve.
func NewKnown(s *Store, log *slog.Logger) *Known { return &Known{store: s, log: log} }

// Key looks a key up, for [journal.Options].
func (k *Known) Key(ctx context.Context, key archive.Key) (id int64, known bool, err error) {
	if s := k.sieve.Load(); s != nil && !s.Perhaps(key) {
		k.add(key)
		return 0, false, nil
	}
	id, known, err = k.store.Known(ctx, key)
	if err == nil && !known {
		k.add(key)
	}
	return id, known, err
}

// add notes a key that is about to be kept. One that is not kept in the end costs a look into the database later.
func (k *Known) add(key archive.Key) {
	for _, s := range []*archive.Sieve{k.sieve.Load(), k.next.Load()} {
		if s != nil {
			s.Add(key)
		}
	}
}

// Run fills the sieve, and makes a larger one when it has become too small, until ctx ends.
func (k *Known) Run(ctx context.Context) error {
	tick := time.NewTicker(sieveCheck)
	defer tick.Stop()
	for {
		if s := k.sieve.Load(); s == nil || s.Full() {
			if err := k.fill(ctx); err != nil && ctx.Err() == nil {
				k.log.Warn("the keys of messages could not be read; repeats are looked up in the database", "component", "archive", "err", err)
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// fill reads all keys. Those that come meanwhile are added by Key.
func (k *Known) fill(ctx context.Context) error {
	var n int64
	if err := k.store.Read().row(ctx, "archive_count_keys").Scan(&n); err != nil {
		return err
	}
	s := archive.NewSieve(2 * n)
	k.next.Store(s)
	defer k.next.Store(nil)
	for after := int64(-1); ; {
		rows, err := k.store.Read().query(ctx, "archive_keys_after", after, keysPage)
		page, err := collect(rows, err, func(r scanner) (id int64, err error) {
			var b []byte
			if err := r.Scan(&b, &id); err != nil {
				return 0, err
			}
			var key archive.Key
			copy(key[:], b)
			s.Add(key)
			return id, nil
		})
		if err != nil {
			return err
		}
		if len(page) == 0 {
			break
		}
		after = page[len(page)-1]
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(keysPause):
		}
	}
	k.sieve.Store(s)
	return nil
}
