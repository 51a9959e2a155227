package storetest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"callhome"
	"callhome/server/account"
	"callhome/server/casework"
	"callhome/server/notify"
	"callhome/server/sqlstore"
)

// Notify holds an implementation of notify.Store to its promises, through an Announcer and a Postman.
func Notify(t *testing.T, open func(testing.TB) *sqlstore.Store) {
	for name, test := range map[string]func(*testing.T, *noticeBench){
		"told once":              noticeOnce,
		"undone":                 noticeUndone,
		"choices":                noticeChoices,
		"digest sent once":       noticeDigest,
		"crash after the outbox": noticeCrash,
		"rate":                   noticeRate,
		"who is never written":   noticeGuard,
		"inbox":                  noticeInbox,
		"forgetting":             noticeForget,
	} {
		t.Run(name, func(t *testing.T) { test(t, newNoticeBench(t, open(t))) })
	}
}

type noticeBench struct {
	store    *sqlstore.Store
	announce *notify.Announcer
	now      time.Time

	mu  sync.Mutex // guards what follows
	out []callhome.Envelope
	err error
}

// Put is notify.Outbox.
func (b *noticeBench) Put(_ context.Context, envelopes ...callhome.Envelope) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.out = append(b.out, envelopes...)
	return b.err
}

func noticeConfig() notify.Config {
	cfg := notify.DefaultConfig()
	cfg.From, cfg.Own, cfg.Rate, cfg.PageRate = "Callhome <callhome@support.example>", []string{"@intake.example"}, 3, 2
	return cfg
}

func newNoticeBench(t testing.TB, s *sqlstore.Store) *noticeBench {
	b := &noticeBench{store: s, announce: notify.New(noticeConfig()), now: time.Date(2026, 3, 14, 9, 0, 0, 0, time.UTC)}
	b.announce.Now = func() time.Time { return b.now }
	return b
}

func (b *noticeBench) postman() *notify.Postman {
	p := notify.NewPostman(noticeConfig())
	p.Outbox, p.Now = b, func() time.Time { return b.now }
	p.InTx = func(ctx context.Context, f func(notify.Store) error) error {
		return b.store.InTx(ctx, func(tx *sqlstore.Tx) error { return f(tx.Notify()) })
	}
	return p
}

func (b *noticeBench) tx(t testing.TB, f func(notify.Store) error) {
	t.Helper()
	if err := b.store.InTx(context.Background(), func(tx *sqlstore.Tx) error { return f(tx.Notify()) }); err != nil {
		t.Fatal(err)
	}
}

func (b *noticeBench) tell(t testing.TB, n notify.Notice, to ...notify.Recipient) {
	t.Helper()
	b.tx(t, func(s notify.Store) error { return b.announce.Announce(context.Background(), s, n, to) })
}

// post runs a postman until nothing is left, and gives what it sent.
func (b *noticeBench) post(t testing.TB) []callhome.Envelope {
	t.Helper()
	b.out = nil
	for {
		n, err := b.postman().Step(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			return b.out
		}
	}
}

func (b *noticeBench) silent(device int64) notify.Notice {
	sub := casework.Subject{Device: device, Company: account.CompanyID(device), Host: fmt.Sprintf("host-%d", device), Groups: []string{"core"}}
	return notify.DeviceSilent(&sub, time.Time{}, b.now, b.now)
}

func (b *noticeBench) changed(revision int64) notify.Notice {
	sub := casework.Subject{Device: 1, Company: 1, Host: "host-1", Groups: []string{"core"}}
	return notify.ConfigurationChanged(&sub, revision, 1, 0, "+ ip route", b.now)
}

var (
	ana = notify.Recipient{User: 1, Name: "Ana", Address: "ana@ops.example"}
	bob = notify.Recipient{User: 2, Name: "Bob", Address: "bob@ops.example"}
)

func noticeOnce(t *testing.T, b *noticeBench) {
	for range 3 {
		b.tell(t, b.silent(1), ana, ana, notify.Recipient{Address: "ANA@ops.example"}, bob)
	}
	sent := b.post(t)
	if len(sent) != 2 || sent[0].MessageID == sent[1].MessageID {
		t.Errorf("got %d mails, want one for each", len(sent))
	}
	if again := b.post(t); len(again) != 0 {
		t.Errorf("sent again: %d", len(again))
	}
	counts, err := b.store.Read().Notify().Counts(context.Background(), account.Everywhere(), time.Time{})
	if err != nil || counts["sent"] != 2 {
		t.Errorf("counts: %v, %v", counts, err)
	}
	anonymous := b.silent(9)
	anonymous.Anonymous = true
	b.tell(t, anonymous, ana)
	if sent := b.post(t); len(sent) != 0 {
		t.Errorf("an anonymous message caused %d mails", len(sent))
	}
}

