package gateway

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"callhome"
	"callhome/codec/aml"
	"callhome/deliver"
	"callhome/gateway/book"
	"callhome/gateway/bundle"
	"callhome/health"
	"callhome/outbox"
	"callhome/outbox/spool"
	"callhome/receive"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// posts is a sender that keeps what it was given, by address, and fails where it is told to.
type posts struct {
	mu   sync.Mutex
	got  map[string][]callhome.Envelope
	fail map[string]error
}

func (p *posts) Send(_ context.Context, e *callhome.Envelope) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.fail[e.Destination.Address]; err != nil {
		return err
	}
	if p.got == nil {
		p.got = map[string][]callhome.Envelope{}
	}
	p.got[e.Destination.Address] = append(p.got[e.Destination.Address], *e)
	return nil
}

func (p *posts) at(url string) []callhome.Envelope {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]callhome.Envelope{}, p.got[url]...)
}

func (p *posts) break_(url string, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fail == nil {
		p.fail = map[string]error{}
	}
	p.fail[url] = err
}

const (
	first  = "https://first.example/its/service/oddce/services/DDCEService"
	second = "https://second.example/its/service/oddce/services/DDCEService"
)

// rig is a gateway on real files.
type rig struct {
	*Gateway
	t       *testing.T
	dir     string
	queue   *outbox.Queue
	book    *book.Book
	posts   *posts
	courier *deliver.Courier
	health  *health.Registry
	free    int64

	mu    sync.Mutex
	clock time.Time
	reg   bool
	stop  func()
}

func (r *rig) now() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.clock
}

func (r *rig) advance(d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.clock = r.clock.Add(d)
}

func (r *rig) setRegistered(yes bool) {
	r.mu.Lock()
	r.reg = yes
	r.mu.Unlock()
}

func config(change func(*Config)) Config {
	cfg := DefaultConfig()
	cfg.Name, cfg.Registration = "gw-1", RegistrationNone
	cfg.Upstream = []Upstream{{URL: first}}
	if change != nil {
		change(&cfg)
	}
	return cfg
}

func start(t *testing.T, dir string, cfg Config) *rig {
	t.Helper()
	r := &rig{t: t, dir: dir, posts: &posts{}, health: health.New(), free: 1 << 40, clock: time.Now()}
	r.open(cfg)
	return r
}

func (r *rig) open(cfg Config) {
	r.t.Helper()
	ctx := context.Background()
	store, err := spool.Open(ctx, filepath.Join(r.dir, "outbox.db"), spool.Options{})
	must(r.t, err)
	q := outbox.DefaultConfig()
	q.MaxBytes = 16 << 20
	r.queue, err = outbox.Open(ctx, store, outbox.Options{Config: q})
	must(r.t, err)
	r.book, err = book.Open(ctx, filepath.Join(r.dir, "book.db"), cfg.BookLimits())
	must(r.t, err)
	keys, err := bundle.OpenKeys(filepath.Join(r.dir, "keys"))
	must(r.t, err)
	r.Gateway, err = New(ctx, cfg, Options{
		Queue: r.queue, Book: r.book, Sender: r.posts, Keys: keys, Dir: r.dir, Health: r.health, Now: r.now,
		Registered: func() bool { r.mu.Lock(); defer r.mu.Unlock(); return r.reg },
		FreeDisk:   func(string) int64 { r.mu.Lock(); defer r.mu.Unlock(); return r.free },
	})
	must(r.t, err)
	retry := deliver.DefaultConfig()
	retry.BackoffMin, retry.BackoffMax, retry.ProbeMax = 5*time.Millisecond, 20*time.Millisecond, 20*time.Millisecond
	r.courier, err = deliver.New(retry, deliver.Options{Queue: r.queue, Senders: map[callhome.Transport]deliver.Sender{callhome.TransportHTTP: r.Gateway}})
	must(r.t, err)
	run, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() { _ = r.Run(run) })
	wg.Go(func() { _ = r.courier.Run(run) })
	r.stop = sync.OnceFunc(func() {
		cancel()
		wg.Wait()
		must(r.t, r.keep.flush(ctx))
		must(r.t, r.queue.Close())
		must(r.t, r.book.Close())
	})
	r.t.Cleanup(r.stop)
}

