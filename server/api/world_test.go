package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"callhome"
	"callhome/enrol"
	"callhome/server/account"
	"callhome/server/advisory"
	"callhome/server/analysis"
	"callhome/server/api"
	"callhome/server/archive"
	"callhome/server/casework"
	"callhome/server/confighistory"
	"callhome/server/inventory"
	"callhome/server/notify"
	"callhome/server/registry"
	"callhome/server/sqlstore"
)

// backend is the store as the API sees it; the conductor's does the same.
type backend struct {
	*sqlstore.Store
	trial *atomic.Bool // every change is undone, though it is answered as if it were done
}

func (b backend) Read() api.Views { return b.Store.Read() }

func (b backend) Change(ctx context.Context, f func(api.Views) error) error {
	err := b.InTx(ctx, func(tx *sqlstore.Tx) error {
		if err := f(tx); err != nil || !b.trial.Load() {
			return err
		}
		return errTrial
	})
	if errors.Is(err, errTrial) {
		return nil
	}
	return err
}

var errTrial = errors.New("a trial is undone")

// tenant is a company with one of everything. All its texts hold its mark, so that a leak shows.
type tenant struct {
	mark                                     string
	company                                  account.CompanyID
	users                                    map[account.Role]*account.User
	device, pending, message, caseID         int64
	group, agent, gateway, joinToken, window int64
	token, user, conflict, finding, hunt     int64
	contract, number                         string
}

// world is a back end with two tenants, callers of every kind, and the API over HTTP.
type world struct {
	t     testing.TB
	store *sqlstore.Store
	api   *api.API
	url   string
	now   time.Time
	trial atomic.Bool
	told  atomic.Int64 // notices that the registry wanted told

	advisory     int64
	alpha, bravo *tenant
	other        account.CompanyID // of the partner, besides alpha
	tokens       map[string]string // by the name of a caller
}

func openSQLite(t testing.TB) *sqlstore.Store {
	return openStore(t, filepath.Join(t.TempDir(), "server.db"))
}

