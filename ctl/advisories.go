package ctl

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"time"

	"callhome"
	"callhome/server/advisory"
)

// checkedFile is what was understood of one file, as JSON.
type checkedFile struct {
	File    string            `json:"file"`
	Notices []advisory.Notice `json:"notices"`
	Faults  []advisory.Fault  `json:"faults"`
}

// CheckAdvisories reads files and folders of notices without keeping anything, and prints what was understood. The error,
// of kind conflict, tells how many faults there are.
func CheckAdvisories(out io.Writer, paths []string, asJSON bool) (err error) {
	w, flush := output(out)
	defer flush(&err)
	t := newNoticeTable()
	files, notices, faults := 0, 0, 0
	err = advisory.ReadPaths(paths, func(name string, list []advisory.Notice, bad []advisory.Fault) error {
		files, notices, faults = files+1, notices+len(list), faults+len(bad)
		if asJSON {
			return printJSON(w, checkedFile{name, emptyNotNull(list), emptyNotNull(bad)})
		}
		for _, n := range list {
			t.addNotice(n, describeItems(n.Items))
		}
		for _, f := range bad {
			fmt.Fprintln(w, oneLine(f.Error()))
		}
		return nil
	})
	if err != nil {
		return err
	}
	if !asJSON {
		if faults > 0 {
			fmt.Fprintln(w)
		}
		t.print(w, defaultWidth)
		fmt.Fprintf(w, "\n%d files, %d notices, %d faults\n", files, notices, faults)
	}
	if faults > 0 {
		return callhome.Errorf(callhome.KindConflict, "%d faults in the files; nothing of a file with faults is imported", faults)
	}
	return nil
}

// emptyNotNull makes an empty list of none.
func emptyNotNull[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// noticeTable lists notices; the last column is about the devices.
type noticeTable struct{ table }

func newNoticeTable() *noticeTable {
	return &noticeTable{table{columns: []column{
		{"NOTICE", 24, 12}, {"SORT", 17, 8}, {"VERSION", 8, 4}, {"STATUS", 9, 5}, {"IMPACT", 8, 4}, {"TITLE", 36, 12}, {"CONCERNS", 36, 12},
	}}}
}

func (t *noticeTable) addNotice(n advisory.Notice, concerns string) {
	t.add(n.Ident, string(n.Sort), n.Version, string(n.Status), n.Impact, n.Title, concerns)
}

// describeItems says in short what a notice looks for.
func describeItems(items []advisory.Item) string {
	var words []string
	for _, it := range items {
		if it.Claim != advisory.ClaimAffected {
			continue
		}
		parts := append([]string{it.Platform}, it.Products...)
		parts = append(parts, it.Parts...)
		for _, s := range it.Serials {
			parts = append(parts, strings.TrimSuffix(s.From+"-"+s.To, "-"))
		}
		parts = append(parts, it.Versions)
		if it.HWVersions != "" {
			parts = append(parts, "hardware "+it.HWVersions)
		}
		if len(parts) == 2 && parts[0] == "" && parts[1] == "" {
			parts = []string{it.Name}
		}
		words = append(words, strings.Join(strings.Fields(strings.Join(parts, " ")), " "))
	}
	if len(words) == 0 {
		return "nothing that is known here"
	}
	return strings.Join(words, "; ")
}

// PrintNotices lists stored notices with the number of devices in each state.
func PrintNotices(out io.Writer, notices []advisory.Notice, counts map[int64]map[advisory.State]int64, asJSON bool) (err error) {
	w, flush := output(out)
	defer flush(&err)
	if asJSON {
		type object struct {
			advisory.Notice
			Devices map[advisory.State]int64 `json:"devices"`
		}
		list := []object{}
		for _, n := range notices {
			n.Items = nil
			list = append(list, object{n, counts[n.ID]})
		}
		return printJSON(w, list)
	}
	t := newNoticeTable()
	for _, n := range notices {
		t.addNotice(n, fmt.Sprintf("%d affected, %d unknown", counts[n.ID][advisory.Affected], counts[n.ID][advisory.Unsure]))
	}
	t.print(w, defaultWidth)
	fmt.Fprintf(w, "\n%d notices\n", len(notices))
	return nil
}

// PrintNotice prints one notice in full, with the versions that were imported.
func PrintNotice(out io.Writer, n advisory.Notice, editions []advisory.Edition, asJSON bool) (err error) {
	w, flush := output(out)
	defer flush(&err)
	if asJSON {
		return printJSON(w, struct {
			advisory.Notice
			Editions []advisory.Edition `json:"editions"`
		}{n, emptyNotNull(editions)})
	}
	score := ""
	if n.Vector != "" {
		score = fmt.Sprintf("%.1f (%s)", n.Score, n.Vector)
	}
	m := n.Milestones
	for _, line := range [][2]string{
		{"Notice", n.Ident}, {"Number", fmt.Sprint(n.ID)}, {"Publisher", n.Publisher}, {"Sort", string(n.Sort)}, {"Version", n.Version + ", " + string(n.Status)}, {"Title", n.Title},
		{"Impact", n.Impact}, {"CVSS", score}, {"CVE", strings.Join(n.CVEs, " ")}, {"Released", dateOf(n.Released)}, {"Updated", dateOf(n.Updated)}, {"Summary", n.Summary},
		{"Workaround", n.Workaround}, {"Fix", n.Fix}, {"Announced", dateOf(m.Announced)}, {"End of sale", dateOf(m.EndOfSale)}, {"End of software", dateOf(m.EndOfSoftware)},
		{"End of security", dateOf(m.EndOfSecurity)}, {"Last support", dateOf(m.LastSupport)}, {"Replacement", m.Replacement}, {"Concerns", describeItems(n.Items)}, {"See", n.URL},
	} {
		if line[1] != "" {
			fmt.Fprintf(w, "%-16s %s\n", line[0]+":", oneLine(line[1]))
		}
	}
	for _, e := range editions {
		fmt.Fprintf(w, "%-16s %s, %s, imported %s\n", "Edition:", e.Version, e.Status, e.StoredAt.UTC().Format(time.RFC3339))
	}
	return nil
}

func dateOf(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.DateOnly)
}

