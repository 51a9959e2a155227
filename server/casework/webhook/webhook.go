// Package webhook hands cases to any system that takes JSON by HTTPS, and takes changes of them back the same way.
//
// Both directions are signed alike: X-Callhome-Timestamp holds seconds since 1970, X-Callhome-Signature "v1=" and the
// HMAC-SHA256, in hexadecimal, of the timestamp, a dot and the body. Ours also carry Idempotency-Key, the same in every
// try. What the other side answers, and what it sends, is described at [Answer] and [Change].
package webhook

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"callhome"
	"callhome/server/casework"
)

// Header fields of both directions.
const (
	HeaderTimestamp = "X-Callhome-Timestamp"
	HeaderSignature = "X-Callhome-Signature"
	HeaderKey       = "Idempotency-Key"
)

// Config is one entry of the block `tickets.webhook`.
type Config struct {
	Name          string                    `yaml:"name" json:"name"`
	URL           string                    `yaml:"url" json:"url"`
	Secret        callhome.Secret           `yaml:"secret,omitempty" json:"secret,omitzero"` // signs both directions
	SecretFile    string                    `yaml:"secret_file,omitempty" json:"secret_file,omitempty"`
	States        map[string]casework.State `yaml:"states,omitempty" json:"states,omitempty"` // their words; ours are known
	TrustPoints   []string                  `yaml:"trust_points,omitempty" json:"trust_points,omitempty"`
	AllowInsecure bool                      `yaml:"insecure,omitempty" json:"insecure,omitempty"` // http to hosts other than this one
}

// Validate names every fault with its key, which begins with path.
func (c *Config) Validate(path string) error {
	errs := []error{casework.CheckURL(path+".url", c.URL, c.AllowInsecure), casework.CheckStates(path+".states", c.States)}
	if c.Name == "" {
		errs = append(errs, fmt.Errorf("%s.name: a name is needed, which teams use under tickets", path))
	}
	if c.Secret.IsZero() && c.SecretFile == "" {
		errs = append(errs, fmt.Errorf("%s.secret: what we send must be signed; give secret or secret_file", path))
	}
	return errors.Join(errs...)
}

// Adapter is a casework.Adapter and casework.Receiver.
type Adapter struct {
	cfg    Config
	caller *casework.Caller
	now    func() time.Time
}

// New makes an adapter of a valid configuration whose secret was read. A nil tlsConfig trusts the system's certificates.
func New(cfg Config, tlsConfig *tls.Config) *Adapter {
	return &Adapter{cfg: cfg, caller: casework.NewCaller(tlsConfig, nil), now: time.Now}
}

// Name is how teams name it.
func (a *Adapter) Name() string { return a.cfg.Name }

// Notice is what we send.
type Notice struct {
	Key    string              `json:"key"`
	Kind   casework.PushKind   `json:"kind"`
	Number casework.CaseNumber `json:"number"`
	Remote string              `json:"remote,omitempty"` // their name, once they have told it
	Text   string              `json:"text"`
	Case   casework.Case       `json:"case"`
	Event  casework.Event      `json:"event"`
}

// Answer is what the other side may answer; nothing at all is fine, then the case is known there by our number.
type Answer struct {
	ID    string `json:"id"`
	URL   string `json:"url"`
	State string `json:"state"`
}

// Push sends a notice.
func (a *Adapter) Push(ctx context.Context, p *casework.Push, l *casework.Link) (casework.Receipt, error) {
	c := &p.Snapshot.Case
	body, err := json.Marshal(Notice{
		Key: p.Key, Kind: p.Kind, Number: c.Number, Remote: l.Remote, Text: p.Snapshot.Event.Sentence(), Case: *c, Event: p.Snapshot.Event,
	})
	if err != nil {
		return casework.Receipt{}, casework.Refuse(err)
	}
	stamp := strconv.FormatInt(a.now().Unix(), 10)
	var raw json.RawMessage
	err = a.caller.CallRaw(ctx, http.MethodPost, a.cfg.URL, body, &raw,
		HeaderKey, p.Key, HeaderTimestamp, stamp, HeaderSignature, "v1="+casework.Sign(a.cfg.Secret, []byte(stamp+"."), body))
	var answer Answer
	if err == nil || isAnswer(err) { // it was taken; an answer without JSON says nothing more
		_ = json.Unmarshal(raw, &answer)
		err = nil
	}
	if p.Kind == casework.PushCreate && answer.ID == "" {
		answer.ID = string(c.Number)
	}
	return casework.Receipt{Remote: answer.ID, URL: answer.URL, State: answer.State}, err
}

// isAnswer reports whether the other side answered success with something that is not JSON.
func isAnswer(err error) bool {
	var syntax *json.SyntaxError
	return errors.As(err, &syntax)
}

// Change is what the other side sends. ID is the one it answered, or our number. State is one of its words in the
// configuration, or one of ours.
type Change struct {
	EventID  string    `json:"event_id"`
	ID       string    `json:"id"`
	At       time.Time `json:"at"`
	Who      string    `json:"who"`
	State    string    `json:"state"`
	Comment  string    `json:"comment"`
	Assignee string    `json:"assignee"`
}

// Receive checks and reads one change.
func (a *Adapter) Receive(header http.Header, body []byte, now time.Time) ([]casework.Update, error) {
	stamp := header.Get(HeaderTimestamp)
	given, _ := strings.CutPrefix(header.Get(HeaderSignature), "v1=")
	if err := casework.CheckSignature(a.cfg.Secret, given, []byte(stamp+"."), body); err != nil {
		return nil, err
	}
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil {
		return nil, callhome.Errorf(callhome.KindDenied, "%s is not a number of seconds", HeaderTimestamp)
	}
	if err := casework.CheckAge(time.Unix(seconds, 0), now); err != nil {
		return nil, err
	}
	var c Change
	if err := json.Unmarshal(body, &c); err != nil || c.ID == "" {
		return nil, callhome.Errorf(callhome.KindInvalid, "the body is not JSON with an id")
	}
	if c.EventID == "" { // within the replay window the very request is the event
		c.EventID = given
	}
	if c.At.IsZero() {
		c.At = time.Unix(seconds, 0)
	}
	state := a.cfg.States[c.State]
	if state == "" && casework.IsState(c.State) {
		state = casework.State(c.State)
	}
	return []casework.Update{{
		Remote: c.ID, EventID: c.EventID, At: c.At, Who: c.Who, State: state, Word: c.State, Comment: c.Comment, Assignee: c.Assignee,
	}}, nil
}
