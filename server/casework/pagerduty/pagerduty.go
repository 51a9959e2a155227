// Package pagerduty hands cases to PagerDuty as alerts, by its Events API v2, and takes changes of their incidents back
// by its webhooks, version 3.
//
// Written from PagerDuty's public documentation: "Events API v2 Overview", "Send an Alert Event", "Webhooks v3 Overview",
// "Verifying Webhook Signatures", "REST API: Create a note on an incident".
//
// The dedup_key is made of our case, so a repeated trigger joins the alert it made: PagerDuty itself keeps a lost answer
// from making two.
package pagerduty

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"callhome"
	"callhome/server/casework"
)

// Config is one entry of the block `tickets.pagerduty`.
type Config struct {
	Name        string          `yaml:"name" json:"name"`
	RoutingKey  callhome.Secret `yaml:"routing_key,omitempty" json:"routing_key,omitzero"` // integration key of the service
	KeyFile     string          `yaml:"routing_key_file,omitempty" json:"routing_key_file,omitempty"`
	Token       callhome.Secret `yaml:"token,omitempty" json:"token,omitzero"` // of the REST API, for notes; empty: notes go as events
	TokenFile   string          `yaml:"token_file,omitempty" json:"token_file,omitempty"`
	From        string          `yaml:"from,omitempty" json:"from,omitempty"`                    // address of the account that notes are written as
	Secret      callhome.Secret `yaml:"webhook_secret,omitempty" json:"webhook_secret,omitzero"` // empty: webhooks are refused
	SecretFile  string          `yaml:"webhook_secret_file,omitempty" json:"webhook_secret_file,omitempty"`
	EventsURL   string          `yaml:"events_url,omitempty" json:"events_url,omitempty"` // empty: https://events.pagerduty.com; in the EU https://events.eu.pagerduty.com
	APIURL      string          `yaml:"api_url,omitempty" json:"api_url,omitempty"`       // empty: https://api.pagerduty.com
	Portal      string          `yaml:"portal,omitempty" json:"portal,omitempty"`         // address of our portal, for links
	TrustPoints []string        `yaml:"trust_points,omitempty" json:"trust_points,omitempty"`
}

// Addresses of the service region US.
const (
	defaultEvents = "https://events.pagerduty.com"
	defaultAPI    = "https://api.pagerduty.com"
)

// Validate names every fault with its key, which begins with path.
func (c *Config) Validate(path string) error {
	var errs []error
	for _, u := range []struct{ key, value string }{{"events_url", c.EventsURL}, {"api_url", c.APIURL}} {
		if u.value != "" {
			errs = append(errs, casework.CheckURL(path+"."+u.key, u.value, false))
		}
	}
	if c.Name == "" {
		errs = append(errs, fmt.Errorf("%s.name: is missing", path))
	}
	if c.RoutingKey.IsZero() && c.KeyFile == "" {
		errs = append(errs, fmt.Errorf("%s.routing_key: give routing_key or routing_key_file", path))
	}
	if (!c.Token.IsZero() || c.TokenFile != "") && c.From == "" {
		errs = append(errs, fmt.Errorf("%s.from: notes are written as somebody; give the address of an account", path))
	}
	return errors.Join(errs...)
}

// Adapter is a casework.Adapter and casework.Receiver.
type Adapter struct {
	cfg    Config
	events *casework.Caller
	rest   *casework.Caller
}

// New makes an adapter of a valid configuration whose secrets were read. A nil tlsConfig trusts the system's
// certificates.
func New(cfg Config, tlsConfig *tls.Config) *Adapter {
	if cfg.EventsURL == "" {
		cfg.EventsURL = defaultEvents
	}
	if cfg.APIURL == "" {
		cfg.APIURL = defaultAPI
	}
	cfg.EventsURL, cfg.APIURL = strings.TrimRight(cfg.EventsURL, "/"), strings.TrimRight(cfg.APIURL, "/")
	auth := func(r *http.Request) {
		r.Header.Set("Authorization", "Token token="+cfg.Token.Reveal())
		r.Header.Set("From", cfg.From)
	}
	return &Adapter{cfg: cfg, events: casework.NewCaller(tlsConfig, nil), rest: casework.NewCaller(tlsConfig, auth)}
}

