package gateway

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"callhome"
	"callhome/codec/aml"
	"callhome/codec/mimemail"
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

func TestRoom(t *testing.T) {
	l := DefaultConfig().Limits
	now := time.Now()
	for _, c := range []struct {
		class Class
		room  Room
		want  bool // refused
	}{
		{ClassBulk, Room{Used: 74, Limit: 100, Free: -1}, false},
		{ClassBulk, Room{Used: 75, Limit: 100, Free: -1}, true},
		{ClassRecords, Room{Used: 89, Limit: 100, Free: -1}, false},
		{ClassRecords, Room{Used: 90, Limit: 100, Free: -1}, true},
		{ClassAlerts, Room{Used: 99, Limit: 100, Free: -1}, false},
		{ClassAlerts, Room{Used: 100, Limit: 100, Free: -1}, true},
		{ClassBulk, Room{Limit: 100, Free: -1, OldestAt: now.Add(-8 * 24 * time.Hour)}, true},
		{ClassRecords, Room{Limit: 100, Free: -1, OldestAt: now.Add(-8 * 24 * time.Hour)}, false},
		{ClassRecords, Room{Limit: 100, Free: -1, OldestAt: now.Add(-22 * 24 * time.Hour)}, true},
		{ClassAlerts, Room{Limit: 100, Free: -1, OldestAt: now.Add(-300 * 24 * time.Hour)}, false},
		{ClassAlerts, Room{Limit: 100, Free: l.MinFreeDisk - 1}, true},
		{ClassAlerts, Room{Limit: 100, Free: l.MinFreeDisk}, false},
	} {
		if got := l.refuses(c.class, c.room, now); (got != "") != c.want {
			t.Errorf("%s in %+v: %q", c.class, c.room, got)
		}
	}
}

func TestDiskFull(t *testing.T) {
	r := start(t, t.TempDir(), config(func(c *Config) { c.Upstream = nil }))
	_, err := r.post(message(1, callhome.GroupTelemetry, callhome.LevelNormal))
	must(t, err)
	r.mu.Lock()
	r.free = 1000
	r.mu.Unlock()
	r.measure(t.Context())
	_, err = r.post(message(2, callhome.GroupCrash, callhome.LevelFatal))
	if ref := receive.RefusalOf(err); err == nil || ref.Reason != receive.RefuseBusy || ref.RetryAfter != 5*time.Minute {
		t.Errorf("got %v", err)
	}
	if receipt, err := r.post(message(1, callhome.GroupTelemetry, callhome.LevelNormal)); err != nil || !receipt.Duplicate {
		t.Errorf("a repeat needs no room: %+v %v", receipt, err)
	}
	if d, _ := r.queue.Depth(t.Context()); d.Entries != 1 {
		t.Errorf("stored messages: %d", d.Entries)
	}
	s, err := r.Status(t.Context())
	must(t, err)
	if s.Refused[refusedRoom] != 1 || s.Refusing[ClassAlerts] == "" {
		t.Errorf("%+v", s)
	}
	r.mu.Lock()
	r.free = 1 << 40
	r.mu.Unlock()
	r.measure(t.Context())
	if _, err = r.post(message(2, callhome.GroupCrash, callhome.LevelFatal)); err != nil {
		t.Errorf("with room again: %v", err)
	}
}

func TestQueueFullByClass(t *testing.T) {
	r := start(t, t.TempDir(), config(func(c *Config) { c.Upstream = nil }))
	number := 0
	// The gateway itself measures once a second and finds room: two measures do not follow within one post.
	refused := func(used int64, group callhome.AlertGroup) bool {
		for range 2 {
			number++
			r.space.Store(&Room{Used: used, Limit: 100, Free: -1})
			if _, err := r.post(message(number, group, callhome.LevelNormal)); err != nil {
				return reasonOf(err) == receive.RefuseBusy
			}
		}
		return false
	}
	for _, c := range []struct {
		used  int64
		group callhome.AlertGroup
		want  bool
	}{
		{80, callhome.GroupTelemetry, true}, {80, callhome.GroupInventory, false}, {95, callhome.GroupInventory, true},
		{95, callhome.GroupEnvironment, false}, {100, callhome.GroupCrash, true},
	} {
		if got := refused(c.used, c.group); got != c.want {
			t.Errorf("%s with %d %% used: refused %v", c.group, c.used, got)
		}
	}
}

