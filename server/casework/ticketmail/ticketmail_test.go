package ticketmail

import (
	"context"
	"net/mail"
	"strings"
	"testing"
	"time"

	"callhome"
	"callhome/codec/mimemail"
	"callhome/server/casework"
)

type box struct{ out []callhome.Envelope }

func (b *box) Put(_ context.Context, e ...callhome.Envelope) error {
	b.out = append(b.out, e...)
	return nil
}

func setUp(t *testing.T) (*box, *Adapter) {
	cfg := Config{Name: "mail", To: "tickets@ops.example", From: "callhome@support.example", Secret: callhome.NewSecret("sesame"), Allow: []string{"@ops.example"}}
	if err := cfg.Validate("ticket_mail[0]"); err != nil {
		t.Fatal(err)
	}
	b := &box{}
	return b, New(cfg, b)
}

func push(kind casework.PushKind, seq int64) *casework.Push {
	c := casework.Case{ID: 9, Number: "SR-000123", Title: "Fan\r\nBcc: x@y.example", Priority: 2, State: casework.StateNew}
	return &casework.Push{Kind: kind, Seq: seq, Key: "SR-000123/1/9", Snapshot: casework.Snapshot{Case: c, Event: casework.Event{At: time.Unix(1773480413, 0), Kind: casework.EventOpened}}}
}

func TestMailsAndAnswers(t *testing.T) {
	b, a := setUp(t)
	for range 2 {
		if r, err := a.Push(context.Background(), push(casework.PushCreate, 1), &casework.Link{}); err != nil || r.Remote != "SR-000123" {
			t.Fatalf("%+v, %v", r, err)
		}
	}
	if string(b.out[0].Body) != string(b.out[1].Body) {
		t.Error("a repeat is another mail")
	}
	got, err := mimemail.Decode(b.out[0].Body)
	if err != nil || !IsAnswer(got.Subject) || !casework.Ours(string(got.Payload)) {
		t.Fatalf("%+v, %v", got, err)
	}
	if m, err := mail.ReadMessage(strings.NewReader(string(b.out[0].Body))); err != nil || m.Header.Get("Bcc") != "" {
		t.Errorf("a title became a header: %v", err)
	}
	now := time.Unix(1773480500, 0)
	answer := func(f func(*Answer)) ([]casework.Update, error) {
		m := Answer{From: "Zoe <zoe@ops.example>", Subject: "Re: " + got.Subject, MessageID: "<1@ops>", Text: "ack\r\non my way\r\n\r\nOn Saturday Callhome wrote:\r\n> Fan\r\n"}
		f(&m)
		return a.Read(&m, now)
	}
	up, err := answer(func(*Answer) {})
	if err != nil || len(up) != 1 || up[0].State != casework.StateAcknowledged || up[0].Comment != "on my way" || up[0].Remote != "SR-000123" || up[0].EventID != "<1@ops>" {
		t.Errorf("got %+v, %v", up, err)
	}
	if up, err := answer(func(m *Answer) { m.Text = "Parts:\nfan tray" }); err != nil || up[0].State != "" || up[0].Comment != "Parts:\nfan tray" {
		t.Errorf("a note: %+v, %v", up, err)
	}
	if up, err := answer(func(m *Answer) { m.Automatic = true }); err != nil || len(up) != 0 {
		t.Errorf("out of office: %+v, %v", up, err)
	}
	for name, spoil := range map[string]func(*Answer){
		"a stranger":   func(m *Answer) { m.From = "mallory@example.org" },
		"a neighbour":  func(m *Answer) { m.From = "mallory@notops.example" },
		"a guess":      func(m *Answer) { m.Subject = "[SR-000123 #000000000000]" },
		"another case": func(m *Answer) { m.Subject = strings.Replace(got.Subject, "SR-000123", "SR-000124", 1) },
	} {
		if _, err := answer(spoil); callhome.KindOf(err) != callhome.KindDenied {
			t.Errorf("%s: %v", name, err)
		}
	}
	a.cfg.Secret = callhome.Secret{}
	if _, err := answer(func(m *Answer) { m.Subject = "[SR-000123 #" + a.mark("SR-000123") + "]" }); callhome.KindOf(err) != callhome.KindDenied {
		t.Errorf("without a secret: %v", err)
	}
	loop := Config{Name: "x", To: "a@b.example", From: "A@b.example"}
	if err := loop.Validate("ticket_mail[0]"); err == nil {
		t.Error("mail to itself is configured")
	}
}