func noticeUndone(t *testing.T, b *noticeBench) {
	oops := callhome.Errorf(callhome.KindInternal, "the process died")
	_ = b.store.InTx(context.Background(), func(tx *sqlstore.Tx) error {
		if err := b.announce.Announce(context.Background(), tx.Notify(), b.silent(1), []notify.Recipient{ana}); err != nil {
			t.Error(err)
		}
		return oops
	})
	if sent := b.post(t); len(sent) != 0 {
		t.Errorf("what was undone is told: %d", len(sent))
	}
	b.tell(t, b.silent(1), ana)
	if sent := b.post(t); len(sent) != 1 {
		t.Errorf("announced again: %d mails", len(sent))
	}
}

func noticeChoices(t *testing.T, b *noticeBench) {
	ctx := context.Background()
	b.tx(t, func(s notify.Store) error {
		if err := b.announce.Choose(ctx, s, &notify.Settings{User: 1, Hour: 7, Zone: "Europe/Lisbon", Choices: []notify.Choice{
			{Kind: notify.KindDeviceSilent, Mode: notify.ModeNone}, {Kind: notify.KindDeviceSilent, Group: "Core", Mode: notify.ModeImmediate},
		}}); err != nil {
			return err
		}
		got, ok, err := s.Settings(ctx, 1)
		if !ok || got.Hour != 7 || got.Zone != "Europe/Lisbon" || len(got.Choices) != 2 {
			t.Errorf("settings: %+v, %v", got, ok)
		}
		return err
	})
	other := b.silent(2)
	other.Groups = nil
	b.tell(t, b.silent(1), ana)
	b.tell(t, other, ana)
	if sent := b.post(t); len(sent) != 1 {
		t.Errorf("got %d mails, want only that of the group", len(sent))
	}
	if n, err := b.store.Read().Notify().Unread(ctx, 1); n != 1 || err != nil {
		t.Errorf("unread: %d, %v", n, err)
	}
}

