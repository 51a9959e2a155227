// Package servicenow hands cases to ServiceNow as incidents, by its Table API, and takes changes of them back by asking,
// or by a business rule of theirs that posts to us.
//
// Written from ServiceNow's public documentation: "Table API" (POST, GET and PATCH /api/now/table/{tableName}),
// "Incident management: incident states", "Inbound REST API rate limiting".
//
// correlation_id holds the key of our case; an incident is looked for by it before one is made, so a lost answer makes
// no second one. The account should have UTC as its time zone: encoded queries are read in it.
package servicenow

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"callhome"
	"callhome/server/casework"
)

// Config is one entry of the block `tickets.servicenow`.
type Config struct {
	Name         string          `yaml:"name" json:"name"`
	URL          string          `yaml:"url" json:"url"` // https://YOURS.service-now.com
	Account      string          `yaml:"account" json:"account"`
	Password     callhome.Secret `yaml:"password,omitempty" json:"password,omitzero"`
	PasswordFile string          `yaml:"password_file,omitempty" json:"password_file,omitempty"`
	Secret       callhome.Secret `yaml:"webhook_secret,omitempty" json:"webhook_secret,omitzero"` // empty: their posts are refused
	SecretFile   string          `yaml:"webhook_secret_file,omitempty" json:"webhook_secret_file,omitempty"`
	Table        string          `yaml:"table,omitempty" json:"table,omitempty"`           // empty: incident
	Group        string          `yaml:"group,omitempty" json:"group,omitempty"`           // assignment_group
	CloseCode    string          `yaml:"close_code,omitempty" json:"close_code,omitempty"` // which resolving demands; empty: Solution provided
	Poll         time.Duration   `yaml:"poll,omitempty" json:"poll,omitempty"`             // 0: never
	TrustPoints  []string        `yaml:"trust_points,omitempty" json:"trust_points,omitempty"`

	States map[string]casework.State `yaml:"states,omitempty" json:"states,omitempty"`             // their values to ours
	Values map[casework.State]string `yaml:"state_values,omitempty" json:"state_values,omitempty"` // ours to theirs
}

// States of an incident: 1 New, 2 In Progress, 3 On Hold, 6 Resolved, 7 Closed, 8 Canceled.
var (
	defaultStates = map[string]casework.State{
		"1": casework.StateOpen, "2": casework.StateAcknowledged, "3": casework.StatePendingCustomer, "6": casework.StateResolved,
		"7": casework.StateClosed, "8": casework.StateClosed,
	}
	defaultValues = map[casework.State]string{
		casework.StateNew: "1", casework.StateOpen: "1", casework.StateAcknowledged: "2", casework.StatePendingCustomer: "3",
		casework.StatePendingVendor: "3", casework.StateResolved: "6", casework.StateClosed: "7",
	}
	// holdReasons go with On Hold: 1 Awaiting Caller, 4 Awaiting Vendor.
	holdReasons = map[casework.State]string{casework.StatePendingCustomer: "1", casework.StatePendingVendor: "4"}
)

// minPoll spares the instance.
const minPoll = 30 * time.Second

// Validate names every fault with its key, which begins with path.
func (c *Config) Validate(path string) error {
	errs := []error{
		casework.CheckURL(path+".url", c.URL, false), casework.CheckStates(path+".states", c.States), casework.CheckWords(path+".state_values", c.Values),
	}
	for _, f := range []struct{ key, value string }{{"name", c.Name}, {"account", c.Account}} {
		if f.value == "" {
			errs = append(errs, fmt.Errorf("%s.%s: is missing", path, f.key))
		}
	}
	if c.Password.IsZero() && c.PasswordFile == "" {
		errs = append(errs, fmt.Errorf("%s.password: give password or password_file", path))
	}
	if c.Poll != 0 && c.Poll < minPoll {
		errs = append(errs, fmt.Errorf("%s.poll: %v is shorter than %v", path, c.Poll, minPoll))
	}
	return errors.Join(errs...)
}

// Adapter is a casework.Adapter, casework.Receiver and casework.Poller.
type Adapter struct {
	cfg    Config
	table  string // address
	base   string
	caller *casework.Caller
	now    func() time.Time
}

// New makes an adapter of a valid configuration whose secrets were read. A nil tlsConfig trusts the system's
// certificates.
func New(cfg Config, tlsConfig *tls.Config) *Adapter {
	if cfg.Table == "" {
		cfg.Table = "incident"
	}
	if cfg.CloseCode == "" {
		cfg.CloseCode = "Solution provided"
	}
	if len(cfg.States) == 0 {
		cfg.States = defaultStates
	}
	if len(cfg.Values) == 0 {
		cfg.Values = defaultValues
	}
	base := strings.TrimRight(cfg.URL, "/")
	auth := func(r *http.Request) { r.SetBasicAuth(cfg.Account, cfg.Password.Reveal()) }
	return &Adapter{
		cfg: cfg, base: base, table: base + "/api/now/table/" + url.PathEscape(cfg.Table), caller: casework.NewCaller(tlsConfig, auth), now: time.Now,
	}
}

