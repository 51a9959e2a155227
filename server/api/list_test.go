package api_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"callhome"
	"callhome/server/api"
	"callhome/server/archive"
	"callhome/server/sqlstore"
)

// addMessages stores n further messages of alpha.
func (w *world) addMessages(n int, describe func(i int) string) {
	w.tx(func(ctx context.Context, tx *sqlstore.Tx) error {
		for i := range n {
			r := &archive.Record{
				ID: tx.NewID(), ReceivedAt: w.now.Add(time.Duration(i) * time.Second), Company: w.alpha.company, Device: w.alpha.device, MessageID: callhome.MessageID(fmt.Sprintf("M9:alpha1:%08X", i)),
				Type: "syslog", Severity: i % 10, Description: describe(i), Status: archive.StatusProcessed,
			}
			if err := tx.Archive().Add(ctx, r, []byte("x")); err != nil {
				return err
			}
		}
		return nil
	})
}

func plainText(i int) string { return fmt.Sprintf("interface %d down", i) }

func itemsOf(t testing.TB, r *reply) ([]map[string]any, string) {
	t.Helper()
	if r.status != 200 {
		t.Fatalf("%d %s", r.status, r.body)
	}
	var page struct {
		Items []map[string]any
		Next  *string
	}
	if err := json.Unmarshal(r.body, &page); err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(r.body, []byte(`"next":`)) {
		t.Errorf("the list has no next: %s", r.body)
	}
	if page.Next == nil {
		return page.Items, ""
	}
	return page.Items, *page.Next
}

func TestListsArePagedByKey(t *testing.T) {
	w := newWorld(t, openSQLite(t))
	w.addMessages(1200, plainText)
	for _, limit := range []int{1, 7, 400, 1000} {
		var got []string
		last := ""
		path, pages := fmt.Sprintf("/messages?limit=%d&message_type=syslog", limit), 0
		for next := ""; pages < 1+1200/limit+1; pages++ {
			if limit == 1 && pages == 5 { // enough of that
				break
			}
			items, cursor := itemsOf(t, w.do("viewer", "GET", path+next, nil))
			for _, item := range items {
				id := item["message_id"].(string)
				if last != "" && id >= last {
					t.Fatalf("limit %d: %s comes after %s", limit, id, last)
				}
				last = id
				got = append(got, id)
			}
			if cursor == "" {
				break
			}
			next = "&cursor=" + cursor
		}
		if want := 1200; limit > 1 && len(got) != want {
			t.Errorf("limit %d: %d messages in %d pages, want %d", limit, len(got), pages+1, want)
		}
		if want := (1200+limit-1)/limit - 1; limit > 1 && pages != want {
			t.Errorf("limit %d: %d pages after the first, want %d: next is null after the last", limit, pages, want)
		}
	}
}

func TestListFilters(t *testing.T) {
	w := newWorld(t, openSQLite(t))
	w.addMessages(30, plainText)
	for query, want := range map[string]int{
		"message_id=M9:alpha1:00000003": 1, "severity=8": 6, "message_type=syslog&severity=9": 3, "q=INTERFACE+17": 1, "status=failed": 0, "device=" + fmt.Sprint(w.alpha.device): 31,
		"device_id=QX9006@C@alpha1": 1, "company=" + fmt.Sprint(w.bravo.company): 0, "device=" + fmt.Sprint(w.bravo.device): 0, "message_id=M1:bravo1:0A0B0C01": 0,
		"since=" + w.now.Add(-time.Hour).UTC().Format(time.RFC3339): 31, "until=" + w.now.Add(-time.Hour).UTC().Format(time.RFC3339): 0,
		"since=" + w.now.Add(time.Hour).UTC().Format(time.RFC3339): 0,
	} {
		items, _ := itemsOf(t, w.do("viewer", "GET", "/messages?limit=1000&"+query, nil))
		if len(items) != want {
			t.Errorf("%s: %d messages, want %d", query, len(items), want)
		}
	}
}

func TestFieldsMayBePicked(t *testing.T) {
	w := newWorld(t, openSQLite(t))
	items, _ := itemsOf(t, w.do("viewer", "GET", "/messages?fields=message_id,severity", nil))
	if len(items) != 1 || len(items[0]) != 2 || items[0]["message_id"] != "M1:alpha1:0A0B0C01" {
		t.Errorf("picked %v", items)
	}
	r := w.do("viewer", "GET", "/messages.csv?fields=message_id,received_at", nil)
	lines := strings.Split(strings.TrimSpace(string(r.body)), "\n")
	if r.status != 200 || len(lines) != 2 || lines[0] != "message_id,received_at" || !strings.HasPrefix(lines[1], "M1:alpha1:0A0B0C01,20") {
		t.Errorf("%d %s", r.status, r.body)
	}
	if r = w.do("viewer", "GET", "/messages.csv?fields=message_id,password", nil); r.status != 400 || !strings.Contains(string(r.body), "password") {
		t.Errorf("an unknown field: %d %s", r.status, r.body)
	}
}

