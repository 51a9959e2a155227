package account

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"callhome"
)

// Entry is one line of the audit log: who did what to what. Entries are a chain: each carries the hash of the one before
// it, so that none can be changed or taken out without breaking all that follow.
type Entry struct {
	Seq     int64          `json:"seq"` // from 1, without gaps
	At      time.Time      `json:"at"`
	Actor   string         `json:"actor"`
	Action  string         `json:"action"` // kind of record, dot, verb: token.create
	Object  string         `json:"object"` // kind and name: "token backup"
	Company CompanyID      `json:"company,omitempty"`
	Detail  map[string]any `json:"-"`
	Text    string         `json:"detail,omitempty"` // Detail as stored and hashed: JSON
	Prev    string         `json:"prev"`             // hash of the entry before, 64 zeros of the first
	Hash    string         `json:"hash"`             // SHA-256, hex
}

// Link is one place in the chain. Kept elsewhere, such as in a safe, it proves later that nothing before it was changed
// and that nothing was cut off.
type Link struct {
	Seq  int64     `json:"seq"`
	Hash string    `json:"hash"`
	At   time.Time `json:"at,omitzero"`
}

// AuditFilter chooses entries; empty fields choose all.
type AuditFilter struct {
	Actor  string
	Action string // or the beginning of one, up to a dot
	Since  time.Time
}

// genesis stands before the first entry.
var genesis = strings.Repeat("0", 2*sha256.Size)

// Append adds an entry to the audit log, in the caller's transaction: it stands there if and only if what it tells of
// happened. Concurrent appends wait for each other.
func Append(ctx context.Context, j Journal, e Entry) error {
	head, err := j.AuditHead(ctx)
	if err != nil {
		return err
	}
	text := []byte{}
	if len(e.Detail) > 0 {
		if text, err = json.Marshal(e.Detail); err != nil {
			return err
		}
	}
	e.Seq, e.Prev, e.Text = head.Seq+1, head.Hash, string(text)
	if e.Seq == 1 {
		e.Prev = genesis
	}
	e.At = e.At.UTC().Truncate(time.Microsecond) // as the store keeps it
	e.Actor, e.Action, e.Object = clean(e.Actor), clean(e.Action), clean(e.Object)
	e.Hash = e.sum()
	return j.AddAudit(ctx, &e)
}

// maxAuditWord bounds what strangers can put into the log.
const maxAuditWord = 512

// clean makes a word one that every database keeps as it is.
func clean(s string) string {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
	if len(s) > maxAuditWord {
		s = strings.ToValidUTF8(s[:maxAuditWord], "")
	}
	return s
}

// sum is the entry's hash: over a version, then each field with its length before it, so that no two entries have the
// same bytes.
func (e *Entry) sum() string {
	h := sha256.New()
	field := func(s string) {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(s)))
		_, _ = h.Write(n[:])
		_, _ = h.Write([]byte(s))
	}
	field("callhome audit 1")
	for _, n := range []int64{e.Seq, e.At.UnixMicro(), int64(e.Company)} {
		field(fmt.Sprint(n))
	}
	for _, s := range []string{e.Actor, e.Action, e.Object, e.Text, e.Prev} {
		field(s)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Verdict is what a check of the audit log found.
type Verdict struct {
	Entries int64  `json:"entries"`
	Head    Link   `json:"head"`              // the newest entry that was checked
	Broken  int64  `json:"broken,omitempty"`  // sequence number of the first entry that does not fit; 0: none
	Because string `json:"because,omitempty"` // in words
}

// OK reports whether the chain is whole.
func (v *Verdict) OK() bool { return v.Broken == 0 }

// verifyPage is how many entries are read at a time.
const verifyPage = 1000

// Verify walks the whole audit log and names the first entry that was changed, taken out or put in. Links that were kept
// elsewhere are compared, too: only they tell of a log that was cut off or written anew. progress may be nil.
func Verify(ctx context.Context, j Journal, kept []Link, progress func(done int64)) (*Verdict, error) {
	v := &Verdict{Head: Link{Hash: genesis}}
	known := map[int64]string{}
	var newest int64
	for _, l := range kept {
		known[l.Seq] = l.Hash
		newest = max(newest, l.Seq)
	}
	for {
		page, err := j.AuditFrom(ctx, v.Head.Seq+1, verifyPage)
		if err != nil {
			return nil, err
		}
		for k := range page {
			e := &page[k]
			if v.Because = e.fault(v.Head, known[e.Seq]); v.Because != "" {
				v.Broken = v.Head.Seq + 1
				return v, nil
			}
			v.Entries, v.Head = v.Entries+1, Link{Seq: e.Seq, Hash: e.Hash, At: e.At}
		}
		if progress != nil {
			progress(v.Entries)
		}
		if len(page) < verifyPage {
			break
		}
	}
	head, err := j.AuditHead(ctx)
	if err != nil {
		return nil, err
	}
	switch {
	case newest > v.Head.Seq:
		v.Broken, v.Because = v.Head.Seq+1, fmt.Sprintf("the log ends at entry %d; a kept link tells of entry %d", v.Head.Seq, newest)
	case head.Seq > v.Head.Seq && head.Seq != 0:
		v.Broken, v.Because = v.Head.Seq+1, fmt.Sprintf("the log ends at entry %d; its head tells of entry %d", v.Head.Seq, head.Seq)
	}
	return v, nil
}

// fault says in words what is wrong with an entry that follows head; "" when nothing is.
func (e *Entry) fault(head Link, kept string) string {
	switch {
	case e.Seq != head.Seq+1:
		return fmt.Sprintf("entry %d is missing; the next one is %d", head.Seq+1, e.Seq)
	case e.Prev != head.Hash:
		return fmt.Sprintf("entry %d does not follow the entry before it", e.Seq)
	case e.Hash != e.sum():
		return fmt.Sprintf("entry %d was changed", e.Seq)
	case kept != "" && kept != e.Hash:
		return fmt.Sprintf("entry %d is not the one of the kept link", e.Seq)
	}
	return ""
}

// Checkpoint is the newest link, to be kept elsewhere.
func Checkpoint(ctx context.Context, j Journal) (Link, error) {
	head, err := j.AuditHead(ctx)
	if err == nil && head.Seq == 0 {
		return Link{}, callhome.Errorf(callhome.KindNotFound, "the audit log is empty")
	}
	return head, err
}
