package server_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"callhome"
	"callhome/codec/aml"
	"callhome/receive"
	"callhome/server"
	"callhome/server/account"
	"callhome/server/analysis"
	"callhome/server/archive"
	"callhome/server/archive/journal"
	"callhome/server/casework"
	"callhome/server/notify"
	"callhome/server/registry"
	"callhome/server/sqlstore"
)

type database struct{ *sqlstore.Store }

func (d database) InTx(ctx context.Context, f func(server.Rooms) error) error {
	return d.Store.InTx(ctx, func(tx *sqlstore.Tx) error { return f(tx) })
}

func (d database) Read() server.Rooms { return d.Store.Read() }

// intake breaks now and then when fail is set.
type intake struct {
	*sqlstore.JournalIntake
	fail atomic.Pointer[func(archive.Arrival) error]
}

func (w *intake) Work(ctx context.Context, limit int, prepare archive.Prepare, f func(server.Rooms, []archive.Arrival) error) (int, error) {
	return w.JournalIntake.Work(ctx, limit, prepare, func(tx *sqlstore.Tx, all []archive.Arrival) error {
		for _, a := range all {
			if fail := w.fail.Load(); fail != nil {
				if err := (*fail)(a); err != nil {
					return err
				}
			}
		}
		return f(tx, all)
	})
}

// world is a back end on SQLite, in this process.
type world struct {
	t         testing.TB
	store     *sqlstore.Store
	intake    *intake
	server    *server.Server
	registrar *registry.Registrar
	ids       int
}

func newWorld(t testing.TB) *world {
	t.Helper()
	return newWorldWith(t, func(*server.Options) {})
}

