package gateway

import (
	"context"
	"errors"
	"fmt"

	"callhome"
	"callhome/codec/aml"
	"callhome/gateway/book"
	"callhome/outbox"
	"callhome/receive"
)

// Kinds of counters in the book, and results of devices.
const (
	countTaken    = "taken"   // by transport
	countRefused  = "refused" // by reason
	countSent     = "sent"    // by upstream
	countFailed   = "failed"  // by upstream
	countLicence  = "licence" // licensing messages, by transport
	countWeak     = "weak"    // messages by the weak listener
	countShelfOff = "unshelved"

	resultAccepted  = "accepted"
	resultDuplicate = "duplicate"
	resultForwarded = "forwarded"
	resultFailed    = "failed"
	resultRoom      = "refused: no room"
	resultLoop      = "refused: loop"
	resultFiltered  = "refused: filtered"
)

// Reasons for refusals that no filter made, as counters have them.
const (
	refusedMalformed   = "malformed"
	refusedUnsupported = "unsupported"
	refusedLoop        = "loop"
	refusedRoom        = "no_room"
	refusedBusy        = "busy"
)

// Accept implements receive.Sink: nil means that the message is in the outbox, or was before.
func (g *Gateway) Accept(ctx context.Context, sub *receive.Submission) (receive.Receipt, error) {
	receipt, err := g.accept(ctx, sub)
	if err == nil {
		g.keep.note(countTaken, string(sub.Transport))
		if sub.Weak {
			g.keep.note(countWeak, "messages")
		}
	}
	return receipt, err
}

func (g *Gateway) accept(ctx context.Context, sub *receive.Submission) (receive.Receipt, error) {
	cfg := g.cfg.Load()
	if why := cfg.Filters.ofSource(sub.Peer.Addr()); why != "" {
		return receive.Receipt{}, g.refuse(why, &receive.Refusal{Reason: receive.RefuseDenied, Err: fmt.Errorf("%s: %s", why, sub.Peer.Addr())})
	}
	x, err := examine(sub)
	if err != nil {
		why := refusedMalformed
		if ref := receive.RefusalOf(err); ref.Reason == receive.RefuseUnsupported {
			why = refusedUnsupported
		}
		g.shelve(sub, why, err)
		return receive.Receipt{}, g.refuse(why, err)
	}
	s := sighting(sub, x)
	if why := cfg.Filters.ofMessage(x.message); why != "" {
		s.Result = resultFiltered
		g.keep.sighted(s)
		return receive.Receipt{}, g.refuse(why, &receive.Refusal{Reason: receive.RefuseDenied, Err: fmt.Errorf("%s: serial %q, type %q", why, x.message.Serial, x.message.Type)})
	}
	if err := g.loop(cfg, x); err != nil {
		s.Result = resultLoop
		g.keep.sighted(s)
		g.shelve(sub, refusedLoop, err)
		return receive.Receipt{}, g.refuse(refusedLoop, err)
	}
	duplicate, err := g.put(ctx, cfg, x, s)
	if err != nil {
		return receive.Receipt{}, err
	}
	return receive.Receipt{MessageID: x.message.MessageID, Duplicate: duplicate}, nil
}

// loop refuses what came through this gateway before, or through too many.
func (g *Gateway) loop(cfg *Config, x *examined) error {
	n, own := hops(aml.Vias(x.xml), g.book.ID())
	switch {
	case own:
		return &receive.Refusal{
			Reason: receive.RefuseMalformed, Public: "loop: the message came through this gateway before; let its upstream be a back end",
			Err: errors.New("the message's path names this gateway"),
		}
	case n > cfg.MaxHops:
		return &receive.Refusal{
			Reason: receive.RefuseMalformed, Public: fmt.Sprintf("loop: the message came through %d gateways, and at most %d are allowed", n, cfg.MaxHops),
			Err: fmt.Errorf("the message's path names %d gateways", n),
		}
	}
	return nil
}

// put makes the message durable, unless it was taken before.
func (g *Gateway) put(ctx context.Context, cfg *Config, x *examined, s *book.Sighting) (duplicate bool, err error) {
	duplicate, flight, err := g.keep.begin(ctx, x.key)
	if err != nil {
		return false, g.refuse(refusedBusy, g.busy(cfg, err))
	}
	if duplicate {
		s.Result = resultDuplicate
		g.keep.sighted(s)
		return true, nil
	}
	if why := cfg.Limits.refuses(ClassOf(x.message.Group), g.room(), g.now()); why != "" {
		s.Result = resultRoom
		g.keep.sighted(s)
		g.keep.land(x.key, flight, false, nil)
		return false, g.refuse(refusedRoom, g.busy(cfg, errors.New(why)))
	}
	err = g.queue.Put(ctx, callhome.Envelope{
		MessageID: x.id, AlertID: callhome.AlertID(x.key.String()), Device: x.device, Group: x.message.Group, Format: x.message.Format,
		Destination: laneOf(cfg, x.message), ContentType: "text/xml", Body: x.xml,
	})
	if err != nil {
		g.keep.land(x.key, flight, false, nil)
		why := refusedBusy
		if errors.Is(err, outbox.ErrFull) {
			why = refusedRoom
		}
		return false, g.refuse(why, g.busy(cfg, err))
	}
	g.keep.land(x.key, flight, true, s)
	return false, nil
}

// Lanes to the upstreams. Urgent messages have one of their own where windows hold the others back.
var (
	laneOrdinary = callhome.Destination{Transport: callhome.TransportHTTP, Address: "upstream"}
	laneUrgent   = callhome.Destination{Transport: callhome.TransportHTTP, Address: "upstream-urgent"}
)

func laneOf(cfg *Config, m *callhome.Message) callhome.Destination {
	if len(cfg.Windows) > 0 && m.Severity != nil && *m.Severity >= cfg.Urgent {
		return laneUrgent
	}
	return laneOrdinary
}

func (g *Gateway) busy(cfg *Config, err error) error {
	return &receive.Refusal{Reason: receive.RefuseBusy, RetryAfter: cfg.Limits.RetryAfter, Err: err}
}

// refuse counts a refusal.
func (g *Gateway) refuse(why string, err error) error {
	g.keep.note(countRefused, why)
	g.metrics.refused(why)
	return err
}

// periodicGroups are those whose messages come on a schedule (Call Home: configuration, inventory, snapshot, telemetry).
var periodicGroups = map[callhome.AlertGroup]bool{
	callhome.GroupConfiguration: true, callhome.GroupInventory: true, callhome.GroupSnapshot: true, callhome.GroupTelemetry: true,
}

func sighting(sub *receive.Submission, x *examined) *book.Sighting {
	m := x.message
	s := &book.Sighting{
		Key: x.device, Hostname: m.SystemName, Serial: m.Serial, Product: m.Model, Transport: string(sub.Transport), Type: m.Type,
		Periodic: periodicGroups[m.Group], Result: resultAccepted, At: sub.ReceivedAt,
	}
	if sub.Peer.IsValid() {
		s.Source = sub.Peer.Addr().String()
	}
	return s
}
