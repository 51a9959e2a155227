package main

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"callhome"
	"callhome/bench/stand"
	"callhome/server/account"
	"callhome/server/archive"
	"callhome/server/sqlstore"
	"callhome/sqldb"
)

// filled is a data folder of a back end whose archive holds so many messages. It is made once and kept, since that
// takes long.
func (b *bench) filled(n int) (string, error) {
	dir, err := filepath.Abs(filepath.Join(b.tools, "archive", fmt.Sprint(n)))
	if err != nil {
		return "", err
	}
	done := filepath.Join(dir, "filled")
	if _, err := os.Stat(done); err == nil {
		return dir, nil
	}
	if err := firstError(os.RemoveAll(dir), os.MkdirAll(dir, 0o700)); err != nil {
		return "", err
	}
	fmt.Printf("  filling an archive with %d messages\n", n)
	cmd := exec.Command("go", "run", "./bench/fill", "-db", filepath.Join(dir, "server.db"), "-n", fmt.Sprint(n))
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		return "", err
	}
	return dir, os.WriteFile(done, nil, 0o600)
}

func firstError(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

// questions are how often each is asked.
const questions = 200

// asked is what the answers to one question took.
type asked struct{ p50, p99 time.Duration }

func (a asked) String() string { return fmt.Sprintf("p50 %.2f, p99 %.2f ms", ms(a.p50), ms(a.p99)) }

// between keeps below the API's limit of requests; the pause is not measured.
const between = 60 * time.Millisecond

func measure(n int, pause time.Duration, f func(i int) error) (asked, error) {
	took := make([]time.Duration, 0, n)
	for i := range n {
		time.Sleep(pause)
		start := time.Now()
		if err := f(i); err != nil {
			return asked{}, err
		}
		took = append(took, time.Since(start))
	}
	slices.Sort(took)
	return asked{took[len(took)/2], took[min(len(took)-1, len(took)*99/100)]}, nil
}

// portal is a back end over a filled archive, and a reader with a token.
type portal struct {
	s     *stand.Server
	token string
	raw   *sqldb.DB
}

func (b *bench) portal(n int) (*portal, error) {
	data, err := b.filled(n)
	if err != nil {
		return nil, err
	}
	store, err := sqlstore.Open(context.Background(), filepath.Join(data, "server.db"), sqlstore.Options{})
	if err != nil {
		return nil, err
	}
	var token callhome.Secret
	err = store.InTx(context.Background(), func(tx *sqlstore.Tx) (err error) {
		order := account.TokenOrder{Name: fmt.Sprintf("bench-%d", time.Now().UnixNano()), Scope: account.ScopeRead}
		_, token, err = (&account.Office{}).NewToken(context.Background(), tx.Account(), account.System(), order)
		return err
	})
	if err := firstError(err, store.Close()); err != nil {
		return nil, err
	}
	dir, err := b.folder("portal")
	if err != nil {
		return nil, err
	}
	p := &portal{token: token.Reveal()}
	if p.s, err = stand.StartServer(dir, b.bin, stand.ServerOptions{Data: data}); err != nil {
		return nil, err
	}
	p.raw, err = sqldb.Open(context.Background(), filepath.Join(data, "server.db"), sqldb.Options{})
	return p, err
}

func (p *portal) close() {
	_ = p.raw.Close()
	p.s.Stop()
}

// get asks the API and gives the body.
func (p *portal) get(path string) (string, error) {
	req, err := http.NewRequest(http.MethodGet, p.s.API+path, nil)
	if err != nil {
		return "", err
	}
	req.Header.Set("Authorization", "Bearer "+p.token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s: %s", path, resp.Status, body)
	}
	return string(body), err
}

// query runs a raw query to its last row.
func (p *portal) query(text string, args ...any) error {
	rows, err := p.raw.Read.Query(text, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return err
	}
	into := make([]any, len(columns))
	for i := range into {
		into[i] = new(sql.RawBytes)
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return err
		}
	}
	return rows.Err()
}

const someColumns = "id, received_at, device_id, sys_name, message_id, type, alert_group, severity, description, status"

// portalLists is row 22, and with it deep pages.
func (b *bench) portalLists() ([]Result, error) {
	p, err := b.portal(b.messages)
	if err != nil {
		return nil, err
	}
	defer p.close()
	var middle int64
	if err := p.raw.Read.QueryRow("SELECT id FROM messages ORDER BY id LIMIT 1 OFFSET ?", b.messages/2).Scan(&middle); err != nil {
		return nil, err
	}
	deep, err := p.cursorBelow(middle)
	if err != nil {
		return nil, err
	}
	var out []Result
	for _, q := range []struct {
		name, path string
		raw        string
		args       func(i int) []any
		fill       func(i int) string
	}{
		{"first page", "/api/v1/messages?limit=50", "SELECT " + someColumns + " FROM messages ORDER BY id DESC LIMIT 50", nil, nil},
		{"page in the middle", "/api/v1/messages?limit=50&cursor=" + deep, "SELECT " + someColumns + " FROM messages WHERE id < ? ORDER BY id DESC LIMIT 50", func(int) []any { return []any{middle} }, nil},
		{"of one device", "/api/v1/messages?limit=50&device=", "SELECT " + someColumns + " FROM messages WHERE device = ? ORDER BY id DESC LIMIT 50",
			func(i int) []any { return []any{1 + i*37%10000} }, func(i int) string { return fmt.Sprint(1 + i*37%10000) }},
		{"by message ID", "/api/v1/messages?message_id=", "SELECT " + someColumns + " FROM messages WHERE id_time = ? AND message_id = ?",
			func(i int) []any { id := p.someID(i); return []any{archive.IDTime(callhome.MessageID(id)), id} }, func(i int) string { return url.QueryEscape(p.someID(i)) }},
	} {
		fill := func(i int) string {
			if q.fill == nil {
				return ""
			}
			return q.fill(i)
		}
		ours, err := measure(questions, between, func(i int) error { _, err := p.get(q.path + fill(i)); return err })
		if err != nil {
			return out, err
		}
		raw, err := measure(questions, 0, func(i int) error {
			if q.args == nil {
				return p.query(q.raw)
			}
			return p.query(q.raw, q.args(i)...)
		})
		if err != nil {
			return out, err
		}
		ratio := float64(ours.p99) / float64(raw.p99)
		verdict := Missed
		if ms(ours.p99) <= 3 {
			verdict = Stretch
		} else if ms(ours.p99) <= 10 && ratio <= 20 {
			verdict = Met
		}
		out = append(out, Result{Row: "22", Figure: fmt.Sprintf("lists over HTTP at %s messages: %s", millions(b.messages), q.name), Goal: "p99 ≤ 10 ms and ≤ 20× raw; ≤ 3 ms",
			Peer: "raw SQLite " + raw.String(), Ours: ours.String(), Ratio: ratio, Verdict: verdict})
	}
	return out, nil
}

