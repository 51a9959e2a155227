package server_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"callhome"
	"callhome/server/account"
	"callhome/server/registry"
	"callhome/server/sqlstore"
)

// BenchmarkWholePath takes messages of 8 KiB of registered devices and works them to the end: decoded, identified,
// judged by all rules, searchable.
func BenchmarkWholePath(b *testing.B) {
	const devices = 500
	w := newWorld(b)
	for n := range devices {
		w.post(w.inventory(fmt.Sprintf("FOX%04d", n)))
	}
	w.settle()
	w.registerAll()
	bodies := make([][]byte, b.N)
	output := strings.Repeat("GigabitEthernet0/0/1 is up, line protocol is up, 5 minute input rate 1000 bits/sec\n", 85)
	for n := range bodies {
		m := w.message(fmt.Sprintf("FOX%04d", n%devices), callhome.GroupSyslog, callhome.LevelWarning, fmt.Sprintf("*Mar 14 09:26:53.114: %%SYS-5-CONFIG_I: Configured from console by user%d on vty0 (192.0.2.%d)", n, n%250))
		m.Attachments = []callhome.Attachment{{Name: "show interfaces", Text: output}}
		bodies[n] = w.xml(m)
	}
	b.SetBytes(int64(len(bodies[0])))
	b.ResetTimer()
	var wg sync.WaitGroup
	next := make(chan []byte)
	for range 16 {
		wg.Go(func() {
			for body := range next {
				if _, err := w.accept(body); err != nil {
					b.Error(err)
				}
			}
		})
	}
	for _, body := range bodies {
		next <- body
	}
	close(next)
	wg.Wait()
	accepted := b.Elapsed()
	w.settle()
	b.ReportMetric(float64(b.N)/accepted.Seconds(), "accepted/s")
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "worked/s")
}

// registerAll confirms every device.
func (w *world) registerAll() {
	w.t.Helper()
	ctx := context.Background()
	err := w.store.InTx(ctx, func(tx *sqlstore.Tx) error {
		c := &account.Company{Name: "Acme"}
		if err := tx.Account().AddCompany(ctx, c); err != nil {
			return err
		}
		if _, err := w.registrar.PutContract(ctx, tx.Registry(), &registry.Contract{Number: "K-1", Company: c.ID, Covers: []registry.Cover{{Kind: registry.CoverProduct, Value: "*"}}}); err != nil {
			return err
		}
		for after := int64(0); ; {
			page, err := tx.Registry().ListDevices(ctx, account.Everywhere(), registry.DeviceFilter{}, account.Page{After: after, Limit: 200})
			if err != nil || len(page) == 0 {
				return err
			}
			for _, d := range page {
				after = int64(d.ID)
				if _, err := w.registrar.Assign(ctx, tx.Registry(), d.ID, c.ID, "K-1"); err != nil {
					return err
				}
				if _, _, err := w.registrar.Confirm(ctx, tx.Registry(), registry.ConfirmOrder{
					Device: d.ID, Contract: "K-1", Agreed: true, By: account.Principal{Name: "op", Role: account.RoleOperator, Scope: account.ScopeAdmin},
				}); err != nil {
					return err
				}
			}
		}
	})
	if err != nil {
		w.t.Fatal(err)
	}
}
