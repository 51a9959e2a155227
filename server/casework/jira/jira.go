// Package jira hands cases to Jira Cloud as issues, by its REST API version 3, and takes changes of them back by webhook
// and by asking.
//
// Written from Atlassian's public documentation: "The Jira Cloud platform REST API" (v3: issues, issue comments, issue
// transitions, issue search), "Atlassian Document Format", "Webhooks" and "Rate limiting".
//
// An issue carries a label made of our case, by which it is found again when an answer was lost. Jira's search may lag
// behind for some seconds; retries begin after that.
package jira

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"callhome"
	"callhome/server/casework"
)

// Config is one entry of the block `tickets.jira`.
type Config struct {
	Name        string          `yaml:"name" json:"name"`
	URL         string          `yaml:"url" json:"url"`         // https://YOURS.atlassian.net
	Account     string          `yaml:"account" json:"account"` // e-mail address of the account whose token it is
	Token       callhome.Secret `yaml:"token,omitempty" json:"token,omitzero"`
	TokenFile   string          `yaml:"token_file,omitempty" json:"token_file,omitempty"`
	Secret      callhome.Secret `yaml:"webhook_secret,omitempty" json:"webhook_secret,omitzero"` // empty: webhooks are refused
	SecretFile  string          `yaml:"webhook_secret_file,omitempty" json:"webhook_secret_file,omitempty"`
	Project     string          `yaml:"project" json:"project"`                           // its key
	IssueType   string          `yaml:"issue_type,omitempty" json:"issue_type,omitempty"` // empty: Task
	Poll        time.Duration   `yaml:"poll,omitempty" json:"poll,omitempty"`             // 0: webhooks only
	TrustPoints []string        `yaml:"trust_points,omitempty" json:"trust_points,omitempty"`

	States     map[string]casework.State    `yaml:"states,omitempty" json:"states,omitempty"`         // status names of theirs, in lower case
	Statuses   map[casework.State]string    `yaml:"statuses,omitempty" json:"statuses,omitempty"`     // ours to theirs
	Priorities map[casework.Priority]string `yaml:"priorities,omitempty" json:"priorities,omitempty"` // empty: priorities are not written
}

// Mappings of a new Jira project.
var (
	defaultStates = map[string]casework.State{
		"to do": casework.StateOpen, "open": casework.StateOpen, "in progress": casework.StateAcknowledged,
		"waiting for customer": casework.StatePendingCustomer, "done": casework.StateResolved, "resolved": casework.StateResolved,
		"closed": casework.StateClosed,
	}
	defaultStatuses = map[casework.State]string{
		casework.StateNew: "To Do", casework.StateOpen: "To Do", casework.StateAcknowledged: "In Progress",
		casework.StatePendingCustomer: "In Progress", casework.StatePendingVendor: "In Progress",
		casework.StateResolved: "Done", casework.StateClosed: "Done",
	}
)

// minPoll spares Jira's budget of requests.
const minPoll = 30 * time.Second

// Validate names every fault with its key, which begins with path.
func (c *Config) Validate(path string) error {
	errs := []error{
		casework.CheckURL(path+".url", c.URL, false), casework.CheckStates(path+".states", c.States), casework.CheckWords(path+".statuses", c.Statuses),
	}
	for _, f := range []struct{ key, value string }{{"name", c.Name}, {"account", c.Account}, {"project", c.Project}} {
		if f.value == "" {
			errs = append(errs, fmt.Errorf("%s.%s: is missing", path, f.key))
		}
	}
	if c.Token.IsZero() && c.TokenFile == "" {
		errs = append(errs, fmt.Errorf("%s.token: give token or token_file: an API token of the account", path))
	}
	if c.Poll != 0 && c.Poll < minPoll {
		errs = append(errs, fmt.Errorf("%s.poll: %v is shorter than %v", path, c.Poll, minPoll))
	}
	return errors.Join(errs...)
}

// Adapter is a casework.Adapter, casework.Receiver and casework.Poller.
type Adapter struct {
	cfg    Config
	base   string
	caller *casework.Caller
}

// New makes an adapter of a valid configuration whose secrets were read. A nil tlsConfig trusts the system's
// certificates.
func New(cfg Config, tlsConfig *tls.Config) *Adapter {
	if cfg.IssueType == "" {
		cfg.IssueType = "Task"
	}
	if len(cfg.States) == 0 {
		cfg.States = defaultStates
	}
	if len(cfg.Statuses) == 0 {
		cfg.Statuses = defaultStatuses
	}
	auth := func(r *http.Request) { r.SetBasicAuth(cfg.Account, cfg.Token.Reveal()) }
	return &Adapter{cfg: cfg, base: strings.TrimRight(cfg.URL, "/"), caller: casework.NewCaller(tlsConfig, auth)}
}

// Name is how teams name it.
func (a *Adapter) Name() string { return a.cfg.Name }

// maxSummary is the length of a summary, "Create issue".
const maxSummary = 255

// label finds the issue of a case; labels have no blanks.
func label(c *casework.Case) string { return fmt.Sprintf("callhome-%s-%x", c.Number, c.ID) }

// Push creates, comments, updates or moves an issue.
func (a *Adapter) Push(ctx context.Context, p *casework.Push, l *casework.Link) (casework.Receipt, error) {
	switch p.Kind {
	case casework.PushCreate:
		return a.create(ctx, p)
	case casework.PushUpdate:
		if err := a.update(ctx, p, l); err != nil {
			return casework.Receipt{}, err
		}
	case casework.PushState:
		r, err := a.move(ctx, p, l)
		if err != nil {
			return r, err
		}
		return r, a.comment(ctx, p, l)
	}
	return casework.Receipt{}, a.comment(ctx, p, l)
}

