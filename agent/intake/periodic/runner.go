package periodic

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"sync"
	"time"

	"callhome"
	"callhome/agent/intake"
)

// maxWait is the longest sleep. Timers stand still while a host is suspended and know nothing of a clock that was set, so
// the clock is looked at again at least this often.
const maxWait = time.Minute

// saveEvery is how many jobs run between two times that the state is saved: after a kill at most so many of a large
// fleet's run again.
const saveEvery = 100

// Job is one schedule of one device.
type Job struct {
	Device   string // hostname of the device entry; "" is the agent's own host
	Group    callhome.AlertGroup
	Profile  callhome.ProfileName
	Detail   callhome.Detail
	Schedule Schedule
	Zone     *time.Location // nil: UTC
}

// key names a job in the state file; another schedule is another job.
func (j Job) key() string {
	return fmt.Sprintf("%s|%s|%s|%s|%+v", j.Device, j.Group, j.Profile, j.Detail, j.Schedule)
}

func (j Job) in(t time.Time) time.Time {
	if j.Zone == nil {
		return t.UTC()
	}
	return t.In(j.Zone)
}

// Due is a job whose time has come.
type Due struct {
	Job
	At     time.Time // when it was due
	Missed bool      // it came due while the agent was down
}

// Store keeps when each job last ran.
type Store interface {
	Load(v any) error
	Save(v any) error
}

var _ Store = intake.State("")

// Runner waits for jobs.
type Runner struct {
	log   *slog.Logger
	now   func() time.Time
	store Store
	wake  chan struct{} // holds a token when the jobs changed

	mu   sync.Mutex // guards what follows
	jobs []Job
	last map[string]time.Time // by Job.key
}

// Options are what a Runner gets from outside; all may be left out.
type Options struct {
	Log   *slog.Logger
	Now   func() time.Time
	Store Store // nil: a time that passes while the agent is down is not made up for
}

// New reads when the jobs last ran.
func New(o Options) (*Runner, error) {
	r := &Runner{log: o.Log, now: o.Now, store: o.Store, wake: make(chan struct{}, 1), last: map[string]time.Time{}}
	if r.log == nil {
		r.log = slog.New(slog.DiscardHandler)
	}
	if r.now == nil {
		r.now = time.Now
	}
	if r.store == nil {
		return r, nil
	}
	if err := r.store.Load(&r.last); err != nil {
		return nil, fmt.Errorf("schedules: %w", err)
	}
	if r.last == nil {
		r.last = map[string]time.Time{}
	}
	return r, nil
}

// SetJobs replaces all jobs. A job that is new counts from now: it has missed nothing.
func (r *Runner) SetJobs(jobs []Job) {
	r.mu.Lock()
	now := r.now()
	kept := make(map[string]time.Time, len(jobs))
	for _, j := range jobs {
		k := j.key()
		kept[k] = now
		if t, ok := r.last[k]; ok && !t.After(now) { // a clock that was set back must not silence a schedule
			kept[k] = t
		}
	}
	same := maps.EqualFunc(r.last, kept, time.Time.Equal)
	r.jobs, r.last = append([]Job(nil), jobs...), kept
	r.mu.Unlock()
	if !same {
		r.save()
	}
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// Next is when the job of a device, group and profile is due next; zero if there is none.
func (r *Runner) Next(device string, group callhome.AlertGroup, profile callhome.ProfileName) time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, j := range r.jobs {
		if j.Device == device && j.Group == group && j.Profile == profile {
			return j.Schedule.Next(j.in(r.now()))
		}
	}
	return time.Time{}
}

// Run calls emit for every job that comes due, one at a time, until ctx ends. emit returns once the event is durable; a
// job whose emit failed is due again a minute later.
func (r *Runner) Run(ctx context.Context, emit func(context.Context, Due) error) error {
	for started := r.now(); ; {
		due, wait := r.due(started)
		unsaved := 0
		for _, d := range due {
			if err := emit(ctx, d); err != nil {
				r.log.Error("scheduled event not taken, next try in a minute", "device_id", d.Device, "alert_group", d.Group, "err", err)
				continue
			}
			r.ran(d.Job)
			if unsaved++; unsaved == saveEvery {
				r.save()
				unsaved = 0
			}
		}
		if unsaved > 0 {
			r.save()
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-r.wake:
			timer.Stop()
		case <-timer.C:
		}
	}
}

// due lists what is due now, and how long to wait for the next. Several missed times of one job count once.
func (r *Runner) due(started time.Time) ([]Due, time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.now()
	wait := maxWait
	var out []Due
	for _, j := range r.jobs {
		last, ok := r.last[j.key()]
		if !ok || last.After(now) {
			last = now
			r.last[j.key()] = now
		}
		next := j.Schedule.Next(j.in(last))
		switch {
		case next.IsZero():
		case next.After(now):
			wait = min(wait, next.Sub(now))
		default:
			out = append(out, Due{Job: j, At: next, Missed: next.Before(started)})
		}
	}
	return out, max(wait, time.Millisecond)
}

func (r *Runner) ran(j Job) {
	r.mu.Lock()
	r.last[j.key()] = r.now()
	r.mu.Unlock()
}

// save keeps the state; without it a schedule may run again after a restart, which harms nobody.
func (r *Runner) save() {
	if r.store == nil {
		return
	}
	r.mu.Lock()
	state := make(map[string]time.Time, len(r.last))
	for k, v := range r.last {
		state[k] = v
	}
	r.mu.Unlock()
	if err := r.store.Save(state); err != nil {
		r.log.Warn("schedules are kept in memory only", "err", err)
	}
}
