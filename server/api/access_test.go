package api_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"callhome/callhometest"
	"callhome/server/api"
)

// sample is a request that would do something to a tenant's records.
type sample struct {
	path func(n *tenant) string // in place of the parameters; nil: there are none
	body func(n *tenant) any
	with []string // headers
	// shared requests are about nobody's records: there is no foreign one
	shared bool
}

func at(format string, id func(n *tenant) any) func(*tenant) string {
	return func(n *tenant) string { return fmt.Sprintf(format, id(n)) }
}

// samples has a row for each operation of the description; without one the test fails.
func (w *world) samples() map[string]sample {
	device := func(format string) func(*tenant) string { return at(format, func(n *tenant) any { return n.device }) }
	pending := func(format string) func(*tenant) string { return at(format, func(n *tenant) any { return n.pending }) }
	message := func(format string) func(*tenant) string { return at(format, func(n *tenant) any { return n.message }) }
	request := func(format string) func(*tenant) string { return at(format, func(n *tenant) any { return n.number }) }
	user := func(format string) func(*tenant) string { return at(format, func(n *tenant) any { return n.user }) }
	company := func(format string) func(*tenant) string { return at(format, func(n *tenant) any { return n.company }) }
	group := func(format string) func(*tenant) string { return at(format, func(n *tenant) any { return n.group }) }
	agent := func(format string) func(*tenant) string { return at(format, func(n *tenant) any { return n.agent }) }
	gateway := func(format string) func(*tenant) string { return at(format, func(n *tenant) any { return n.gateway }) }
	contract := func(format string) func(*tenant) string { return at(format, func(n *tenant) any { return n.contract }) }
	body := func(v map[string]any) func(*tenant) any { return func(*tenant) any { return v } }
	id := func(n int64) string { return fmt.Sprint(n) }
	text := body(map[string]any{"text": "x"})
	soon, later := time.Now().Add(time.Hour).UTC(), time.Now().Add(2*time.Hour).UTC()
	all := map[string]sample{
		"POST /session":              {body: body(map[string]any{"name": "nobody", "password": "wrong"}), shared: true},
		"GET /session":               {shared: true},
		"DELETE /session":            {shared: true},
		"PUT /session/password":      {body: body(map[string]any{"old": "x", "new": "y"}), shared: true},
		"GET /session/oidc":          {shared: true},
		"GET /session/oidc/callback": {shared: true},
		"GET /messages/{id}":         {path: message("/messages/%d")},
		"GET /messages/{id}/raw":     {path: message("/messages/%d/raw")},
		"GET /users/{id}":            {path: user("/users/%d")},
		"PATCH /users/{id}":          {path: user("/users/%d"), body: body(map[string]any{"full_name": "Somebody Else"})},
		"DELETE /users/{id}":         {path: user("/users/%d")},
		"PUT /users/{id}/password":   {path: user("/users/%d/password"), body: body(map[string]any{"password": "a long enough phrase 17"})},
		"POST /users": {body: func(n *tenant) any {
			return map[string]any{"name": "fresh", "email": "f@example.net", "role": "viewer", "companies": []string{id(int64(n.company))}}
		}},
		"GET /companies/{id}":              {path: company("/companies/%d")},
		"POST /companies":                  {body: body(map[string]any{"name": "fresh company"}), shared: true},
		"PATCH /companies/{id}":            {path: company("/companies/%d"), body: body(map[string]any{"disabled": true})},
		"POST /tokens":                     {body: body(map[string]any{"name": "fresh", "scope": "read"}), shared: true},
		"DELETE /tokens/{id}":              {path: at("/tokens/%d", func(n *tenant) any { return n.token })},
		"GET /audit/verify":                {shared: true},
		"GET /devices/{id}":                {path: device("/devices/%d")},
		"PATCH /devices/{id}":              {path: device("/devices/%d"), body: func(n *tenant) any { return map[string]any{"contract": n.contract} }},
		"POST /conflicts/{id}/resolve":     {path: at("/conflicts/%d/resolve", func(n *tenant) any { return n.conflict }), body: body(map[string]any{"decision": "kept"})},
		"POST /registrations/{id}/confirm": {path: pending("/registrations/%d/confirm"), body: body(map[string]any{"agreed": true})},
		"POST /registrations/confirm":      {body: body(map[string]any{"agreed": true, "token": "guessed"}), shared: true},
		"POST /registrations/{id}/reject":  {path: pending("/registrations/%d/reject")},
		"POST /registrations/{id}/suspend": {path: device("/registrations/%d/suspend")},
		"POST /registrations/{id}/resume":  {path: device("/registrations/%d/resume")},
		"POST /registrations/{id}/reopen":  {path: device("/registrations/%d/reopen")},
		"POST /registrations/{id}/resend":  {path: pending("/registrations/%d/resend")},
		"GET /contracts/{number}":          {path: contract("/contracts/%s")},
		"PUT /contracts/{number}":          {path: contract("/contracts/%s"), body: func(n *tenant) any { return map[string]any{"company": id(int64(n.company)), "tier": "silver"} }},
		"DELETE /contracts/{number}":       {path: contract("/contracts/%s")},
		"POST /contracts/import":           {body: func(n *tenant) any { return "number,company,serial\nK-9," + n.mark + " company,X1\n" }, with: []string{"Content-Type", "text/csv"}},
		"GET /groups/{id}":                 {path: group("/groups/%d")},
		"POST /groups": {body: func(n *tenant) any {
			return map[string]any{"company": id(int64(n.company)), "kind": "site", "name": "fresh site"}
		}},
		"PUT /groups/{id}":                                 {path: group("/groups/%d"), body: body(map[string]any{"name": "renamed"})},
		"DELETE /groups/{id}":                              {path: group("/groups/%d")},
		"POST /groups/{id}/members":                        {path: group("/groups/%d/members"), body: func(n *tenant) any { return map[string]any{"add": []string{id(n.pending)}} }},
		"GET /agents/{id}":                                 {path: agent("/agents/%d")},
		"GET /gateways/{id}":                               {path: gateway("/gateways/%d")},
		"POST /agents/{id}/revoke":                         {path: agent("/agents/%d/revoke"), body: body(map[string]any{"reason": "lost"})},
		"POST /gateways/{id}/revoke":                       {path: gateway("/gateways/%d/revoke"), body: body(map[string]any{"reason": "lost"})},
		"GET /drift":                                       {shared: true},
		"POST /enrolment-tokens":                           {body: func(n *tenant) any { return map[string]any{"kind": "agent", "company": id(int64(n.company))} }},
		"DELETE /enrolment-tokens/{id}":                    {path: at("/enrolment-tokens/%d", func(n *tenant) any { return n.joinToken })},
		"GET /devices/{id}/inventory":                      {path: device("/devices/%d/inventory")},
		"GET /devices/{id}/inventory/revisions/{number}":   {path: device("/devices/%d/inventory/revisions/1")},
		"GET /devices/{id}/inventory/diff":                 {path: device("/devices/%d/inventory/diff?from=1")},
		"GET /inventory/summary":                           {shared: true},
		"GET /devices/{id}/configurations/{kind}/{number}": {path: device("/devices/%d/configurations/running/1")},
		"GET /devices/{id}/configurations/diff":            {path: device("/devices/%d/configurations/diff?from=1")},
		"GET /devices/{id}/configurations/drift":           {path: device("/devices/%d/configurations/drift")},
		"GET /configurations/search":                       {path: func(*tenant) string { return "/configurations/search?q=hostname" }, shared: true},
		"GET /service-requests/{id}":                       {path: request("/service-requests/%s")},
		"POST /service-requests":                           {body: func(n *tenant) any { return map[string]any{"device": id(n.device), "title": "help"} }},
		"GET /service-requests/{id}/links":                 {path: request("/service-requests/%s/links")},
		"GET /service-requests/{id}/packet":                {path: request("/service-requests/%s/packet")},
		"GET /service-requests/{id}/packet.zip":            {path: request("/service-requests/%s/packet.zip")},
		"POST /service-requests/{id}/acknowledge":          {path: request("/service-requests/%s/acknowledge")},
		"POST /service-requests/{id}/note":                 {path: request("/service-requests/%s/note"), body: text},
		"POST /service-requests/{id}/assign":               {path: request("/service-requests/%s/assign"), body: body(map[string]any{"person": "somebody"})},
		"POST /service-requests/{id}/route":                {path: request("/service-requests/%s/route"), body: body(map[string]any{"team": "nowhere"})},
		"POST /service-requests/{id}/pend":                 {path: request("/service-requests/%s/pend"), body: body(map[string]any{"state": "pending_vendor"})},
		"POST /service-requests/{id}/snooze":               {path: request("/service-requests/%s/snooze"), body: body(map[string]any{"until": later})},
		"POST /service-requests/{id}/resolve":              {path: request("/service-requests/%s/resolve"), body: text},
		"POST /service-requests/{id}/close":                {path: request("/service-requests/%s/close"), body: text},
		"POST /service-requests/{id}/reopen":               {path: request("/service-requests/%s/reopen"), body: text},
		"POST /maintenance": {body: func(n *tenant) any {
			return map[string]any{"company": id(int64(n.company)), "scope": "company", "from": soon, "until": later}
		}},
		"DELETE /maintenance/{id}":  {path: at("/maintenance/%d", func(n *tenant) any { return n.window })},
		"GET /findings/{id}":        {path: at("/findings/%d", func(n *tenant) any { return n.finding })},
		"GET /hunts/{id}":           {path: at("/hunts/%d", func(n *tenant) any { return n.hunt })},
		"POST /hunts":               {body: body(map[string]any{"rules": []string{"psu-failed"}}), shared: true},
		"GET /rules/{id}":           {path: func(*tenant) string { return "/rules/psu-failed" }, shared: true},
		"GET /advisories/{id}":      {path: func(*tenant) string { return "/advisories/" + id(w.advisory) }, shared: true},
		"POST /advisories/import":   {body: func(*tenant) any { return "{}" }, shared: true},
		"GET /devices/{id}/vex":     {path: device("/devices/%d/vex")},
		"GET /notifications/unread": {shared: true},
		"POST /notifications/read":  {body: body(map[string]any{}), shared: true},
		"GET /preferences":          {shared: true},
		"PUT /preferences":          {body: body(map[string]any{"hour": 7}), shared: true},
		"GET /counts":               {shared: true},
		"GET /events":               {path: func(*tenant) string { return "/events?kinds=none" }, shared: true}, // a fault, so that it ends
	}
	for list, path := range map[string]func(*tenant) string{
		"/messages": nil, "/users": nil, "/companies": nil, "/tokens": nil, "/audit": nil, "/registrations": nil, "/devices": nil, "/conflicts": nil, "/exceptions": nil,
		"/contracts": nil, "/groups": nil, "/sites": nil, "/agents": nil, "/gateways": nil, "/enrolment-tokens": nil, "/units": nil, "/service-requests": nil,
		"/findings": nil, "/rules": nil, "/hunts": nil, "/advisories": nil, "/matches": nil, "/maintenance": nil, "/notifications": nil,
		"/devices/{id}/inventory/revisions": device("/devices/%d/inventory/revisions"), "/devices/{id}/configurations": device("/devices/%d/configurations"),
		"/advisories/{id}/matches": func(*tenant) string { return "/advisories/" + id(w.advisory) + "/matches" }, "/devices/{id}/advisories": device("/devices/%d/advisories"),
		"/service-requests/{id}/events": request("/service-requests/%s/events"), "/service-requests/{id}/evidence": request("/service-requests/%s/evidence"),
	} {
		for _, form := range []string{"", ".csv", ".ndjson"} {
			row := sample{shared: path == nil || strings.HasPrefix(list, "/advisories")}
			if path != nil {
				row.path = func(n *tenant) string { return path(n) + form }
			}
			all["GET "+list+form] = row
		}
	}
	return all
}