// Name is how teams name it.
func (a *Adapter) Name() string { return a.cfg.Name }

// key is the dedup_key of a case, at most 255 characters.
func key(c *casework.Case) string { return fmt.Sprintf("callhome/%s/%x", c.Number, c.ID) }

type event struct {
	RoutingKey string   `json:"routing_key"`
	Action     string   `json:"event_action"`
	DedupKey   string   `json:"dedup_key"`
	Client     string   `json:"client,omitempty"`
	ClientURL  string   `json:"client_url,omitempty"`
	Payload    *payload `json:"payload,omitempty"`
}

type payload struct {
	Summary   string            `json:"summary"`
	Source    string            `json:"source"`
	Severity  string            `json:"severity"` // critical, error, warning, info
	Timestamp string            `json:"timestamp"`
	Component string            `json:"component,omitempty"`
	Group     string            `json:"group,omitempty"`
	Class     string            `json:"class,omitempty"`
	Details   map[string]string `json:"custom_details"`
}

// Push sends an event. A state that PagerDuty does not have, such as waiting for a customer, counts as acknowledged:
// somebody has it in hand.
func (a *Adapter) Push(ctx context.Context, p *casework.Push, l *casework.Link) (casework.Receipt, error) {
	c := &p.Snapshot.Case
	action := "trigger"
	switch {
	case p.Kind == casework.PushComment && !a.cfg.Token.IsZero():
		return casework.Receipt{}, a.note(ctx, p, l)
	case p.Kind == casework.PushState && !c.State.Active():
		action = "resolve"
	case p.Kind == casework.PushState && c.State != casework.StateNew && c.State != casework.StateOpen:
		action = "acknowledge"
	}
	e := event{RoutingKey: a.cfg.RoutingKey.Reveal(), Action: action, DedupKey: key(c)}
	if action == "trigger" {
		e.Client, e.Payload = "Callhome", describe(p)
		if a.cfg.Portal != "" {
			e.ClientURL = strings.TrimRight(a.cfg.Portal, "/") + "/service-requests/" + string(c.Number)
		}
	}
	var answer struct {
		Status   string `json:"status"`
		DedupKey string `json:"dedup_key"`
	}
	if err := a.events.Call(ctx, http.MethodPost, a.cfg.EventsURL+"/v2/enqueue", e, &answer); err != nil {
		return casework.Receipt{}, err
	}
	if answer.Status != "success" {
		return casework.Receipt{}, fmt.Errorf("the event was answered with status %q", answer.Status)
	}
	return casework.Receipt{Remote: key(c), State: states[action]}, nil
}

// states are the words of an incident after an event.
var states = map[string]string{"trigger": "triggered", "acknowledge": "acknowledged", "resolve": "resolved"}

// maxSummary is the length of a summary.
const maxSummary = 1024

func describe(p *casework.Push) *payload {
	c, e := &p.Snapshot.Case, &p.Snapshot.Event
	summary := []rune(fmt.Sprintf("%s %s: %s", c.Number, c.Subject.Host, c.Title))
	host := c.Subject.Host
	if host == "" {
		host = string(c.Subject.DeviceID)
	}
	return &payload{
		Summary: string(summary[:min(len(summary), maxSummary)]), Source: host, Severity: severity(c.Level), Timestamp: e.At.UTC().Format(time.RFC3339),
		Component: c.Component, Group: c.Subject.Site, Class: c.Rule,
		Details: map[string]string{"description": casework.Describe(c), "event": casework.Signed(e.Sentence(), p.Key), "priority": fmt.Sprintf("P%d", c.Priority)},
	}
}

func severity(l callhome.Level) string {
	switch {
	case l >= callhome.LevelCritical:
		return "critical"
	case l >= callhome.LevelMajor:
		return "error"
	case l >= callhome.LevelWarning:
		return "warning"
	}
	return "info"
}