func openStore(t testing.TB, dsn string) *sqlstore.Store {
	t.Helper()
	s, err := sqlstore.Open(t.Context(), dsn, sqlstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func newWorld(t testing.TB, s *sqlstore.Store) *world {
	t.Helper()
	w := &world{t: t, store: s, now: time.Now().Truncate(time.Second), tokens: map[string]string{}}
	w.api = api.New(api.Options{
		Backend: backend{s, &w.trial}, Rates: api.Rates{Caller: 1e6, Address: 1e6, Failures: 1e6}, FeedEvery: 20 * time.Millisecond,
		Import: func(context.Context, string, []byte, account.Principal) (api.AdvisoryImport, error) {
			return api.AdvisoryImport{Notices: 1}, nil
		},
		Hunt: func(_ context.Context, rules []string, by account.Principal) (analysis.HuntRecord, error) {
			return analysis.HuntRecord{ID: 1, Rules: rules, By: by.Name, State: analysis.HuntRunning}, nil
		},
		Tell: func(_ context.Context, _ api.Views, n []registry.Notice) error { w.told.Add(int64(len(n))); return nil },
	})
	w.url = w.serve(w.api)
	w.alpha, w.bravo = w.tenant("alpha"), w.tenant("bravo")
	w.advise()
	w.people()
	return w
}

func (w *world) backend() api.Backend { return backend{w.store, &w.trial} }

// serve opens a server for a while and gives the API's address.
func (w *world) serve(a *api.API) string {
	server := httptest.NewServer(a)
	w.t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	return server.URL + api.Prefix
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

var allReach = account.Everywhere()

func (w *world) tx(f func(ctx context.Context, tx *sqlstore.Tx) error) {
	w.t.Helper()
	ctx := context.Background()
	if err := w.store.InTx(ctx, func(tx *sqlstore.Tx) error { return f(ctx, tx) }); err != nil {
		w.t.Fatal(err)
	}
}

var office = &account.Office{}

func (w *world) addUser(ctx context.Context, tx *sqlstore.Tx, name string, role account.Role, companies ...account.CompanyID) *account.User {
	u := &account.User{Name: name, Email: name + "@example.net", FullName: "Person " + name, Role: role, Companies: companies, CreatedAt: w.now}
	if err := tx.Account().AddUser(ctx, u); err != nil {
		w.t.Fatal(err)
	}
	return u
}

func (w *world) addToken(ctx context.Context, tx *sqlstore.Tx, caller string, p account.Principal, scope account.Scope) *account.Token {
	t, secret, err := office.NewToken(ctx, tx.Account(), p, account.TokenOrder{Name: strings.ReplaceAll(caller, " ", "-"), Scope: scope})
	if err != nil {
		w.t.Fatal(err)
	}
	w.tokens[caller] = secret.Reveal()
	return t
}

// people are callers of every kind; those of a company are of alpha.
func (w *world) people() {
	w.tx(func(ctx context.Context, tx *sqlstore.Tx) error {
		for _, role := range account.Roles {
			var u *account.User
			switch role {
			case account.RoleOperator:
				u = w.addUser(ctx, tx, "op", role)
			case account.RolePartner:
				other := &account.Company{Name: "other of the partner", CreatedAt: w.now}
				if err := tx.Account().AddCompany(ctx, other); err != nil {
					return err
				}
				w.other = other.ID
				u = w.addUser(ctx, tx, "partner", role, w.alpha.company, other.ID)
			default:
				u = w.alpha.users[role]
			}
			w.addToken(ctx, tx, string(role), u.Principal(), account.ScopeAdmin)
			w.addToken(ctx, tx, string(role)+" read", u.Principal(), account.ScopeRead)
			w.addToken(ctx, tx, string(role)+" write", u.Principal(), account.ScopeWrite)
		}
		revoked := w.addToken(ctx, tx, "revoked", w.alpha.users[account.RoleCompanyAdmin].Principal(), account.ScopeAdmin)
		if err := tx.Account().DeleteToken(ctx, revoked.ID); err != nil {
			return err
		}
		past := &account.Office{Now: func() time.Time { return w.now.Add(-48 * time.Hour) }}
		_, secret, err := past.NewToken(ctx, tx.Account(), w.alpha.users[account.RoleCompanyAdmin].Principal(), account.TokenOrder{Name: "expired", Scope: account.ScopeAdmin, Lifetime: time.Hour})
		w.tokens["expired"] = secret.Reveal()
		if err != nil {
			return err
		}
		_, secret, err = office.NewToken(ctx, tx.Account(), account.System(), account.TokenOrder{Name: "company-token", Scope: account.ScopeAdmin, Company: w.alpha.company})
		w.tokens["company token"] = secret.Reveal()
		return err
	})
}

// advise imports an advisory and holds both companies' devices against it.
func (w *world) advise() {
	w.tx(func(ctx context.Context, tx *sqlstore.Tx) error {
		came, err := advisory.Import(ctx, tx.Advisory(), advisory.Notice{
			Publisher: "maker", Ident: "SA-1", Sort: advisory.SecurityAdvisory, Version: "1", Status: advisory.Final, Title: "Default community", Impact: "high", CVEs: []string{"CVE-2026-0001"},
			Items: []advisory.Item{{Vulnerability: "CVE-2026-0001", Claim: advisory.ClaimAffected, Products: []string{"QX9006"}, Config: []advisory.ConfigTest{{Pattern: "snmp-server community"}}}},
		}, w.now)
		if err != nil {
			return err
		}
		w.advisory = came.Notice.ID
		for _, n := range []*tenant{w.alpha, w.bravo} {
			events, err := advisory.Review(ctx, tx.Advisory(), tx.Inventory(), tx.ConfigHistory(), n.device, w.now)
			if err != nil {
				return err
			}
			if len(events) != 1 || !events[0].Newly() {
				return fmt.Errorf("%s is not affected: %v", n.mark, events)
			}
		}
		return nil
	})
}

const showRun = "show running-config"

func (w *world) deviceMessage(mark, serial string) *callhome.Message {
	config := "version 17.12\nhostname " + mark + "-router\nusername admin secret 0 " + mark + "-pass-1\nsnmp-server community " + mark + "-community RW\ninterface Vlan1\n no shutdown\nend\n"
	level := callhome.LevelMajor
	return &callhome.Message{
		Severity: &level, EventTime: callhome.Timestamp{Time: w.now.UTC()},
		Format: callhome.FormatXML, MessageID: callhome.MessageID("M1:" + serial + ":0A0B0C01"), Type: "inventory", Subtype: "full", Group: callhome.GroupInventory, DeviceID: callhome.DeviceID("QX9006@C@" + serial),
		SystemName: mark + "-router", Model: "QX9006", Serial: serial, SWVersion: "17.12.4", ContactEmail: "noc@" + mark + ".example", ContractID: mark + "-K1",
		Description: mark + " description: password " + mark + "-pass-2",
		FRUs:        []callhome.FRU{{Name: mark + "-PWR", Serial: mark + "-PWR-1", Slot: "1", PartNo: "341-0001"}},
		Attachments: []callhome.Attachment{{Name: showRun, Type: "inline", Text: config}},
	}
}

// tenant makes a company with one of everything.
func (w *world) tenant(mark string) *tenant {
	w.t.Helper()
	n := &tenant{mark: mark, users: map[account.Role]*account.User{}, contract: mark + "-K1"}
	w.tx(func(ctx context.Context, tx *sqlstore.Tx) error {
		c := &account.Company{Name: mark + " company", CreatedAt: w.now}
		if err := tx.Account().AddCompany(ctx, c); err != nil {
			return err
		}
		n.company = c.ID
		for _, role := range []account.Role{account.RoleViewer, account.RoleDeviceAdmin, account.RoleCompanyAdmin} {
			n.users[role] = w.addUser(ctx, tx, mark+"-"+string(role), role, c.ID)
		}
		n.user = int64(n.users[account.RoleViewer].ID)
		n.token = w.addToken(ctx, tx, mark+" spare", n.users[account.RoleViewer].Principal(), account.ScopeRead).ID
		return w.fill(ctx, tx, n)
	})
	return n
}

func (w *world) fill(ctx context.Context, tx *sqlstore.Tx, n *tenant) error {
	mark := n.mark
	contract := &registry.Contract{
		Number: n.contract, Company: n.company, Tier: "gold", From: w.now.Add(-time.Hour), Until: w.now.Add(1000 * time.Hour), Name: mark + " contract",
		Covers: []registry.Cover{{Kind: registry.CoverProduct, Value: "*"}},
	}
	r := tx.Registry()
	if err := r.PutContract(ctx, contract); err != nil {
		return err
	}
	dev := &registry.Device{
		DeviceID: callhome.DeviceID("QX9006@C@" + mark + "1"), Model: "QX9006", Serial: mark + "1", SystemName: mark + "-router", Company: n.company, Contract: n.contract,
		ContactEmail: "noc@" + mark + ".example", State: registry.StateRegistered, FirstSeen: w.now, LastSeen: w.now, Owned: true,
		Entitlement: registry.Entitlement{Contract: n.contract, Tier: "gold", From: contract.From, Until: contract.Until, Registered: true},
	}
	if err := r.AddDevice(ctx, dev); err != nil {
		return err
	}
	waiting := &registry.Device{
		DeviceID: callhome.DeviceID("QX9006@C@" + mark + "2"), Model: "QX9006", Serial: mark + "2", SystemName: mark + "-new", Company: n.company, Contract: n.contract,
		ContactEmail: "noc@" + mark + ".example", State: registry.StatePending, FirstSeen: w.now, LastSeen: w.now,
	}
	if err := r.AddDevice(ctx, waiting); err != nil {
		return err
	}
	n.device, n.pending = int64(dev.ID), int64(waiting.ID)
	g := &registry.Group{Company: n.company, Kind: registry.GroupOfDevices, Name: mark + " group", Owners: []account.UserID{n.users[account.RoleCompanyAdmin].ID}}
	if err := r.AddGroup(ctx, g); err != nil {
		return err
	}
	n.group = g.ID
	if err := r.SetMembers(ctx, g.ID, true, dev.ID); err != nil {
		return err
	}
	for kind, id := range map[enrol.Kind]*int64{enrol.KindAgent: &n.agent, enrol.KindGateway: &n.gateway} {
		e := &registry.Enrolment{Kind: kind, Company: n.company, Name: mark + "-" + string(kind), JoinedAt: w.now}
		if err := r.AddEnrolment(ctx, e); err != nil {
			return err
		}
		*id = int64(e.ID)
	}
	join := &registry.JoinToken{Digest: mark, Prefix: mark, Kind: enrol.KindAgent, Company: n.company, Name: mark + "-join", MadeAt: w.now, Until: w.now.Add(time.Hour)}
	if err := r.AddJoinToken(ctx, join); err != nil {
		return err
	}
	n.joinToken = join.ID
	conflict := &registry.Conflict{Device: dev.ID, Serial: mark + "1", Company: n.company, Kind: registry.ConflictOrigin, Was: mark + " before", Now: mark + " now", FirstAt: w.now, LastAt: w.now, Count: 1, State: registry.ConflictOpen}
	if err := r.PutConflict(ctx, conflict); err != nil {
		return err
	}
	n.conflict = conflict.ID
	exception := &registry.Exception{Day: w.now.UTC().Format(time.DateOnly), Device: dev.ID, Company: n.company, DeviceID: dev.DeviceID, Reason: registry.ReasonClockSkew, Detail: mark + " exception", FirstAt: w.now, LastAt: w.now, Count: 1}
	if err := r.AddException(ctx, exception); err != nil {
		return err
	}
	return w.fillMessages(ctx, tx, n, dev)
}

func (w *world) fillMessages(ctx context.Context, tx *sqlstore.Tx, n *tenant, dev *registry.Device) error {
	m := w.deviceMessage(n.mark, dev.Serial)
	n.message = tx.NewID()
	body := archivedXML(w.t, m)
	record := &archive.Record{
		ID: n.message, ReceivedAt: w.now, EventTime: w.now, Company: n.company, Device: n.device, DeviceID: dev.DeviceID, SystemName: dev.SystemName, MessageID: m.MessageID,
		Type: m.Type, Subtype: m.Subtype, Group: m.Group, Severity: 3, Description: m.Description, Format: callhome.FormatXML, Size: len(body), Status: archive.StatusProcessed,
		Origin: archive.Origin{Transport: callhome.TransportHTTP, Peer: "192.0.2.1", Gateway: n.mark + "-gateway"},
	}
	if err := tx.Archive().Add(ctx, record, body); err != nil {
		return err
	}
	if _, err := inventory.Observe(ctx, tx.Inventory(), inventory.Observation{Device: n.device, Company: n.company, Received: w.now, Message: m}); err != nil {
		return err
	}
	m.Attachments = append(m.Attachments, callhome.Attachment{Name: "show startup-config", Type: "inline", Text: m.Attachments[0].Text})
	for i, id := range []string{"1", "2"} {
		m.MessageID = callhome.MessageID("M1:" + dev.Serial + ":0A0B0C0" + id)
		m.Attachments[0].Text += strings.Repeat("! "+n.mark+"\nip route 192.0.2.0 255.255.255.0 Null0\n", i)
		if _, err := confighistory.Observe(ctx, tx.ConfigHistory(), confighistory.Observation{Device: n.device, Company: n.company, Received: w.now, Message: m}); err != nil {
			return err
		}
	}
	return w.fillCases(ctx, tx, n, dev)
}

func (w *world) fillCases(ctx context.Context, tx *sqlstore.Tx, n *tenant, dev *registry.Device) error {
	desk := casework.New(casework.DefaultConfig())
	sub := casework.Subject{Device: n.device, DeviceID: dev.DeviceID, Company: n.company, Host: dev.SystemName, Model: dev.Model, Serial: dev.Serial, Entitled: true}
	cause := casework.Cause{
		MessageID: callhome.MessageID("M1:" + dev.Serial + ":0A0B0C01"), Archive: n.message, Group: callhome.GroupEnvironment, At: w.now, Rule: "psu-failed", Outcome: analysis.OutcomeServiceRequest,
		Level: callhome.LevelMajor, Title: n.mark + " power supply failed", Component: "Power Supply 1", State: callhome.StateRaise,
		Evidence: []casework.Evidence{{Archive: n.message, Attachment: showRun, Quote: n.mark + " quote: snmp-server community " + n.mark + "-community RW"}},
	}
	results, err := desk.Act(ctx, tx.Casework(), sub, []casework.Cause{cause})
	if err != nil {
		return err
	}
	if results[0].Disposition != casework.DispositionOpened {
		return fmt.Errorf("the case was not opened: %s", results[0].Disposition)
	}
	record := analysis.Record{
		Company: n.company, Device: n.device, Message: n.message, MessageID: "M1:" + dev.Serial + ":0A0B0C01", Case: results[0].Happenings[0].Case.ID,
		Finding: analysis.Finding{Rule: "psu-failed", Pack: "test", Title: n.mark + " power supply failed", Outcome: analysis.OutcomeServiceRequest, State: callhome.StateRaise, Level: callhome.LevelMajor, At: w.now},
	}
	if n.finding, err = tx.Analysis().Add(ctx, record); err != nil {
		return err
	}
	if n.hunt, err = tx.Analysis().PutHunt(ctx, analysis.HuntRecord{Company: n.company, Rules: []string{n.mark + "-rule"}, State: analysis.HuntDone, By: n.mark, StartedAt: w.now, UpdatedAt: w.now}); err != nil {
		return err
	}
	n.number, n.caseID = string(results[0].Number), results[0].Happenings[0].Case.ID
	window := &casework.Window{Company: n.company, Scope: casework.ScopeSite, Target: n.mark + " site", From: w.now.Add(time.Hour), Until: w.now.Add(2 * time.Hour), Reason: n.mark + " works"}
	if err := desk.OpenWindow(ctx, tx.Casework(), window); err != nil {
		return err
	}
	n.window = window.ID
	notice := notify.RegistrationComplete(&sub, n.mark+" person", w.now)
	to := []notify.Recipient{{User: n.users[account.RoleViewer].ID, Name: "x", Address: "x@" + n.mark + ".example"}}
	return notify.New(notify.DefaultConfig()).Announce(ctx, tx.Notify(), notice, to)
}

// reply is an answer that was read.
type reply struct {
	status int
	header http.Header
	body   []byte
}

func (r *reply) json(t testing.TB) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal(r.body, &v); err != nil {
		t.Fatalf("the answer is no JSON object: %v\n%s", err, r.body)
	}
	return v
}

func (w *world) do(caller, method, path string, body any, header ...string) *reply {
	w.t.Helper()
	var reader io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		reader = strings.NewReader(b)
	case []byte:
		reader = bytes.NewReader(b)
	default:
		text, err := json.Marshal(b)
		if err != nil {
			w.t.Fatal(err)
		}
		reader = bytes.NewReader(text)
	}
	req, err := http.NewRequest(method, w.url+path, reader)
	if err != nil {
		w.t.Fatal(err)
	}
	if reader != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if token := w.tokens[caller]; token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	return send(w.t, req)
}

var client = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

func send(t testing.TB, req *http.Request) *reply {
	t.Helper()
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return &reply{status: res.StatusCode, header: res.Header, body: text}
}
