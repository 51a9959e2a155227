package api

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"callhome"
	"callhome/server/account"
	"callhome/server/analysis"
)

// Rule is what messages are looked through for.
type Rule struct {
	ID             string           `json:"id"`
	Name           string           `json:"name"`
	Class          analysis.Class   `json:"class"`
	Pack           string           `json:"pack"`
	Version        string           `json:"version" doc:"Of the pack"`
	Outcome        analysis.Outcome `json:"outcome" doc:"information, recommendation or service_request"`
	Title          string           `json:"title"`
	Diagnosis      string           `json:"diagnosis,omitempty"`
	Recommendation string           `json:"recommendation,omitempty"`
	References     []string         `json:"references,omitempty"`
}

// Hunt is a run of rules over messages that are in the archive already.
type Hunt struct {
	ID        ID                 `json:"id"`
	Company   ID                 `json:"company,omitempty"`
	Rules     []string           `json:"rules"`
	State     analysis.HuntState `json:"state" doc:"running, done, canceled or failed"`
	By        string             `json:"by"`
	StartedAt time.Time          `json:"started_at"`
	UpdatedAt time.Time          `json:"updated_at"`
	Error     string             `json:"error,omitempty"`
	Done      int64              `json:"done" doc:"Messages looked at"`
	Total     int64              `json:"total"`
	Findings  int64              `json:"findings"`
	Faults    int64              `json:"faults"`
	Rate      float64            `json:"rate" doc:"Messages a second"`
}

// StartHunt begins a hunt that goes on by itself; the conductor does. It writes the audit log itself.
type StartHunt func(ctx context.Context, rules []string, by account.Principal) (analysis.HuntRecord, error)

type rulesInput struct {
	Paging
	Class string `query:"class" maxLength:"64"`
	Pack  string `query:"pack" maxLength:"128"`
	Text  string `query:"q" maxLength:"128" doc:"In ID or name"`
}

type ruleInput struct {
	ID string `path:"id" maxLength:"128"`
}

type ruleOutput struct{ Body Rule }

type huntsInput struct{ Paging }

type huntOutput struct{ Body Hunt }

type startHuntInput struct {
	Body struct {
		Rules []string `json:"rules" minItems:"1" maxItems:"1000"`
	}
}

func addRules(a *API) {
	addList[rulesInput](a, listing[rulesInput, Rule]{
		Route: listRoute("/rules", account.RuleRead, "List the rules"), whole: true,
		page: func(_ context.Context, q *query, in *rulesInput, _ account.Page) ([]Rule, error) {
			return q.api.rules(in), nil
		},
	})
	look(a, Route{Path: "/rules/{id}", Action: account.RuleRead, Summary: "One rule"}, func(_ context.Context, _ *query, in *ruleInput) (*ruleOutput, error) {
		if a.engine != nil {
			if r, pack, ok := a.engine.Rule(in.ID); ok {
				return &ruleOutput{Body: ruleOf(r, pack)}, nil
			}
		}
		return nil, notFound("rule")
	})
	addList[huntsInput](a, listing[huntsInput, Hunt]{
		Route: listRoute("/hunts", account.RuleRead, "List hunts over the archive"),
		key:   func(h *Hunt) int64 { return int64(h.ID) },
		page: func(ctx context.Context, q *query, _ *huntsInput, p account.Page) ([]Hunt, error) {
			list, err := q.Analysis().Hunts(ctx, q.Reach(), p)
			return mapped(list, huntOf), err
		},
	})
	look(a, Route{Path: "/hunts/{id}", Action: account.RuleRead, Summary: "One hunt, and how far it is"}, func(ctx context.Context, q *query, in *oneInput) (*huntOutput, error) {
		h, ok, err := q.Analysis().Hunt(ctx, q.Reach(), in.ID)
		if err == nil && !ok {
			err = notFound("hunt")
		}
		return &huntOutput{Body: huntOf(&h)}, err
	})
	add(a, Route{Method: http.MethodPost, Path: "/hunts", Action: account.RuleWrite, Success: http.StatusAccepted, Summary: "Run rules over the archive"}, a.newHunt)
}

// rules are those that fit, by ID. The list is short and in memory, so it is one page.
func (a *API) rules(in *rulesInput) []Rule {
	out := []Rule{}
	if a.engine == nil {
		return out
	}
	text := strings.ToLower(in.Text)
	for _, r := range a.engine.Rules() {
		_, pack, _ := a.engine.Rule(r.ID)
		if in.Class != "" && string(r.Class) != in.Class || in.Pack != "" && pack.Name != in.Pack || !strings.Contains(strings.ToLower(r.ID+"\n"+r.Name), text) {
			continue
		}
		out = append(out, ruleOf(r, pack))
	}
	slices.SortFunc(out, func(a, b Rule) int { return strings.Compare(a.ID, b.ID) })
	return out
}

func ruleOf(r *analysis.Rule, pack *analysis.Pack) Rule {
	return Rule{
		ID: r.ID, Name: r.Name, Class: r.Class, Pack: pack.Name, Version: pack.Version, Outcome: r.Outcome, Title: r.Title, Diagnosis: r.Diagnosis,
		Recommendation: r.Recommendation, References: r.References,
	}
}

func huntOf(h *analysis.HuntRecord) Hunt {
	return Hunt{
		ID: ID(h.ID), Company: ID(h.Company), Rules: h.Rules, State: h.State, By: h.By, StartedAt: h.StartedAt, UpdatedAt: h.UpdatedAt, Error: h.Error, Done: h.Done,
		Total: h.Total, Findings: h.Findings, Faults: h.Faults, Rate: h.Rate,
	}
}

func (a *API) newHunt(ctx context.Context, c *caller, in *startHuntInput) (*huntOutput, error) {
	if err := account.Require(c.Principal, account.RuleWrite, account.NoCompany); err != nil {
		return nil, err
	}
	if a.hunt == nil {
		return nil, callhome.Errorf(callhome.KindUnavailable, "this server starts no hunts by the API; use callhome admin rule hunt")
	}
	for _, id := range in.Body.Rules {
		if a.engine != nil {
			if _, _, ok := a.engine.Rule(id); !ok {
				return nil, invalid("body.rules", "there is no rule "+shorten(id))
			}
		}
	}
	h, err := a.hunt(ctx, in.Body.Rules, c.Principal)
	if err != nil {
		return nil, err
	}
	return &huntOutput{Body: huntOf(&h)}, nil
}
