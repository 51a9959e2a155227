package server

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	"callhome"
	"callhome/server/account"
	"callhome/server/analysis"
	"callhome/server/archive"
	"callhome/server/ingest"
	"callhome/server/inventory"
	"callhome/server/registry"
)

const (
	// huntLease is how long the one who works on a hunt may be silent before another goes on with it.
	huntLease = time.Minute
	// huntBeat is how often it says that it lives, also while it only counts again what was counted before.
	huntBeat = 15 * time.Second
	// huntLook is how often a process looks for hunts that nobody works on.
	huntLook = 5 * time.Second
	// maxHuntRules bounds the rules of one hunt.
	maxHuntRules = 1000
)

// HuntOrder says what to look for in the archive.
type HuntOrder struct {
	Rules   []string
	Company account.CompanyID // whose messages; 0: those of all companies. People of it see the hunt
}

// errHuntLost ends the work on a hunt that was canceled, or that another process holds.
var errHuntLost = errors.New("the hunt was canceled, or another server goes on with it")

// StartHunt begins a hunt for rules over the whole archive.
func (s *Server) StartHunt(ctx context.Context, rules []string, by account.Principal) (analysis.HuntRecord, error) {
	return s.Hunt(ctx, HuntOrder{Rules: rules}, by)
}

// Hunt begins a hunt over the messages that are in the archive now and were worked to the end; it goes on by itself,
// also when this process ends. Findings are stored with the hunt's number: they open no service request, and nobody is
// mailed. What follows from a message's change of inventory or configuration, and blocks of divided messages, are not
// seen. Errors are of kind Denied and Invalid.
func (s *Server) Hunt(ctx context.Context, o HuntOrder, by account.Principal) (h analysis.HuntRecord, err error) {
	if err := account.Require(by, account.RuleWrite, account.NoCompany); err != nil {
		return h, err
	}
	if len(o.Rules) == 0 || len(o.Rules) > maxHuntRules {
		return h, callhome.Errorf(callhome.KindInvalid, "a hunt is for 1 to %d rules, not %d", maxHuntRules, len(o.Rules))
	}
	if _, err := s.rules.Only(o.Rules...); err != nil {
		return h, callhome.Errorf(callhome.KindInvalid, "hunt: %w", err)
	}
	err = s.db.InTx(ctx, func(rooms Rooms) (err error) {
		now := s.now()
		h = analysis.HuntRecord{Company: o.Company, Rules: slices.Clone(o.Rules), State: analysis.HuntRunning, By: by.Name, StartedAt: now, UpdatedAt: now}
		h.Until = rooms.NewID() // what comes later is judged when it comes
		if h.ID, err = rooms.Analysis().PutHunt(ctx, h); err != nil {
			return err
		}
		return s.noteHunt(ctx, rooms, "hunt.start", &h, by)
	})
	return h, err
}

// CancelHunt ends a hunt; what it found stays. A hunt that is not running is an error of kind Conflict.
func (s *Server) CancelHunt(ctx context.Context, id int64, by account.Principal) (h analysis.HuntRecord, err error) {
	if err := account.Require(by, account.RuleWrite, account.NoCompany); err != nil {
		return h, err
	}
	err = s.db.InTx(ctx, func(rooms Rooms) (err error) {
		ended, err := rooms.Analysis().CancelHunt(ctx, id, s.now())
		if err != nil {
			return err
		}
		var there bool
		if h, there, err = rooms.Analysis().Hunt(ctx, by.Reach(), id); err != nil {
			return err
		}
		switch {
		case !there:
			return callhome.Errorf(callhome.KindNotFound, "there is no hunt %d", id)
		case !ended:
			return callhome.Errorf(callhome.KindConflict, "hunt %d is %s", id, h.State)
		}
		return s.noteHunt(ctx, rooms, "hunt.cancel", &h, by)
	})
	return h, err
}

func (s *Server) noteHunt(ctx context.Context, rooms Rooms, action string, h *analysis.HuntRecord, by account.Principal) error {
	return account.Append(ctx, rooms.Account(), account.Entry{
		At: s.now(), Actor: by.Name, Action: action, Object: "hunt " + strconv.FormatInt(h.ID, 10), Company: h.Company, Detail: map[string]any{"rules": h.Rules},
	})
}

