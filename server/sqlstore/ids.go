package sqlstore

import (
	"context"
	"fmt"
	"os"
	"sync"
	"time"

	"callhome"
	"callhome/sqldb"
)

// An ID has 63 bits: 43 of milliseconds since 2020, which last for 278 years, 8 of the process's node, 12 of a counter.
const (
	nodeBits    = 8
	counterBits = 12
	maxNodes    = 1 << nodeBits
)

var idEpoch = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli()

// ids makes IDs.
type ids struct {
	node int
	now  func() time.Time

	mu   sync.Mutex // guards last
	last int64      // milliseconds and counter of the last one
}

func (g *ids) next() int64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	n := (g.now().UnixMilli() - idEpoch) << counterBits
	if n <= g.last { // the same millisecond, or a clock that was set back
		n = g.last + 1
	}
	g.last = n
	return n>>counterBits<<(nodeBits+counterBits) | int64(g.node)<<counterBits | n&(1<<counterBits-1)
}

// idAt is the lowest ID of a moment: all IDs made before it are lower.
func idAt(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return max(0, t.UnixMilli()-idEpoch) << (nodeBits + counterBits)
}

const (
	// nodeLease is how long a silent process keeps its number: long enough for a machine that stalls, short enough that
	// processes which are killed again and again do not use the numbers up.
	nodeLease = 2 * time.Minute
	// NodeBeat is how often a process says that it lives; see [Store.Beat].
	NodeBeat = 20 * time.Second
	// nodeTries bounds the race for a number among processes that start at once.
	nodeTries = 50
)

// takeNode takes the lowest free node number. Of two processes that want the same one the table's key lets one have it.
// A SQLite file has one process, so a number found there was left by one that was killed.
func (s *Store) takeNode(ctx context.Context, name string) (node int, err error) {
	if name == "" {
		host, _ := os.Hostname()
		name = fmt.Sprintf("%s:%d", host, os.Getpid())
	}
	lease := nodeLease
	if s.db.Engine == sqldb.SQLite {
		lease = 0
	}
	for range nodeTries {
		if node, err = s.tryNode(ctx, name, lease); !sqldb.IsDuplicate(err) {
			break
		}
	}
	return node, err
}

func (s *Store) tryNode(ctx context.Context, name string, lease time.Duration) (node int, err error) {
	err = s.InTx(ctx, func(t *Tx) error {
		now := s.now()
		if _, err := t.exec(ctx, "core_forget_nodes", micros(now.Add(-lease))); err != nil {
			return err
		}
		rows, err := t.query(ctx, "core_nodes")
		taken, err := collect(rows, err, func(r scanner) (n int, err error) { return n, r.Scan(&n) })
		if err != nil {
			return err
		}
		for node = 0; node < len(taken) && taken[node] == node; node++ { //nolint:revive // counts up to the first gap
		}
		if node >= maxNodes {
			return callhome.Errorf(callhome.KindUnavailable, "%d processes work on this database already", maxNodes)
		}
		_, err = t.exec(ctx, "core_take_node", node, name, micros(now))
		return err
	})
	return node, err
}

// Beat says that this process lives; it is called every [NodeBeat]. A conflict means that it was taken for dead.
func (s *Store) Beat(ctx context.Context) error {
	return s.InTx(ctx, func(t *Tx) error {
		n, err := t.exec(ctx, "core_beat_node", s.node, micros(s.now()))
		if err == nil && n == 0 {
			err = callhome.Errorf(callhome.KindConflict, "this process was silent for longer than %v, and its number was given away; it has to start again", nodeLease)
		}
		return err
	})
}

// leaveTime bounds the good-bye to a database that may be gone.
const leaveTime = 2 * time.Second

func (s *Store) leaveNode() {
	ctx, cancel := context.WithTimeout(context.Background(), leaveTime)
	defer cancel()
	_ = s.InTx(ctx, func(t *Tx) error { // at worst the number is free again after nodeLease
		_, err := t.exec(ctx, "core_leave_node", s.node)
		return err
	})
}