// Name is how teams name it.
func (a *Adapter) Name() string { return a.cfg.Name }

// correlation names our case; it begins with callhome, by which ours are found.
func correlation(c *casework.Case) string { return fmt.Sprintf("callhome/%s/%x", c.Number, c.ID) }

type record struct {
	SysID     string `json:"sys_id"`
	Number    string `json:"number"`
	State     string `json:"state"`
	UpdatedOn string `json:"sys_updated_on"`
	UpdatedBy string `json:"sys_updated_by"`
	ModCount  string `json:"sys_mod_count"`
}

const recordFields = "sys_id,number,state,sys_updated_on,sys_updated_by,sys_mod_count"

// Push creates or changes an incident. Setting fields again does no harm; a remark is looked for before it is repeated.
func (a *Adapter) Push(ctx context.Context, p *casework.Push, l *casework.Link) (casework.Receipt, error) {
	if p.Kind == casework.PushCreate {
		return a.create(ctx, p)
	}
	fields := map[string]string{}
	switch p.Kind {
	case casework.PushUpdate:
		fields["urgency"], fields["impact"] = urgency(&p.Snapshot.Case)
	case casework.PushState:
		a.state(fields, p)
	}
	said := false
	if p.Tries > 0 {
		var err error
		if said, err = a.said(ctx, p, l); err != nil {
			return casework.Receipt{}, err
		}
	}
	if !said {
		fields["work_notes"] = casework.Signed(p.Snapshot.Event.Sentence(), p.Key)
	}
	var answer struct {
		Result record `json:"result"`
	}
	err := a.caller.Call(ctx, http.MethodPatch, a.table+"/"+url.PathEscape(l.Remote)+"?sysparm_input_display_value=false&sysparm_fields="+recordFields, fields, &answer)
	if err == nil && answer.Result.SysID == "" {
		err = errors.New("the answer to a change has no sys_id")
	}
	return casework.Receipt{State: answer.Result.State}, err
}

func (a *Adapter) state(fields map[string]string, p *casework.Push) {
	s := p.Snapshot.Case.State
	value := a.cfg.Values[s]
	if value == "" {
		return
	}
	fields["state"] = value
	if reason := holdReasons[s]; reason != "" {
		fields["hold_reason"] = reason
	}
	if s == casework.StateResolved || s == casework.StateClosed {
		fields["close_code"], fields["close_notes"] = a.cfg.CloseCode, p.Snapshot.Event.Sentence()
	}
}

// urgency gives urgency and impact, 1 to 3, from which ServiceNow makes its priority.
func urgency(c *casework.Case) (urgency, impact string) {
	n := strconv.Itoa(min(int(c.Priority), 3))
	return n, n
}

func (a *Adapter) find(ctx context.Context, query string, limit int) ([]record, error) {
	var answer struct {
		Result []record `json:"result"`
	}
	q := url.Values{"sysparm_query": {query}, "sysparm_limit": {strconv.Itoa(limit)}, "sysparm_fields": {recordFields}, "sysparm_display_value": {"false"}}
	err := a.caller.Call(ctx, http.MethodGet, a.table+"?"+q.Encode(), nil, &answer)
	return answer.Result, err
}

func (a *Adapter) create(ctx context.Context, p *casework.Push) (casework.Receipt, error) {
	c := &p.Snapshot.Case
	old, err := a.find(ctx, "correlation_id="+correlation(c), 1)
	if err != nil {
		return casework.Receipt{}, err
	}
	if len(old) > 0 {
		return a.receipt(&old[0]), nil
	}
	fields := map[string]string{
		"short_description": oneLine(fmt.Sprintf("%s %s: %s", c.Number, c.Subject.Host, c.Title)),
		"description":       casework.Signed(casework.Describe(c), p.Key), "correlation_id": correlation(c), "correlation_display": "Callhome",
	}
	fields["urgency"], fields["impact"] = urgency(c)
	if a.cfg.Group != "" {
		fields["assignment_group"] = a.cfg.Group
	}
	var answer struct {
		Result record `json:"result"`
	}
	if err := a.caller.Call(ctx, http.MethodPost, a.table+"?sysparm_fields="+recordFields, fields, &answer); err != nil {
		return casework.Receipt{}, err
	}
	if answer.Result.SysID == "" {
		return casework.Receipt{}, errors.New("the answer to creating an incident has no sys_id")
	}
	return a.receipt(&answer.Result), nil
}

