package sink

import (
	"bytes"
	"net/http"
	"net/smtp"
	"testing"
	"time"
)

func TestHTTPCountsAndTimes(t *testing.T) {
	h, err := ListenHTTP(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	resp, err := http.Post(h.URL, "text/plain", bytes.NewReader([]byte("code "+StampNow()+" after")))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	check(t, &h.Tally)
}

func TestSMTPCountsAndTimes(t *testing.T) {
	s, err := ListenSMTP()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	body := []byte("Subject: x\r\n\r\ncode " + StampNow() + "\r\n..dot\r\n")
	if err := smtp.SendMail(s.Addr, nil, "a@ops.example", []string{"b@ops.example"}, body); err != nil {
		t.Fatal(err)
	}
	check(t, &s.Tally)
	if !bytes.Contains(s.Sample(), []byte("dot")) {
		t.Errorf("got %q", s.Sample())
	}
}

func check(t *testing.T, tally *Tally) {
	t.Helper()
	if got := tally.Await(1, 5*time.Second); got != 1 {
		t.Fatalf("got %d messages, want 1", got)
	}
	if p := tally.Latency(50); p[0] <= 0 || p[0] > time.Minute {
		t.Errorf("got a latency of %v", p[0])
	}
}

func TestStampOf(t *testing.T) {
	for text, want := range map[string]int64{"x sentns42e": 42, "sentns": -1, "sentnsxe": -1, "none": -1} {
		got, ok := stampOf([]byte(text))
		if ok != (want >= 0) || ok && got != want {
			t.Errorf("%q: got %d %v", text, got, ok)
		}
	}
}