type issue struct {
	ID     string `json:"id"`
	Key    string `json:"key"`
	Fields struct {
		Status  named  `json:"status"`
		Updated string `json:"updated"`
	} `json:"fields"`
}

type named struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	DisplayName string `json:"displayName"`
	AccountID   string `json:"accountId"`
	Email       string `json:"emailAddress"`
}

func (a *Adapter) create(ctx context.Context, p *casework.Push) (casework.Receipt, error) {
	c := &p.Snapshot.Case
	old, err := a.search(ctx, fmt.Sprintf("project = %q AND labels = %q", a.cfg.Project, label(c)), 1)
	if err != nil {
		return casework.Receipt{}, err
	}
	if len(old) > 0 {
		return a.receipt(&old[0]), nil
	}
	fields := map[string]any{
		"project": named1{Key: a.cfg.Project}, "issuetype": named1{Name: a.cfg.IssueType},
		"summary": oneLine(fmt.Sprintf("%s %s: %s", c.Number, c.Subject.Host, c.Title)), "description": document(casework.Signed(casework.Describe(c), p.Key)),
		"labels": []string{"callhome", label(c)},
	}
	a.priority(fields, c)
	var made issue
	if err := a.caller.Call(ctx, http.MethodPost, a.base+"/rest/api/3/issue", map[string]any{"fields": fields}, &made); err != nil {
		return casework.Receipt{}, err
	}
	if made.Key == "" {
		return casework.Receipt{}, errors.New("the answer to creating an issue has no key")
	}
	return a.receipt(&made), nil
}

type named1 struct {
	Key  string `json:"key,omitempty"`
	Name string `json:"name,omitempty"`
	ID   string `json:"id,omitempty"`
}

func (a *Adapter) receipt(i *issue) casework.Receipt {
	return casework.Receipt{Remote: i.Key, URL: a.base + "/browse/" + url.PathEscape(i.Key), State: i.Fields.Status.Name}
}

func (a *Adapter) priority(fields map[string]any, c *casework.Case) {
	if name := a.cfg.Priorities[c.Priority]; name != "" {
		fields["priority"] = named1{Name: name}
	}
}

func oneLine(s string) string {
	r := []rune(strings.Join(strings.Fields(s), " "))
	return string(r[:min(len(r), maxSummary)])
}

func (a *Adapter) search(ctx context.Context, jql string, limit int) ([]issue, error) {
	var found struct {
		Issues []issue `json:"issues"`
	}
	in := map[string]any{"jql": jql, "maxResults": limit, "fields": []string{"status", "updated"}}
	err := a.caller.Call(ctx, http.MethodPost, a.base+"/rest/api/3/search/jql", in, &found)
	return found.Issues, err
}

func (a *Adapter) at(l *casework.Link, rest string) string {
	return a.base + "/rest/api/3/issue/" + url.PathEscape(l.Remote) + rest
}

func (a *Adapter) update(ctx context.Context, p *casework.Push, l *casework.Link) error {
	fields := map[string]any{}
	a.priority(fields, &p.Snapshot.Case)
	if len(fields) == 0 {
		return nil
	}
	return a.caller.Call(ctx, http.MethodPut, a.at(l, ""), map[string]any{"fields": fields}, nil)
}

// lastComments are looked at for one of ours whose answer was lost.
const lastComments = "50"

func (a *Adapter) comment(ctx context.Context, p *casework.Push, l *casework.Link) error {
	text := casework.Signed(p.Snapshot.Event.Sentence(), p.Key)
	if p.Tries > 0 {
		var page struct {
			Comments []struct {
				Body any `json:"body"`
			} `json:"comments"`
		}
		if err := a.caller.Call(ctx, http.MethodGet, a.at(l, "/comment?orderBy=-created&maxResults="+lastComments), nil, &page); err != nil {
			return err
		}
		for _, c := range page.Comments {
			if strings.Contains(plain(c.Body), "[callhome "+p.Key+"]") {
				return nil
			}
		}
	}
	return a.caller.Call(ctx, http.MethodPost, a.at(l, "/comment"), map[string]any{"body": document(text)}, nil)
}

// move takes the transition that leads to the wanted status; without one the comment has to do.
func (a *Adapter) move(ctx context.Context, p *casework.Push, l *casework.Link) (casework.Receipt, error) {
	want := a.cfg.Statuses[p.Snapshot.Case.State]
	if want == "" {
		return casework.Receipt{}, nil
	}
	var now issue
	if err := a.caller.Call(ctx, http.MethodGet, a.at(l, "?fields=status"), nil, &now); err != nil {
		return casework.Receipt{}, err
	}
	if strings.EqualFold(now.Fields.Status.Name, want) {
		return casework.Receipt{State: want}, nil
	}
	var list struct {
		Transitions []struct {
			ID string `json:"id"`
			To named  `json:"to"`
		} `json:"transitions"`
	}
	if err := a.caller.Call(ctx, http.MethodGet, a.at(l, "/transitions"), nil, &list); err != nil {
		return casework.Receipt{}, err
	}
	for _, t := range list.Transitions {
		if strings.EqualFold(t.To.Name, want) {
			err := a.caller.Call(ctx, http.MethodPost, a.at(l, "/transitions"), map[string]any{"transition": named1{ID: t.ID}}, nil)
			return casework.Receipt{State: want}, err
		}
	}
	return casework.Receipt{State: now.Fields.Status.Name}, nil
}
