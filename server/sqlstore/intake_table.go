package sqlstore

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"time"

	"callhome/server/archive"
)

const (
	// tableBatch bounds one transaction that takes arrivals.
	tableBatch = 200
	// tableWriters are the transactions that take arrivals at once: while one syncs, the next is filled.
	tableWriters = 3
	// workBatch bounds one transaction of work: several run at once, and the shorter each is, the less it is in the way of
	// the others.
	workBatch = 100
	// claimLanes is how many lanes a worker takes at once.
	claimLanes = 8
	// pollMin and pollMax bound the pause between two looks for arrivals that other processes took.
	pollMin = 10 * time.Millisecond
	pollMax = 250 * time.Millisecond
	// idleReturn is how long a worker waits before it says that there was nothing: so its caller learns that the database
	// answers again.
	idleReturn = 5 * time.Second
)

// TableIntake is the intake on PostgreSQL: arrivals wait in a table, where any process takes them up.
type TableIntake struct {
	store  *Store
	queue  chan *taking
	news   chan struct{} // this process took something
	cancel context.CancelFunc
	done   sync.WaitGroup
}

type taking struct {
	arrival *archive.Arrival
	put     archive.Put
	err     error
	done    chan struct{}
}

// NewTableIntake starts an intake; Close ends it.
func NewTableIntake(s *Store) *TableIntake {
	ctx, cancel := context.WithCancel(context.Background())
	t := &TableIntake{store: s, queue: make(chan *taking), news: make(chan struct{}, 1), cancel: cancel}
	for range tableWriters {
		t.done.Go(func() { t.write(ctx) })
	}
	return t
}

// Close ends the intake; what was being taken ends first.
func (t *TableIntake) Close() error {
	t.cancel()
	t.done.Wait()
	return nil
}

// Put implements [archive.Intake].
func (t *TableIntake) Put(ctx context.Context, a *archive.Arrival) (archive.Put, error) {
	req := &taking{arrival: a, done: make(chan struct{})}
	select {
	case t.queue <- req:
	case <-ctx.Done():
		return archive.Put{}, ctx.Err()
	}
	<-req.done
	return req.put, req.err
}

// write takes what is handed in, several arrivals in one transaction.
func (t *TableIntake) write(ctx context.Context) {
	for {
		var batch []*taking
		select {
		case <-ctx.Done():
			return
		case first := <-t.queue:
			batch = append(batch, first)
		}
	gather:
		for len(batch) < tableBatch {
			select {
			case more := <-t.queue:
				batch = append(batch, more)
			default:
				break gather
			}
		}
		t.commit(context.WithoutCancel(ctx), batch)
	}
}

func (t *TableIntake) commit(ctx context.Context, batch []*taking) {
	err := t.store.InTx(ctx, func(tx *Tx) error { return takeAll(ctx, tx, batch) })
	for _, r := range batch {
		if r.err = err; err != nil {
			r.put = archive.Put{}
		}
		close(r.done)
	}
	select {
	case t.news <- struct{}{}:
	default:
	}
}

// takeAll stores keys and, for those that are new, arrivals.
func takeAll(ctx context.Context, tx *Tx, batch []*taking) error {
	first := map[archive.Key]*taking{}
	var fresh []*taking
	for _, r := range batch {
		if other := first[r.arrival.Key]; other != nil {
			r.put = archive.Put{Duplicate: true}
			continue
		}
		first[r.arrival.Key] = r
		r.arrival.ID = tx.NewID()
		fresh = append(fresh, r)
	}
	taken, err := insertKeys(ctx, tx, fresh)
	if err != nil {
		return err
	}
	var l listing
	l.add("INSERT INTO arrivals (id, lane, received_at, key, origin, body) VALUES ")
	n := 0
	for _, r := range fresh {
		if !taken[r.arrival.Key] {
			r.put = archive.Put{Duplicate: true}
			continue
		}
		origin, err := jsonText(r.arrival.Origin)
		if err != nil {
			return err
		}
		if n++; n > 1 {
			l.add(", ")
		}
		l.add("(?, ?, ?, ?, ?, ?)", r.arrival.ID, int64(r.arrival.Lane), micros(r.arrival.ReceivedAt), r.arrival.Key[:], origin, archive.Pack(r.arrival.Body))
		r.put = archive.Put{ID: r.arrival.ID}
	}
	if n == 0 {
		return nil
	}
	_, err = tx.put(ctx, l.text(), l.args...)
	return err
}

