package collect

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"callhome"
)

// maxReopens is how often one alert may log in again after its session broke: once, for a device that closes the
// connection when one command upsets it. More would only load a device in trouble.
const maxReopens = 1

// changeto commands of the ASA in multiple context mode.
const (
	toSystem  = "changeto system"
	toContext = "changeto context "
)

// run is one collection under way; one goroutine owns it.
type run struct {
	c       *Collector
	device  Device
	params  map[string]string
	results []Result
	session Session
	reopens int
	context string // the context the session is in; "" is the system space, where a login is taken to
}

// plan makes a result for each command, system commands first and then those of each context, and settles at once what
// may not run at all.
func (r *run) plan(commands []Command) {
	gate := r.device.Gate
	if gate == nil {
		gate = ShowOnly(nil)
	}
	add := func(cmd Command, where string) {
		res := Result{Command: cmd, Context: where}
		res.Text, res.Err = Expand(cmd.Text, r.params)
		if res.Err == nil {
			res.Err = gate(res.Text)
		}
		if res.Err == nil && where != "" && !paramValue.MatchString(where) {
			res.Err = callhome.Errorf(callhome.KindInvalid, "context %q is not a plain name", where)
		}
		res.settled = res.Err != nil
		r.results = append(r.results, res)
		if res.settled {
			r.note(&r.results[len(r.results)-1], outcomeDenied)
		}
	}
	contexts := r.device.Contexts
	for _, cmd := range commands {
		if cmd.Scope == ScopeSystem || len(contexts) == 0 {
			add(cmd, "")
		}
	}
	for _, name := range contexts {
		for _, cmd := range commands {
			if cmd.Scope == ScopeContext {
				add(cmd, name)
			}
		}
	}
}

func (r *run) pending() bool {
	for i := range r.results {
		if !r.results[i].settled {
			return true
		}
	}
	return false
}

// notRun is the one reason for which several commands were not run; see [Collection.Attachments].
type notRun struct {
	error
	brief string // for all but the first of them
}

func (n *notRun) Unwrap() error { return n.error }

// What stands in the place of a reason that was given in full before.
const (
	briefNoSession = "no session, see above"
	briefCutOff    = "see above"
)

// failRest gives every command that has not run the same error, and the log one line for all of them: a device that is
// out of reach would fill it with its show commands.
func (r *run) failRest(err error, brief string) {
	n := 0
	for i := range r.results {
		if res := &r.results[i]; !res.settled {
			res.Err, res.settled = &notRun{err, brief}, true
			n++
		}
	}
	if n == 0 {
		return
	}
	r.c.metrics.commands.WithLabelValues(outcomeNotRun).Add(float64(n))
	level, text := slog.LevelWarn, "the device cannot be asked"
	switch {
	case r.device.Runner == nil:
		level = slog.LevelInfo // as configured
	case brief == briefCutOff:
		text = "the device was not asked for everything"
	}
	r.c.log.Log(context.Background(), level, text, "device", r.device.Name, "commands_not_run", n, "err", err)
}

// work runs what is pending within the budget.
func (r *run) work(ctx context.Context) {
	ctx, cancel := context.WithTimeoutCause(ctx, r.c.cfg.Budget, fmt.Errorf("the time of %s for all commands of one alert is used up", r.c.cfg.Budget))
	defer cancel()
	if err := r.open(ctx); err != nil {
		r.failRest(err, briefNoSession)
		return
	}
	defer r.close()
	for i := range r.results {
		res := &r.results[i]
		if res.settled {
			continue
		}
		if ctx.Err() != nil {
			r.failRest(context.Cause(ctx), briefCutOff)
			return
		}
		if err := r.ready(ctx, res.Context); err != nil {
			r.failRest(err, briefCutOff)
			return
		}
		r.one(ctx, res)
	}
}

// ready makes sure of a session in the right context.
func (r *run) ready(ctx context.Context, where string) error {
	if r.session == nil {
		if r.reopens >= maxReopens {
			return errors.New("the session was lost again; the rest of the commands was not run")
		}
		r.reopens++
		if err := r.open(ctx); err != nil {
			return err
		}
	}
	if where == r.context {
		return nil
	}
	command := toSystem
	if where != "" {
		command = toContext + where
	}
	out := NewOutput(r.c.cfg.CommandBytes)
	cmdCtx, cancel := context.WithTimeout(ctx, r.c.cfg.CommandTimeout)
	defer cancel()
	start := r.c.now()
	err := r.session.Run(cmdCtx, command, out)
	r.c.record(Record{Device: r.device.Name, Command: command, Ran: true, Start: start, Duration: r.c.now().Sub(start), Bytes: out.Len(), Err: errText(err)})
	if err != nil {
		r.close()
		return fmt.Errorf("%s: %w", command, err)
	}
	r.context = where
	return nil
}

