// Command fill puts messages into the archive of a back end, through its store and nothing else, so that lists, counts
// and searches can be measured over millions. Going on where an earlier run ended is fine.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"math/rand/v2"
	"time"

	"callhome"
	"callhome/server/account"
	"callhome/server/archive"
	"callhome/server/sqlstore"
)

// batch is how many messages share a transaction.
const batch = 2000

func main() {
	db := flag.String("db", "server.db", "SQLite file or PostgreSQL address")
	n := flag.Int("n", 1_000_000, "messages")
	size := flag.Int("size", 1024, "bytes of a message")
	flag.Parse()
	if err := run(*db, *n, *size); err != nil {
		log.Fatal(err)
	}
}

func run(db string, n, size int) error {
	ctx := context.Background()
	store, err := sqlstore.Open(ctx, db, sqlstore.Options{})
	if err != nil {
		return err
	}
	defer func() { _ = store.Close() }() // what was committed stays
	began := time.Now()
	for done := 0; done < n; done += batch {
		err := store.InTx(ctx, func(tx *sqlstore.Tx) error {
			for i := range min(batch, n-done) {
				r, body := message(store.NewID(), done+i, size)
				if err := tx.Archive().Add(ctx, r, body); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		if done%(50*batch) == 0 {
			fmt.Printf("%d messages, %.0f/s\n", done+batch, float64(done+batch)/time.Since(began).Seconds())
		}
	}
	return nil
}

var events = []string{
	"%SYS-5-CONFIG_I: Configured from console by user on vty0", "%LINK-3-UPDOWN: Interface GigabitEthernet0/0/1, changed state to down",
	"%PLATFORM_ENV-1-FAN: Faulty fan detected, tray P2", "%OSPF-5-ADJCHG: Process 1, Nbr 192.0.2.9 on Gi0/1 from FULL to DOWN",
	"%BGP-5-ADJCHANGE: neighbor 192.0.2.77 Down BGP Notification sent", "%SYS-2-MALLOCFAIL: Memory allocation of 65536 bytes failed",
}

// message is an invented one; each in a million has a word that no other has.
func message(id int64, n, size int) (*archive.Record, []byte) {
	device := rand.IntN(10_000)
	serial := fmt.Sprintf("QXF%06d", device)
	text := fmt.Sprintf("%s (sequence %d, session %08x)", events[n%len(events)], n, rand.Uint32())
	if n%1_000_000 == 500_000 {
		text += fmt.Sprintf(" zyxwv%dneedle", n/1_000_000)
	}
	r := &archive.Record{
		ID: id, ReceivedAt: time.Now(), EventTime: time.Now(), Company: account.CompanyID(1 + device%20), Device: int64(1 + device),
		DeviceID: callhome.MakeDeviceID("QX9006", serial), SystemName: "edge-" + serial, MessageID: callhome.MessageID(fmt.Sprintf("M%d:%s:%08X", n, serial, n)),
		Type: "syslog", Group: callhome.GroupSyslog, Severity: n % 8, Description: text, Format: callhome.FormatXML, Dialect: "ios",
		Origin: archive.Origin{Transport: callhome.TransportHTTP, Peer: "192.0.2.7:4711"}, Size: size, Status: archive.StatusProcessed,
	}
	body := make([]byte, size)
	for i := 0; i < size; i += 64 {
		copy(body[i:], fmt.Sprintf("<line n=%q>%s</line>", serial, text))
	}
	return r, body
}