// maxShort is the length of short_description.
const maxShort = 160

func oneLine(s string) string {
	r := []rune(strings.Join(strings.Fields(s), " "))
	return string(r[:min(len(r), maxShort)])
}

func (a *Adapter) receipt(r *record) casework.Receipt {
	return casework.Receipt{Remote: r.SysID, State: r.State, URL: a.base + "/nav_to.do?uri=" + url.QueryEscape(a.cfg.Table+".do?sys_id="+r.SysID)}
}

// said reports whether a remark of an earlier try is there: work notes are rows of sys_journal_field.
func (a *Adapter) said(ctx context.Context, p *casework.Push, l *casework.Link) (bool, error) {
	q := url.Values{
		"sysparm_query": {"element_id=" + l.Remote + "^element=work_notes^valueLIKE[callhome " + p.Key + "]"}, "sysparm_limit": {"1"}, "sysparm_fields": {"sys_id"},
	}
	var answer struct {
		Result []record `json:"result"`
	}
	err := a.caller.Call(ctx, http.MethodGet, a.base+"/api/now/table/sys_journal_field?"+q.Encode(), nil, &answer)
	return len(answer.Result) > 0, err
}

// PollEvery is the configured pause.
func (a *Adapter) PollEvery() time.Duration { return a.cfg.Poll }

const (
	pollPage = 100                   // changed incidents read at once; the rest comes with the next question
	stamp    = "2006-01-02 15:04:05" // UTC
)

// Poll asks for incidents of ours that changed. What our own account changed last is left out: it was us.
func (a *Adapter) Poll(ctx context.Context, since time.Time) ([]casework.Update, time.Time, error) {
	until := a.now()
	list, err := a.find(ctx, "correlation_idSTARTSWITHcallhome/^sys_updated_on>="+since.UTC().Format(stamp)+"^ORDERBYsys_updated_on", pollPage)
	if err != nil {
		return nil, since, err
	}
	var updates []casework.Update
	for _, r := range list {
		at, err := time.Parse(stamp, r.UpdatedOn)
		if err != nil {
			continue // a form that is not documented
		}
		if len(list) == pollPage {
			until = at
		}
		if strings.EqualFold(r.UpdatedBy, a.cfg.Account) {
			continue
		}
		updates = append(updates, casework.Update{
			Remote: r.SysID, EventID: r.SysID + "/" + r.ModCount, At: at, Who: r.UpdatedBy, Word: r.State, State: a.cfg.States[r.State],
		})
	}
	return updates, until, nil
}

// Header fields of what a business rule posts to us: seconds since 1970, and "v1=" with the HMAC-SHA256, in hexadecimal,
// of the timestamp, a dot and the body.
const (
	headerTimestamp = "X-Callhome-Timestamp"
	headerSignature = "X-Callhome-Signature"
)

// Receive reads {sys_id, sys_mod_count, sys_updated_on, sys_updated_by, state, comment} of a business rule.
func (a *Adapter) Receive(header http.Header, body []byte, now time.Time) ([]casework.Update, error) {
	sent := header.Get(headerTimestamp)
	given, _ := strings.CutPrefix(header.Get(headerSignature), "v1=")
	if err := casework.CheckSignature(a.cfg.Secret, given, []byte(sent+"."), body); err != nil {
		return nil, err
	}
	seconds, err := strconv.ParseInt(sent, 10, 64)
	if err != nil {
		return nil, callhome.Errorf(callhome.KindDenied, "%s is not a number of seconds", headerTimestamp)
	}
	if err := casework.CheckAge(time.Unix(seconds, 0), now); err != nil {
		return nil, err
	}
	var r struct {
		record
		Comment string `json:"comment"`
	}
	if err := json.Unmarshal(body, &r); err != nil || r.SysID == "" {
		return nil, callhome.Errorf(callhome.KindInvalid, "the body is not JSON with a sys_id")
	}
	if strings.EqualFold(r.UpdatedBy, a.cfg.Account) {
		return nil, nil
	}
	u := casework.Update{Remote: r.SysID, EventID: r.SysID + "/" + r.ModCount, At: time.Unix(seconds, 0), Who: r.UpdatedBy, Comment: r.Comment}
	if r.ModCount == "" {
		u.EventID = given
	}
	if at, err := time.Parse(stamp, r.UpdatedOn); err == nil {
		u.At = at
	}
	u.Word, u.State = r.State, a.cfg.States[r.State]
	return []casework.Update{u}, nil
}
