package advisory

import (
	"context"
	"reflect"
	"strings"
	"time"

	"callhome"
	"callhome/server/account"
	"callhome/server/confighistory"
	"callhome/server/inventory"
)

// Event is a change of the answer for a notice and a device.
type Event struct {
	Notice   Notice            `json:"notice"` // without items
	Device   int64             `json:"device_id"`
	Company  account.CompanyID `json:"-"`
	From     State             `json:"from"` // NoConcern when there was no answer
	To       State             `json:"to"`
	At       time.Time         `json:"at"`
	Evidence []Evidence        `json:"evidence,omitempty"`
}

// Newly reports whether the device was not known to be affected before: a finding for those who look after it.
func (e Event) Newly() bool { return e.To == Affected }

// MatchDevice holds a device against all notices that may concern it, keeps the answers and gives what changed. It is
// called when the inventory or configuration of the device changed. Repeated, it changes nothing.
func MatchDevice(ctx context.Context, store Store, f Facts, at time.Time) ([]Event, error) {
	ids, err := store.Candidates(ctx, f.keys())
	if err != nil {
		return nil, err
	}
	answers, err := store.AnswersOf(ctx, f.Device)
	if err != nil {
		return nil, err
	}
	var events []Event
	m := newMemo()
	for _, id := range ids {
		n, err := store.Notice(ctx, id)
		if err != nil {
			return nil, err
		}
		had, known := answers[id]
		delete(answers, id)
		if events, err = judge(ctx, store, m, &n, &f, had, known, at, events); err != nil {
			return nil, err
		}
	}
	for id, had := range answers { // notices that found the device before and do not any more
		if had.State == NotAffected {
			continue
		}
		n, err := store.Notice(ctx, id)
		if err != nil {
			return nil, err
		}
		if events, err = judge(ctx, store, m, &n, &f, had, true, at, events); err != nil {
			return nil, err
		}
	}
	return events, nil
}

// judge matches, keeps the answer where there is something to keep, and adds an event where it changed.
func judge(ctx context.Context, store Store, m *memo, n *Notice, f *Facts, had Stored, known bool, at time.Time, events []Event) ([]Event, error) {
	res, err := m.match(n, f)
	if err != nil {
		return events, err
	}
	if res.State == NoConcern && known {
		res.State = NotAffected
	}
	if res.State == NoConcern || !known && res.State == NotAffected {
		return events, nil
	}
	if known && had.State == res.State && reflect.DeepEqual(had.Result, res) {
		return events, nil
	}
	next := Stored{ID: had.ID, Notice: n.ID, Device: f.Device, Company: f.Company, Sort: n.Sort, State: res.State, Since: had.Since, Checked: at, Result: res}
	if !known || had.State != res.State {
		next.Since = at
		head := *n
		head.Items = nil
		events = append(events, Event{Notice: head, Device: f.Device, Company: f.Company, From: had.State, To: res.State, At: at, Evidence: res.Evidence()})
	}
	return events, store.PutAnswer(ctx, next)
}

// MatchBatch holds the devices above an ID, at most limit in the order of their IDs, against one notice: what a new
// notice or a new version needs. It gives the changes and the last device looked at; next is 0 when all were. The caller
// runs each batch in a transaction of its own and shows how far it is.
func MatchBatch(ctx context.Context, store Store, inv inventory.Store, conf confighistory.Store, n *Notice, after int64, limit int, at time.Time) (events []Event, next int64, err error) {
	heads, err := inv.Heads(ctx, after, limit)
	if err != nil || len(heads) == 0 {
		return nil, 0, err
	}
	last := heads[len(heads)-1].Device
	list, err := store.AnswersFor(ctx, n.ID, after, limit)
	if err != nil {
		return nil, 0, err
	}
	answers := make(map[int64]Stored, len(list))
	for _, s := range list {
		answers[s.Device] = s
	}
	m := newMemo()
	for _, h := range heads {
		f, _, err := loadHead(ctx, inv, conf, h)
		if err != nil {
			return nil, 0, err
		}
		had, known := answers[h.Device]
		if events, err = judge(ctx, store, m, n, &f, had, known, at, events); err != nil {
			return nil, 0, err
		}
	}
	if len(heads) < limit {
		return events, 0, nil
	}
	return events, last, nil
}

// Outcome is what became of an imported notice.
type Outcome string

// The outcomes.
const (
	OutcomeNew       Outcome = "new"
	OutcomeUpdated   Outcome = "updated"
	OutcomeUnchanged Outcome = "unchanged"
	OutcomeOlder     Outcome = "older" // a newer version is stored: the file is not taken
	OutcomeWithdrawn Outcome = "withdrawn"
)

