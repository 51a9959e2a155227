package gateway

import (
	"context"
	"time"

	"callhome"
	"callhome/enrol"
	"callhome/gateway/book"
	"callhome/health"
	"callhome/outbox"
)

// Listener is one address that is listened on.
type Listener struct {
	Address string `json:"address"`
	Weak    bool   `json:"weak,omitempty"` // speaks old TLS versions and ciphers
}

// Mailbox is the state of the mailbox that is polled.
type Mailbox struct {
	Address   string    `json:"address"` // without password
	Well      bool      `json:"well"`
	LastPoll  time.Time `json:"last_poll,omitzero"`
	Taken     int64     `json:"taken"`
	Refused   int64     `json:"refused"`
	LastError string    `json:"last_error,omitempty"`
}

// Status is the status page. Version, Listeners, Mailbox, Registration and Health are filled in by who runs the gateway.
type Status struct {
	Name         string           `json:"name"`
	ID           string           `json:"id"`
	Version      string           `json:"version"`
	StartedAt    time.Time        `json:"started_at"`
	Registration enrol.State      `json:"registration"`
	Required     bool             `json:"registration_required"`
	Forwarding   bool             `json:"forwarding"`
	Held         string           `json:"held,omitempty"` // why messages do not leave
	Upstreams    []UpstreamState  `json:"upstreams"`
	Queue        outbox.Depth     `json:"queue"`
	Room         Room             `json:"room"`
	Refusing     map[Class]string `json:"refusing,omitempty"` // classes that are refused now, and why
	Devices      int64            `json:"devices"`
	Silent       int64            `json:"silent_devices"`
	Shelf        int64            `json:"shelf"`
	ShelfBytes   int64            `json:"shelf_bytes"`
	Taken        map[string]int64 `json:"taken"`     // by transport, since the book was made
	Refused      map[string]int64 `json:"refused"`   // by reason
	Forwarded    map[string]int64 `json:"forwarded"` // by upstream
	Failed       map[string]int64 `json:"failed"`    // tries, by upstream
	Licensing    int64            `json:"licensing_messages"`
	Weak         int64            `json:"weak_messages"` // by the weak listener
	Listeners    []Listener       `json:"listeners"`
	Mailbox      *Mailbox         `json:"mailbox,omitempty"`
	Health       []health.State   `json:"health"`
}

// Status tells how the gateway is.
func (g *Gateway) Status(ctx context.Context) (*Status, error) {
	cfg := g.cfg.Load()
	if err := g.keep.flush(ctx); err != nil {
		g.log.Warn("the status lacks what the book could not be told", "err", err)
	}
	s := &Status{
		Name: g.name(cfg), ID: g.book.ID(), StartedAt: g.started, Required: cfg.Registration == RegistrationRequired,
		Held: g.gate.reason(), Upstreams: g.upstreams.states(), Room: g.room(), Silent: g.silence.Load(), Refusing: map[Class]string{},
		Taken: map[string]int64{}, Refused: map[string]int64{}, Forwarded: map[string]int64{}, Failed: map[string]int64{},
	}
	s.Forwarding = s.Held == ""
	for i := range s.Upstreams {
		s.Upstreams[i].URL = callhome.MaskURL(s.Upstreams[i].URL)
	}
	for _, c := range []Class{ClassAlerts, ClassRecords, ClassBulk} {
		if why := cfg.Limits.refuses(c, s.Room, g.now()); why != "" {
			s.Refusing[c] = why
		}
	}
	var err error
	if s.Queue, err = g.queue.Depth(ctx); err != nil {
		return nil, err
	}
	if s.Devices, err = g.book.CountDevices(ctx); err != nil {
		return nil, err
	}
	if s.Shelf, s.ShelfBytes, err = g.book.ShelfSize(ctx); err != nil {
		return nil, err
	}
	counts, err := g.book.Counts(ctx)
	if err != nil {
		return nil, err
	}
	for c, n := range counts {
		s.count(c, n)
	}
	return s, nil
}

func (s *Status) count(c book.Count, n int64) {
	switch c.Kind {
	case countTaken:
		s.Taken[c.Word] += n
	case countRefused:
		s.Refused[c.Word] += n
	case countSent:
		s.Forwarded[c.Word] += n
	case countFailed:
		s.Failed[c.Word] += n
	case countLicence:
		s.Licensing += n
	case countWeak:
		s.Weak += n
	}
}

// Licensing counts a licensing message that was answered and not taken.
func (g *Gateway) Licensing(t callhome.Transport) { g.keep.note(countLicence, string(t)) }

// Devices lists the devices, by key; after is exclusive.
func (g *Gateway) Devices(ctx context.Context, after string, limit int) ([]book.Device, error) {
	if err := g.keep.flush(ctx); err != nil {
		g.log.Warn("the list lacks what the book could not be told", "err", err)
	}
	return g.book.Devices(ctx, after, limit)
}

// ForgetDevice takes a device off the list.
func (g *Gateway) ForgetDevice(ctx context.Context, key string) error {
	return g.book.ForgetDevice(ctx, key)
}

// Heartbeat is what the back end is told every few minutes.
func (g *Gateway) Heartbeat(ctx context.Context, version, digest string, states []health.State) enrol.Heartbeat {
	b := enrol.Heartbeat{Kind: enrol.KindGateway, Version: version, ConfigDigest: digest, StartedAt: g.started}
	if d, err := g.queue.Depth(ctx); err == nil {
		b.Queue = enrol.Queue{Depth: d.Entries, Bytes: d.EntryBytes, OldestAt: d.OldestAt}
	}
	if n, err := g.book.CountDevices(ctx); err == nil {
		b.Devices = int(n)
	}
	for _, s := range states {
		if !s.Well {
			b.Unwell = append(b.Unwell, s.Part+": "+s.Reason)
		}
	}
	return b
}
