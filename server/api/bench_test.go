package api_test

import (
	"context"
	"io"
	"net/http"
	"os"
	"strconv"
	"testing"

	"callhome/server/api"
	"callhome/server/archive"
)

// benchMessages is how many messages lists are measured among; CALLHOME_BENCH_MESSAGES says otherwise.
func benchMessages(b *testing.B) int {
	n, err := strconv.Atoi(os.Getenv("CALLHOME_BENCH_MESSAGES"))
	if err != nil {
		return 20_000
	}
	return n
}

func benchWorld(b *testing.B) *world {
	w := newWorld(b, openSQLite(b))
	for left := benchMessages(b); left > 0; left -= 1000 {
		w.addMessages(min(left, 1000), plainText)
	}
	w.url = w.serve(api.New(api.Options{Backend: w.backend(), Rates: api.Rates{Caller: 1e9, Address: 1e9}}))
	return w
}

// BenchmarkLists measures pages, counts and look-ups over HTTP; "raw page" is the store's answer alone.
func BenchmarkLists(b *testing.B) {
	w := benchWorld(b)
	items, next := itemsOf(b, w.do("viewer", "GET", "/messages?limit=1000&message_type=syslog", nil))
	for range 10 {
		if next == "" {
			break
		}
		items, next = itemsOf(b, w.do("viewer", "GET", "/messages?limit=1000&message_type=syslog&cursor="+next, nil))
	}
	deep := items[len(items)/2]["id"].(string)
	for name, path := range map[string]string{
		"first page": "/messages?limit=50", "deep page": "/messages?limit=50&cursor=" + next, "by message id": "/messages?message_id=M9:alpha1:00000007",
		"counts": "/counts", "one": "/messages/" + deep, "search": "/messages?limit=50&q=interface+77+down",
	} {
		if name == "deep page" && next == "" {
			continue
		}
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				req, _ := http.NewRequest(http.MethodGet, w.url+path, nil)
				req.Header.Set("Authorization", "Bearer "+w.tokens["viewer"])
				res, err := http.DefaultClient.Do(req)
				if err != nil {
					b.Fatal(err)
				}
				_, _ = io.Copy(io.Discard, res.Body)
				_ = res.Body.Close()
				if res.StatusCode != http.StatusOK {
					b.Fatal(res.Status)
				}
			}
		})
	}
	b.Run("raw page", func(b *testing.B) {
		reach := w.alpha.users["viewer"].Principal()
		for b.Loop() {
			if _, err := w.store.Read().Archive().List(context.Background(), archive.Filter{Reach: reach.Reach()}); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkExport measures a whole list as CSV, by the record.
func BenchmarkExport(b *testing.B) {
	w := benchWorld(b)
	for b.Loop() {
		r := w.do("viewer", "GET", "/messages.csv?fields=message_id,received_at,msg_desc", nil)
		if r.status != http.StatusOK {
			b.Fatal(r.status)
		}
	}
	b.ReportMetric(float64(benchMessages(b)*b.N)/b.Elapsed().Seconds(), "records/s")
}
