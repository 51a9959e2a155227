package api

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"time"

	"callhome"
	"callhome/server/account"
	"callhome/server/advisory"
	"callhome/server/analysis"
	"callhome/server/casework"
	"callhome/server/notify"
	"callhome/server/registry"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

// Prefix is where the API is mounted.
const Prefix = "/api/v1"

// Version is that of the API's description.
const Version = "1"

// Options are what the API works with. Backend is needed; the others have defaults.
type Options struct {
	Backend   Backend
	Office    *account.Office     // nil: one with Now
	Registrar *registry.Registrar // nil: one with Now and the strict policy
	Provider  Provider            // signs people in at an identity provider; nil: there is none
	Desk      *casework.Desk      // nil: one of the default configuration
	Announcer *notify.Announcer   // keeps people's settings; nil: one of the default configuration
	Tell      Tell                // takes notices of the registry; nil: a change that makes one fails
	Announce  Announce            // takes what happened to service requests; nil: nobody is told
	Log       *slog.Logger
	Metrics   *Metrics
	Now       func() time.Time
	Rules     *analysis.Engine // what GET rules shows; nil: none
	Hunt      StartHunt        // nil: hunts are only shown
	Import    ImportAdvisories // nil: advisories are only shown
	Issuer    advisory.Issuer  // of VEX documents; zero: a name that says nothing
	Rates     Rates
	FeedEvery time.Duration // pause between two looks at the feed while streams are open; 0: one second
}

// Tell hands what people are to be told to the room that writes to them, within the transaction v.
type Tell func(ctx context.Context, v Views, notices []registry.Notice) error

// Announce hands what happened to service requests to the room that writes to people, within the transaction v.
type Announce func(ctx context.Context, v Views, happenings []casework.Happening) error

// API is the REST face, a http.Handler for everything below [Prefix].
type API struct {
	backend   Backend
	office    *account.Office
	registrar *registry.Registrar
	provider  Provider
	desk      *casework.Desk
	announcer *notify.Announcer
	tell      Tell
	announce  Announce
	engine    *analysis.Engine
	hunt      StartHunt
	importer  ImportAdvisories
	issuer    advisory.Issuer
	log       *slog.Logger
	metrics   *Metrics
	now       func() time.Time

	mux       *http.ServeMux
	huma      huma.API
	origin    *http.CrossOriginProtection
	callers   *limiter
	addresses *limiter
	failures  *limiter
	feed      *feed
	routes    []Route
}

// New makes the API. Run must run for streams of events to move.
func New(o Options) *API {
	a := &API{
		backend: o.Backend, office: o.Office, registrar: o.Registrar, provider: o.Provider, tell: o.Tell, desk: o.Desk, announcer: o.Announcer, announce: o.Announce, engine: o.Rules, hunt: o.Hunt, importer: o.Import, issuer: o.Issuer,
		log: o.Log, metrics: o.Metrics, now: o.Now,
		mux: http.NewServeMux(), origin: http.NewCrossOriginProtection(),
	}
	a.callers, a.addresses, a.failures = o.Rates.limiters()
	a.defaults()
	a.feed = newFeed(a.backend, a.log, a.metrics, o.FeedEvery)
	a.huma = humago.New(a.mux, description())
	for _, add := range []func(*API){
		addSession, addMessages, addAccounts, addCompanies, addTokens, addAudit, addRegistrations, addDevices, addExceptions, addContracts,
		addGroups, addEnrolments, addInventories, addConfigurations, addAdvisories, addRules, addCases, addFindings, addMaintenance, addInbox, addCounts, addEvents,
	} {
		add(a)
	}
	a.mux.HandleFunc("GET "+Prefix+"/openapi.json", a.serveDescription)
	a.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { a.refuse(w, r, a.unrouted(r)) })
	return a
}

