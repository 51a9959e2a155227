// Package ticketmail hands cases to a ticket system, or a team, that takes mail, and takes answers to those mails back.
//
// Every mail of a case has the same mark in its subject, "[SR-000123 #0f1e2d3c4b5a]", where the second part is made of a
// secret: only who got a mail can answer it. An answer's first line may be a command (ack, pending, vendor, resolve,
// close, reopen); everything else is a note. All mails of a case are one thread, and a repeat has the same Message-ID.
package ticketmail

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/mail"
	"regexp"
	"strings"
	"time"

	"callhome"
	"callhome/codec/mimemail"
	"callhome/server/casework"
)

// Outbox takes mails that are to be delivered; *outbox.Queue is one. Nil means that they are durable there.
type Outbox interface {
	Put(ctx context.Context, envelopes ...callhome.Envelope) error
}

// Config is one entry of the block `tickets.mail`.
type Config struct {
	Name       string          `yaml:"name" json:"name"`
	To         string          `yaml:"to" json:"to"`
	From       string          `yaml:"from" json:"from"`                        // where answers come to: a mailbox that the server reads
	Secret     callhome.Secret `yaml:"secret,omitempty" json:"secret,omitzero"` // makes the marks; empty: answers are refused
	SecretFile string          `yaml:"secret_file,omitempty" json:"secret_file,omitempty"`
	Allow      []string        `yaml:"allow,omitempty" json:"allow,omitempty"` // addresses or @domains that may answer; empty: that of To
}

// Validate names every fault with its key, which begins with path.
func (c *Config) Validate(path string) error {
	var errs []error
	if c.Name == "" {
		errs = append(errs, fmt.Errorf("%s.name: is missing", path))
	}
	for _, a := range []struct{ key, value string }{{"to", c.To}, {"from", c.From}} {
		if _, err := mail.ParseAddress(a.value); err != nil {
			errs = append(errs, fmt.Errorf("%s.%s: %q is not an address; write it as user@host.example", path, a.key, a.value))
		}
	}
	to, err1 := mail.ParseAddress(c.To)
	from, err2 := mail.ParseAddress(c.From)
	if err1 == nil && err2 == nil && strings.EqualFold(to.Address, from.Address) {
		errs = append(errs, fmt.Errorf("%s.to: is the same address as from: mails would go round in circles", path))
	}
	return errors.Join(errs...)
}

// Adapter is a casework.Adapter.
type Adapter struct {
	cfg Config
	out Outbox
}

// New makes an adapter of a valid configuration whose secret was read.
func New(cfg Config, out Outbox) *Adapter { return &Adapter{cfg: cfg, out: out} }

// Name is how teams name it.
func (a *Adapter) Name() string { return a.cfg.Name }

// markLength in hexadecimal digits: 48 bits, each guess a mail.
const markLength = 12

func (a *Adapter) mark(n casework.CaseNumber) string {
	if a.cfg.Secret.IsZero() {
		sum := sha256.Sum256([]byte(n)) // keeps threads together; answers are refused
		return hex.EncodeToString(sum[:])[:markLength]
	}
	return casework.Sign(a.cfg.Secret, []byte("ticket mail "+string(n)))[:markLength]
}

// Push puts a mail into the outbox. After a lost answer the same mail is put again, with the same Message-ID.
func (a *Adapter) Push(ctx context.Context, p *casework.Push, _ *casework.Link) (casework.Receipt, error) {
	c, e := &p.Snapshot.Case, &p.Snapshot.Event
	text := e.Sentence() + "\n\n" + casework.Describe(c)
	if p.Kind == casework.PushCreate {
		text = casework.Describe(c)
	}
	text += "\nState: " + string(c.State) + "\n\nAnswer with ack, pending, vendor, resolve, close or reopen in the first line, or with a note."
	m := mimemail.Mail{
		From: a.cfg.From, To: []string{a.cfg.To}, Date: e.At.UTC(), MessageID: callhome.MessageID(strings.ReplaceAll(p.Key, "/", ":")),
		Copy: a.cfg.Name, Thread: string(c.Number), Body: []byte(casework.Signed(text, p.Key)),
		Subject: fmt.Sprintf("[%s #%s] P%d %s: %s", c.Number, a.mark(c.Number), c.Priority, c.Subject.Host, c.Title),
	}
	body, err := mimemail.Append(nil, &m)
	if err != nil {
		return casework.Receipt{}, casework.Refuse(err)
	}
	to, err := mail.ParseAddress(a.cfg.To)
	if err != nil {
		return casework.Receipt{}, casework.Refuse(err)
	}
	from, err := mail.ParseAddress(a.cfg.From)
	if err != nil {
		return casework.Receipt{}, casework.Refuse(err)
	}
	err = a.out.Put(ctx, callhome.Envelope{
		MessageID: m.MessageID, Device: "callhome", Profile: callhome.ProfileName(a.cfg.Name), Format: callhome.FormatFull,
		Destination: callhome.Destination{Transport: callhome.TransportEmail, Address: to.Address}, From: from.Address, Body: body,
	})
	return casework.Receipt{Remote: string(c.Number)}, err
}

