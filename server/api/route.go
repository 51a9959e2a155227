package api

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"callhome"
	"callhome/server/account"
	"callhome/server/registry"

	"github.com/danielgtaylor/huma/v2"
)

// Route is one operation and who may call it.
type Route struct {
	Method, Path string         // below Prefix
	Action       account.Action // that the caller must be allowed; empty: see Open
	Open         bool           // nobody needs to be signed in
	Own          bool           // whoever is signed in, about themselves
	Summary      string
	MaxBody      int64 // bytes; 0: maxBody
	Success      int   // status; 0: 200
	Further      bool  // query parameters that are not known are left alone: others write the address
}

const (
	// maxBody is far above any form; files have limits of their own.
	maxBody = 256 << 10
	// maxFile bounds files that are imported: 100,000 lines of contracts.
	maxFile = 32 << 20
	// workTime bounds what one request may ask of the database. Streams are not bounded by it.
	workTime = 30 * time.Second
)

// input of requests that have none.
type nothing struct{}

// look adds an operation that reads.
func look[I, O any](a *API, r Route, f func(ctx context.Context, q *query, in *I) (*O, error)) {
	r.Method = http.MethodGet
	add(a, r, func(ctx context.Context, c *caller, in *I) (*O, error) {
		ctx, cancel := context.WithTimeout(ctx, workTime)
		defer cancel()
		return f(ctx, &query{caller: c, Views: a.backend.Read(), api: a}, in)
	})
}

// query is a reading request.
type query struct {
	*caller
	Views
	api *API
}

// deed is a changing request, in its transaction.
type deed struct {
	*caller
	Views
	api     *API
	noted   bool
	failure error // told to the caller though the transaction stays
}

// note writes the audit log.
func (d *deed) note(ctx context.Context, action account.Action, object string, company account.CompanyID, detail map[string]any) error {
	d.noted = true
	return d.api.office.Note(ctx, d.Account(), d.Principal, action, object, company, detail)
}

// roomNotes says that the room that was asked wrote the audit log itself.
func (d *deed) roomNotes() { d.noted = true }

// tell hands on what people are to be told.
func (d *deed) tell(ctx context.Context, notices ...registry.Notice) error {
	if len(notices) == 0 {
		return nil
	}
	return d.api.tell(ctx, d.Views, notices)
}

// keyed is an input that may carry an Idempotency-Key.
type keyed interface{ idempotencyKey() string }

// Repeatable is embedded by inputs of requests that create.
type Repeatable struct {
	IdempotencyKey string `header:"Idempotency-Key" maxLength:"200" doc:"A text of the caller's choosing: a request repeated with it is answered as the first, and does nothing"`
}

func (r Repeatable) idempotencyKey() string { return r.IdempotencyKey }

// change adds an operation that changes records: in one transaction with its line in the audit log, without which it fails.
func change[I, O any](a *API, r Route, f func(ctx context.Context, d *deed, in *I) (*O, error)) {
	add(a, r, func(ctx context.Context, c *caller, in *I) (*O, error) {
		ctx, cancel := context.WithTimeout(ctx, workTime)
		defer cancel()
		var out *O
		var failure error
		err := a.backend.Change(ctx, func(v Views) (err error) {
			d := &deed{caller: c, Views: v, api: a}
			out, err = once(ctx, d, r, in, func() (*O, error) { return f(ctx, d, in) })
			if err == nil && !d.noted {
				err = fmt.Errorf("%s %s: the change was not written to the audit log", r.Method, r.Path)
			}
			failure = d.failure
			return err
		})
		if err == nil && failure != nil {
			return nil, failure
		}
		return out, err
	})
}

// add adds an operation.
func add[I, O any](a *API, r Route, f func(ctx context.Context, c *caller, in *I) (*O, error)) {
	a.routes = append(a.routes, r)
	op := operation(r)
	op.Middlewares = huma.Middlewares{func(hc huma.Context, next func(huma.Context)) {
		if err := a.permit(hc, r); err != nil {
			a.answer(hc, err)
			return
		}
		next(hc)
	}}
	huma.Register(a.huma, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := f(ctx, callerOf(ctx), in)
		if err == nil {
			return out, nil
		}
		p := problemOf(err)
		a.logFault(ctx, r.Method, r.Path, err, p)
		return nil, p
	})
}

// answer sends a problem from between the guard and the handler.
func (a *API) answer(hc huma.Context, err error) {
	p := problemOf(err)
	for name, values := range p.GetHeaders() {
		hc.SetHeader(name, values[0])
	}
	hc.SetHeader("Content-Type", problemType)
	hc.SetStatus(p.Status)
	_ = jsonFormat.Marshal(hc.BodyWriter(), p) // a caller that is gone asks again
}

// permit holds the caller against the authorization table before anything of the request is read.
func (a *API) permit(hc huma.Context, r Route) error {
	c := callerOf(hc.Context())
	if !r.Open && !c.signed {
		return unauthorized("sign in, or give a token as Authorization: Bearer TOKEN")
	}
	if r.Action != "" && !account.CanSomewhere(c.Principal, r.Action) {
		return denied(c, r.Action)
	}
	u := hc.URL()
	q, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return invalid("query", "the query cannot be read: "+shorten(err.Error()))
	}
	for name, values := range q {
		if len(values) > 1 {
			return invalid("query."+shorten(name), "is given more than once")
		}
		if strings.Contains(values[0], "\x00") || !utf8.ValidString(values[0]) { // no database keeps it as it is
			return invalid("query."+shorten(name), "is no text: it holds a null character or is not UTF-8")
		}
	}
	return nil
}

func denied(c *caller, action account.Action) error {
	roles, least, _ := account.Allowed(action)
	words := make([]string, len(roles))
	for i, r := range roles {
		words[i] = string(r)
	}
	if !c.Scope.Includes(least) {
		return callhome.Errorf(callhome.KindDenied, "a token of scope %s may not do %s; it takes scope %s", c.Scope, action, least)
	}
	return callhome.Errorf(callhome.KindDenied, "%s is for %s", action, strings.Join(words, ", "))
}

// require is nil when the caller may do an action with records of a company that is within reach.
func (c *caller) require(action account.Action, company account.CompanyID, what string) error {
	if !c.Reach().Has(company) {
		return notFound(what)
	}
	return account.Require(c.Principal, action, company)
}

var nameParts = regexp.MustCompile(`[^a-z0-9]+`)

// operation describes a route in OpenAPI.
func operation(r Route) huma.Operation {
	op := huma.Operation{
		OperationID: strings.Trim(nameParts.ReplaceAllString(strings.ToLower(r.Method+r.Path), "-"), "-"),
		Method:      r.Method, Path: Prefix + r.Path, Summary: r.Summary, Tags: []string{firstPart(r.Path)}, DefaultStatus: r.Success,
		MaxBodyBytes: r.MaxBody, BodyReadTimeout: bodyTimeout, RejectUnknownQueryParameters: !r.Further,
	}
	if op.MaxBodyBytes == 0 {
		op.MaxBodyBytes = maxBody
	}
	switch {
	case r.Open:
		op.Description = "Nobody needs to be signed in."
	case r.Own:
		op.Description = "For whoever is signed in."
	default:
		roles, least, _ := account.Allowed(r.Action)
		op.Description = fmt.Sprintf("Needs %s: scope %s, roles %v.", r.Action, least, roles)
	}
	if !r.Open {
		op.Security = []map[string][]string{{"token": {}}, {"session": {}}}
	}
	return op
}

func firstPart(path string) string {
	part, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	part, _, _ = strings.Cut(part, ".")
	return part
}