// note writes a note on the incident of the alert, unless an earlier try did.
func (a *Adapter) note(ctx context.Context, p *casework.Push, l *casework.Link) error {
	var found struct {
		Incidents []struct {
			ID string `json:"id"`
		} `json:"incidents"`
	}
	if err := a.rest.Call(ctx, http.MethodGet, a.cfg.APIURL+"/incidents?"+url.Values{"incident_key": {l.Remote}}.Encode(), nil, &found); err != nil {
		return err
	}
	if len(found.Incidents) == 0 {
		return casework.Refuse(errors.New("there is no incident for the alert"))
	}
	notes := a.cfg.APIURL + "/incidents/" + url.PathEscape(found.Incidents[0].ID) + "/notes"
	if p.Tries > 0 {
		var list struct {
			Notes []struct {
				Content string `json:"content"`
			} `json:"notes"`
		}
		if err := a.rest.Call(ctx, http.MethodGet, notes, nil, &list); err != nil {
			return err
		}
		for _, n := range list.Notes {
			if strings.Contains(n.Content, "[callhome "+p.Key+"]") {
				return nil
			}
		}
	}
	text := casework.Signed(p.Snapshot.Event.Sentence(), p.Key)
	return a.rest.Call(ctx, http.MethodPost, notes, map[string]any{"note": map[string]string{"content": text}}, nil)
}

// headerSignature holds one or more "v1=" and HMACs of the body, parted by commas: several while a secret is changed.
const headerSignature = "X-PagerDuty-Signature"

// maxSignatures bounds how many are tried.
const maxSignatures = 10

type hook struct {
	Event struct {
		ID         string    `json:"id"`
		Type       string    `json:"event_type"`
		OccurredAt time.Time `json:"occurred_at"`
		Agent      *struct {
			Summary string `json:"summary"`
		} `json:"agent"`
		Data struct {
			IncidentKey string `json:"incident_key"`
			Status      string `json:"status"`
			Assignees   []struct {
				Summary string `json:"summary"`
			} `json:"assignees"`
		} `json:"data"`
	} `json:"event"`
}

// hookStates are the states that events of an incident stand for.
var hookStates = map[string]casework.State{
	"incident.acknowledged": casework.StateAcknowledged, "incident.unacknowledged": casework.StateOpen, "incident.resolved": casework.StateResolved,
	"incident.reopened": casework.StateOpen,
}

// Receive reads events of incidents; all others, and pings, are of no interest.
func (a *Adapter) Receive(header http.Header, body []byte, now time.Time) ([]casework.Update, error) {
	err := callhome.Errorf(callhome.KindDenied, "%s is missing", headerSignature)
	for i, s := range strings.Split(header.Get(headerSignature), ",") {
		given, v1 := strings.CutPrefix(strings.TrimSpace(s), "v1=")
		if i >= maxSignatures {
			break
		}
		if !v1 {
			continue
		}
		if err = casework.CheckSignature(a.cfg.Secret, given, body); err == nil {
			break
		}
	}
	if err != nil {
		return nil, err
	}
	var h hook
	if err := json.Unmarshal(body, &h); err != nil {
		return nil, callhome.Errorf(callhome.KindInvalid, "the body is not a webhook of PagerDuty: %w", err)
	}
	e := &h.Event
	if err := casework.CheckAge(e.OccurredAt, now); err != nil {
		return nil, err
	}
	u := casework.Update{Remote: e.Data.IncidentKey, EventID: e.ID, At: e.OccurredAt, State: hookStates[e.Type]}
	if e.Agent != nil {
		u.Who = e.Agent.Summary
	}
	switch {
	case u.Remote == "":
		return nil, nil
	case u.State != "":
		u.Word = e.Data.Status
	case e.Type == "incident.reassigned" && len(e.Data.Assignees) > 0:
		u.Assignee = e.Data.Assignees[0].Summary
	default:
		return nil, nil
	}
	return []casework.Update{u}, nil
}
