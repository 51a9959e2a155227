package ctl

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"callhome"
	"callhome/agent"
	"callhome/config"
)

// ReplayOptions say how stored lines are played.
type ReplayOptions struct {
	JSON     bool
	Received time.Time // stamps without a year are taken to be near it
	// Speed plays in so many times real time and prints what happens as it goes; 0 is as fast as possible and prints the
	// counts alone.
	Speed float64
	// Wait waits for a time, or until ctx ends; nil is a plain timer.
	Wait func(ctx context.Context, d time.Duration) error
}

// ReplayCount is how many messages of one kind there would have been.
type ReplayCount struct {
	Day      string               `json:"day"` // YYYY-MM-DD, by the lines' clock, in UTC
	Profile  callhome.ProfileName `json:"profile"`
	Group    callhome.AlertGroup  `json:"alert_group"`
	Messages int                  `json:"messages"`
}

// ReplayReport is what a replay counted. Messages are counted once for each profile.
type ReplayReport struct {
	Lines   int                                              `json:"lines"`
	Wanted  int                                              `json:"wanted"` // alerts that a profile subscribes to, digests included
	Sent    int                                              `json:"sent"`
	From    time.Time                                        `json:"from,omitzero"`
	To      time.Time                                        `json:"to,omitzero"`
	Counts  []ReplayCount                                    `json:"counts"`
	Profile map[callhome.ProfileName]int                     `json:"by_profile"`
	Group   map[callhome.AlertGroup]int                      `json:"by_group"`
	Day     map[string]int                                   `json:"by_day"`
	Held    map[callhome.Reason]int                          `json:"held_back"`
	HeldOf  map[callhome.ProfileName]map[callhome.Reason]int `json:"held_back_by_profile"`
}

// replay is one run.
type replay struct {
	opts   ReplayOptions
	out    io.Writer
	report ReplayReport
	counts map[ReplayCount]int // Messages is 0 in the keys
	shown  []agent.Replayed    // what happened at the line at hand
}

// Replay judges stored lines as an agent with this configuration would have and prints what would have been sent. The
// time is the lines' own. When ctx ends the counts so far are printed.
func Replay(ctx context.Context, out io.Writer, in io.Reader, cfg *config.Agent, opts ReplayOptions) error {
	if opts.Wait == nil {
		opts.Wait = wait
	}
	r := &replay{opts: opts, out: out, counts: map[ReplayCount]int{}, report: ReplayReport{
		Profile: map[callhome.ProfileName]int{}, Group: map[callhome.AlertGroup]int{}, Day: map[string]int{},
		Held: map[callhome.Reason]int{}, HeldOf: map[callhome.ProfileName]map[callhome.Reason]int{},
	}}
	player, err := agent.NewReplayer(cfg.Conductor(), opts.Received, r.happened)
	if err != nil {
		return err
	}
	err = eachLine(in, func(raw []byte) error {
		raw = bytes.TrimSuffix(raw, []byte("\r"))
		if len(raw) == 0 {
			return nil
		}
		r.report.Lines++
		player.Take(raw)
		if err := r.pace(ctx, player.Now()); err != nil {
			return err
		}
		return r.show()
	})
	if err != nil && ctx.Err() == nil {
		return err
	}
	player.Finish()
	r.finish()
	return errors.Join(r.show(), r.print())
}

func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// pace notes the lines' clock and, where a speed is asked for, lets the wall's clock follow it.
func (r *replay) pace(ctx context.Context, now time.Time) error {
	ahead := now.Sub(r.report.To)
	if r.report.Lines == 1 {
		r.report.From, ahead = now, 0
	}
	r.report.To = now
	if r.opts.Speed <= 0 || ahead <= 0 { // behind: another capture goes on from here
		return ctx.Err()
	}
	return r.opts.Wait(ctx, time.Duration(min(float64(ahead)/r.opts.Speed, float64(maxPause))))
}

// maxPause bounds the wait for one line: nobody waits longer, and more does not fit into a duration.
const maxPause = 365 * 24 * time.Hour