// Imported is one notice and its outcome.
type Imported struct {
	Notice  Notice  `json:"notice"` // with its ID; without items
	Outcome Outcome `json:"outcome"`
	Rematch bool    `json:"rematch"` // devices have to be held against it, by MatchBatch
}

// Import stores a notice unless it is stored already, or a newer version of it. The same version with other content is
// taken: makers correct without counting.
func Import(ctx context.Context, store Store, n Notice, at time.Time) (Imported, error) {
	old, known, err := store.ByIdent(ctx, n.Publisher, n.Ident)
	if err != nil {
		return Imported{}, err
	}
	out := Imported{Outcome: OutcomeNew}
	if known {
		n.ID = old.ID
		out.Outcome = OutcomeUpdated
		order, ordered := CompareVersions(string(SchemeSemver), n.Version, old.Version)
		switch {
		case n.Hash() == old.Hash():
			out.Outcome = OutcomeUnchanged
		case ordered && order < 0:
			out.Outcome = OutcomeOlder
		case n.Status == Withdrawn && old.Status != Withdrawn:
			out.Outcome = OutcomeWithdrawn
		}
	}
	if out.Outcome != OutcomeUnchanged && out.Outcome != OutcomeOlder {
		if err := store.PutNotice(ctx, &n, at); err != nil {
			return Imported{}, err
		}
		out.Rematch = known || n.Status != Withdrawn
	}
	out.Notice = n
	out.Notice.Items = nil
	return out, nil
}

// Withdraw marks a stored notice as withdrawn by an operator. Devices have to be held against it afterwards.
func Withdraw(ctx context.Context, store Store, id int64, reason string, at time.Time) (Imported, error) {
	n, err := store.Notice(ctx, id)
	if err != nil {
		return Imported{}, err
	}
	if n.Status == Withdrawn {
		return Imported{}, callhome.Errorf(callhome.KindConflict, "%s is withdrawn already", n.Ident)
	}
	n.Status = Withdrawn
	if reason != "" {
		n.Summary = strings.TrimSpace("Withdrawn by the operator: " + reason + "\n" + n.Summary)
	}
	if err := store.PutNotice(ctx, &n, at); err != nil {
		return Imported{}, err
	}
	n.Items = nil
	return Imported{Notice: n, Outcome: OutcomeWithdrawn, Rematch: true}, nil
}

// cveKeys are the keys of vulnerabilities.
func cveKeys(cves []string) []string {
	var out []string
	for _, c := range cves {
		out = append(out, CVEKey(c))
	}
	return out
}

// CVEKey is the key of a vulnerability.
func CVEKey(cve string) string { return "c:" + strings.ToLower(cve) }

// Review gathers the facts of a device and holds it against all notices that may concern it: see MatchDevice. It does
// nothing for a device without an inventory.
func Review(ctx context.Context, store Store, inv inventory.Store, conf confighistory.Store, device int64, at time.Time) ([]Event, error) {
	f, ok, err := Load(ctx, inv, conf, device)
	if err != nil || !ok {
		return nil, err
	}
	return MatchDevice(ctx, store, f, at)
}

// ImportFile reads a file and imports its notices. Of a file with faults nothing is taken.
func ImportFile(ctx context.Context, store Store, name string, b []byte, at time.Time) ([]Imported, []Fault, error) {
	notices, faults := ReadFile(name, b)
	if len(faults) > 0 {
		return nil, faults, nil
	}
	var out []Imported
	for _, n := range notices {
		one, err := Import(ctx, store, n, at)
		if err != nil {
			return nil, nil, err
		}
		out = append(out, one)
	}
	return out, nil, nil
}

// Milestone is a day in the end of a product's life that comes.
type Milestone struct {
	Notice Notice    `json:"notice"` // without items
	Word   string    `json:"word"`   // such as "end of support"
	At     time.Time `json:"at"`
}

// Due gives the milestones after from up to to, so that those who have affected devices are told in time. It goes through
// all ends of life, page by page: call it once a day.
func Due(ctx context.Context, store Store, from, to time.Time) ([]Milestone, error) {
	var out []Milestone
	page := account.Page{Limit: account.MaxLimit}
	for {
		list, err := store.Notices(ctx, NoticeFilter{Sort: EndOfLife}, page)
		if err != nil {
			return nil, err
		}
		for _, n := range list {
			for _, s := range n.Milestones.steps() {
				if n.Status != Withdrawn && s.at.After(from) && !s.at.After(to) {
					out = append(out, Milestone{n, s.word, s.at})
				}
			}
		}
		if len(list) < page.Limit {
			return out, nil
		}
		page.After = list[len(list)-1].ID
	}
}
