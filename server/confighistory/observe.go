package confighistory

import (
	"context"
	"strings"
	"time"

	"callhome"
	"callhome/server/account"
)

// Observation is one message of a known device.
type Observation struct {
	Device   int64
	Company  account.CompanyID
	Received time.Time
	Message  *callhome.Message
}

// Result is what a message did to the configurations of its device.
type Result struct {
	Changed []Change // a new revision of a kind each
	Partial []string // commands whose output was no whole configuration
}

// Change is a new revision.
type Change struct {
	Revision Revision
	First    bool // the device had none of this kind before
	// Diff is the difference from the revision before, masked, as diff -u prints it; "" for the first.
	Diff string
}

// Facts reports whether anything that advisories are matched with may have changed.
func (r Result) Facts() bool { return len(r.Changed) > 0 }

// Observe takes in the configurations of a message. It is idempotent: a message that is observed again stores nothing
// and gives again what it changed the first time. Called within one transaction it happens once or not at all. A message
// without configurations costs a look at its attachments' names.
func Observe(ctx context.Context, store Store, o Observation) (Result, error) {
	found, partial := Find(o.Message)
	res := Result{Partial: partial}
	for _, f := range found {
		c, changed, err := observeOne(ctx, store, o, f)
		if err != nil {
			return Result{}, err
		}
		if changed {
			res.Changed = append(res.Changed, c)
		}
	}
	return res, nil
}

func observeOne(ctx context.Context, store Store, o Observation, f Found) (Change, bool, error) {
	head, known, err := store.Head(ctx, o.Device, f.Kind)
	if err != nil {
		return Change{}, false, err
	}
	form, at, id := Normalise(f.Text), o.Received, storedID(o.Message.MessageID)
	if !o.Message.EventTime.IsZero() {
		at = o.Message.EventTime.Time
	}
	if known && head.Form == form.Hash {
		head.SeenAt = at
		if head.Salted != form.Salted {
			head.Salted, head.SaltedAt, head.SaltedMsg = form.Salted, at, id
		}
		return Change{}, false, store.Touch(ctx, head)
	}
	if rev, again, err := store.ByMessage(ctx, o.Device, f.Kind, id); err != nil || again {
		return Change{Revision: rev, First: rev.Number == 1}, again, err
	}
	b := pack(f.Text)
	next := Head{SeenAt: at, Salted: form.Salted, Revision: Revision{
		Device: o.Device, Company: o.Company, Kind: f.Kind, Number: head.Number + 1, Command: f.Command, MessageID: id, At: at,
		StoredAt: o.Received, Form: form.Hash, Blob: b.Hash, Size: b.Size, Lines: form.Lines,
	}}
	c := Change{First: !known}
	if known {
		before, err := textOf(ctx, store, head.Blob)
		if err != nil {
			return Change{}, false, err
		}
		c.Diff = Unified(label(head.Revision), label(next.Revision), before, f.Text, false)
		next.Added, next.Removed = countChanges(c.Diff)
	}
	c.Revision = next.Revision
	return c, true, store.Put(ctx, next, b)
}

// maxID bounds a message ID in bytes: an index takes no more, and no real one comes near it.
const maxID = 240

// storedID is a message ID without what a database refuses.
func storedID(id callhome.MessageID) callhome.MessageID {
	s := strings.ToValidUTF8(string(id[:min(len(id), maxID)]), "")
	return callhome.MessageID(strings.ReplaceAll(s, "\x00", ""))
}

func textOf(ctx context.Context, store Store, hash string) (string, error) {
	data, err := store.Blob(ctx, hash)
	if err != nil {
		return "", err
	}
	return unpack(data)
}
