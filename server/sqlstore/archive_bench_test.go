package sqlstore

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"callhome"
	"callhome/server/account"
	"callhome/server/archive"
)

// BenchmarkArchiveAdd stores messages of 1 KiB, 500 in a transaction.
func BenchmarkArchiveAdd(b *testing.B) {
	s, err := Open(context.Background(), filepath.Join(b.TempDir(), "server.db"), Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	body := make([]byte, 1024)
	for i := range body {
		body[i] = byte('a' + i%23)
	}
	ctx := context.Background()
	for done := 0; done < b.N; done += 500 {
		err := s.InTx(ctx, func(tx *Tx) error {
			for i := done; i < min(b.N, done+500); i++ {
				serial := fmt.Sprintf("QXF%06d", i%10000)
				r := &archive.Record{
					ID: s.NewID(), ReceivedAt: time.Now(), Company: account.CompanyID(i % 20), Device: int64(i % 10000), DeviceID: callhome.MakeDeviceID("QX9006", serial),
					SystemName: "edge-" + serial, MessageID: callhome.MessageID(fmt.Sprintf("M%d:%s:%08X", i, serial, time.Now().Unix())), Type: "syslog", Group: callhome.GroupSyslog,
					Severity: i % 8, Description: fmt.Sprintf("%%SYS-5-CONFIG_I: Configured from console by user %d on vty0 (192.0.2.7)", i), Status: archive.StatusProcessed, Size: 1024,
				}
				if err := tx.Archive().Add(ctx, r, body); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}
