package e2e

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"callhome"
	"callhome/sqldb"
)

// ledger reads what a back end wrote, past all of its own code.
type ledger struct {
	t  *testing.T
	db *sqldb.DB
}

func openLedger(t *testing.T, dsn string) *ledger {
	t.Helper()
	db, err := sqldb.Open(context.Background(), dsn, sqldb.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return &ledger{t: t, db: db}
}

// numbers runs a query that gives words and a number in each row; the words are the key.
func (l *ledger) numbers(query string) map[string]int {
	l.t.Helper()
	rows, err := l.db.Read.QueryContext(context.Background(), query)
	if err != nil {
		l.t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	out := map[string]int{}
	for rows.Next() {
		var word string
		var n int
		if err := rows.Scan(&word, &n); err != nil {
			l.t.Fatal(err)
		}
		out[word] += n
	}
	if rows.Err() != nil {
		l.t.Fatal(rows.Err())
	}
	return out
}

func (l *ledger) number(query string) (n int) {
	l.t.Helper()
	if err := l.db.Read.QueryRowContext(context.Background(), query).Scan(&n); err != nil {
		l.t.Fatalf("%s: %v", query, err)
	}
	return n
}

// await waits until so many messages are in the archive and nothing waits to be worked. Devices that post as fast as they
// are answered leave a backlog of any size, so what is bounded is the time in which nothing of it is worked.
func (l *ledger) await(messages int) {
	l.t.Helper()
	worked, deadline := -1, time.Now().Add(patience)
	for ; ; time.Sleep(50 * time.Millisecond) {
		have, waiting := l.number("SELECT count(id) FROM messages"), 0
		if l.db.Engine == sqldb.PostgreSQL {
			waiting = l.number("SELECT count(id) FROM arrivals")
		}
		if have >= messages && waiting == 0 {
			return
		}
		if have > worked {
			worked, deadline = have, time.Now().Add(patience)
		}
		if time.Now().After(deadline) {
			l.t.Fatalf("for %s nothing was worked: %d of %d messages, %d arrivals wait", patience, have, messages, waiting)
		}
	}
}

// settle holds what a back end has of a fleet against what the fleet sent: every message once, and everything that
// follows from it once.
func (l *ledger) settle(f *fleet) {
	l.t.Helper()
	l.archived(f)
	want := f.expected()
	l.same("devices' messages that were processed", want.processed, l.numbers("SELECT device_id, count(id) FROM messages WHERE status = 'processed' GROUP BY device_id"))
	l.same("devices' messages that were marked", want.marked, l.numbers("SELECT device_id, count(id) FROM messages WHERE status = 'marked' GROUP BY device_id"))
	l.same("findings of failed fans by message", want.fanMessages, l.numbers("SELECT message, count(id) FROM findings WHERE rule = 'ios-fan-failed' GROUP BY message"))
	l.same("deeds of failed fans by message", want.fanMessages, l.numbers("SELECT message, count(id) FROM case_deeds WHERE rule = 'ios-fan-failed' GROUP BY message"))
	const of = " JOIN devices d ON d.id = x.device_id "
	l.same("service requests by device", ones(want.fans), l.numbers("SELECT d.device_id, count(x.id) FROM cases x"+of+"GROUP BY d.device_id"))
	l.same("messages that a service request counts, by device", less(want.fans, 1), l.repeats())
	l.same("observations of memory errors by device", want.memory, l.numbers("SELECT d.device_id, count(x.id) FROM observations x"+of+"WHERE x.key LIKE 'ios-memory-ecc-single%' GROUP BY d.device_id"))
	l.same("findings of memory errors by device", less(want.memory, 2), l.numbers("SELECT d.device_id, count(x.id) FROM findings x"+of+"WHERE x.rule = 'ios-memory-ecc-single' GROUP BY d.device_id"))
	l.same("revisions of the inventory by device", want.inventories, l.numbers("SELECT d.device_id, count(x.number) FROM inventory_revisions x"+of+"GROUP BY d.device_id"))
	l.same("latest revision of the inventory by device", want.inventories, l.numbers("SELECT d.device_id, max(x.number) FROM inventory_revisions x"+of+"GROUP BY d.device_id"))
	l.same("findings of replaced units by device", less(want.entitledInventories, 1), l.numbers("SELECT d.device_id, count(x.id) FROM findings x"+of+"WHERE x.rule = 'fleet-part-replaced' GROUP BY d.device_id"))
	l.same("revisions of the configuration by device", want.configs, l.numbers("SELECT d.device_id, count(x.id) FROM config_revisions x"+of+"GROUP BY d.device_id"))
	cases := l.number("SELECT count(id) FROM cases")
	if distinct, last := l.number("SELECT count(DISTINCT number) FROM cases"), l.number("SELECT COALESCE(max(last), 0) FROM case_numbers"); distinct != cases || last != cases {
		l.t.Errorf("%d service requests have %d numbers, of which the last is %d", cases, distinct, last)
	}
	if n := l.number("SELECT count(id) FROM case_events WHERE kind = 'opened'"); n != cases {
		l.t.Errorf("%d service requests were opened %d times", cases, n)
	}
	if n := l.number("SELECT count(id) FROM messages WHERE status = 'failed'"); n != 0 {
		l.t.Errorf("%d messages failed", n)
	}
	l.tallies()
	if len(want.fans) < 10 || len(want.memory) < 10 || len(want.configs) < 10 || len(want.inventories) < 10 {
		l.t.Errorf("there was no load to speak of: %d, %d, %d and %d devices", len(want.fans), len(want.memory), len(want.configs), len(want.inventories))
	}
}

// archived holds the archive against the answers.
func (l *ledger) archived(f *fleet) {
	l.t.Helper()
	all, have := f.all(), l.numbers("SELECT message_id, count(id) FROM messages GROUP BY message_id")
	for id := range all {
		if n := have[string(id)]; n != 1 {
			l.t.Errorf("%s was answered 200 and is %d times in the archive", id, n)
		}
	}
	for id, n := range have {
		if all[callhome.MessageID(id)] == nil {
			l.t.Errorf("%s is %d times in the archive and was never sent", id, n)
		}
	}
	if a, b := l.number("SELECT count(id) FROM messages"), l.number("SELECT count(id) FROM bodies"); a != b {
		l.t.Errorf("%d messages have %d bodies", a, b)
	}
}

// tallies holds the maintained counters against what they count.
func (l *ledger) tallies() {
	l.t.Helper()
	want := l.numbers("SELECT status, count(id) FROM messages GROUP BY status")
	have := l.numbers("SELECT word, sum(n) FROM tallies WHERE kind = 'messages.status' AND bucket = 0 GROUP BY word")
	l.same("counters of messages by status", want, have)
}

// repeats are the repeats that each device's service request counts.
func (l *ledger) repeats() map[string]int {
	l.t.Helper()
	if l.db.Engine == sqldb.PostgreSQL {
		return positive(l.numbers("SELECT d.device_id, COALESCE((x.detail::json->>'repeats')::bigint, 0) FROM cases x JOIN devices d ON d.id = x.device_id"))
	}
	return positive(l.numbers("SELECT d.device_id, COALESCE(json_extract(x.detail, '$.repeats'), 0) FROM cases x JOIN devices d ON d.id = x.device_id"))
}

// expectation is what must have become of a fleet's messages.
type expectation struct {
	processed, marked, fans, fanMessages, memory, inventories, entitledInventories, configs map[string]int
}

func (f *fleet) expected() *expectation {
	e := &expectation{}
	for _, m := range []*map[string]int{&e.processed, &e.marked, &e.fans, &e.fanMessages, &e.memory, &e.inventories, &e.entitledInventories, &e.configs} {
		*m = map[string]int{}
	}
	for _, d := range f.devices {
		id := string(d.id())
		for i, p := range d.answered {
			switch {
			case p.kind == kindInventory, i == 0: // the first message of a device tells at least its chassis
				e.inventories[id]++
			}
			if p.kind == kindConfig {
				e.configs[id]++
			}
			if !d.registered {
				e.marked[id]++
				continue
			}
			e.processed[id]++
			switch p.kind {
			case kindFan:
				e.fans[id]++
				e.fanMessages[string(p.id)]++
			case kindMemory:
				e.memory[id]++
			case kindInventory:
				e.entitledInventories[id]++
			}
		}
	}
	return e
}

func ones(m map[string]int) map[string]int {
	out := map[string]int{}
	for k := range m {
		out[k] = 1
	}
	return out
}

// less is m without the first n of each; what then is nothing is left out.
func less(m map[string]int, n int) map[string]int {
	out := map[string]int{}
	for k, v := range m {
		out[k] = v - n
	}
	return positive(out)
}

func positive(m map[string]int) map[string]int {
	for k, v := range m {
		if v <= 0 {
			delete(m, k)
		}
	}
	return m
}

// same compares, and shows the first few that differ.
func (l *ledger) same(what string, want, have map[string]int) {
	l.t.Helper()
	var differ []string
	for k, n := range want {
		if have[k] != n {
			differ = append(differ, fmt.Sprintf("%s: %d, want %d", k, have[k], n))
		}
	}
	for k, n := range have {
		if _, known := want[k]; !known && n != 0 {
			differ = append(differ, fmt.Sprintf("%s: %d, want none", k, n))
		}
	}
	slices.Sort(differ)
	if len(differ) > 0 {
		l.t.Errorf("%s: %d of %d differ, such as %q", what, len(differ), len(want), differ[:min(3, len(differ))])
	}
}