// insertKeys tells which keys were new.
func insertKeys(ctx context.Context, tx *Tx, batch []*taking) (map[archive.Key]bool, error) {
	var text strings.Builder
	var args []any
	text.WriteString("INSERT INTO message_keys (key, id) VALUES ")
	for i, r := range batch {
		if i > 0 {
			text.WriteString(", ")
		}
		text.WriteString("($" + strconv.Itoa(2*i+1) + ", $" + strconv.Itoa(2*i+2) + ")")
		args = append(args, r.arrival.Key[:], r.arrival.ID)
	}
	text.WriteString(" ON CONFLICT (key) DO NOTHING RETURNING key")
	rows, err := tx.ask(ctx, text.String(), args...)
	keys, err := collect(rows, err, func(row scanner) (k archive.Key, err error) {
		var b []byte
		err = row.Scan(&b)
		copy(k[:], b)
		return k, err
	})
	taken := make(map[archive.Key]bool, len(keys))
	for _, k := range keys {
		taken[k] = true
	}
	return taken, err
}

// Work waits for arrivals, claims up to limit of some lanes, and hands them to f in one transaction. When f fails or the
// process dies nothing has happened, and they come again, perhaps to another process. Any number of goroutines of any
// number of processes may work at once. When nothing comes for some seconds it returns 0.
func (t *TableIntake) Work(ctx context.Context, limit int, prepare archive.Prepare, f func(*Tx, []archive.Arrival) error) (int, error) {
	idle := time.NewTimer(idleReturn)
	defer idle.Stop()
	limit = min(limit, workBatch)
	for pause := pollMin; ; pause = min(2*pause, pollMax) {
		n, err := t.tryWork(ctx, limit, prepare, f)
		if n > 0 || err != nil {
			return n, err
		}
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-idle.C:
			return 0, nil
		case <-t.news:
		case <-time.After(pause):
		}
	}
}

func (t *TableIntake) tryWork(ctx context.Context, limit int, prepare archive.Prepare, f func(*Tx, []archive.Arrival) error) (n int, err error) {
	err = t.store.InTx(ctx, func(tx *Tx) error {
		n = 0
		rows, err := tx.query(ctx, "archive_claim_lanes", claimLanes)
		lanes, err := collect(rows, err, func(r scanner) (lane int64, err error) { return lane, r.Scan(&lane) })
		if err != nil {
			return err
		}
		var claimed []archive.Arrival
		for _, lane := range lanes {
			if len(claimed) >= limit {
				break
			}
			rows, err := tx.query(ctx, "archive_lane_arrivals", lane, limit-len(claimed))
			arrivals, err := collect(rows, err, scanArrival)
			if err != nil {
				return err
			}
			claimed = append(claimed, arrivals...)
			if _, err := tx.exec(ctx, "archive_worked_lane", lane, micros(tx.Now())); err != nil {
				return err
			}
		}
		if n = len(claimed); n == 0 {
			return nil
		}
		prepare(claimed)
		if err := f(tx, claimed); err != nil {
			return err
		}
		return forgetArrivals(ctx, tx, claimed)
	})
	if err != nil {
		return 0, err
	}
	return n, nil
}

func scanArrival(row scanner) (a archive.Arrival, err error) {
	var received int64
	var key, packed []byte
	var origin string
	if err := row.Scan(&a.ID, &a.Lane, &received, &key, &origin, &packed); err != nil {
		return a, err
	}
	copy(a.Key[:], key)
	a.ReceivedAt = fromMicros(received)
	if a.Body, err = archive.Unpack(packed); err != nil {
		return a, err
	}
	return a, fromJSON(origin, &a.Origin)
}

func forgetArrivals(ctx context.Context, tx *Tx, all []archive.Arrival) error {
	var l listing
	l.add("DELETE FROM arrivals WHERE id IN (")
	for i := range all {
		if i > 0 {
			l.add(", ")
		}
		l.add("?", all[i].ID)
	}
	l.add(")")
	_, err := tx.put(ctx, l.text(), l.args...)
	return err
}

// Backlog implements [archive.Intake].
func (t *TableIntake) Backlog(ctx context.Context) (b archive.Backlog, err error) {
	var oldest int64
	if err := t.store.Read().row(ctx, "archive_backlog").Scan(&b.Arrivals, &b.Bytes, &oldest); err != nil {
		return b, err
	}
	b.OldestAt = fromMicros(oldest)
	return b, nil
}

var (
	_ archive.Intake = (*TableIntake)(nil)
	_ archive.Intake = (*JournalIntake)(nil)
)