func noticeDigest(t *testing.T, b *noticeBench) {
	for i := range 5 {
		b.tell(t, b.changed(int64(i)), ana)
	}
	if sent := b.post(t); len(sent) != 0 {
		t.Errorf("before the hour: %d mails", len(sent))
	}
	b.now = time.Date(2026, 3, 15, 6, 0, 0, 0, time.UTC)
	b.out = nil
	var wg sync.WaitGroup
	for range 4 { // servers
		wg.Go(func() {
			for range 3 {
				if _, err := b.postman().Step(context.Background()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if len(b.out) != 1 || strings.Count(string(b.out[0].Body), "2026-03-14 09:00") < 5 {
		t.Fatalf("got %d digests, want one with five notices", len(b.out))
	}
	b.tell(t, b.changed(99), ana)
	b.now = b.now.Add(24 * time.Hour)
	if sent := b.post(t); len(sent) != 1 {
		t.Errorf("the next day: %d", len(sent))
	}
	counts, err := b.store.Read().Notify().Counts(context.Background(), account.Everywhere(), time.Time{})
	if err != nil || counts["sent"] != 6 {
		t.Errorf("counts: %v, %v", counts, err)
	}
}

func noticeCrash(t *testing.T, b *noticeBench) {
	b.tell(t, b.silent(1), ana)
	b.tell(t, b.changed(1), bob)
	crash := b.postman()
	inTx, calls := crash.InTx, 0
	crash.InTx = func(ctx context.Context, f func(notify.Store) error) error {
		if calls++; calls > 1 {
			return context.Canceled // the process dies between the outbox and the mark
		}
		return inTx(ctx, f)
	}
	if _, err := crash.Step(context.Background()); err == nil {
		t.Fatal("the crash did not happen")
	}
	first := slices.Clone(b.out)
	if len(b.post(t)) != 0 {
		t.Error("the lease was not honoured")
	}
	b.now = b.now.Add(6 * time.Minute)
	second := b.post(t)
	if len(first) != 1 || len(second) != 1 || first[0].MessageID != second[0].MessageID || string(first[0].Body) != string(second[0].Body) {
		t.Errorf("the repeat differs: %+v, %+v", first, second)
	}
	b.err = callhome.Errorf(callhome.KindUnavailable, "full")
	b.now = b.now.Add(24 * time.Hour)
	if _, err := b.postman().Step(context.Background()); err == nil {
		t.Error("a full outbox went unnoticed")
	}
	b.err = nil
	b.now = b.now.Add(6 * time.Minute)
	if sent := b.post(t); len(sent) != 1 {
		t.Errorf("after the outbox was full: %d", len(sent))
	}
}

func noticeRate(t *testing.T, b *noticeBench) {
	for i := range 8 {
		b.tell(t, b.silent(int64(i+1)), ana)
	}
	if sent := b.post(t); len(sent) != 3 {
		t.Errorf("got %d mails in an hour, want 3", len(sent))
	}
	b.now = time.Date(2026, 3, 14, 10, 0, 0, 0, time.UTC)
	sent := b.post(t)
	if len(sent) != 1 || !strings.Contains(string(sent[0].Body), "5 notices were held back") {
		t.Errorf("then: %d mails, want a digest of five", len(sent))
	}
	counts, err := b.store.Read().Notify().Counts(context.Background(), account.Everywhere(), time.Time{})
	if err != nil || counts["rate_limited"] != 5 || counts["sent"] != 8 {
		t.Errorf("counts: %v, %v", counts, err)
	}
}

func noticeGuard(t *testing.T, b *noticeBench) {
	b.tell(t, b.silent(1),
		notify.Recipient{Address: "devices@intake.example"}, notify.Recipient{Address: "callhome@support.example"},
		notify.Recipient{Address: "MAILER-DAEMON@ops.example"}, notify.Recipient{Address: "no-reply@ops.example"},
		notify.Recipient{Address: "nobody at all"}, notify.Recipient{Address: "x@ops.example\r\nBcc: y@z.example"}, ana)
	sent := b.post(t)
	if len(sent) != 1 || sent[0].Destination.Address != "ana@ops.example" {
		t.Errorf("got %d mails", len(sent))
	}
	counts, err := b.store.Read().Notify().Counts(context.Background(), account.Everywhere(), time.Time{})
	if err != nil || counts["own_address"] != 2 || counts["automatic"] != 2 || counts["bad_address"] != 2 {
		t.Errorf("counts: %v, %v", counts, err)
	}
}

func noticeInbox(t *testing.T, b *noticeBench) {
	ctx := context.Background()
	for i := range 5 {
		b.tell(t, b.silent(int64(i+1)), ana, bob)
	}
	read := b.store.Read().Notify()
	reach := account.Reach{Companies: []account.CompanyID{1, 2, 3}}
	first, err := read.Inbox(ctx, reach, 1, false, account.Page{Limit: 2})
	if err != nil || len(first) != 2 || first[0].Notice.Host != "host-3" {
		t.Fatalf("first page: %+v, %v", first, err)
	}
	rest, err := read.Inbox(ctx, reach, 1, false, account.Page{After: first[1].ID, Limit: 5})
	if err != nil || len(rest) != 1 || rest[0].Notice.Host != "host-1" {
		t.Errorf("second page: %+v, %v", rest, err)
	}
	b.tx(t, func(s notify.Store) error { return s.MarkRead(ctx, 1, b.now, first[0].ID, first[0].ID) })
	b.tx(t, func(s notify.Store) error { return s.MarkRead(ctx, 2, b.now, first[1].ID) }) // not his
	unread, err := read.Inbox(ctx, account.Everywhere(), 1, true, account.Page{})
	n, err2 := read.Unread(ctx, 1)
	m, err3 := read.Unread(ctx, 2)
	if err != nil || err2 != nil || err3 != nil || len(unread) != 4 || n != 4 || m != 5 {
		t.Errorf("unread: %d, counted %d and %d", len(unread), n, m)
	}
	b.tx(t, func(s notify.Store) error { return s.MarkRead(ctx, 1, b.now) })
	if n, _ := read.Unread(ctx, 1); n != 0 {
		t.Errorf("all read, and %d unread", n)
	}
	mails, err := read.Mails(ctx, reach, 0, "bob@ops.example", account.Page{})
	if err != nil || len(mails) != 3 {
		t.Errorf("mails of bob within reach: %d, %v", len(mails), err)
	}
}

func noticeForget(t *testing.T, b *noticeBench) {
	ctx := context.Background()
	b.tell(t, b.silent(1), ana)
	b.tell(t, b.changed(1), ana) // waits for its digest
	b.post(t)
	b.tx(t, func(s notify.Store) error {
		n, err := s.DropNotices(ctx, time.Now().Add(time.Hour), 10)
		if n != 1 {
			t.Errorf("%d notices were forgotten, want the one that was sent", n)
		}
		return err
	})
	if n, err := b.store.Read().Notify().Unread(ctx, 1); n != 1 || err != nil {
		t.Errorf("unread: %d, %v", n, err)
	}
}