func TestFilters(t *testing.T) {
	for _, c := range []struct {
		name string
		f    Filters
		want string
	}{
		{"none", Filters{}, ""},
		{"denied network", Filters{Deny: Rule{Sources: []string{"192.0.2.0/24"}}}, deniedSource},
		{"other network", Filters{Deny: Rule{Sources: []string{"198.51.100.0/24", "2001:db8::/32"}}}, ""},
		{"allowed address", Filters{Allow: Rule{Sources: []string{"192.0.2.7"}}}, ""},
		{"not allowed", Filters{Allow: Rule{Sources: []string{"192.0.2.8"}}}, deniedSource},
		{"deny wins", Filters{Allow: Rule{Sources: []string{"192.0.2.7"}}, Deny: Rule{Sources: []string{"192.0.2.7"}}}, deniedSource},
		{"serial", Filters{Deny: Rule{Serials: []string{"fox*"}}}, deniedSerial},
		{"serial not allowed", Filters{Allow: Rule{Serials: []string{"ABC*"}}}, deniedSerial},
		{"type", Filters{Deny: Rule{Types: []string{"syslog"}}}, deniedType},
		{"type not allowed", Filters{Allow: Rule{Types: []string{"crash"}}}, deniedType},
	} {
		r := start(t, t.TempDir(), config(func(cfg *Config) { cfg.Filters = c.f }))
		_, err := r.post(message(1, callhome.GroupSyslog, callhome.LevelMajor))
		if (c.want == "") != (err == nil) || (err != nil && reasonOf(err) != receive.RefuseDenied) {
			t.Errorf("%s: %v", c.name, err)
		}
		s, serr := r.Status(t.Context())
		must(t, serr)
		if c.want != "" && s.Refused[c.want] != 1 {
			t.Errorf("%s: counted %v, want %s", c.name, s.Refused, c.want)
		}
		r.stop()
	}
}

func TestLoopIsRefusedAndShelved(t *testing.T) {
	r := start(t, t.TempDir(), config(func(c *Config) { c.MaxHops = 2 }))
	own, _ := aml.InsertVia(nil, message(1, callhome.GroupSyslog, callhome.LevelMajor), r.via(r.cfg.Load()))
	_, err := r.post(own)
	if ref := receive.RefusalOf(err); ref.Reason != receive.RefuseMalformed || !strings.Contains(ref.Public, "loop") {
		t.Errorf("own via: %v", err)
	}
	far := message(2, callhome.GroupSyslog, callhome.LevelMajor)
	for i := range 3 {
		far, _ = aml.InsertVia(nil, far, fmt.Sprintf("%sother:%d", viaPrefix, i))
	}
	if _, err := r.post(far); !strings.Contains(receive.RefusalOf(err).Public, "3 gateways") {
		t.Errorf("hops: %v", err)
	}
	near, _ := aml.InsertVia(nil, message(3, callhome.GroupSyslog, callhome.LevelMajor), viaPrefix+"other:1")
	if _, err := r.post(near); err != nil {
		t.Errorf("one gateway before: %v", err)
	}
	r.await("shelved", func() bool {
		l, _ := r.book.Shelf(t.Context(), 0, 10)
		return len(l) == 2 && l[0].Reason == refusedLoop
	})
}