// hunts takes up running hunts that nobody works on, one after the other, until ctx ends.
func (s *Server) hunts(ctx context.Context) {
	part := s.health.Part("hunts")
	for ctx.Err() == nil {
		worked, err := s.hunt(ctx)
		switch {
		case err == nil:
			part.Well()
		case ctx.Err() == nil:
			part.Unwell("it fails and is tried again: " + err.Error())
			s.log.Error("hunting in the archive", "component", "server", "err", err)
		}
		if !worked || err != nil {
			rest(ctx, huntLook)
		}
	}
}

// hunt takes up one hunt and works it to its end; false when there is none to take up.
func (s *Server) hunt(ctx context.Context) (bool, error) {
	ids, err := s.db.Read().Analysis().FreeHunts(ctx, s.now().Add(-huntLease), 1)
	if err != nil || len(ids) == 0 {
		return false, err
	}
	w := &hunter{s: s, devices: map[int64]*registry.Device{}}
	if ok, err := w.claim(ctx, ids[0]); err != nil || !ok {
		return false, err
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	go w.live(ctx, stop)
	err = w.run(ctx)
	if err != nil && errors.Is(context.Cause(ctx), errHuntLost) {
		err = errHuntLost
	}
	if errors.Is(err, errHuntLost) {
		s.log.Info("a hunt has ended here", "component", "server", "hunt", w.h.ID, "err", err)
		return true, nil
	}
	return true, err
}

// hunter works on one hunt.
type hunter struct {
	s       *Server
	h       analysis.HuntRecord
	owner   int64
	devices map[int64]*registry.Device
	batch   map[int64]archive.Record // of the messages that are looked at
}

func (w *hunter) claim(ctx context.Context, id int64) (ok bool, err error) {
	s := w.s
	err = s.db.InTx(ctx, func(rooms Rooms) (err error) {
		if w.owner == 0 {
			w.owner = rooms.NewID() // no other process and no other try has it
		}
		now := s.now()
		if ok, err = rooms.Analysis().ClaimHunt(ctx, id, w.owner, now, now.Add(-huntLease)); err != nil || !ok {
			return err
		}
		w.h, _, err = rooms.Analysis().Hunt(ctx, account.Everywhere(), id)
		return err
	})
	return ok, err
}

// live says again and again that the hunt is worked on, and stops the work when it is not ours any more.
func (w *hunter) live(ctx context.Context, stop context.CancelCauseFunc) {
	tick := time.NewTicker(huntBeat)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		var ours bool
		err := w.s.db.InTx(ctx, func(rooms Rooms) (err error) {
			now := w.s.now()
			ours, err = rooms.Analysis().ClaimHunt(ctx, w.h.ID, w.owner, now, now.Add(-huntLease))
			return err
		})
		if err == nil && !ours {
			stop(errHuntLost)
			return
		}
	}
}

// run looks at all messages, or ends the hunt as failed when it can never be.
func (w *hunter) run(ctx context.Context) error {
	engine, err := w.s.rules.Only(w.h.Rules...)
	if err != nil { // a rule is gone since
		return w.end(ctx, err)
	}
	work := analysis.Hunt{Engine: engine, Archive: w, Now: w.s.now, Found: w.found}
	w.h.Progress, err = work.Run(ctx, w.h.Progress)
	switch {
	case err == nil, errors.Is(err, errHuntLost):
		return err
	case ctx.Err() != nil:
		return w.release(ctx)
	case callhome.KindOf(err) == callhome.KindUnavailable:
		return errors.Join(err, w.release(ctx))
	}
	w.s.log.Error("a hunt has failed", "component", "server", "hunt", w.h.ID, "err", err)
	return w.end(ctx, err)
}

// release lets another one go on at once. The context may have ended.
func (w *hunter) release(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseTime)
	defer cancel()
	return w.s.db.InTx(ctx, func(rooms Rooms) error { return rooms.Analysis().ReleaseHunt(ctx, w.h.ID, w.owner) })
}

// releaseTime bounds what a stopping process does for those who go on.
const releaseTime = 2 * time.Second

func (w *hunter) end(ctx context.Context, why error) error {
	return w.s.db.InTx(ctx, func(rooms Rooms) error {
		w.h.State, w.h.Error, w.h.UpdatedAt = analysis.HuntFailed, clip(why.Error()), w.s.now()
		_, err := rooms.Analysis().AdvanceHunt(ctx, w.h, w.owner)
		return err
	})
}