// operations are those of the description, such as "GET /messages".
func operations(t *testing.T, a *api.API) []string {
	t.Helper()
	text, err := a.Description()
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Paths map[string]map[string]json.RawMessage
	}
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	var out []string
	for path, item := range doc.Paths {
		for method := range item {
			out = append(out, strings.ToUpper(method)+" "+strings.TrimPrefix(path, api.Prefix))
		}
	}
	slices.SortFunc(out, func(a, b string) int {
		_, pathA, _ := strings.Cut(a, " ")
		_, pathB, _ := strings.Cut(b, " ")
		return cmp.Or(strings.Compare(pathA, pathB), strings.Compare(a, b))
	})
	return out
}

// askers are the columns of the table.
var askers = []struct{ name, short string }{
	{"", "nobody"}, {"revoked", "revoked"}, {"expired", "expired"},
	{"viewer", "viewer"}, {"viewer read", "v-read"}, {"viewer write", "v-write"},
	{"device-administrator", "devadm"}, {"device-administrator read", "d-read"}, {"device-administrator write", "d-write"},
	{"company-administrator", "coadm"}, {"company-administrator read", "c-read"}, {"company-administrator write", "c-write"},
	{"partner", "partner"}, {"partner read", "p-read"}, {"partner write", "p-write"}, {"company token", "token"},
	{"operator", "operator"}, {"operator read", "o-read"}, {"operator write", "o-write"},
}

