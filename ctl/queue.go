package ctl

import (
	"bufio"
	"context"
	"fmt"
	"strconv"

	"callhome"
	"callhome/agent"
	"callhome/outbox"
)

// Queue is what an operator does to queued messages and dead letters.
type Queue struct{ Shower }

// QueueQuery chooses entries.
type QueueQuery struct {
	Dead  bool             `json:"dead,omitempty"`
	After outbox.EntryID   `json:"after,omitempty"`
	Limit int              `json:"limit,omitempty"`
	IDs   []outbox.EntryID `json:"ids,omitempty"` // retry, drop; none with All
	All   bool             `json:"all,omitempty"`
}

// Status is the status of the entries that are meant.
func (q QueueQuery) Status() outbox.Status {
	if q.Dead {
		return outbox.StatusDead
	}
	return outbox.StatusQueued
}

// QueueEntry is one entry with its body.
type QueueEntry struct {
	outbox.Entry
	Body string `json:"body"`
}

// List prints queued messages, or dead letters.
func (q *Queue) List(ctx context.Context, query QueueQuery) error {
	entries := []outbox.Entry{} // a list also where nothing waits
	err := q.Client.Call(ctx, CallQueueList, query, &entries)
	if err != nil || q.JSON {
		return q.orJSON(entries, err)
	}
	return q.print(func(w *bufio.Writer) {
		printQueue(w, entries, query.Dead, q.width())
		if query.Limit <= 0 && len(entries) == outbox.DefaultLimit {
			fmt.Fprintf(w, "These are the first %d; --limit shows more.\n", len(entries))
		}
	})
}

func printQueue(w *bufio.Writer, entries []outbox.Entry, dead bool, width int) {
	next := "Next try (UTC)"
	if dead {
		next = "Given up (UTC)"
	}
	t := table{columns: []column{
		{"ID", 8, 4}, {"Queued (UTC)", 19, 10}, {next, 19, 16}, {"Tries", 5, 5}, {"Device", 12, 6}, {"Profile", 10, 6},
		{"Destination", 14, 8}, {"Last error", wordy(width), 10},
	}}
	for i := range entries {
		e := &entries[i]
		at := when(e.RetryAt, "now")
		if dead {
			at = when(e.DiedAt, "n/a")
		}
		t.add(strconv.FormatInt(int64(e.ID), 10), when(e.QueuedAt, "n/a"), at, strconv.Itoa(e.Attempts), e.Envelope.Device,
			string(e.Envelope.Profile), e.Envelope.Destination.Address, e.LastError)
	}
	t.print(w, width)
}

// Show prints one entry and exactly the bytes that are sent.
func (q *Queue) Show(ctx context.Context, id outbox.EntryID) error {
	var e QueueEntry
	err := q.Client.Call(ctx, CallQueueShow, id, &e)
	if err != nil || q.JSON {
		return q.orJSON(e, err)
	}
	return q.print(func(w *bufio.Writer) {
		fmt.Fprintf(w, "Entry: %d (%s)\nMessage ID: %s\nDevice: %s\nProfile: %s\nAlert group: %s\nDestination: %s\nQueued: %s\nTries: %d\n",
			e.ID, e.Status, e.Envelope.MessageID, e.Envelope.Device, e.Envelope.Profile, e.Envelope.Group, e.Envelope.Destination.Address, stamp(e.QueuedAt), e.Attempts)
		if !e.RetryAt.IsZero() {
			fmt.Fprintf(w, "Next try: %s\n", stamp(e.RetryAt))
		}
		if e.LastError != "" {
			fmt.Fprintf(w, "Last error: %s\n", oneLine(e.LastError))
		}
		fmt.Fprintf(w, "\n%s", e.Body)
	})
}

// Retry makes entries due now, dead letters too.
func (q *Queue) Retry(ctx context.Context, query QueueQuery) error {
	return q.change(ctx, CallQueueRetry, query, "will be tried now")
}

// Drop deletes entries or dead letters for good.
func (q *Queue) Drop(ctx context.Context, query QueueQuery) error {
	return q.change(ctx, CallQueueDrop, query, "dropped")
}

func (q *Queue) change(ctx context.Context, call string, query QueueQuery, what string) error {
	if len(query.IDs) == 0 && !query.All {
		return callhome.Errorf(callhome.KindInvalid, "name entries by ID, or give --all")
	}
	var n int
	err := q.Client.Call(ctx, call, query, &n)
	if err != nil || q.JSON {
		return q.orJSON(map[string]int{"entries": n}, err)
	}
	_, err = fmt.Fprintf(q.Out, "%d entries %s\n", n, what)
	return err
}

// Order gives an operator's order to a running agent and prints what became of it.
func (s *Shower) Order(ctx context.Context, call string, order any) error {
	var taken agent.Taken
	err := s.Client.Call(ctx, call, order, &taken)
	if err != nil || s.JSON {
		return s.orJSON(taken, err)
	}
	return s.print(func(w *bufio.Writer) {
		for _, p := range taken.Profiles {
			fmt.Fprintf(w, "Alert %s is stored and goes to profile %s\n", taken.Alert, p)
		}
		for _, d := range taken.To {
			fmt.Fprintf(w, "Alert %s is stored and goes to %s\n", taken.Alert, d.Address)
		}
		fmt.Fprintln(w, "`callhome show call-home history` tells what became of it")
	})
}