func (r *run) open(ctx context.Context) error {
	if err := r.c.refusal(r.device.Name); err != nil {
		return err
	}
	session, err := r.device.Runner.Open(ctx)
	var refused *RefusedError
	if errors.As(err, &refused) {
		r.c.metrics.refused.Inc()
		r.c.latch(r.device, refused)
	}
	if err != nil {
		if ctx.Err() != nil {
			return fmt.Errorf("no session: %w", context.Cause(ctx))
		}
		return fmt.Errorf("no session: %w", err)
	}
	r.c.metrics.sessions.Inc()
	r.session, r.context = session, unknownContext
	if len(r.device.Contexts) == 0 {
		r.context = ""
	}
	return nil
}

// unknownContext is where a fresh login to a device with contexts leaves us: often the admin context, not the system
// space. No context has this name, since a blank cannot be part of one.
const unknownContext = " "

func (r *run) close() {
	if r.session == nil {
		return
	}
	if err := r.session.Close(); err != nil {
		r.c.log.Debug("session did not end in order", "device", r.device.Name, "err", err)
	}
	r.c.metrics.sessions.Dec()
	r.session = nil
}

// one runs a command in the open session.
func (r *run) one(ctx context.Context, res *Result) {
	cmdCtx, cancel := context.WithTimeoutCause(ctx, r.c.cfg.CommandTimeout, fmt.Errorf("no end of the output within %s", r.c.cfg.CommandTimeout))
	defer cancel()
	res.Start = r.c.now()
	res.Output = NewOutput(r.c.cfg.CommandBytes)
	err := r.session.Run(cmdCtx, res.Text, res.Output)
	res.Duration = r.c.now().Sub(res.Start)
	res.settled = true
	outcome := outcomeOK
	switch {
	case err == nil:
	case errors.Is(err, ErrRejected):
		outcome = outcomeRejected
	case cmdCtx.Err() != nil:
		outcome = outcomeTimeout
		err = fmt.Errorf("%w (%w)", context.Cause(cmdCtx), err)
	default:
		outcome = outcomeFailed
	}
	res.Err = err
	r.note(res, outcome)
	if errors.Is(err, ErrSessionLost) {
		r.close()
	}
}

// note records how a command ended.
func (r *run) note(res *Result, outcome string) {
	r.c.metrics.commands.WithLabelValues(outcome).Inc()
	rec := Record{Device: r.device.Name, Command: res.Text, Context: res.Context, Start: res.Start, Duration: res.Duration, Err: errText(res.Err)}
	if res.Output != nil {
		rec.Bytes, rec.Removed = res.Output.Len(), res.Output.Removed()
		r.c.metrics.seconds.Observe(res.Duration.Seconds())
		r.c.metrics.removed.Add(float64(res.Output.Removed()))
	}
	if rec.Start.IsZero() {
		rec.Start = r.c.now()
	}
	rec.Ran = res.Output != nil
	r.c.record(rec)
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// Record tells of one command; every one that ran has one, and every one that was not allowed to. Those that were not
// run for want of a session share a line in the log instead.
type Record struct {
	Device   string        `json:"device"`
	Context  string        `json:"context,omitempty"`
	Command  string        `json:"command"`
	Ran      bool          `json:"ran"` // false: it never reached the device
	Start    time.Time     `json:"start"`
	Duration time.Duration `json:"duration"`
	Bytes    int           `json:"bytes"`             // kept
	Removed  int64         `json:"removed,omitempty"` // beyond the limit
	Err      string        `json:"err,omitempty"`
}

// The outcomes of a command, the label of its metric.
const (
	outcomeOK       = "ok"
	outcomeRejected = "rejected" // the device did not know or allow it
	outcomeTimeout  = "timeout"
	outcomeFailed   = "failed"
	outcomeDenied   = "denied"  // by the gate
	outcomeNotRun   = "not_run" // no session
)