// found stores what one batch gave together with how far the hunt is.
func (w *hunter) found(ctx context.Context, batch []analysis.HuntFinding, p analysis.Progress) error {
	return w.s.db.InTx(ctx, func(rooms Rooms) error {
		h := w.h
		h.Progress, h.UpdatedAt = p, w.s.now()
		if p.Finished {
			h.State = analysis.HuntDone
		}
		ours, err := rooms.Analysis().AdvanceHunt(ctx, h, w.owner)
		if err != nil {
			return err
		}
		if !ours {
			return errHuntLost
		}
		for i := range batch {
			f := &batch[i]
			r := w.batch[f.Message]
			if _, err := rooms.Analysis().Add(ctx, analysis.Record{
				Company: r.Company, Device: f.Device, Message: f.Message, MessageID: string(r.MessageID), Hunt: h.ID, Finding: f.Finding,
			}); err != nil {
				return err
			}
		}
		return nil
	})
}

func (w *hunter) filter(after int64, limit int) archive.Filter {
	return archive.Filter{Reach: account.Everywhere(), Company: w.h.Company, Status: archive.StatusProcessed, Page: account.Page{After: after, Limit: limit}}
}

// Messages implements [analysis.Archive]: what cannot be decoded, and blocks, are stepped over.
func (w *hunter) Messages(ctx context.Context, after int64, limit int) ([]analysis.ArchivedMessage, error) {
	rooms := w.s.db.Read()
	w.batch = map[int64]archive.Record{}
	for {
		records, err := rooms.Archive().Walk(ctx, w.filter(after, limit))
		if err != nil || len(records) == 0 {
			return nil, err
		}
		var out []analysis.ArchivedMessage
		for i := range records {
			r := &records[i]
			after = r.ID
			m, ok, err := w.message(ctx, rooms, r)
			if err != nil {
				return nil, err
			}
			if ok {
				w.batch[r.ID] = *r
				out = append(out, m)
			}
		}
		if len(out) > 0 {
			return out, nil
		}
	}
}

func (w *hunter) message(ctx context.Context, rooms Rooms, r *archive.Record) (m analysis.ArchivedMessage, ok bool, err error) {
	if r.Device == 0 {
		return m, false, nil
	}
	body, there, err := rooms.Archive().Body(ctx, r.ID)
	if err != nil || !there { // retention may be faster than the hunt
		return m, false, err
	}
	acc := ingest.Decode(&archive.Arrival{ID: r.ID, ReceivedAt: r.ReceivedAt, Origin: r.Origin, Body: body})
	if acc.Fault != "" || acc.IsBlock() {
		return m, false, nil
	}
	d, err := w.device(ctx, rooms, r.Device)
	if err != nil || d == nil {
		return m, false, err
	}
	platform := inventory.PlatformOf(&acc.Message)
	if platform == "" {
		platform = d.Personality
	}
	return analysis.ArchivedMessage{ID: r.ID, Subject: analysis.Subject{Message: &acc.Message, Personality: platform, Device: r.Device, ReceivedAt: r.ReceivedAt}}, true, nil
}

// huntDevices bounds the devices that a hunt knows by heart.
const huntDevices = 10_000

func (w *hunter) device(ctx context.Context, rooms Rooms, id int64) (*registry.Device, error) {
	if d, ok := w.devices[id]; ok {
		return d, nil
	}
	d, err := rooms.Registry().Device(ctx, registry.ID(id))
	if callhome.KindOf(err) == callhome.KindNotFound {
		d, err = nil, nil
	}
	if err != nil {
		return nil, err
	}
	if len(w.devices) >= huntDevices {
		clear(w.devices)
	}
	w.devices[id] = d
	return d, nil
}

// Total implements [analysis.Archive] by the maintained counters: messages that the hunt goes on behind count too.
func (w *hunter) Total(ctx context.Context, _ int64) (int64, error) {
	reach := account.Everywhere()
	if w.h.Company != account.NoCompany {
		reach = account.Reach{Companies: []account.CompanyID{w.h.Company}}
	}
	c, err := w.s.db.Read().Archive().Counts(ctx, reach, time.Time{})
	return c.ByStatus[archive.StatusProcessed], err
}