func TestExportsAreWhole(t *testing.T) {
	w := newWorld(t, openSQLite(t))
	w.addMessages(1700, plainText)
	r := w.do("viewer", "GET", "/messages.ndjson?message_type=syslog", nil)
	n := 0
	for scan := bufio.NewScanner(bytes.NewReader(r.body)); scan.Scan(); n++ {
		var m map[string]any
		if err := json.Unmarshal(scan.Bytes(), &m); err != nil {
			t.Fatal(err)
		}
	}
	if r.status != 200 || n != 1700 || r.header.Get("Content-Type") != "application/x-ndjson" {
		t.Errorf("NDJSON: %d, %d lines, %s", r.status, n, r.header.Get("Content-Type"))
	}
	r = w.do("viewer", "GET", "/messages.csv?message_type=syslog", nil)
	rows, err := csv.NewReader(bytes.NewReader(r.body)).ReadAll()
	if err != nil || len(rows) != 1701 || !slices.Contains(rows[0], "message_id") {
		t.Errorf("CSV: %d rows, %v", len(rows), err)
	}
	r = w.do("viewer", "GET", "/messages.csv?message_type=syslog&limit=600", nil)
	if rows, err = csv.NewReader(bytes.NewReader(r.body)).ReadAll(); err != nil || len(rows) != 601 {
		t.Errorf("CSV of 600: %d rows, %v", len(rows), err)
	}
	for _, list := range []string{"devices", "service-requests", "findings", "contracts", "units", "users", "audit", "exceptions", "gateways"} {
		r := w.do("operator", "GET", "/"+list+".csv", nil)
		if rows, err = csv.NewReader(bytes.NewReader(r.body)).ReadAll(); r.status != 200 || err != nil || len(rows) < 2 {
			t.Errorf("%s.csv: %d, %d rows, %v", list, r.status, len(rows), err)
		}
	}
}

// TestExportsCarryNoFormulas: what a spreadsheet would take for a formula is a text.
func TestExportsCarryNoFormulas(t *testing.T) {
	w := newWorld(t, openSQLite(t))
	hostile := []string{"=HYPERLINK(1)", "+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "|x", "%x", "plain, \"quoted\"\nand more"}
	w.addMessages(len(hostile), func(i int) string { return hostile[i] })
	r := w.do("viewer", "GET", "/messages.csv?message_type=syslog&fields=msg_desc", nil)
	rows, err := csv.NewReader(bytes.NewReader(r.body)).ReadAll()
	if err != nil || len(rows) != len(hostile)+1 {
		t.Fatalf("%v: %d rows", err, len(rows))
	}
	for i, row := range rows[1:] {
		want := "'" + hostile[len(hostile)-1-i]
		if i == 0 {
			want = want[1:]
		}
		if got := row[0]; got != want {
			t.Errorf("cell %q, want %q", got, want)
		}
	}
}

// stalled tells when an export asks for a further page.
type stalled struct {
	api.Backend
	pages chan error
}

func (b stalled) Read() api.Views { return stalledViews{b.Backend.Read(), b.pages} }

type stalledViews struct {
	api.Views
	pages chan error
}

func (v stalledViews) Archive() archive.Store { return stalledArchive{v.Views.Archive(), v.pages} }

type stalledArchive struct {
	archive.Store
	pages chan error
}

// List waits with every page but the first until the reader is gone, as a slow query does.
func (s stalledArchive) List(ctx context.Context, f archive.Filter) ([]archive.Record, error) {
	if f.Page.After == 0 {
		return s.Store.List(ctx, f)
	}
	<-ctx.Done()
	s.pages <- ctx.Err()
	return nil, ctx.Err()
}

func TestExportEndsWithItsReader(t *testing.T) {
	w := newWorld(t, openSQLite(t))
	w.addMessages(600, plainText)
	pages := make(chan error, 1)
	url := w.serve(api.New(api.Options{Backend: stalled{w.backend(), pages}}))
	ctx, cancel := context.WithCancel(t.Context())
	req, _ := http.NewRequestWithContext(ctx, http.MethodGet, url+"/messages.ndjson", nil)
	req.Header.Set("Authorization", "Bearer "+w.tokens["viewer"])
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(res.Body)
	for range 500 {
		if line, err := lines.ReadString('\n'); err != nil || res.StatusCode != http.StatusOK {
			t.Fatalf("the first page did not come: %d %s %v", res.StatusCode, line, err)
		}
	}
	cancel()
	_ = res.Body.Close()
	select {
	case err := <-pages:
		if !errors.Is(err, context.Canceled) {
			t.Errorf("the query ended with %v", err)
		}
	case <-time.After(10 * time.Second):
		t.Error("the reader is gone, and the query goes on")
	}
}