// happened counts an outcome and, at a speed, prints it.
func (r *replay) happened(o agent.Replayed) {
	r.report.Wanted++
	day := o.At.UTC().Format(time.DateOnly)
	for _, p := range o.Profiles {
		if !o.Sent() {
			r.report.Held[o.Reason]++
			if r.report.HeldOf[p] == nil {
				r.report.HeldOf[p] = map[callhome.Reason]int{}
			}
			r.report.HeldOf[p][o.Reason]++
			continue
		}
		r.report.Sent++
		r.report.Profile[p]++
		r.report.Group[o.Group]++
		r.report.Day[day]++
		r.counts[ReplayCount{Day: day, Profile: p, Group: o.Group}]++
	}
	if r.opts.Speed > 0 {
		r.shown = append(r.shown, o)
	}
}

// show prints what happened since the last call.
func (r *replay) show() error {
	for i := range r.shown {
		if err := r.tell(&r.shown[i]); err != nil {
			return fmt.Errorf("write output: %w", err)
		}
	}
	r.shown = r.shown[:0]
	return nil
}

// maxShown bounds the text of a line that is shown as it is played.
const maxShown = 100

func (r *replay) tell(o *agent.Replayed) error {
	if r.opts.JSON {
		return json.NewEncoder(r.out).Encode(o)
	}
	text := strings.Map(func(c rune) rune {
		if c < ' ' || c == 0x7f {
			return ' '
		}
		return c
	}, strings.ToValidUTF8(o.Text, "\uFFFD"))
	if runes := []rune(text); len(runes) > maxShown {
		text = string(runes[:maxShown]) + "…"
	}
	names := make([]string, len(o.Profiles))
	for i, p := range o.Profiles {
		names[i] = string(p)
	}
	_, err := fmt.Fprintf(r.out, "%s  %-16s %-13s %-12s %-12s %s  %s\n", o.At.UTC().Format("2006-01-02 15:04:05"), o.Device, o.Group, o.Level,
		o.Reason, strings.Join(names, ","), text)
	return err
}

func (r *replay) finish() {
	r.report.Counts = make([]ReplayCount, 0, len(r.counts))
	for c, n := range r.counts {
		c.Messages = n
		r.report.Counts = append(r.report.Counts, c)
	}
	slices.SortFunc(r.report.Counts, func(a, b ReplayCount) int {
		return cmp.Or(cmp.Compare(a.Day, b.Day), cmp.Compare(a.Profile, b.Profile), cmp.Compare(a.Group, b.Group))
	})
}

func (r *replay) print() error {
	if r.opts.JSON {
		return json.NewEncoder(r.out).Encode(&r.report)
	}
	rep := &r.report
	fmt.Fprintf(r.out, "%d lines", rep.Lines)
	if rep.Lines > 0 {
		fmt.Fprintf(r.out, " from %s to %s UTC", rep.From.UTC().Format(time.DateTime), rep.To.UTC().Format(time.DateTime))
	}
	fmt.Fprintf(r.out, "; %d messages would have been sent\n", rep.Sent)
	w := tabwriter.NewWriter(r.out, 0, 0, 2, ' ', 0)
	if len(rep.Counts) > 0 {
		fmt.Fprintln(w, "\nDay\tProfile\tAlert group\tMessages")
		for _, c := range rep.Counts {
			fmt.Fprintf(w, "%s\t%s\t%s\t%d\n", c.Day, c.Profile, c.Group, c.Messages)
		}
	}
	if len(rep.Held) > 0 {
		fmt.Fprintln(w, "\nHeld back\tProfile\tMessages")
		for _, p := range slices.Sorted(maps.Keys(rep.HeldOf)) {
			for _, reason := range slices.Sorted(maps.Keys(rep.HeldOf[p])) {
				fmt.Fprintf(w, "%s\t%s\t%d\n", reason, p, rep.HeldOf[p][reason])
			}
		}
	}
	return w.Flush()
}
