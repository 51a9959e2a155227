package server

import (
	"context"
	"fmt"
	"sync"
	"time"

	"callhome/server/account"
	"callhome/server/advisory"
	"callhome/server/notify"
)

const (
	// milestonesAhead is how long before a day in the end of a product's life people are told: time to order another. It
	// is shorter than notices are kept, so nobody is told twice.
	milestonesAhead = 90 * 24 * time.Hour
	// answersAtOnce is how many answers of a notice are read at a time.
	answersAtOnce = 500
)

// daily lets something be done once a day by this process.
type daily struct {
	mu   sync.Mutex // guards what follows
	next time.Time
}

// due reports whether a day has passed since done.
func (d *daily) due(now time.Time) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return !now.Before(d.next)
}

func (d *daily) done(now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.next = now.Add(24 * time.Hour)
}

// milestones tells, once a day, the companies that have affected devices of days in the end of products' lives that come.
// Each is told once: a notice of the same day is announced once, whoever tells it.
func (s *Server) milestones(ctx context.Context, rooms Rooms, now time.Time) (bool, error) {
	if !s.lives.due(now) {
		return false, nil
	}
	ahead := milestonesAhead
	if s.cfg.KeepInbox > 0 {
		ahead = min(ahead, s.cfg.KeepInbox)
	}
	due, err := advisory.Due(ctx, rooms.Advisory(), now, now.Add(ahead))
	if err != nil {
		return false, err
	}
	for i := range due {
		if err := s.tellMilestone(ctx, rooms, &due[i], now); err != nil {
			return false, fmt.Errorf("end of life %s: %w", due[i].Notice.Ident, err)
		}
	}
	s.lives.done(now)
	return false, nil
}

func (s *Server) tellMilestone(ctx context.Context, rooms Rooms, m *advisory.Milestone, now time.Time) error {
	devices := map[account.CompanyID]int64{}
	for after := int64(0); ; {
		answers, err := rooms.Advisory().AnswersFor(ctx, m.Notice.ID, after, answersAtOnce)
		if err != nil {
			return err
		}
		for i := range answers {
			after = answers[i].Device
			if answers[i].State == advisory.Affected && answers[i].Company != account.NoCompany {
				devices[answers[i].Company]++
			}
		}
		if len(answers) < answersAtOnce {
			break
		}
	}
	for company, n := range devices {
		if err := s.announce(ctx, rooms, notify.LifeMilestone(company, m.Notice.Title, m.Notice.Ident, m.Word, m.At, n, m.Notice.Milestones.Replacement, now)); err != nil {
			return err
		}
	}
	return nil
}
