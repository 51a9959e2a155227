package ctl

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strconv"
	"time"

	"callhome"
	"callhome/server/analysis"
)

// The calls about hunts that a running back end answers.
const (
	CallHuntStart  = "hunt-start"
	CallHuntList   = "hunt-list"
	CallHuntShow   = "hunt-show"
	CallHuntCancel = "hunt-cancel"
)

// HuntOrder starts a hunt.
type HuntOrder struct {
	Rules   []string `json:"rules"`
	Company string   `json:"company,omitempty"` // by name; empty: the messages of all
}

// HuntRow is a hunt with the name of its company.
type HuntRow struct {
	analysis.HuntRecord
	CompanyName string `json:"company_name,omitempty"`
}

// Hunt is a hunt with its newest findings.
type Hunt struct {
	HuntRow
	Found []analysis.Record `json:"found"`
}

const (
	// huntAsk is how often a hunt that is waited for is asked how far it is.
	huntAsk = 250 * time.Millisecond
	// huntTell is how often that is said; what is done sooner says nothing in between.
	huntTell = 2 * time.Second
)

// StartHunt starts a hunt. With wait it stays until the hunt has ended and says on progress how far it is; the hunt goes
// on when it is interrupted.
func (a *Admin) StartHunt(ctx context.Context, o HuntOrder, wait bool, progress io.Writer) error {
	var row HuntRow
	err := a.Client.Call(ctx, CallHuntStart, o, &row)
	if err != nil || !wait {
		return a.huntSaid(&row, err)
	}
	ask, told := time.NewTicker(huntAsk), time.Now()
	defer ask.Stop()
	for row.State == analysis.HuntRunning {
		select {
		case <-ctx.Done():
			fmt.Fprintf(progress, "hunt %d goes on; see: callhome admin rule hunt show %d\n", row.ID, row.ID)
			return ctx.Err()
		case <-ask.C:
		}
		if row, err = a.askHunt(ctx, row.ID); err != nil {
			return err
		}
		if time.Since(told) >= huntTell && row.State == analysis.HuntRunning {
			told = time.Now()
			fmt.Fprintln(progress, huntWords(&row))
		}
	}
	if err := a.huntSaid(&row, nil); err != nil {
		return err
	}
	if row.State == analysis.HuntFailed {
		return callhome.Errorf(callhome.KindInternal, "hunt %d has failed: %s", row.ID, row.Error)
	}
	return nil
}

func (a *Admin) askHunt(ctx context.Context, id int64) (HuntRow, error) {
	var h Hunt
	err := a.Client.Call(ctx, CallHuntShow, id, &h)
	return h.HuntRow, err
}

func (a *Admin) huntSaid(row *HuntRow, err error) error {
	if err != nil || a.JSON {
		return a.orJSON(row, err)
	}
	_, err = fmt.Fprintln(a.Out, huntWords(row))
	return err
}

// huntWords are one line about how far a hunt is.
func huntWords(h *HuntRow) string {
	words := fmt.Sprintf("hunt %d is %s: %d of about %d messages, %d findings", h.ID, h.State, h.Done, h.Total, h.Findings)
	if h.Rate > 0 && h.State == analysis.HuntRunning {
		words += fmt.Sprintf(", %.0f messages a second", h.Rate)
		if left := float64(h.Total-h.Done) / h.Rate; left >= 1 {
			words += fmt.Sprintf(", about %s more", (time.Duration(left) * time.Second).Round(time.Second))
		}
	}
	if h.Faults > 0 {
		words += fmt.Sprintf(", %d rules failed on a message", h.Faults)
	}
	return words
}

// Hunts lists hunts, the newest first.
func (a *Admin) Hunts(ctx context.Context, q PageQuery) error {
	var rows []HuntRow
	err := a.Client.Call(ctx, CallHuntList, q, &rows)
	if err != nil || a.JSON {
		return a.orJSON(rows, err)
	}
	return a.print(func(w *bufio.Writer) {
		t := table{columns: []column{
			{"Hunt", 19, 8}, {"State", 8, 7}, {"Rules", 30, 8}, {"Messages", 17, 8}, {"Findings", 8, 5}, {"By", 16, 6}, {"Started (UTC)", 19, 10},
		}}
		for i := range rows {
			h := &rows[i]
			t.add(strconv.FormatInt(h.ID, 10), string(h.State), listed(h.Rules), fmt.Sprintf("%d of %d", h.Done, h.Total), strconv.FormatInt(h.Findings, 10),
				h.By, h.StartedAt.UTC().Format(time.DateTime))
		}
		t.print(w, a.width())
	})
}

// listed names the first of many.
func listed(names []string) string {
	switch len(names) {
	case 0:
		return ""
	case 1:
		return names[0]
	}
	return fmt.Sprintf("%s and %d more", names[0], len(names)-1)
}

// Hunt prints one hunt with its newest findings.
func (a *Admin) Hunt(ctx context.Context, id int64) error {
	var h Hunt
	err := a.Client.Call(ctx, CallHuntShow, id, &h)
	if err != nil || a.JSON {
		return a.orJSON(h, err)
	}
	return a.print(func(w *bufio.Writer) {
		fmt.Fprintln(w, huntWords(&h.HuntRow))
		if h.CompanyName != "" {
			fmt.Fprintf(w, "only messages of %s\n", oneLine(h.CompanyName))
		}
		if h.Error != "" {
			fmt.Fprintln(w, oneLine(h.Error))
		}
		for _, r := range h.Rules {
			fmt.Fprintf(w, "  rule %s\n", r)
		}
		if len(h.Found) == 0 {
			return
		}
		fmt.Fprintln(w)
		t := table{columns: []column{{"Event (UTC)", 19, 10}, {"Device", 19, 8}, {"Rule", 26, 10}, {"Finding", 50, 15}}}
		for i := range h.Found {
			f := &h.Found[i]
			t.add(f.At.UTC().Format(time.DateTime), strconv.FormatInt(f.Device, 10), f.Rule, f.Title)
		}
		t.print(w, a.width())
	})
}

// CancelHunt ends a hunt; what it found stays.
func (a *Admin) CancelHunt(ctx context.Context, id int64) error {
	var row HuntRow
	return a.huntSaid(&row, a.Client.Call(ctx, CallHuntCancel, id, &row))
}