// newWorldWith lets a test choose what the back end works with.
func newWorldWith(t testing.TB, choose func(*server.Options)) *world {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	dir := t.TempDir()
	store, err := sqlstore.Open(ctx, filepath.Join(dir, "server.db"), sqlstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	j, err := journal.Open(filepath.Join(dir, "journal"), journal.Options{NewID: store.NewID, Known: store.Known, Segment: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	rules, err := analysis.New(analysis.Shipped()...)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, store: store, registrar: &registry.Registrar{}, intake: &intake{JournalIntake: sqlstore.NewJournalIntake(store, j, journal.Position{})}}
	o := server.Options{
		Config: server.DefaultConfig(), Database: database{store}, Intake: w.intake, Rules: rules, Desk: casework.New(casework.DefaultConfig()),
		Registrar: w.registrar, Announcer: notify.New(notify.Config{From: "callhome@support.example", Rate: 100, PageRate: 100, KeepInbox: 24 * time.Hour}),
	}
	choose(&o)
	if o.Now != nil {
		w.registrar.Now = o.Now
	}
	w.server, err = server.New(o)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() { defer close(done); _ = w.server.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done; _ = j.Close(); _ = store.Close() })
	return w
}

// post hands a message to the back end as the device endpoint does.
func (w *world) post(m callhome.Message) receive.Receipt {
	w.t.Helper()
	r, err := w.accept(w.xml(m))
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

func (w *world) xml(m callhome.Message) []byte {
	w.t.Helper()
	v, _ := aml.VariantFor("ios")
	b, err := aml.Append(nil, &m, v)
	if err != nil {
		w.t.Fatal(err)
	}
	return b
}

func (w *world) accept(body []byte) (receive.Receipt, error) {
	return w.server.Accept(context.Background(), &receive.Submission{
		Body: body, Transport: callhome.TransportHTTP, ReceivedAt: time.Now(), Peer: netip.MustParseAddrPort("192.0.2.7:4711"), HTTP: &receive.HTTP{Path: "/x"},
	})
}

// settle waits until everything was worked.
func (w *world) settle() {
	w.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		b, err := w.intake.Backlog(context.Background())
		if err != nil {
			w.t.Fatal(err)
		}
		if b.Arrivals == 0 {
			return
		}
		if time.Now().After(deadline) {
			w.t.Fatalf("%d messages are not worked", b.Arrivals)
		}
	}
}

func (w *world) message(serial string, group callhome.AlertGroup, level callhome.Level, text string) callhome.Message {
	w.ids++
	id := fmt.Sprintf("%d:%s:%08X", w.ids, serial, time.Now().Unix())
	return callhome.Message{
		MessageID: callhome.MessageID("M" + id), GroupID: "G" + id, EventTime: callhome.At(time.Now()), Type: string(group), Group: group, Severity: &level,
		DeviceID: callhome.DeviceID("QX9006@C@" + serial), SystemName: "edge-" + serial, ContactEmail: "noc@ops.example", ContractID: "K-1", SiteID: "LIS",
		Model: "QX9006", Serial: serial, SWVersion: "17.12.4", Description: text,
	}
}

func (w *world) inventory(serial string) callhome.Message {
	m := w.message(serial, callhome.GroupInventory, callhome.LevelNotification, "inventory")
	m.Subtype = "full"
	m.FRUs = []callhome.FRU{{Name: "QX-PWR", Serial: "PWR1", Slot: "1"}}
	return m
}

func (w *world) records(f archive.Filter) []archive.Record {
	w.t.Helper()
	f.Reach = account.Everywhere()
	all, err := w.store.Read().Archive().List(context.Background(), f)
	if err != nil {
		w.t.Fatal(err)
	}
	return all
}

// register makes a device that is entitled.
func (w *world) register(serial string) *registry.Device {
	w.t.Helper()
	ctx := context.Background()
	w.post(w.inventory(serial))
	w.settle()
	var d *registry.Device
	err := w.store.InTx(ctx, func(tx *sqlstore.Tx) (err error) {
		c, err := tx.Account().CompanyByName(ctx, "Acme")
		if callhome.KindOf(err) == callhome.KindNotFound && err != nil {
			c = &account.Company{Name: "Acme"}
			err = tx.Account().AddCompany(ctx, c)
			if err == nil {
				err = tx.Account().AddUser(ctx, &account.User{Name: "rita", Email: "rita@acme.example", Role: account.RoleCompanyAdmin, Companies: []account.CompanyID{c.ID}})
			}
			if err == nil {
				_, err = w.registrar.PutContract(ctx, tx.Registry(), &registry.Contract{Number: "K-1", Company: c.ID, Covers: []registry.Cover{{Kind: registry.CoverProduct, Value: "*"}}})
			}
		}
		if err != nil {
			return err
		}
		found, err := tx.Registry().DevicesBySerial(ctx, serial, 1)
		if err != nil || len(found) != 1 {
			return fmt.Errorf("%d devices of serial %s, %w", len(found), serial, err)
		}
		if _, err := w.registrar.Assign(ctx, tx.Registry(), found[0].ID, c.ID, "K-1"); err != nil {
			return err
		}
		d, _, err = w.registrar.Confirm(ctx, tx.Registry(), registry.ConfirmOrder{
			Device: found[0].ID, Contract: "K-1", Agreed: true, By: account.Principal{Name: "op", Role: account.RoleOperator, Scope: account.ScopeAdmin},
		})
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	if d.State != registry.StateRegistered {
		w.t.Fatalf("after confirming the device is %s", d.State)
	}
	return d
}

const fanFailed = "*Mar 14 09:26:53.114: %PLATFORM_ENV-1-FAN: Faulty fan detected, tray P2"

func TestAMessageOfARegisteredDeviceBecomesAServiceRequest(t *testing.T) {
	w := newWorld(t)
	d := w.register("FOX1")
	m := w.message("FOX1", callhome.GroupEnvironment, callhome.LevelFatal, fanFailed)
	first := w.post(m)
	second := w.post(m)
	if first.Duplicate || !second.Duplicate || second.MessageID != m.MessageID {
		t.Errorf("receipts: %+v, %+v", first, second)
	}
	w.settle()
	got := w.records(archive.Filter{MessageID: m.MessageID})
	if len(got) != 1 || got[0].Status != archive.StatusProcessed || got[0].Device != int64(d.ID) || got[0].Company != d.Company || got[0].Case == 0 {
		t.Fatalf("records: %+v", got)
	}
	ctx, read := context.Background(), w.store.Read()
	found, err := read.Analysis().List(ctx, account.Everywhere(), analysis.Filter{Message: got[0].ID}, account.Page{})
	if err != nil || len(found) == 0 || found[0].Case != got[0].Case {
		t.Fatalf("findings: %+v, %v", found, err)
	}
	users, err := read.Account().ListUsers(ctx, account.Everywhere(), account.Page{})
	if err != nil || len(users) != 1 {
		t.Fatal(err, users)
	}
	inbox, err := read.Notify().Inbox(ctx, account.Everywhere(), users[0].ID, false, account.Page{})
	if err != nil || len(inbox) == 0 || inbox[0].Notice.Kind != notify.KindCaseOpened {
		t.Errorf("inbox: %+v, %v", inbox, err)
	}
	// The same cause again joins.
	w.post(w.message("FOX1", callhome.GroupEnvironment, callhome.LevelFatal, fanFailed))
	w.settle()
	if all := w.records(archive.Filter{Case: got[0].Case}); len(all) != 2 {
		t.Errorf("%d messages belong to the service request, want 2", len(all))
	}
}

func TestWhoIsNotEntitledIsStoredAndMarked(t *testing.T) {
	w := newWorld(t)
	w.post(w.inventory("FOX2"))
	m := w.message("FOX2", callhome.GroupEnvironment, callhome.LevelFatal, fanFailed)
	w.post(m)
	w.settle()
	got := w.records(archive.Filter{MessageID: m.MessageID})
	if len(got) != 1 || got[0].Status != archive.StatusMarked || got[0].Device == 0 || len(got[0].Reasons) == 0 || got[0].Case != 0 {
		t.Fatalf("records: %+v", got)
	}
	if _, ok, err := w.store.Read().Inventory().Head(context.Background(), got[0].Device); err != nil || !ok {
		t.Errorf("the inventory of a pending device is not kept: %v, %v", ok, err)
	}
}

func TestAnonymousIsCountedOnly(t *testing.T) {
	w := newWorld(t)
	m := w.message("0123456789ABCDEF", callhome.GroupCrash, callhome.LevelFatal, "crash")
	m.SystemName, m.ContactEmail, m.ContractID, m.SiteID = "", "", "", ""
	w.post(m)
	w.settle()
	got := w.records(archive.Filter{})
	if len(got) != 1 || got[0].Status != archive.StatusAnonymous || got[0].Device != 0 || got[0].DeviceID != "" {
		t.Errorf("records: %+v", got)
	}
}

func TestWhatIsRefusedAndWhatIsKept(t *testing.T) {
	w := newWorld(t)
	for name, c := range map[string]struct {
		body   string
		reason receive.RefusalReason
	}{
		"no message": {"<html/>", receive.RefuseMalformed},
		"a bomb":     {`<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>`, receive.RefuseMalformed},
		"text":       {"TimeStamp : 2026-03-14 09:26 GMT+00:00\nMessage Name : environment\nMessage Type : Call Home\nSeverity Level : 6\n", receive.RefuseUnsupported},
	} {
		_, err := w.accept([]byte(c.body))
		var r *receive.Refusal
		if !errors.As(err, &r) || r.Reason != c.reason {
			t.Errorf("%s: %v", name, err)
		}
	}
	w.settle()
	kept := w.records(archive.Filter{Status: archive.StatusFailed})
	if len(kept) != 2 || kept[0].Origin.Refused == "" {
		t.Errorf("kept: %+v", kept)
	}
}

func TestAMessageThatCannotBeWorkedHoldsUpNobody(t *testing.T) {
	w := newWorld(t)
	m := w.message("FOX3", callhome.GroupSyslog, callhome.LevelMajor, strings.Repeat("x", 20))
	n := 0
	fail := func(archive.Arrival) error {
		if n++; n <= 3 {
			return callhome.Errorf(callhome.KindUnavailable, "the database is away")
		}
		return nil
	}
	w.intake.fail.Store(&fail)
	w.post(m)
	w.settle()
	if got := w.records(archive.Filter{}); len(got) != 1 || got[0].Status != archive.StatusMarked {
		t.Errorf("after trouble that passed: %+v", got)
	}
}

func TestBlocksBecomeOneMessage(t *testing.T) {
	w := newWorld(t)
	w.register("FOX4")
	var first callhome.MessageID
	for n := range 3 {
		m := w.message("FOX4", callhome.GroupEnvironment, callhome.LevelFatal, fanFailed)
		m.GroupID = "G900:FOX4:69B528DD"
		m.Block = &callhome.Block{Number: n, IsLast: n == 2, IsPrimary: n == 0}
		if n == 0 {
			first = m.MessageID
		}
		w.post(m)
	}
	w.settle()
	whole := w.records(archive.Filter{MessageID: first})
	joined := w.records(archive.Filter{Status: archive.StatusJoined})
	if len(whole) != 1 || whole[0].Status != archive.StatusProcessed || whole[0].Case == 0 || len(joined) != 2 || joined[0].JoinedInto != whole[0].ID {
		t.Errorf("whole %+v, joined %+v", whole, joined)
	}
}