// crash closes the files without writing what the book was still to be told.
func (r *rig) crash() {
	r.keep.mu.Lock()
	r.keep.batch = &book.Batch{Counts: map[book.Count]int64{}}
	r.keep.mu.Unlock()
	r.stop()
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Helper()
		t.Fatal(err)
	}
}

// note is a message of a device.
func message(n int, group callhome.AlertGroup, level callhome.Level) []byte {
	m := &callhome.Message{
		MessageID: callhome.MessageID(fmt.Sprintf("M%d:FOX1:51AEAC68", n)), GroupID: fmt.Sprintf("G%d:FOX1:51AEAC68", n), Type: string(group),
		Name: "n", Description: "d", DeviceID: "ASR@C@FOX1", Severity: &level, Model: "ASR", Serial: "FOX1", SystemName: "rtr-1", SourceID: "ASR1000",
		ContactEmail: "a@b.example", CustomerID: "c", SiteID: "s", ContractID: "k", Group: group,
	}
	m.EventTime, _ = aml.ParseTime("2026-03-14 09:26:53 GMT+00:00")
	v, _ := aml.VariantFor("ios")
	doc, err := aml.Append(nil, m, v)
	if err != nil {
		panic(err)
	}
	return doc
}

func (r *rig) post(body []byte) (receive.Receipt, error) {
	r.t.Helper()
	return r.Accept(r.t.Context(), &receive.Submission{
		Body: body, Transport: callhome.TransportHTTP, ReceivedAt: r.now(), Peer: netip.MustParseAddrPort("192.0.2.7:4711"),
	})
}

