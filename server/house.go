package server

import (
	"context"
	"slices"
	"time"

	"callhome"
	"callhome/server/account"
	"callhome/server/archive"
	"callhome/server/casework"
	"callhome/server/ingest"
	"callhome/server/notify"
)

const (
	// houseEvery is how often the house is kept: nothing in it is a matter of seconds.
	houseEvery = 30 * time.Second
	// houseAgain is how soon it is tried again while the database does not answer.
	houseAgain = 5 * time.Second
	// houseBatch bounds one transaction of housekeeping, so that it holds up nobody.
	houseBatch = 200
	// houseRounds bounds one kind of work in one round; the rest waits for the next.
	houseRounds = 50
)

// chore is one kind of housekeeping: do works a batch in a transaction and says whether there may be more.
type chore struct {
	name string
	do   func(ctx context.Context, rooms Rooms, now time.Time) (more bool, err error)
}

// chores are all kinds of housekeeping, in the order in which they are done.
func (s *Server) chores() []chore {
	return []chore{
		{"blocks", s.overdueBlocks},
		{"registrations", s.sweep},
		{"silence", s.silences},
		{"heartbeats", s.lateAgents},
		{"retention", s.retain},
		{"keys", s.forgetKeys},
		{"observations", s.forgetObservations},
		{"inbox", s.forgetNotices},
		{"service requests", s.forgetCases},
		{"findings", s.forgetFindings},
		{"tickets", s.forgetTickets},
		{"sessions", s.forgetSessions},
		{"ends of life", s.milestones},
	}
}