// PrintAnswers lists what notices mean for devices, each with the evidence. name gives a device's name for people.
func PrintAnswers(out io.Writer, answers []advisory.Stored, name func(device int64) string, asJSON bool) (err error) {
	w, flush := output(out)
	defer flush(&err)
	if asJSON {
		return printJSON(w, emptyNotNull(answers))
	}
	t := table{columns: []column{{"DEVICE", 20, 8}, {"NOTICE", 24, 12}, {"IMPACT", 8, 4}, {"STATE", 12, 8}, {"SINCE", 10, 10}, {"EVIDENCE", 60, 12}}}
	for _, a := range answers {
		var texts []string
		for _, e := range a.Result.Evidence() {
			texts = append(texts, e.Text())
		}
		t.add(name(a.Device), a.Ident, a.Impact, string(a.State), dateOf(a.Since), strings.Join(texts, "; "))
	}
	t.print(w, defaultWidth)
	fmt.Fprintf(w, "\n%d answers\n", len(answers))
	return nil
}

// PrintImported tells what became of imported notices, and which files were not taken.
func PrintImported(out io.Writer, list []advisory.Imported, faults []advisory.Fault, asJSON bool) (err error) {
	w, flush := output(out)
	defer flush(&err)
	if asJSON {
		return printJSON(w, struct {
			Imported []advisory.Imported `json:"imported"`
			Faults   []advisory.Fault    `json:"faults"`
		}{emptyNotNull(list), emptyNotNull(faults)})
	}
	for _, f := range faults {
		fmt.Fprintln(w, oneLine(f.Error()))
	}
	counts := map[advisory.Outcome]int{}
	t := table{columns: []column{{"NOTICE", 24, 12}, {"VERSION", 8, 4}, {"OUTCOME", 10, 9}, {"TITLE", 60, 12}}}
	for _, i := range list {
		counts[i.Outcome]++
		if i.Outcome != advisory.OutcomeUnchanged {
			t.add(i.Notice.Ident, i.Notice.Version, string(i.Outcome), i.Notice.Title)
		}
	}
	if len(t.rows) > 0 {
		t.print(w, defaultWidth)
		fmt.Fprintln(w)
	}
	printOutcomes(w, counts, len(faults))
	return nil
}

func printOutcomes(w *bufio.Writer, counts map[advisory.Outcome]int, faults int) {
	var words []string
	for _, o := range []advisory.Outcome{advisory.OutcomeNew, advisory.OutcomeUpdated, advisory.OutcomeWithdrawn, advisory.OutcomeUnchanged, advisory.OutcomeOlder} {
		words = append(words, fmt.Sprintf("%d %s", counts[o], o))
	}
	fmt.Fprintf(w, "%s, %d faults\n", strings.Join(words, ", "), faults)
}