func TestShelf(t *testing.T) {
	r := start(t, t.TempDir(), config(func(c *Config) { c.Filters.Deny.Serials = []string{"FOX1"} }))
	if _, err := r.post([]byte("<not-callhome/>")); reasonOf(err) != receive.RefuseMalformed {
		t.Errorf("got %v", err)
	}
	mail := []byte("Subject: System Notification From x - syslog - now\r\n\r\nno xml here\r\n")
	_, err := r.Accept(t.Context(), &receive.Submission{Body: mail, Transport: callhome.TransportEmail, ReceivedAt: r.now()})
	if reasonOf(err) != receive.RefuseUnsupported {
		t.Errorf("text mail: %v", err)
	}
	var list []book.Shelved
	r.await("shelved", func() bool { list, _ = r.book.Shelf(t.Context(), 0, 10); return len(list) == 2 })
	if err := r.ShelfRetry(t.Context(), list[0].ID); callhome.KindOf(err) != callhome.KindConflict {
		t.Errorf("retry: %v", err)
	}
	if s, err := r.book.Shelved(t.Context(), list[0].ID); err != nil || string(s.Body) != "<not-callhome/>" {
		t.Errorf("%+v %v", s, err)
	}
	must(t, r.book.Unshelve(t.Context(), list[0].ID))
	if err := r.book.Unshelve(t.Context(), list[0].ID); callhome.KindOf(err) != callhome.KindNotFound {
		t.Errorf("twice: %v", err)
	}
	// One that a mended configuration takes.
	id, err := r.book.Shelve(t.Context(), &book.Shelved{At: r.now(), Transport: "http", Reason: "malformed", Body: message(7, callhome.GroupCrash, callhome.LevelFatal)})
	must(t, err)
	if err := r.ShelfRetry(t.Context(), id); callhome.KindOf(err) != callhome.KindConflict {
		t.Errorf("filtered: %v", err)
	}
	must(t, r.Reload(config(nil)))
	must(t, r.ShelfRetry(t.Context(), id))
	r.await("forwarded", func() bool { return len(r.posts.at(first)) == 1 })
}

func TestMailIsUnpacked(t *testing.T) {
	r := start(t, t.TempDir(), config(nil))
	body := message(1, callhome.GroupSyslog, callhome.LevelMajor)
	mail, err := mimemail.Append(nil, &mimemail.Mail{From: "r@x.example", To: []string{"gw@x.example"}, Date: r.now(), Subject: "System Notification From rtr-1 - syslog - now", Format: callhome.FormatXML, Body: body})
	must(t, err)
	for _, dup := range []bool{false, true} {
		receipt, err := r.Accept(t.Context(), &receive.Submission{Body: mail, Transport: callhome.TransportEmail, ReceivedAt: r.now()})
		if err != nil || receipt.Duplicate != dup {
			t.Errorf("%+v %v", receipt, err)
		}
	}
	if receipt, err := r.post(body); err != nil || !receipt.Duplicate {
		t.Errorf("the same by HTTP: %+v %v", receipt, err)
	}
	r.await("forwarded", func() bool { return len(r.posts.at(first)) == 1 })
	if _, err := aml.Decode(r.posts.at(first)[0].Body, aml.Options{Strict: true}); err != nil {
		t.Error(err)
	}
}

func TestSilence(t *testing.T) {
	r := start(t, t.TempDir(), config(nil))
	base := r.now()
	for n := range 4 {
		_, err := r.post(message(n, callhome.GroupInventory, callhome.LevelNormal))
		must(t, err)
		must(t, r.keep.flush(t.Context()))
		r.advance(24 * time.Hour)
	}
	silent := func() int {
		d, err := r.Silent(t.Context(), "", 10)
		must(t, err)
		return len(d)
	}
	if n := silent(); n != 0 {
		t.Errorf("%d silent after one period", n)
	}
	d, err := r.Devices(t.Context(), "", 10)
	must(t, err)
	if d[0].Period != 24*time.Hour || !d[0].FirstSeen.Equal(base.UTC().Truncate(time.Microsecond)) {
		t.Errorf("learnt %+v", d[0])
	}
	r.advance(25 * time.Hour)
	if n := silent(); n != 1 {
		t.Errorf("%d silent after two periods", n)
	}
	r.lookForSilence(t.Context(), map[string]bool{})
	if r.silence.Load() != 1 || r.health.Well() {
		t.Error("nobody is told")
	}
}

func TestBandwidth(t *testing.T) {
	var p pace
	now := time.Now()
	if d := p.take(1<<30, now); d != 0 {
		t.Errorf("without a limit: %v", d)
	}
	p.set(1000)
	if d := p.take(500, now); d != 0 {
		t.Errorf("the first waits %v", d)
	}
	if d := p.take(5000, now); d != 500*time.Millisecond {
		t.Errorf("the second waits %v", d)
	}
	if d := p.take(1, now.Add(time.Second)); d != 4500*time.Millisecond {
		t.Errorf("the third waits %v", d)
	}
	if d := p.take(1, now.Add(time.Hour)); d != 0 {
		t.Errorf("after a rest: %v", d)
	}
}

