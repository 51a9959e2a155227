package gateway

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"callhome"
	"callhome/codec/aml"
	"callhome/codec/mimemail"
	"callhome/gateway/book"
	"callhome/gateway/bundle"
	"callhome/receive"
)

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
