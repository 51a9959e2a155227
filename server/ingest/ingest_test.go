package ingest_test

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"callhome"
	"callhome/codec/aml"
	"callhome/codec/mimemail"
	"callhome/codec/plaintext"
	"callhome/server/account"
	"callhome/server/archive"
	"callhome/server/ingest"
	"callhome/server/sqlstore"
)

func message(n int) callhome.Message {
	level := callhome.LevelMajor
	return callhome.Message{
		MessageID: callhome.MessageID(fmt.Sprintf("M%d:FOX1:69B528DD", n)), GroupID: "G1:FOX1:69B528DD", EventTime: callhome.At(time.Date(2026, 3, 14, 9, 26, 53, 0, time.UTC)),
		Type: "environment", Group: callhome.GroupEnvironment, Severity: &level, DeviceID: "QX9006@C@FOX1", SystemName: "edge-1", Model: "QX9006", Serial: "FOX1",
		ContactEmail: "noc@ops.example", Description: "fan failed", Attachments: []callhome.Attachment{{Name: fmt.Sprintf("show %d", n), Text: strings.Repeat("output ", n+1)}},
	}
}

func xml(t testing.TB, m callhome.Message) []byte {
	t.Helper()
	v, _ := aml.VariantFor("ios")
	b, err := aml.Append(nil, &m, v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestDecode(t *testing.T) {
	m := message(1)
	posted := xml(t, m)
	mail, err := mimemail.Append(nil, &mimemail.Mail{From: "a@b.example", To: []string{"c@d.example"}, Subject: "System Notification From edge-1 - environment - 2026-03-14 09:26:53 GMT+00:00",
		Date: time.Now(), MessageID: m.MessageID, Format: callhome.FormatXML, Body: posted})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		body      []byte
		transport callhome.Transport
		fault     ingest.Fault
		known     bool // the key is that of the message, not of its bytes
	}{
		"posted":       {posted, callhome.TransportHTTP, "", true},
		"mailed":       {mail, callhome.TransportEmail, "", true},
		"byte order":   {append([]byte("\xef\xbb\xbf\n"), posted...), callhome.TransportHTTP, "", true},
		"long text":    {plaintext.Append(nil, &m, plaintext.A), callhome.TransportHTTP, ingest.FaultUnsupported, false},
		"nothing":      {nil, callhome.TransportHTTP, ingest.FaultUnparsable, false},
		"other XML":    {[]byte("<html><body/></html>"), callhome.TransportHTTP, ingest.FaultUnparsable, false},
		"cut":          {posted[:len(posted)/2], callhome.TransportHTTP, ingest.FaultUnparsable, false},
		"not a mail":   {[]byte("\x00\x01"), callhome.TransportEmail, ingest.FaultUnparsable, false},
		"entity bombs": {[]byte(`<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>`), callhome.TransportHTTP, ingest.FaultUnparsable, false},
	} {
		p, peekErr := ingest.Peek(c.body, c.transport, "192.0.2.1")
		if (peekErr != nil) != (c.fault == ingest.FaultUnparsable) || (p.Key == archive.KeyOf(m.DeviceID, m.MessageID)) != c.known {
			t.Errorf("%s: Peek = %+v, %v", name, p, peekErr)
		}
		acc := ingest.Decode(&archive.Arrival{ID: 7, Body: c.body, Origin: archive.Origin{Transport: c.transport}})
		if acc.Fault != c.fault || acc.Record.ID != 7 || acc.Record.Size != len(c.body) {
			t.Errorf("%s: got fault %q (%s), record %+v", name, acc.Fault, acc.Why, acc.Record)
		}
		if c.fault != ingest.FaultUnparsable && (acc.Record.SystemName != "edge-1" || acc.Record.Severity != 5 || acc.Record.Description != "fan failed") {
			t.Errorf("%s: record %+v", name, acc.Record)
		}
	}
}

func TestBlocksAreJoinedInAnyOrder(t *testing.T) {
	for _, order := range [][]int{{0, 1, 2}, {2, 0, 1}, {1, 2, 0}} {
		s := openStore(t)
		joined := deliver(t, s, order)
		if joined == nil || len(joined.Message.Attachments) != 3 || joined.Message.Attachments[2].Name != "show 2" || len(joined.Others) != 2 || len(joined.Message.Flags) > 0 {
			t.Fatalf("order %v: got %+v", order, joined)
		}
	}
}

func TestBlocksThatNeverCome(t *testing.T) {
	s, ctx := openStore(t), context.Background()
	if joined := deliver(t, s, []int{2, 0}); joined != nil {
		t.Fatalf("joined without its middle: %+v", joined)
	}
	err := s.InTx(ctx, func(tx *sqlstore.Tx) error {
		groups, err := tx.Ingest().OverdueBlocks(ctx, time.Now().Add(time.Minute), 10)
		if err != nil || len(groups) != 1 {
			t.Fatalf("overdue: %v, %v", groups, err)
		}
		joined, err := ingest.JoinOverdue(ctx, tx.Ingest(), tx.Archive(), groups[0])
		if err != nil || joined == nil || len(joined.Message.Attachments) != 2 || len(joined.Message.Flags) != 1 {
			t.Fatalf("got %+v, %v", joined, err)
		}
		again, err := ingest.JoinOverdue(ctx, tx.Ingest(), tx.Archive(), groups[0])
		if again != nil || err != nil {
			t.Errorf("a second time: %+v, %v", again, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func openStore(t *testing.T) *sqlstore.Store {
	t.Helper()
	s, err := sqlstore.Open(context.Background(), filepath.Join(t.TempDir(), "server.db"), sqlstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// deliver brings blocks in an order and gives the message when it is whole.
func deliver(t *testing.T, s *sqlstore.Store, order []int) (joined *ingest.Joined) {
	t.Helper()
	ctx := context.Background()
	for _, n := range order {
		m := message(n)
		m.Block = &callhome.Block{Number: n, IsLast: n == 2, IsPrimary: n == 0}
		body := xml(t, m)
		err := s.InTx(ctx, func(tx *sqlstore.Tx) (err error) {
			acc := ingest.Decode(&archive.Arrival{ID: tx.NewID(), ReceivedAt: time.Now(), Body: body, Origin: archive.Origin{Transport: callhome.TransportHTTP}})
			if !acc.IsBlock() {
				t.Fatalf("block %d is none: %+v", n, acc.Message.Block)
			}
			acc.Record.Status = archive.StatusWaiting
			if err := tx.Archive().Add(ctx, &acc.Record, body); err != nil {
				return err
			}
			if joined != nil {
				t.Error("joined before the last block")
			}
			joined, err = ingest.Join(ctx, tx.Ingest(), tx.Archive(), acc)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if joined != nil {
		if r, ok, err := s.Read().Archive().Record(ctx, joined.Record.ID, account.Everywhere()); !ok || err != nil || r.MessageID != "M0:FOX1:69B528DD" {
			t.Errorf("the joined message's record is %+v, %v", r, err)
		}
	}
	return joined
}

func FuzzDecode(f *testing.F) {
	f.Add(xml(f, message(1)), true)
	f.Add([]byte("Subject: x\r\n\r\n<aml/>"), false)
	f.Fuzz(func(_ *testing.T, body []byte, posted bool) {
		transport := callhome.TransportEmail
		if posted {
			transport = callhome.TransportHTTP
		}
		_, _ = ingest.Peek(body, transport, "")
		ingest.Decode(&archive.Arrival{Body: body, Origin: archive.Origin{Transport: transport}})
	})
}
