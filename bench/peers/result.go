package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"
)

// Verdict says whether a figure meets its goal.
type Verdict string

// The verdicts.
const (
	Stretch Verdict = "stretch met"
	Met     Verdict = "met"
	Missed  Verdict = "MISSED"
	Shown   Verdict = "–" // no goal: measured apart, or the reason for another figure
)

// Result is one line of the table.
type Result struct {
	Row     string    `json:"row"`
	By      string    `json:"by"` // the row that measured it
	Figure  string    `json:"figure"`
	Goal    string    `json:"goal"` // must; stretch
	Peer    string    `json:"peer"`
	Ours    string    `json:"ours"`
	Ratio   float64   `json:"ratio"` // ours to the peer's; 0: none
	Verdict Verdict   `json:"verdict"`
	At      time.Time `json:"at"`
	Quick   bool      `json:"quick"`
}

// String is the result for the terminal.
func (r Result) String() string {
	return fmt.Sprintf("%-7s %-44s peer %-34s ours %-34s ratio %-7s %s", r.Row, r.Figure, r.Peer, r.Ours, r.ratio(), r.Verdict)
}

func (r Result) ratio() string {
	if r.Ratio == 0 {
		return "–"
	}
	return fmt.Sprintf("%.3g×", r.Ratio)
}

// atMost judges a figure of which less is better.
func atMost(x, must, stretch float64) Verdict {
	switch {
	case x <= stretch:
		return Stretch
	case x <= must:
		return Met
	}
	return Missed
}

// atLeast judges a figure of which more is better.
func atLeast(x, must, stretch float64) Verdict {
	switch {
	case x >= stretch:
		return Stretch
	case x >= must:
		return Met
	}
	return Missed
}

// worst joins the verdicts of a figure that has several goals.
func worst(vs ...Verdict) Verdict {
	order := []Verdict{Missed, Met, Stretch, Shown}
	return slices.MinFunc(vs, func(a, b Verdict) int { return slices.Index(order, a) - slices.Index(order, b) })
}

// median of at least one figure.
func median(xs []float64) float64 {
	s := slices.Clone(xs)
	slices.Sort(s)
	return s[len(s)/2]
}

// results are those of this run and, for other rows, of earlier ones.
type results struct{ Rows []Result }

func loadResults(path string) (*results, error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return &results{}, nil
	}
	if err != nil {
		return nil, err
	}
	var r results
	if err := json.Unmarshal(b, &r); err != nil {
		return nil, fmt.Errorf("%s: %w; remove it to measure anew", path, err)
	}
	return &r, nil
}

func (r *results) save(path string) error {
	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(b, '\n'), 0o600)
}

// replace puts the results of a row in place of those it had.
func (r *results) replace(id string, fresh []Result, quick bool) {
	for i := range fresh {
		fresh[i].By, fresh[i].At, fresh[i].Quick = id, time.Now().UTC(), quick
		if fresh[i].Row == "" {
			fresh[i].Row = id
		}
	}
	r.Rows = slices.DeleteFunc(r.Rows, func(old Result) bool { return old.By == id })
	r.Rows = append(r.Rows, fresh...)
	slices.SortStableFunc(r.Rows, func(a, b Result) int {
		return cmp.Or(place(a.Row)-place(b.Row), strings.Compare(a.Row, b.Row), measured(a.By)-measured(b.By))
	})
}

// place is a row's place in the table: its number, the growth rows last.
func place(id string) int {
	n := 0
	if _, err := fmt.Sscanf(id, "%d", &n); err != nil {
		return 1000
	}
	return n
}

// measured is the place of a row among those of the program.
func measured(id string) int { return slices.IndexFunc(rows, func(r row) bool { return r.id == id }) }

// The table stands between these lines of the document.
const (
	beginMark = "<!-- measured: begin (make bench writes this part) -->"
	endMark   = "<!-- measured: end -->"
)

func (r *results) writeDocument(path, bin string) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	head, rest, ok := strings.Cut(string(b), beginMark)
	_, foot, closed := strings.Cut(rest, endMark)
	if !ok || !closed {
		return fmt.Errorf("%s lacks the lines %q and %q", path, beginMark, endMark)
	}
	return os.WriteFile(path, []byte(head+beginMark+"\n\n"+r.table(bin)+"\n"+endMark+foot), 0o644)
}

func (r *results) table(bin string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n", r.machine(bin))
	b.WriteString("| # | figure | goal: must; stretch | peer, same run | ours | ratio | |\n|---|---|---|---|---|---|---|\n")
	count := map[Verdict]int{}
	for _, x := range r.Rows {
		count[x.Verdict]++
		verdict := string(x.Verdict)
		if x.Verdict == Missed {
			verdict = "**missed**"
		}
		if x.Quick {
			verdict += " (quick)"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s | %s |\n", x.Row, x.Figure, x.Goal, x.Peer, x.Ours, x.ratio(), verdict)
	}
	fmt.Fprintf(&b, "\nOf %d figures with a goal %d reach the stretch goal, %d the must, %d miss it.\n",
		len(r.Rows)-count[Shown], count[Stretch], count[Met], count[Missed])
	return b.String()
}

// span tells when the first and the last of the rows were measured.
func (r *results) span() string {
	if len(r.Rows) == 0 {
		return "never"
	}
	byTime := func(a, b Result) int { return a.At.Compare(b.At) }
	const form = "2006-01-02 15:04 UTC"
	return slices.MinFunc(r.Rows, byTime).At.Format(form) + " to " + slices.MaxFunc(r.Rows, byTime).At.Format(form)
}

// machine says what was measured, where and when.
func (r *results) machine(bin string) string {
	return fmt.Sprintf("Measured %s on %d cores (%s), Linux %s, %s. Load average at the end: %s. Peers: %s.",
		r.span(), runtime.NumCPU(), cpuModel(), kernel(), runtime.Version(), loadAverage(), peerVersions(bin))
}