func TestArchive(t *testing.T) {
	dir := t.TempDir()
	r := start(t, t.TempDir(), config(func(c *Config) { c.Archive.Dir = dir }))
	_, err := r.post(message(1, callhome.GroupSyslog, callhome.LevelMajor))
	must(t, err)
	var files []string
	r.await("a copy", func() bool { files, _ = filepath.Glob(filepath.Join(dir, "*", "*.xml")); return len(files) == 1 })
	cfg := r.cfg.Load().Archive
	must(t, tidyArchive(cfg, r.now()))
	if files, _ = filepath.Glob(filepath.Join(dir, "*", "*.xml")); len(files) != 1 {
		t.Error("a fresh copy is gone")
	}
	must(t, tidyArchive(cfg, r.now().Add(31*24*time.Hour)))
	if files, _ = filepath.Glob(filepath.Join(dir, "*")); len(files) != 0 {
		t.Errorf("left: %v", files)
	}
}

func TestUpstreamsRest(t *testing.T) {
	var u upstreams
	now := time.Now()
	u.set([]Upstream{{URL: "a"}, {URL: "b"}})
	u.failed("a", io.EOF, now)
	u.failed("b", io.EOF, now)
	if got := u.next(map[string]bool{}, now); got != "a" {
		t.Errorf("with all resting %q is tried", got)
	}
	if got := u.next(map[string]bool{"a": true}, now); got != "" {
		t.Errorf("then %q", got)
	}
	later := now.Add(restMin)
	if got := u.next(map[string]bool{}, later); got != "a" {
		t.Errorf("after a rest %q", got)
	}
	if got := u.next(map[string]bool{}, later); got != "b" {
		t.Errorf("while a is being tried %q", got)
	}
	u.reached("a", true, later)
	if got := u.next(map[string]bool{}, later); got != "a" {
		t.Errorf("once it is back %q", got)
	}
	for range 20 {
		later = later.Add(restMax)
		u.failed("b", io.EOF, later)
	}
	if got := u.states()[1].RestUntil.Sub(later); got != restMax {
		t.Errorf("rests %v", got)
	}
}

func TestConfigFaults(t *testing.T) {
	good := config(nil)
	must(t, good.Validate())
	for path, change := range map[string]func(*Config){
		"name":                     func(c *Config) { c.Name = "a b" },
		"registration":             func(c *Config) { c.Registration = "maybe" },
		"register_at":              func(c *Config) { c.RegisterAt = "http://x" },
		"max_hops":                 func(c *Config) { c.MaxHops = 0 },
		"bandwidth":                func(c *Config) { c.Bandwidth = 1 },
		"upstream[0].url":          func(c *Config) { c.Upstream = []Upstream{{URL: "ftp://x"}} },
		"upstream[1].url":          func(c *Config) { c.Upstream = []Upstream{{URL: first}, {URL: first}} },
		"upstream[0].cert_file":    func(c *Config) { c.Upstream = []Upstream{{URL: first, CertFile: "x"}} },
		"windows[0]":               func(c *Config) { c.Windows = []Window{{From: "1", To: "2"}} },
		"limits.bulk_percent":      func(c *Config) { c.Limits.BulkPercent = 99 },
		"limits.retry_after":       func(c *Config) { c.Limits.RetryAfter = 0 },
		"filters.deny.sources[0]":  func(c *Config) { c.Filters.Deny.Sources = []string{"x"} },
		"filters.allow.serials[0]": func(c *Config) { c.Filters.Allow.Serials = []string{"["} },
		"silent_after":             func(c *Config) { c.SilentAfter = 0 },
		"duplicates.keep":          func(c *Config) { c.Duplicates.Keep = 1 },
		"archive.keep":             func(c *Config) { c.Archive = Archive{Dir: "x", MaxBytes: 1 << 20} },
		"bundles.peers[0]":         func(c *Config) { c.Bundles.Peers = []bundle.Peer{{Name: "x"}} },
		"bundles.to":               func(c *Config) { c.Bundles.To = "x" },
	} {
		cfg := config(nil)
		change(&cfg)
		var e *callhome.Error
		if err := cfg.Validate(); !errors.As(err, &e) || e.Path != path {
			t.Errorf("%s: %v", path, err)
		}
	}
}
