package ctl

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"time"

	"callhome/server/advisory"
)

// The calls about advisories that a running back end answers.
const (
	CallAdvisoryImport   = "advisory-import"
	CallAdvisoryList     = "advisory-list"
	CallAdvisoryShow     = "advisory-show"
	CallAdvisoryMatch    = "advisory-match"
	CallAdvisoryWithdraw = "advisory-withdraw"
)

// importAtOnce is how many notices cross the socket in one call: some hundred KiB.
const importAtOnce = 100

// AdvisoryOrder is about one notice, by its ID or number, with why it is withdrawn.
type AdvisoryOrder struct {
	Name   string `json:"name"`
	Reason string `json:"reason,omitempty"`
}

// NoticeRows are notices with how many devices they concern.
type NoticeRows struct {
	Notices []advisory.Notice                  `json:"notices"`
	Counts  map[int64]map[advisory.State]int64 `json:"counts"`
}

// NoticeRow is one notice with its editions.
type NoticeRow struct {
	advisory.Notice
	Editions []advisory.Edition `json:"editions"`
}

// MatchRows is what notices mean for devices, with the devices' names.
type MatchRows struct {
	Answers []advisory.Stored `json:"answers"`
	Names   map[int64]string  `json:"names"`
}

// ImportedRows is what became of notices.
type ImportedRows struct {
	Imported []advisory.Imported `json:"imported"`
	Faults   []string            `json:"faults,omitempty"`
	Affected int                 `json:"affected"` // devices newly affected
}

// ImportAdvisories reads files and folders here and hands what was understood to the back end. Of a file with faults
// nothing is taken. What takes longer than two seconds says on progress how far it is.
func (a *Admin) ImportAdvisories(ctx context.Context, paths []string, progress io.Writer) error {
	var imported []advisory.Imported
	var faults []advisory.Fault
	files, affected, told := 0, 0, time.Now()
	err := advisory.ReadPaths(paths, func(_ string, notices []advisory.Notice, bad []advisory.Fault) error {
		files++
		if faults = append(faults, bad...); len(bad) > 0 {
			return nil
		}
		for len(notices) > 0 {
			some := notices[:min(len(notices), importAtOnce)]
			notices = notices[len(some):]
			var rows ImportedRows
			if err := a.Client.Call(ctx, CallAdvisoryImport, some, &rows); err != nil {
				return err
			}
			imported, affected = append(imported, rows.Imported...), affected+rows.Affected
			for _, f := range rows.Faults {
				faults = append(faults, advisory.Fault{File: "back end", Message: f})
			}
			if time.Since(told) >= huntTell {
				told = time.Now()
				fmt.Fprintf(progress, "%d files, %d notices so far\n", files, len(imported))
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := PrintImported(a.Out, imported, faults, a.JSON); err != nil || a.JSON {
		return err
	}
	_, err = fmt.Fprintf(a.Out, "%d devices newly affected\n", affected)
	return err
}

// Advisories lists notices.
func (a *Admin) Advisories(ctx context.Context, q PageQuery) error {
	var rows NoticeRows
	if err := a.Client.Call(ctx, CallAdvisoryList, q, &rows); err != nil {
		return err
	}
	return PrintNotices(a.Out, rows.Notices, rows.Counts, a.JSON)
}

// Advisory prints one notice in full.
func (a *Admin) Advisory(ctx context.Context, name string) error {
	var row NoticeRow
	if err := a.Client.Call(ctx, CallAdvisoryShow, AdvisoryOrder{Name: name}, &row); err != nil {
		return err
	}
	return PrintNotice(a.Out, row.Notice, row.Editions, a.JSON)
}

// MatchAdvisories holds a device against all notices and prints what they mean for it.
func (a *Admin) MatchAdvisories(ctx context.Context, device string) error {
	var rows MatchRows
	if err := a.Client.Call(ctx, CallAdvisoryMatch, NameOrder{Name: device}, &rows); err != nil {
		return err
	}
	name := func(id int64) string {
		if n := rows.Names[id]; n != "" {
			return n
		}
		return strconv.FormatInt(id, 10)
	}
	return PrintAnswers(a.Out, rows.Answers, name, a.JSON)
}

// WithdrawAdvisory marks a notice as withdrawn: no device is affected by it any more.
func (a *Admin) WithdrawAdvisory(ctx context.Context, o AdvisoryOrder) error {
	return a.done(ctx, CallAdvisoryWithdraw, o, "notice %s is withdrawn", o.Name)
}