// keepHouse does what the passing of time asks for, until ctx ends. Several servers may do so at once: each chore takes
// its rows in a transaction, and repeating it does no harm.
func (s *Server) keepHouse(ctx context.Context) {
	part := s.health.Part("housekeeping")
	for {
		var failed error
		pause := houseEvery
		for _, c := range s.chores() {
			if err := s.round(ctx, c); err != nil && ctx.Err() == nil {
				failed = err
				s.log.Error("housekeeping", "component", "server", "chore", c.name, "err", err)
			}
			if callhome.KindOf(failed) == callhome.KindUnavailable { // the others would fail alike
				pause = houseAgain
				break
			}
		}
		if failed != nil {
			part.Unwell("it fails and is tried again: " + failed.Error())
		} else {
			part.Well()
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
	}
}

func (s *Server) round(ctx context.Context, c chore) error {
	for range houseRounds {
		more := false
		err := s.db.InTx(ctx, func(rooms Rooms) (err error) {
			defer func() { // one record that cannot be worked must not end the process, again after each start
				if v := recover(); v != nil {
					err = callhome.Errorf(callhome.KindInternal, "panic: %v", v)
				}
			}()
			more, err = c.do(ctx, rooms, s.now())
			return err
		})
		if err != nil || !more {
			return err
		}
	}
	return nil
}

// overdueBlocks works messages some of whose blocks did not come.
func (s *Server) overdueBlocks(ctx context.Context, rooms Rooms, now time.Time) (bool, error) {
	groups, err := rooms.Ingest().OverdueBlocks(ctx, now.Add(-ingest.JoinTime), 1)
	if err != nil || len(groups) == 0 {
		return false, err
	}
	joined, err := ingest.JoinOverdue(ctx, rooms.Ingest(), rooms.Archive(), groups[0])
	if err != nil || joined == nil {
		return err == nil, err
	}
	return true, s.joined(ctx, rooms, joined)
}

// sweep lets the registry do what dates ask for.
func (s *Server) sweep(ctx context.Context, rooms Rooms, _ time.Time) (bool, error) {
	notices, done, err := s.registrar.Sweep(ctx, rooms.Registry(), houseBatch)
	if err != nil {
		return false, err
	}
	return !done, s.tellNotices(ctx, rooms, notices)
}

// silences raises an event for each device that should have spoken.
func (s *Server) silences(ctx context.Context, rooms Rooms, now time.Time) (bool, error) {
	silent, done, err := s.registrar.Silent(ctx, rooms.Registry(), now, houseBatch)
	if err != nil {
		return false, err
	}
	for i := range silent {
		if err := s.silence(ctx, rooms, &silent[i], now); err != nil {
			return false, err
		}
	}
	return !done, nil
}

// lateAgents tells of agents and gateways whose heartbeats stay away: that is no silence of a device.
func (s *Server) lateAgents(ctx context.Context, rooms Rooms, now time.Time) (bool, error) {
	late, done, err := s.registrar.Late(ctx, rooms.Registry(), houseBatch)
	if err != nil {
		return false, err
	}
	for i := range late {
		e := &late[i]
		s.log.Warn("heartbeats stay away", "component", "server", "kind", string(e.Kind), "name", e.Name, "last", e.Beat.At)
		n := notify.AgentLate(e.Company, string(e.Kind), e.Name, e.Beat.At, now)
		if err := s.announce(ctx, rooms, n); err != nil {
			return false, err
		}
	}
	return !done, nil
}

// forgetKeys forgets the keys of repeats that nobody will send any more.
func (s *Server) forgetKeys(ctx context.Context, rooms Rooms, now time.Time) (bool, error) {
	n, err := rooms.Archive().ForgetKeys(ctx, now.Add(-archive.DuplicateWindow), houseBatch)
	return n == houseBatch, err
}

// forgetObservations drops what no rule counts any more.
func (s *Server) forgetObservations(ctx context.Context, rooms Rooms, now time.Time) (bool, error) {
	n, err := rooms.Analysis().PurgeObservations(ctx, now, houseBatch)
	return n == houseBatch, err
}

// forgetNotices empties inboxes of what is old.
func (s *Server) forgetNotices(ctx context.Context, rooms Rooms, now time.Time) (bool, error) {
	if s.cfg.KeepInbox == 0 {
		return false, nil
	}
	n, err := rooms.Notify().DropNotices(ctx, now.Add(-s.cfg.KeepInbox), houseBatch)
	return n == houseBatch, err
}

// forgetCases deletes closed service requests as the configuration says, and what was noted of findings that no message
// can repeat any more.
func (s *Server) forgetCases(ctx context.Context, rooms Rooms, now time.Time) (bool, error) {
	n, err := rooms.Casework().DropDeeds(ctx, now.Add(-archive.DuplicateWindow), houseBatch)
	if err != nil || s.cfg.KeepCases == 0 {
		return n == houseBatch, err
	}
	cases, err := rooms.Casework().DropCases(ctx, now.Add(-s.cfg.KeepCases), houseBatch)
	return n == houseBatch || cases == houseBatch, err
}

func (s *Server) forgetFindings(ctx context.Context, rooms Rooms, now time.Time) (bool, error) {
	if s.cfg.KeepFindings == 0 {
		return false, nil
	}
	n, err := rooms.Analysis().Purge(ctx, now.Add(-s.cfg.KeepFindings), houseBatch)
	return n == houseBatch, err
}

// keepPushes is how long what was brought to ticket systems, or never could be, is kept for people to look at.
const keepPushes = 30 * 24 * time.Hour

// forgetTickets drops what was brought to ticket systems, and the numbers of their events that are not told again.
func (s *Server) forgetTickets(ctx context.Context, rooms Rooms, now time.Time) (bool, error) {
	n, err := rooms.Casework().DropPushes(ctx, now.Add(-keepPushes), houseBatch)
	if err != nil {
		return false, err
	}
	_, err = rooms.Casework().DropInbound(ctx, now.Add(-archive.DuplicateWindow))
	return n == houseBatch, err
}

// forgetSessions drops sessions, invitations and attempts to sign in that are over.
func (s *Server) forgetSessions(ctx context.Context, rooms Rooms, now time.Time) (bool, error) {
	n, err := rooms.Account().Forget(ctx, now, houseBatch)
	return n >= houseBatch, err
}

// retain deletes what is older than its rule allows, or beyond its bytes.
func (s *Server) retain(ctx context.Context, rooms Rooms, now time.Time) (more bool, err error) {
	for _, r := range s.cfg.Retention {
		class := archive.Class{Company: r.Company, Groups: r.Groups, Status: archive.Status(r.Status)}
		var n int64
		if r.MaxAge > 0 {
			if n, _, err = rooms.Archive().Purge(ctx, class, now.Add(-r.MaxAge), houseBatch); err != nil {
				return false, err
			}
		}
		over, err := s.over(ctx, rooms, &r)
		if err != nil {
			return false, err
		}
		if over && n == 0 {
			if n, _, err = rooms.Archive().Purge(ctx, class, now, houseBatch); err != nil {
				return false, err
			}
		}
		more = more || n == houseBatch
	}
	return more, nil
}

// over reports whether a company holds more bytes than a rule allows.
func (s *Server) over(ctx context.Context, rooms Rooms, r *Retention) (bool, error) {
	if r.MaxBytes == 0 {
		return false, nil
	}
	reach := account.Everywhere()
	if r.Company != 0 {
		reach = account.Reach{Companies: []account.CompanyID{r.Company}}
	}
	c, err := rooms.Archive().Counts(ctx, reach, time.Time{})
	return c.Bytes > r.MaxBytes, err
}

func knownStatus(s string) bool { return slices.Contains(archive.Statuses(), archive.Status(s)) }

// Transact lets the desk work in a transaction of its own and tells people of what happened.
func (s *Server) Transact(ctx context.Context, f func(casework.Store) ([]casework.Happening, error)) error {
	return s.db.InTx(ctx, func(rooms Rooms) error {
		told, err := f(rooms.Casework())
		if err != nil {
			return err
		}
		return s.tellHappenings(ctx, rooms, told)
	})
}