func (w *world) try(caller, op string, s sample, n *tenant) *reply {
	method, path, _ := strings.Cut(op, " ")
	if s.path != nil {
		path = s.path(n)
	}
	var body any
	if s.body != nil {
		body = s.body(n)
	}
	return w.do(caller, method, path, body, s.with...)
}

// access asks for everything as everybody, of their own and of another company's records, and makes the table of what
// each got.
func (w *world) access(t *testing.T) []byte {
	rows := w.samples()
	var table strings.Builder
	table.WriteString("# What each caller gets: of their own company's records / of another's. All but operators are of company alpha, or partners of it.\n")
	fmt.Fprintf(&table, "%-58s", "operation")
	for _, a := range askers {
		fmt.Fprintf(&table, " %-8s", a.short)
	}
	ops := operations(t, w.api)
	for _, op := range ops {
		s, ok := rows[op]
		if !ok {
			t.Errorf("%s has no sample: give it a row, and look at what everybody gets", op)
			continue
		}
		fmt.Fprintf(&table, "\n%-58s", op)
		for _, a := range askers {
			w.trial.Store(true)
			cell := fmt.Sprint(w.judge(t, a.name, op, w.try(a.name, op, s, w.alpha)))
			if !s.shared {
				if strings.HasPrefix(a.name, "operator") {
					w.trial.Store(true)
				} else {
					w.trial.Store(false) // what it should not do it may do now, and it will show
				}
				cell += "/" + fmt.Sprint(w.judge(t, a.name, op, w.try(a.name, op, s, w.bravo)))
			}
			fmt.Fprintf(&table, " %-8s", cell)
		}
	}
	w.trial.Store(false)
	for op := range maps.Keys(rows) {
		if !slices.Contains(ops, op) {
			t.Errorf("%s is no operation", op)
		}
	}
	return []byte(table.String() + "\n")
}