var subjectForm = regexp.MustCompile(`\[([A-Z]{1,8}-[0-9]{6,}) #([0-9a-f]{12})\]`)

// IsAnswer reports whether a mail with this subject may be an answer to one of ours: intake asks before it takes a mail
// for a device's message.
func IsAnswer(subject string) bool { return subjectForm.MatchString(subject) }

// Answer is a mail that came to us.
type Answer struct {
	From      string // as written
	Subject   string // decoded
	MessageID string
	Automatic bool // it has Auto-Submitted other than "no", or is a bounce
	Date      time.Time
	Text      string
}

// commands are what the first line of an answer may be.
var commands = map[string]casework.State{
	"ack": casework.StateAcknowledged, "acknowledge": casework.StateAcknowledged, "pending": casework.StatePendingCustomer, "vendor": casework.StatePendingVendor,
	"resolve": casework.StateResolved, "resolved": casework.StateResolved, "close": casework.StateClosed, "closed": casework.StateClosed, "reopen": casework.StateOpen,
}

// Read makes updates of an answer. Programs' answers give none; a wrong mark, or a sender who may not answer, is
// callhome.KindDenied. The mark decides: senders of mails can be forged.
func (a *Adapter) Read(m *Answer, now time.Time) ([]casework.Update, error) {
	found := subjectForm.FindStringSubmatch(m.Subject)
	if found == nil {
		return nil, callhome.Errorf(callhome.KindInvalid, "the subject has no mark of a service request")
	}
	if m.Automatic {
		return nil, nil
	}
	if a.cfg.Secret.IsZero() {
		return nil, callhome.Errorf(callhome.KindDenied, "no secret is configured, so answers are not taken")
	}
	if !casework.SameText(found[2], a.mark(casework.CaseNumber(found[1]))) {
		return nil, callhome.Errorf(callhome.KindDenied, "the mark in the subject is wrong")
	}
	from, err := mail.ParseAddress(m.From)
	if err != nil || !a.allowed(from.Address) {
		return nil, callhome.Errorf(callhome.KindDenied, "%q may not answer", m.From)
	}
	u := casework.Update{Remote: found[1], EventID: m.MessageID, At: now, Who: from.Address}
	text := unquoted(m.Text)
	first, rest, _ := strings.Cut(text, "\n")
	word := strings.ToLower(strings.Trim(strings.TrimSpace(first), ".!"))
	if s, ok := commands[word]; ok {
		u.State, u.Word, text = s, word+" by mail of "+now.UTC().Format(time.RFC3339), strings.TrimSpace(rest)
	}
	u.Comment = text
	return []casework.Update{u}, nil
}

func (a *Adapter) allowed(address string) bool {
	allow := a.cfg.Allow
	if len(allow) == 0 {
		allow = []string{a.cfg.To}
	}
	for _, w := range allow {
		if p, err := mail.ParseAddress(w); err == nil {
			w = p.Address
		}
		domain := strings.HasPrefix(w, "@") && len(address) > len(w) && strings.EqualFold(w, address[len(address)-len(w):])
		if domain || strings.EqualFold(w, address) {
			return true
		}
	}
	return false
}

// unquoted drops what an answer quotes, and the signature: lines from the first quoted one on.
func unquoted(s string) string {
	var out []string
	quotes := false
	for _, line := range strings.Split(strings.ReplaceAll(s, "\r\n", "\n"), "\n") {
		if strings.HasPrefix(line, ">") || line == "-- " || strings.HasPrefix(line, "-----Original Message") {
			quotes = line != "-- "
			break
		}
		out = append(out, line)
	}
	for len(out) > 0 && strings.TrimSpace(out[len(out)-1]) == "" {
		out = out[:len(out)-1]
	}
	if n := len(out); quotes && n > 0 && strings.HasSuffix(strings.TrimSpace(out[n-1]), ":") { // "On Monday Ana wrote:"
		out = out[:n-1]
	}
	return strings.TrimSpace(strings.Join(out, "\n"))
}
