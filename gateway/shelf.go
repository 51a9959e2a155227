package gateway

import (
	"context"
	"net/netip"

	"callhome"
	"callhome/gateway/book"
	"callhome/receive"
)

// maxShelving bounds refused messages that wait to be written to the shelf. Nobody was promised them, so in a flood the
// rest is only counted.
const maxShelving = 32

// shelve keeps a refused message's bytes, behind its sender's back.
func (g *Gateway) shelve(sub *receive.Submission, reason string, why error) {
	s := &book.Shelved{At: sub.ReceivedAt, Transport: string(sub.Transport), Reason: reason, Detail: receive.RefusalOf(why).Public, Body: sub.Body, Size: len(sub.Body)}
	if sub.Peer.IsValid() {
		s.Source = sub.Peer.String()
	}
	select {
	case g.shelving <- s:
	default:
		g.keep.note(countShelfOff, reason)
	}
}

// runShelf writes what is to be kept until ctx ends, and what waits then.
func (g *Gateway) runShelf(ctx context.Context) {
	put := func(ctx context.Context, s *book.Shelved) {
		if id, err := g.book.Shelve(ctx, s); err != nil || id == 0 {
			g.keep.note(countShelfOff, s.Reason)
		}
	}
	for {
		select {
		case s := <-g.shelving:
			put(ctx, s)
			continue
		case <-ctx.Done():
		}
		for {
			select {
			case s := <-g.shelving:
				put(context.WithoutCancel(ctx), s)
			default:
				return
			}
		}
	}
}

// ShelfRetry takes a message from the shelf as if it had just arrived: what refused it may have changed. It leaves the
// shelf when it is taken.
func (g *Gateway) ShelfRetry(ctx context.Context, id int64) error {
	s, err := g.book.Shelved(ctx, id)
	if err != nil {
		return err
	}
	sub := &receive.Submission{Body: s.Body, Transport: callhome.Transport(s.Transport), ReceivedAt: g.now()}
	if peer, err := netip.ParseAddrPort(s.Source); err == nil {
		sub.Peer = peer
	}
	if _, err := g.acceptAgain(ctx, sub); err != nil {
		ref := receive.RefusalOf(err)
		return callhome.Errorf(callhome.KindConflict, "message %d is refused again: %s", id, ref.Public)
	}
	return g.book.Unshelve(ctx, id)
}

// acceptAgain is accept without shelving what is refused: it lies there already.
func (g *Gateway) acceptAgain(ctx context.Context, sub *receive.Submission) (duplicate bool, err error) {
	cfg := g.cfg.Load()
	x, err := examine(sub)
	if err != nil {
		return false, err
	}
	if why := cfg.Filters.ofMessage(x.message); why != "" {
		return false, &receive.Refusal{Reason: receive.RefuseDenied, Public: "a filter refuses it: " + why}
	}
	if err := g.loop(cfg, x); err != nil {
		return false, err
	}
	return g.put(ctx, cfg, x, sighting(sub, x))
}
