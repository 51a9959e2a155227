package gateway

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"callhome"
	"callhome/gateway/book"
	"callhome/gateway/bundle"
	"callhome/outbox"
	"callhome/receive"
)

// ExportOrder says what goes into a bundle.
type ExportOrder struct {
	Out   string `json:"out"`             // absolute path of the file
	To    string `json:"to,omitempty"`    // peer; bundles.to when empty
	Again bool   `json:"again,omitempty"` // also messages that are in a bundle whose receipt has not come
	Mark  bool   `json:"mark,omitempty"`  // retire the messages at once, without waiting for a receipt
	Limit int    `json:"limit,omitempty"` // messages at most; 0: all
}

// Exported is what was written.
type Exported struct {
	Bundle   string `json:"bundle"`
	File     string `json:"file"`
	To       string `json:"to"`
	Messages int    `json:"messages"`
	Bytes    int64  `json:"bytes"`
	Waiting  int    `json:"waiting"` // messages in the queue that are not in it: of bundles whose receipt has not come
}

// Key is what a peer must know of this gateway.
func (g *Gateway) Key() (bundle.Peer, error) {
	if g.keys == nil {
		return bundle.Peer{}, errNoBundles
	}
	return g.keys.Public(g.Name()), nil
}

// Export writes queued messages into a bundle. They stay in the queue until the receipt comes back, unless the order
// marks them as gone. After a kill -9 the file is there, whole, or it is not; messages that were in a file that the book
// does not know go into the next one too, and the receiver knows them.
func (g *Gateway) Export(ctx context.Context, o ExportOrder) (*Exported, error) {
	cfg := g.cfg.Load()
	to, err := g.peer(cfg, o.To)
	if err != nil {
		return nil, err
	}
	g.bundling.Lock()
	defer g.bundling.Unlock()
	pick := &picker{g: g, ctx: ctx, again: o.Again, limit: o.Limit}
	id, now := bundle.NewID(g.now()), g.now()
	h, err := bundle.Write(o.Out, g.keys, g.Name(), to, id, now, pick.next)
	if err != nil {
		return nil, fmt.Errorf("export: %w", err)
	}
	u := &book.Bundle{ID: id, Direction: book.Out, Peer: to.Name, At: now, Messages: h.Messages, Bytes: h.Bytes, State: book.StateOpen}
	if err := g.book.PutBundle(ctx, u, pick.entries); err != nil {
		return nil, fmt.Errorf("export: %s is whole, but the book could not note it; its messages go into the next bundle too: %w", o.Out, err)
	}
	out := &Exported{Bundle: id, File: o.Out, To: to.Name, Messages: h.Messages, Bytes: h.Bytes, Waiting: pick.passed}
	if !o.Mark {
		return out, nil
	}
	u.State, u.SettledAt = book.StateMarked, g.now()
	return out, g.retire(ctx, u, pick.entries, "carried out in bundle "+id)
}

func (g *Gateway) peer(cfg *Config, name string) (bundle.Peer, error) {
	if g.keys == nil {
		return bundle.Peer{}, errNoBundles
	}
	if name == "" {
		name = cfg.Bundles.To
	}
	if name == "" && len(cfg.Bundles.Peers) == 1 {
		name = cfg.Bundles.Peers[0].Name
	}
	for _, p := range cfg.Bundles.Peers {
		if p.Name == name {
			return p, nil
		}
	}
	return bundle.Peer{}, callhome.Errorf(callhome.KindInvalid, "name the peer that the bundle is for with --to; bundles.peers has no %q", name)
}

// exportPage is how many entries are looked at together.
const exportPage = 200

// picker walks over the queue and gives what is to go out.
type picker struct {
	g     *Gateway
	ctx   context.Context
	again bool
	limit int

	after   outbox.EntryID
	page    []outbox.Entry
	done    bool
	bundled map[int64]bool // of the page
	entries []int64        // given out
	passed  int            // in another bundle
}

func (p *picker) next() (*bundle.Record, error) {
	for {
		if p.limit > 0 && len(p.entries) >= p.limit {
			return nil, io.EOF
		}
		if len(p.page) == 0 {
			if err := p.turn(); err != nil {
				return nil, err
			}
		}
		e := p.page[0]
		p.page = p.page[1:]
		if p.bundled[int64(e.ID)] && !p.again {
			p.passed++
			continue
		}
		full, err := p.g.queue.Show(p.ctx, e.ID)
		if callhome.KindOf(err) == callhome.KindNotFound && err != nil {
			continue // delivered meanwhile
		}
		if err != nil {
			return nil, err
		}
		p.entries = append(p.entries, int64(e.ID))
		return &bundle.Record{
			Entry: int64(e.ID), MessageID: full.Envelope.MessageID, Device: full.Envelope.Device, Group: full.Envelope.Group,
			QueuedAt: full.QueuedAt, Body: full.Envelope.Body,
		}, nil
	}
}

