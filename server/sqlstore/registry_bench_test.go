package sqlstore_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"callhome"
	"callhome/callhometest"
	"callhome/server/account"
	"callhome/server/registry"
	"callhome/server/sqlstore"
)

// benchmarkIdentify identifies messages of known devices in which nothing is new, 100 in a transaction; every device is
// heard once in a while, so that the cheap write is in the figure, too.
func benchmarkIdentify(b *testing.B, s *sqlstore.Store) {
	const devices, batch = 2000, 100
	ctx, now := context.Background(), time.Date(2026, 3, 14, 9, 26, 53, 0, time.UTC)
	reg := &registry.Registrar{Now: func() time.Time { return now }}
	input := func(n int) *registry.Input {
		serial := fmt.Sprintf("QX%06d", n%devices)
		return &registry.Input{
			Message: &callhome.Message{
				Group: callhome.GroupSyslog, Model: "QX9006", Serial: serial, SystemName: "edge-" + serial, ContactEmail: "noc@ops.example", ContractID: "K-1",
				SWVersion: "17.12.4", EventTime: callhome.At(now),
			},
			Personality: "ios", ReceivedAt: now, Transport: "http", Peer: "192.0.2.7",
		}
	}
	err := s.InTx(ctx, func(t *sqlstore.Tx) error {
		_, err := reg.PutContract(ctx, t.Registry(), &registry.Contract{Number: "K-1", Company: 1, Covers: []registry.Cover{{Kind: registry.CoverProduct, Value: "*"}}})
		for n := range devices {
			if err != nil {
				return err
			}
			var out *registry.Identified
			if out, err = reg.Identify(ctx, t.Registry(), input(n)); err == nil {
				_, _, err = reg.Confirm(ctx, t.Registry(), registry.ConfirmOrder{Device: out.Device.ID, Agreed: true, By: account.System()})
			}
		}
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	n := 0
	b.ResetTimer()
	for n < b.N {
		err := s.InTx(ctx, func(t *sqlstore.Tx) error {
			for range min(batch, b.N-n) {
				n++
				now = now.Add(10 * time.Millisecond) // 100 messages a second: each device every 20 seconds
				out, err := reg.Identify(ctx, t.Registry(), input(n))
				if err != nil {
					return err
				}
				if !out.Entitled || len(out.Changes) != 0 {
					return fmt.Errorf("message %d: %+v", n, out)
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
}

func BenchmarkIdentify(b *testing.B) {
	b.Run("sqlite", func(b *testing.B) { benchmarkIdentify(b, openSQLite(b)) })
	b.Run("postgres", func(b *testing.B) { benchmarkIdentify(b, open(b, callhometest.Postgres(b))) })
}