func millions(n int) string { return fmt.Sprintf("%g M", float64(n)/1e6) }

// someID is the message ID of one of the newest messages.
func (p *portal) someID(i int) string {
	var id string
	_ = p.raw.Read.QueryRow("SELECT message_id FROM messages WHERE id <= (SELECT max(id) FROM messages) - ? ORDER BY id DESC LIMIT 1", int64(i)<<22).Scan(&id)
	return id
}

// cursorBelow finds the cursor of the page below an ID: by a list that ends above it.
func (p *portal) cursorBelow(id int64) (string, error) {
	var at int64
	if err := p.raw.Read.QueryRow("SELECT received_at FROM messages WHERE id = ?", id).Scan(&at); err != nil {
		return "", err
	}
	body, err := p.get("/api/v1/messages?limit=1&until=" + url.QueryEscape(time.UnixMicro(at).UTC().Format(time.RFC3339Nano)))
	if err != nil {
		return "", err
	}
	_, rest, ok := strings.Cut(body, `"next":"`)
	if !ok {
		return "", fmt.Errorf("no cursor in %s", body)
	}
	cursor, _, _ := strings.Cut(rest, `"`)
	return cursor, nil
}

// portalCounts is row 23.
func (b *bench) portalCounts() ([]Result, error) {
	p, err := b.portal(b.messages)
	if err != nil {
		return nil, err
	}
	defer p.close()
	ours, err := measure(questions, between, func(int) error { _, err := p.get("/api/v1/counts"); return err })
	if err != nil {
		return nil, err
	}
	raw, err := measure(1, 0, func(int) error { return p.query("SELECT severity, count(*) FROM messages GROUP BY severity") })
	if err != nil {
		return nil, err
	}
	return []Result{{Row: "23", Figure: "counts over HTTP at " + millions(b.messages) + " messages", Goal: "p99 ≤ 20 ms; ≤ 5 ms", Peer: "raw SQLite, GROUP BY severity " + raw.String(),
		Ours: ours.String(), Ratio: float64(ours.p99) / float64(raw.p99), Verdict: atMost(ms(ours.p99), 20, 5)}}, nil
}

// portalSearch is row 24.
func (b *bench) portalSearch() ([]Result, error) {
	p, err := b.portal(b.messages)
	if err != nil {
		return nil, err
	}
	defer p.close()
	needle := "zyxwv0needle"
	ours, err := measure(questions, between, func(int) error {
		body, err := p.get("/api/v1/messages?limit=50&q=" + needle)
		if err == nil && !strings.Contains(body, needle) {
			err = fmt.Errorf("the needle was not found: %s", body)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	raw, err := measure(3, 0, func(int) error { return p.query("SELECT id FROM messages WHERE description LIKE '%" + needle + "%'") })
	if err != nil {
		return nil, err
	}
	ratio := float64(ours.p99) / float64(raw.p99)
	return []Result{{Row: "24", Figure: "substring search, rare, at " + millions(b.messages) + " messages", Goal: "≤ 0.1× the scan; ≤ 0.02×", Peer: "raw SQLite scan " + raw.String(),
		Ours: ours.String(), Ratio: ratio, Verdict: atMost(ratio, 0.1, 0.02)}}, nil
}

// serverStart is row 20 of the back end: the start with a filled archive.
func (b *bench) serverStart() ([]Result, error) {
	data, err := b.filled(b.messages)
	if err != nil {
		return nil, err
	}
	var best time.Duration
	for range 5 {
		dir, err := b.folder("start")
		if err != nil {
			return nil, err
		}
		s, err := stand.StartServer(dir, b.bin, stand.ServerOptions{Data: data})
		if err != nil {
			return nil, err
		}
		s.Stop()
		if best == 0 || s.Listening < best {
			best = s.Listening
		}
	}
	return []Result{{Row: "20", Figure: "back end: start to listening with " + millions(b.messages) + " messages", Goal: "≤ 150 ms; ≤ 40 ms", Peer: "–",
		Ours: fmt.Sprintf("%.0f ms", ms(best)), Verdict: atMost(ms(best), 150, 40)}}, nil
}
