package main

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"callhome"
	"callhome/control"
	"callhome/server/account"
	"callhome/server/registry"
	"callhome/server/sqlstore"
)

// backEnd is a control socket with the calls about accounts and devices, on a store of its own.
type backEnd struct {
	*testing.T
	dir   string
	store *sqlstore.Store
	desk  *desk
}

func newBackEnd(t *testing.T) *backEnd {
	t.Helper()
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(context.Background())
	store, err := sqlstore.Open(ctx, filepath.Join(dir, "server.db"), sqlstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	orders := &control.Server{Path: filepath.Join(dir, "server.sock"), Log: slog.New(slog.DiscardHandler)}
	d := &desk{store: store, office: &account.Office{}, registrar: &registry.Registrar{}}
	d.serve(orders)
	if err := orders.Listen(ctx); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- orders.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		_ = store.Close()
	})
	return &backEnd{T: t, dir: dir, store: store, desk: d}
}

// run runs a command and wants an exit code.
func (b *backEnd) run(code int, stdin string, args ...string) string {
	b.Helper()
	var out, errs bytes.Buffer
	got := run(append([]string{"--socket", filepath.Join(b.dir, "server.sock"), "admin"}, args...), strings.NewReader(stdin), &out, &errs)
	if got != code {
		b.Errorf("callhome admin %s: exit code %d, want %d\n%s%s", strings.Join(args, " "), got, code, out.String(), errs.String())
	}
	return out.String() + errs.String()
}

// want wants words in what a command prints.
func (b *backEnd) want(got string, words ...string) {
	b.Helper()
	for _, w := range words {
		if !strings.Contains(got, w) {
			b.Errorf("got %q, want %q in it", got, w)
		}
	}
}

func TestAdminAccounts(t *testing.T) {
	b := newBackEnd(t)
	b.run(0, "", "company", "add", "Acme")
	b.want(b.run(1, "", "company", "add", "acme"), "already")
	b.want(b.run(0, "four quiet words today\n", "user", "add", "rita", "--email", "rita@ops.example", "--role", "viewer", "--company", "Acme", "--password-file", "-"),
		"company-administrator") // the first of a company
	b.want(b.run(1, "", "user", "add", "joao", "--email", "j@ops.example", "--role", "viewer", "--company", "None"), `no company "None"`)
	b.run(2, "", "user", "add", "joao")
	b.want(b.run(0, "", "user", "list"), "rita@ops.example", "Acme", "never")
	secret := strings.TrimSpace(b.run(0, "", "token", "create", "backup", "--scope", "read"))
	p, err := b.desk.office.Bearer(context.Background(), b.store.AccountBooks(), callhome.NewSecret(secret))
	if err != nil || p.Role != account.RoleOperator || p.Scope != account.ScopeRead {
		t.Errorf("the printed token %q is of %+v, %v", secret, p, err)
	}
	b.want(b.run(2, "", "token", "create", "x", "--scope", "all"), "read, write, admin")
	list := b.run(0, "", "token", "list")
	b.want(list, "backup", secret[:10], "the back end")
	if strings.Contains(list, secret) {
		t.Error("the list shows the token")
	}
	var tokens []account.Token
	if err := json.Unmarshal([]byte(b.run(0, "", "--json", "token", "list")), &tokens); err != nil || len(tokens) != 1 {
		t.Fatalf("tokens %+v, %v", tokens, err)
	}
	b.run(0, "", "user", "change", "rita", "--role", "partner")
	b.run(0, "another four quiet words\n", "user", "password", "rita")
	if _, err := b.desk.office.SignIn(context.Background(), b.store.AccountBooks(), "rita", callhome.NewSecret("another four quiet words")); err != nil {
		t.Error(err)
	}
	b.want(b.run(0, "", "user", "invite", "new@ops.example", "--role", "viewer", "--company", "Acme"), "chi_")
	b.run(0, "", "company", "disable", "Acme")
	b.want(b.run(0, "", "company", "list"), "disabled")
	b.run(0, "", "user", "delete", "rita")
	b.want(b.run(0, "", "audit", "list", "--action", "user"), "user.create", "user rita")

	kept := filepath.Join(b.dir, "kept")
	if err := os.WriteFile(kept, []byte(b.run(0, "", "audit", "checkpoint")), 0o600); err != nil {
		t.Fatal(err)
	}
	b.want(b.run(0, "", "audit", "verify", "--kept", kept), "is whole")
	if err := os.WriteFile(kept, []byte(`{"seq": 1, "hash": "00"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	b.want(b.run(1, "", "audit", "verify", "--kept", kept), "broken at entry 1")
}

func TestAdminRegistry(t *testing.T) {
	b, ctx := newBackEnd(t), context.Background()
	b.run(0, "", "company", "add", "Acme")
	b.want(b.run(2, "contract,company,from\nK-1,Acme,yesterday\n,Acme,\n", "contract", "import"), "line 2, column from", "line 3, column contract")
	const file = "contract,company,tier,until,serial,product\nK-1,Acme,gold,2099-12-31,QX1,\nK-1,,,,,QX90*\n"
	b.want(b.run(0, file, "contract", "import", "--dry-run"), "would be imported: 1 contracts new")
	b.want(b.run(0, file, "contract", "import"), "imported: 1 contracts new")
	b.want(b.run(0, "", "contract", "show", "k-1"), "Covers serial: QX1", "Until: 2099-12-31")
	err := b.store.InTx(ctx, func(tx *sqlstore.Tx) error {
		for _, serial := range []string{"QX1", "QX2"} {
			m := &callhome.Message{
				Group: callhome.GroupInventory, Subtype: "full", Model: "QX9006", Serial: serial, SystemName: "edge-" + serial, ContactEmail: "noc@ops.example",
				ContractID: "K-1", FRUs: []callhome.FRU{{Name: "x"}},
			}
			if _, err := b.desk.registrar.Identify(ctx, tx.Registry(), &registry.Input{Message: m, ReceivedAt: time.Now()}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	b.want(b.run(0, "", "device", "list", "--pending"), "edge-QX1", "edge-QX2", "pending")
	b.run(2, "", "device", "confirm")
	b.want(b.run(0, "", "device", "confirm", "QX1"), "QX9006@C@QX1: registered")
	b.want(b.run(0, "", "device", "confirm", "--all"), "QX9006@C@QX2: registered")
	b.want(b.run(1, "", "device", "confirm", "QX1"), "cannot be confirmed")
	b.want(b.run(0, "", "device", "suspend", "QX9006@C@QX2"), "suspended")
	b.want(b.run(0, "", "device", "resume", "QX2"), "registered")
	b.want(b.run(0, "", "device", "show", "QX1"), "State: registered", "contract K-1, tier gold", "Company: Acme")
	b.want(b.run(0, "", "contract", "list"), "K-1", "2")
	b.run(0, "", "contract", "delete", "K-1")
	b.want(b.run(0, "", "device", "list", "--state", "no-contract"), "edge-QX1", "edge-QX2")
	b.want(b.run(0, "", "enrol", "token", "gateway", "--company", "Acme", "--name", "lisbon"), "chj_")
	b.want(b.run(2, "", "enrol", "token", "toaster"), "not agent or gateway")
	b.run(0, "", "enrol", "list")
	b.run(0, "", "enrol", "drift")
	b.run(0, "", "device", "conflicts")
	b.run(1, "", "device", "resolve", "1", "keep")
	b.run(2, "", "device", "resolve", "1", "perhaps")
	b.want(b.run(0, "", "audit", "verify"), "is whole")
}