func (a *API) defaults() {
	if a.now == nil {
		a.now = time.Now
	}
	if a.log == nil {
		a.log = slog.New(slog.DiscardHandler)
	}
	a.log = a.log.With("component", "api")
	if a.office == nil {
		a.office = &account.Office{Now: a.now}
	}
	if a.registrar == nil {
		a.registrar = &registry.Registrar{Now: a.now}
	}
	if a.issuer == (advisory.Issuer{}) {
		a.issuer = vexIssuer
	}
	if a.desk == nil {
		a.desk = casework.New(casework.DefaultConfig())
		a.desk.Now = a.now
	}
	if a.announcer == nil {
		a.announcer = notify.New(notify.DefaultConfig())
		a.announcer.Now = a.now
	}
	if a.announce == nil {
		a.announce = func(context.Context, Views, []casework.Happening) error { return nil }
	}
	if a.tell == nil {
		a.tell = func(context.Context, Views, []registry.Notice) error {
			return callhome.Errorf(callhome.KindUnavailable, "this server has no way to tell people, so what needs a mail cannot be done")
		}
	}
}

// description is what openapi.json begins with.
func description() huma.Config {
	c := huma.DefaultConfig("Call Home back end", Version)
	c.Components.Schemas = huma.NewMapRegistry("#/components/schemas/", schemaName)
	c.Info.Description = "Messages, devices, service requests and all else that the back end keeps. Lists give items and a cursor for the next page, and stream whole as .csv or .ndjson. Errors are problems (RFC 9457) with a kind."
	c.OpenAPIPath, c.DocsPath, c.SchemasPath, c.CreateHooks = "", "", "", nil
	c.Formats = map[string]huma.Format{"application/json": jsonFormat, "json": jsonFormat}
	c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"token":   {Type: "http", Scheme: "bearer", Description: "An API token, made under tokens or by callhome admin token create"},
		"session": {Type: "apiKey", In: "cookie", Name: SessionCookie, Description: "A signed-in browser's cookie"},
	}
	return c
}

// jsonFormat escapes what a page could take for markup, should an answer ever be shown as one.
var jsonFormat = huma.Format{
	Marshal: func(w io.Writer, v any) error { return json.NewEncoder(w).Encode(v) },
	Unmarshal: func(data []byte, v any) error {
		if bytes.Contains(data, []byte(`\u0000`)) { // no database keeps it as it is
			return callhome.Errorf(callhome.KindInvalid, "a text holds a null character")
		}
		return json.Unmarshal(data, v)
	},
}

// schemaName is the type's name, with that of its package where it is not of this one.
func schemaName(t reflect.Type, hint string) string {
	name := huma.DefaultSchemaNamer(t, hint)
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	path := t.PkgPath()
	room := path[strings.LastIndexByte(path, '/')+1:]
	if t.Name() == "" || room == "" || room == "api" || room == "callhome" {
		return name
	}
	return strings.ToUpper(room[:1]) + room[1:] + name
}

// Description is openapi.json.
func (a *API) Description() ([]byte, error) {
	return json.MarshalIndent(a.huma.OpenAPI(), "", "  ")
}

func (a *API) serveDescription(w http.ResponseWriter, r *http.Request) {
	text, err := a.Description()
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(text) // a caller that is gone asks again
}

// unrouted is why no route took a request.
func (a *API) unrouted(r *http.Request) error {
	var allow []string
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		probe := &http.Request{Method: method, URL: &url.URL{Path: r.URL.Path}, Host: r.Host}
		if _, pattern := a.mux.Handler(probe); pattern != "/" && pattern != "" {
			allow = append(allow, method)
		}
	}
	if len(allow) == 0 {
		return notFound("address")
	}
	return status(http.StatusMethodNotAllowed, callhome.KindInvalid, "this address takes "+strings.Join(allow, ", "))
}

// Run moves the streams of events and forgets what is old, until ctx ends.
func (a *API) Run(ctx context.Context) error {
	return a.feed.run(ctx, a.now)
}