func (r *rig) await(what string, ok func() bool) {
	r.t.Helper()
	for range 1000 {
		if ok() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	r.t.Fatalf("waited in vain: %s", what)
}

func reasonOf(err error) receive.RefusalReason {
	if err == nil {
		return ""
	}
	return receive.RefusalOf(err).Reason
}

func TestForwardedOnceWithVia(t *testing.T) {
	r := start(t, t.TempDir(), config(nil))
	body := message(1, callhome.GroupSyslog, callhome.LevelMajor)
	var wg sync.WaitGroup
	var mu sync.Mutex
	fresh := 0
	for range 20 { // the device is impatient
		wg.Go(func() {
			receipt, err := r.post(body)
			if err != nil || receipt.MessageID != "M1:FOX1:51AEAC68" {
				t.Errorf("%+v %v", receipt, err)
			}
			mu.Lock()
			defer mu.Unlock()
			if !receipt.Duplicate {
				fresh++
			}
		})
	}
	wg.Wait()
	if fresh != 1 {
		t.Errorf("%d of 20 repeats were new", fresh)
	}
	r.await("forwarded", func() bool { return len(r.posts.at(first)) == 1 })
	sent := r.posts.at(first)[0]
	vias := aml.Vias(sent.Body)
	want := viaPrefix + "gw-1:" + r.book.ID()
	if vias[len(vias)-1] != want {
		t.Errorf("vias %q, want %q last", vias, want)
	}
	stripped := strings.Replace(string(sent.Body), "<aml-session:Via>"+want+"</aml-session:Via>", "", 1)
	if stripped != string(body) {
		t.Error("more than the Via was changed")
	}
	s, err := r.Status(t.Context())
	must(t, err)
	if s.Devices != 1 || s.Taken["http"] != 20 || s.Forwarded[first] != 1 || !s.Forwarding {
		t.Errorf("status %+v", s)
	}
	d, err := r.Devices(t.Context(), "", 10)
	must(t, err)
	if len(d) != 1 || d[0].Hostname != "rtr-1" || d[0].Serial != "FOX1" || d[0].Total != 20 || d[0].Source != "192.0.2.7" || d[0].Product != "ASR" {
		t.Errorf("devices %+v", d)
	}
}

func TestViaOff(t *testing.T) {
	r := start(t, t.TempDir(), config(func(c *Config) { c.Via = false }))
	body := message(1, callhome.GroupSyslog, callhome.LevelMajor)
	_, err := r.post(body)
	must(t, err)
	r.await("forwarded", func() bool { return len(r.posts.at(first)) == 1 })
	if string(r.posts.at(first)[0].Body) != string(body) {
		t.Error("the message was changed")
	}
}

func TestDuplicateAfterCrashAndWindow(t *testing.T) {
	dir := t.TempDir()
	r := start(t, dir, config(nil))
	r.posts.break_(first, errors.New("down"))
	_, err := r.post(message(1, callhome.GroupSyslog, callhome.LevelMajor)) // stays in the queue
	must(t, err)
	r.crash()
	r2 := start(t, dir, config(nil))
	_, err = r2.post(message(2, callhome.GroupSyslog, callhome.LevelMajor)) // is delivered, and only the ledger knows it
	must(t, err)
	r2.await("both forwarded", func() bool { return len(r2.posts.at(first)) == 2 })
	r2.crash()
	r3 := start(t, dir, config(nil))
	for n := 1; n <= 2; n++ {
		receipt, err := r3.post(message(n, callhome.GroupSyslog, callhome.LevelMajor))
		if err != nil || !receipt.Duplicate {
			t.Errorf("message %d after a crash: %+v %v", n, receipt, err)
		}
	}
	r3.advance(46 * 24 * time.Hour)
	if receipt, err := r3.post(message(1, callhome.GroupSyslog, callhome.LevelMajor)); err != nil || receipt.Duplicate {
		t.Errorf("after the window: %+v %v", receipt, err)
	}
}

func TestFailover(t *testing.T) {
	r := start(t, t.TempDir(), config(func(c *Config) {
		c.Upstream = []Upstream{{URL: second, Priority: 20}, {URL: first, Priority: 10}}
	}))
	r.posts.break_(first, errors.New("connection refused"))
	for n := range 5 {
		_, err := r.post(message(n, callhome.GroupSyslog, callhome.LevelMajor))
		must(t, err)
	}
	r.await("the second takes them", func() bool { return len(r.posts.at(second)) == 5 })
	s, err := r.Status(t.Context())
	must(t, err)
	if u := s.Upstreams[0]; u.URL != first || u.Breaker != BreakerOpen || u.Failed != 1 || u.LastError == "" {
		t.Errorf("first: %+v", u) // one try, then it rests
	}
	r.posts.break_(first, nil)
	r.advance(restMin)
	_, err = r.post(message(10, callhome.GroupSyslog, callhome.LevelMajor))
	must(t, err)
	r.await("back at the first", func() bool { return len(r.posts.at(first)) == 1 })
	if got := r.upstreams.states()[0].Breaker; got != BreakerClosed {
		t.Errorf("the first is %s", got)
	}
}

func TestRefusedForGoodIsNotTriedElsewhere(t *testing.T) {
	r := start(t, t.TempDir(), config(func(c *Config) { c.Upstream = []Upstream{{URL: first}, {URL: second}} }))
	r.posts.break_(first, deliver.Permanent(errors.New("400")))
	_, err := r.post(message(1, callhome.GroupSyslog, callhome.LevelMajor))
	must(t, err)
	r.await("a dead letter", func() bool { d, _ := r.queue.Depth(t.Context()); return d.DeadLetters == 1 })
	if len(r.posts.at(second)) != 0 {
		t.Error("the second upstream got it, too")
	}
}

func TestUnregisteredKeeps(t *testing.T) {
	r := start(t, t.TempDir(), config(func(c *Config) { c.Registration = RegistrationRequired }))
	for n := range 3 {
		_, err := r.post(message(n, callhome.GroupSyslog, callhome.LevelMajor))
		must(t, err)
	}
	time.Sleep(100 * time.Millisecond)
	if n := len(r.posts.at(first)); n != 0 {
		t.Fatalf("%d messages left unregistered", n)
	}
	s, err := r.Status(t.Context())
	must(t, err)
	if s.Forwarding || s.Held != notRegistered || s.Queue.Entries != 3 {
		t.Errorf("%+v", s)
	}
	r.setRegistered(true)
	r.Wake()
	r.await("forwarded", func() bool { return len(r.posts.at(first)) == 3 })
	list, err := r.queue.History(t.Context(), outbox.LedgerFilter{})
	must(t, err)
	for _, l := range list {
		if l.Attempts > 1 {
			t.Errorf("an attempt was made while unregistered: %+v", l)
		}
	}
	if r.mayForward(&Config{Upstream: []Upstream{{URL: first, Token: callhome.NewSecret("t")}}, Registration: RegistrationRequired}) == false {
		t.Error("a token is no credential")
	}
}

func TestWindows(t *testing.T) {
	r := start(t, t.TempDir(), config(nil))
	r.mu.Lock()
	r.clock = time.Date(2026, 11, 22, 12, 0, 0, 0, time.Local)
	r.mu.Unlock()
	must(t, r.Reload(config(func(c *Config) { c.Windows = []Window{{From: "22:00", To: "06:00"}} })))
	_, err := r.post(message(1, callhome.GroupSyslog, callhome.LevelMajor))
	must(t, err)
	_, err = r.post(message(2, callhome.GroupCrash, callhome.LevelFatal))
	must(t, err)
	r.await("the urgent one leaves", func() bool { return len(r.posts.at(first)) == 1 })
	if got := r.posts.at(first)[0].MessageID; got != "M2:FOX1:51AEAC68" {
		t.Fatalf("%s left", got)
	}
	time.Sleep(50 * time.Millisecond)
	if n := len(r.posts.at(first)); n != 1 {
		t.Fatalf("%d left at noon", n)
	}
	r.advance(10*time.Hour + time.Minute)
	r.Wake()
	r.await("the window opens", func() bool { return len(r.posts.at(first)) == 2 })
}

func TestWindowOpen(t *testing.T) {
	at := func(day, clock string) time.Time { // 2026-11-23 is a Monday
		d := map[string]int{"mon": 23, "tue": 24, "sat": 28, "sun": 29}[day]
		h, _ := time.Parse("15:04", clock)
		return time.Date(2026, 11, d, h.Hour(), h.Minute(), 0, 0, time.UTC)
	}
	night := Window{From: "22:00", To: "06:00"}
	weekend := Window{From: "22:00", To: "06:00", Days: []string{"Sat", "sunday"}}
	day := Window{From: "08:00", To: "17:30", Days: []string{"mon"}}
	always := Window{From: "00:00", To: "00:00"}
	for _, c := range []struct {
		w    Window
		t    time.Time
		want bool
	}{
		{night, at("mon", "21:59"), false}, {night, at("mon", "22:00"), true}, {night, at("mon", "05:59"), true}, {night, at("mon", "06:00"), false},
		{weekend, at("mon", "05:00"), true}, {weekend, at("tue", "05:00"), false}, {weekend, at("sat", "05:00"), false}, {weekend, at("sat", "23:00"), true},
		{day, at("mon", "17:29"), true}, {day, at("mon", "17:30"), false}, {day, at("tue", "12:00"), false},
		{always, at("mon", "00:00"), true}, {always, at("mon", "13:00"), true},
	} {
		if got := c.w.open(c.t); got != c.want {
			t.Errorf("%+v at %s: %v", c.w, c.t.Format("Mon 15:04"), got)
		}
	}
	bad := Window{From: "25:00", To: "x", Days: []string{"someday"}}
	if err := bad.Validate(); err == nil || strings.Count(err.Error(), "\n") != 2 {
		t.Errorf("got %v", err)
	}
}