// judge looks whether an answer tells anything of the other company.
func (w *world) judge(t *testing.T, caller, op string, r *reply) int {
	t.Helper()
	if r.status >= 500 {
		t.Errorf("%s by %s: %d %s", op, caller, r.status, r.body)
	}
	if r.status >= 400 && r.header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("%s by %s: %d of type %s, which is no problem", op, caller, r.status, r.header.Get("Content-Type"))
	}
	if strings.HasPrefix(caller, "operator") {
		return r.status
	}
	b := w.bravo
	if !strings.HasPrefix(caller, "partner") && strings.Contains(string(r.body), fmt.Sprint(w.other)) {
		t.Errorf("%s by %q tells of the partner's other company: %.400s", op, caller, r.body)
	}
	for _, secret := range []string{"bravo", fmt.Sprint(b.device), fmt.Sprint(b.message), fmt.Sprint(b.caseID), fmt.Sprint(b.company), fmt.Sprint(b.user), fmt.Sprint(b.group)} {
		if strings.Contains(strings.ToLower(string(r.body)), secret) {
			t.Errorf("%s by %q tells of the other company (%s): %d %.400s", op, caller, secret, r.status, r.body)
		}
	}
	return r.status
}

// snapshot is all that an operator sees of a company.
func (w *world) snapshot(t *testing.T, n *tenant) string {
	var out strings.Builder
	for op, s := range w.samples() {
		if !strings.HasPrefix(op, "GET ") || strings.HasPrefix(op, "GET /audit") || strings.Contains(op, "packet") || s.shared && !strings.HasSuffix(op, ".ndjson") {
			continue
		}
		for line := range strings.Lines(string(w.try("operator", op, s, n).body)) {
			if strings.Contains(line, n.mark) && !strings.Contains(line, `"last_used"`) {
				out.WriteString(op + " " + line + "\n")
			}
		}
	}
	lines := strings.Split(out.String(), "\n")
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

func testIsolation(t *testing.T, w *world) []byte {
	before := w.snapshot(t, w.bravo)
	if strings.Count(before, "\n") < 20 {
		t.Fatalf("an operator sees too little of bravo to show anything:\n%s", before)
	}
	table := w.access(t)
	if after := w.snapshot(t, w.bravo); after != before {
		t.Errorf("the other company was changed:\nbefore %s\nafter  %s", before, after)
	}
	return table
}

func TestIsolation(t *testing.T) {
	golden(t, "testdata/access.txt", testIsolation(t, newWorld(t, openSQLite(t))))
}

func TestPeerIsolationPostgres(t *testing.T) {
	golden(t, "testdata/access.txt", testIsolation(t, newWorld(t, openStore(t, callhometest.Postgres(t)))))
}