// turn reads the next page, and which of it is in another bundle.
func (p *picker) turn() error {
	if p.done {
		return io.EOF
	}
	page, err := p.g.queue.List(p.ctx, outbox.Filter{After: p.after, Limit: exportPage})
	if err != nil {
		return err
	}
	if len(page) == 0 {
		p.done = true
		return io.EOF
	}
	p.page, p.bundled = page, map[int64]bool{}
	known, err := p.g.book.Bundled(p.ctx, int64(p.after), exportPage)
	if err != nil {
		return err
	}
	for _, e := range known {
		p.bundled[e] = true
	}
	p.after = page[len(page)-1].ID
	return nil
}

// confirmAtOnce is how many entries are confirmed side by side, so that their transactions are committed together.
const confirmAtOnce = 32

// retire takes entries out of the queue: they are safe elsewhere. What is gone already is fine. The bundle is settled
// when all are; a crash before that leaves it open, and the receipt can be given again.
func (g *Gateway) retire(ctx context.Context, u *book.Bundle, entries []int64, how string) error {
	var (
		wg   sync.WaitGroup
		mu   sync.Mutex
		errs []error
		free = make(chan struct{}, confirmAtOnce)
	)
	for _, e := range entries {
		free <- struct{}{}
		wg.Go(func() {
			defer func() { <-free }()
			if err := g.confirm(ctx, outbox.EntryID(e), how); err != nil {
				mu.Lock()
				errs = append(errs, err)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if len(errs) > 0 {
		return fmt.Errorf("%d of %d messages could not be taken out of the queue; give the receipt again: %w", len(errs), len(entries), errs[0])
	}
	if err := g.book.Unbundle(ctx, entries); err != nil {
		return err
	}
	return g.book.PutBundle(ctx, u, nil)
}

const (
	confirmTries = 50
	confirmPause = 20 * time.Millisecond
)

// confirm retires one entry. Its lane may be in a hand for a moment: another entry of its device, or the courier.
func (g *Gateway) confirm(ctx context.Context, id outbox.EntryID, how string) error {
	for try := 0; ; try++ {
		err := g.queue.Confirm(ctx, id, how)
		switch kind := callhome.KindOf(err); {
		case err == nil, kind == callhome.KindNotFound:
			return nil
		case kind != callhome.KindConflict || try >= confirmTries:
			return err
		}
		select {
		case <-time.After(confirmPause):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Imported is what was taken of a bundle.
type Imported struct {
	Bundle     string           `json:"bundle"`
	From       string           `json:"from"`
	Messages   int              `json:"messages"`
	New        int              `json:"new"`
	Duplicates int              `json:"duplicates"`
	Refused    []bundle.Refused `json:"refused,omitempty"`
	Before     bool             `json:"imported_before,omitempty"` // nothing was taken again
	Receipt    string           `json:"receipt"`                   // file to carry back
}

// Import takes a bundle's messages into the queue and writes the receipt into a file. It may be repeated: messages that
// are here already are told apart, and the receipt is written again.
func (g *Gateway) Import(ctx context.Context, path, receiptPath string) (*Imported, error) {
	cfg := g.cfg.Load()
	if g.keys == nil {
		return nil, errNoBundles
	}
	g.bundling.Lock()
	defer g.bundling.Unlock()
	f, err := bundle.Open(path, g.keys, cfg.Bundles.Peers)
	if err != nil {
		return nil, fmt.Errorf("import: %w", err)
	}
	defer func() { _ = f.Close() }() // it was read
	out := &Imported{Bundle: f.Header.ID, From: f.From.Name, Messages: f.Header.Messages, Receipt: receiptPath}
	receipt := &bundle.Receipt{Bundle: f.Header.ID, TakenAt: g.now()}
	known, err := g.book.Bundle(ctx, f.Header.ID)
	switch {
	case err == nil && known.Direction == book.Out:
		return nil, callhome.Errorf(callhome.KindConflict, "import: %s is a bundle that this gateway wrote itself", path)
	case err == nil:
		out.Before = true
	case callhome.KindOf(err) != callhome.KindNotFound:
		return nil, err
	}
	if err := f.Each(func(r *bundle.Record) error { return g.importOne(ctx, cfg, r, out, receipt) }); err != nil {
		return nil, fmt.Errorf("import %s: %w", path, err)
	}
	// Nothing is confirmed that the book could forget: repeats are known by it.
	if err := g.keep.flush(ctx); err != nil {
		return nil, err
	}
	if err := bundle.WriteReceipt(receiptPath, g.keys, g.Name(), f.From, receipt, g.now()); err != nil {
		return nil, fmt.Errorf("import: all messages are taken, but the receipt could not be written; import again to get it: %w", err)
	}
	if out.Before {
		return out, nil
	}
	return out, g.book.PutBundle(ctx, &book.Bundle{
		ID: f.Header.ID, Direction: book.In, Peer: f.From.Name, At: g.now(), Messages: f.Header.Messages, Bytes: f.Header.Bytes,
		State: book.StateTaken, SettledAt: g.now(),
	}, nil)
}

// importOne takes one message as if a device had posted it. A message that cannot be taken at all is told in the
// receipt; want of room ends the import, which is repeated when there is some.
func (g *Gateway) importOne(ctx context.Context, cfg *Config, r *bundle.Record, out *Imported, receipt *bundle.Receipt) error {
	sub := &receive.Submission{Body: r.Body, Transport: callhome.TransportHTTP, ReceivedAt: g.now()}
	duplicate, err := g.acceptAgain(ctx, sub)
	switch {
	case err == nil:
		receipt.Taken = append(receipt.Taken, r.Entry)
		if duplicate {
			out.Duplicates++
		} else {
			out.New++
		}
		return nil
	case receive.RefusalOf(err).Reason == receive.RefuseBusy:
		return fmt.Errorf("there is no room for message %s; import again when there is: %w", r.MessageID, err)
	}
	refused := bundle.Refused{Entry: r.Entry, Reason: receive.RefusalOf(err).Public}
	receipt.Refused, out.Refused = append(receipt.Refused, refused), append(out.Refused, refused)
	return nil
}

// Settled is what a receipt did.
type Settled struct {
	Bundle    string           `json:"bundle"`
	From      string           `json:"from"`
	Confirmed int              `json:"confirmed"`
	Refused   []bundle.Refused `json:"refused,omitempty"`        // they stay in the queue
	Before    bool             `json:"settled_before,omitempty"` // the receipt was given before; nothing changed
}

// Receipt takes the messages out of the queue that a receipt confirms.
func (g *Gateway) Receipt(ctx context.Context, path string) (*Settled, error) {
	cfg := g.cfg.Load()
	if g.keys == nil {
		return nil, errNoBundles
	}
	g.bundling.Lock()
	defer g.bundling.Unlock()
	f, err := bundle.Open(path, g.keys, cfg.Bundles.Peers)
	if err != nil {
		return nil, fmt.Errorf("receipt: %w", err)
	}
	defer func() { _ = f.Close() }() // it was read
	r, err := f.Receipt()
	if err != nil {
		return nil, fmt.Errorf("receipt %s: %w", path, err)
	}
	u, err := g.book.Bundle(ctx, r.Bundle)
	if err != nil {
		return nil, fmt.Errorf("receipt: %w", err)
	}
	out := &Settled{Bundle: r.Bundle, From: f.From.Name, Refused: r.Refused}
	switch {
	case u.Direction != book.Out || u.Peer != f.From.Name:
		return nil, callhome.Errorf(callhome.KindDenied, "receipt: bundle %s was for %q, and this receipt is signed by %q", r.Bundle, u.Peer, f.From.Name)
	case u.State != book.StateOpen:
		out.Before = true
		return out, nil
	}
	open, err := g.book.BundledIn(ctx, r.Bundle)
	if err != nil {
		return nil, err
	}
	confirmed := both(open, r.Taken)
	out.Confirmed = len(confirmed)
	u.State, u.SettledAt = book.StateConfirmed, g.now()
	if err := g.retire(ctx, u, confirmed, "confirmed by the receipt for bundle "+r.Bundle); err != nil {
		return nil, err
	}
	// What was refused may go into another bundle once somebody has mended it.
	return out, g.book.Unbundle(ctx, open)
}

// both are the entries that are in a bundle and in its receipt: a receipt confirms nothing else.
func both(in, taken []int64) []int64 {
	known := make(map[int64]bool, len(in))
	for _, e := range in {
		known[e] = true
	}
	out := make([]int64, 0, len(taken))
	for _, e := range taken {
		if known[e] {
			out = append(out, e)
			delete(known, e)
		}
	}
	return out
}

// Bundles lists the last bundles in and out.
func (g *Gateway) Bundles(ctx context.Context) ([]book.Bundle, error) {
	const most = 200
	return g.book.Bundles(ctx, most)
}
