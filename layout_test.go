package callhome_test

import (
	"encoding/json"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"
)

// layout is the import policy: who may import which of our own rooms, besides the vocabulary, which all may import.
// A package without a row fails. Words: "PARENT" is the package above; a trailing "/..." takes what lies below too.
var layout = []struct {
	pkg  string // path.Match pattern relative to the module; the first row that fits counts
	may  []string
	bans []string // further imports, of the standard library or others, that the package must not have
}{
	{pkg: "", may: nil, bans: []string{"STDONLY"}},

	{pkg: "codec/syslog", may: []string{"codec/ciscolog"}, bans: codecBans},
	{pkg: "codec/*", may: nil, bans: codecBans},
	{pkg: "signature", may: nil, bans: codecBans},
	{pkg: "personality", may: []string{"codec/..."}},
	{pkg: "secrets", may: nil, bans: codecBans},

	{pkg: "health", may: nil},
	{pkg: "sqldb", may: nil},
	{pkg: "trustpoint", may: nil},
	{pkg: "resolve", may: nil},
	{pkg: "webkit", may: nil},

	{pkg: "outbox", may: ground},
	{pkg: "deliver", may: append(slices.Clone(ground), "outbox")},
	{pkg: "receive", may: ground},
	{pkg: "outbox/*", may: append(slices.Clone(ground), "PARENT", "codec/...")},
	{pkg: "deliver/*", may: append(slices.Clone(ground), "PARENT", "codec/...")},
	{pkg: "receive/*", may: append(slices.Clone(ground), "PARENT", "codec/...")},

	{pkg: "agent", may: []string{"enrol", "outbox", "deliver", "codec/...", "personality", "health", "agent/..."}},
	{pkg: "agent/console", may: []string{"agent/...", "health", "webkit"}},
	{pkg: "agent/*", may: []string{"codec/...", "signature", "personality", "secrets"}},
	{pkg: "agent/*/*", may: append(slices.Clone(ground), "PARENT", "codec/...", "signature", "personality")},

	{pkg: "enrol", may: nil},
	{pkg: "gateway", may: []string{"enrol", "outbox", "deliver", "receive", "codec/...", "health", "gateway/..."}},
	{pkg: "gateway/*", may: append(slices.Clone(ground), "PARENT", "enrol", "codec/...")},

	{pkg: "server", may: []string{"enrol", "outbox", "deliver", "receive", "codec/...", "personality", "secrets", "health", "server/..."}},
	{pkg: "server/account", may: serverRooms(0)},
	{pkg: "server/archive", may: serverRooms(1)},
	{pkg: "server/ingest", may: serverRooms(2)},
	{pkg: "server/registry", may: serverRooms(3)},
	{pkg: "server/inventory", may: serverRooms(4)},
	{pkg: "server/confighistory", may: serverRooms(5)},
	{pkg: "server/advisory", may: serverRooms(6)},
	{pkg: "server/analysis", may: serverRooms(7)},
	{pkg: "server/casework", may: serverRooms(8)},
	{pkg: "server/notify", may: serverRooms(9)},
	{pkg: "server/sqlstore", may: append(serverRooms(10), "sqldb", "server/archive/journal")},
	{pkg: "server/storetest", may: append(serverRooms(10), "server/sqlstore", "callhometest")},
	{pkg: "server/api", may: append(serverRooms(10), "health", "webkit")},
	{pkg: "server/portal", may: append(serverRooms(10), "health", "webkit")},
	{pkg: "server/archive/*", may: append(slices.Clone(ground), "PARENT", "codec/...")},
	{pkg: "server/casework/*", may: append(serverRooms(9), "health")},

	{pkg: "config", may: []string{"agent", "agent/...", "deliver", "deliver/...", "outbox", "trustpoint", "resolve", "personality", "receive", "receive/...", "gateway", "gateway/...", "server", "server/...", "enrol"}},
	{pkg: "config/*", may: []string{"PARENT", "personality", "deliver/smtpsend"}},
	{pkg: "control", may: nil},
	{pkg: "simulate", may: []string{"simulate/...", "codec/..."}},
	{pkg: "simulate/*", may: nil},
	{pkg: "ctl", may: []string{"control", "enrol", "config", "config/...", "agent", "agent/...", "gateway", "gateway/...", "server", "server/...", "outbox", "health", "codec/...", "personality"}},
	{pkg: "ctl/*", may: []string{"PARENT", "control", "config", "config/...", "agent", "agent/...", "gateway", "outbox", "health", "codec/...", "personality"}},
	{pkg: "cmd/callhome", may: []string{
		"agent", "agent/...", "config", "config/...", "control", "ctl", "ctl/...", "deliver", "deliver/...", "outbox", "outbox/spool",
		"receive", "receive/...", "enrol", "gateway", "gateway/...", "server", "server/...", "health", "sqldb", "trustpoint", "resolve", "secrets", "simulate", "simulate/...", "webkit",
	}},

	{pkg: "callhometest", may: nil},
	{pkg: "e2e", may: []string{"..."}},
	{pkg: "e2e/*", may: []string{"..."}},
	{pkg: "bench", may: []string{"..."}},
	{pkg: "bench/*", may: []string{"..."}},
}

// roomsOfServer are the back end's rooms in the order of its work; a room may import those before it.
var roomsOfServer = []string{"account", "archive", "ingest", "registry", "inventory", "confighistory", "advisory", "analysis", "casework", "notify"}

// serverRooms are what the nth room may import: codecs, platforms, and the rooms before it.
func serverRooms(n int) []string {
	may := []string{"codec/...", "signature", "personality", "secrets", "enrol"}
	for _, room := range roomsOfServer[:n] {
		may = append(may, "server/"+room)
	}
	return may
}

var ground = []string{"health", "sqldb", "trustpoint", "resolve"}

// codecBans keep codecs pure: bytes in, values out.
var codecBans = []string{"net", "os", "os/exec", "database/sql", "log", "log/slog"}

const module = "callhome"

type listedPackage struct {
	ImportPath string
	Doc        string
	Imports    []string
	Standard   bool
}

func listPackages(t *testing.T) []listedPackage {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Doc,Imports", "./...").Output()
	if err != nil {
		t.Fatalf("go list ./...: %v", err)
	}
	var pkgs []listedPackage
	for dec := json.NewDecoder(strings.NewReader(string(out))); dec.More(); {
		var p listedPackage
		if err := dec.Decode(&p); err != nil {
			t.Fatal(err)
		}
		pkgs = append(pkgs, p)
	}
	if len(pkgs) == 0 {
		t.Fatal("go list ./... names no package")
	}
	return pkgs
}

func TestLayout(t *testing.T) {
	for _, p := range listPackages(t) {
		rel := strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, module), "/")
		i := slices.IndexFunc(layout, func(r struct {
			pkg  string
			may  []string
			bans []string
		}) bool {
			ok, _ := path.Match(r.pkg, rel)
			return ok
		})
		if i < 0 {
			t.Errorf("package %s has no row in the layout: give it one here and a line in ARCHITECTURE.md", rel)
			continue
		}
		for _, imp := range p.Imports {
			if fault := judgeImport(rel, imp, layout[i].may, layout[i].bans); fault != "" {
				t.Errorf("%s imports %s: %s", rel, imp, fault)
			}
		}
	}
}

func judgeImport(pkg, imp string, may, bans []string) string {
	if imp != module && !strings.HasPrefix(imp, module+"/") {
		if slices.Contains(bans, imp) {
			return "banned there"
		}
		if slices.Contains(bans, "STDONLY") && strings.Contains(strings.SplitN(imp, "/", 2)[0], ".") {
			return "the vocabulary imports the standard library only"
		}
		return ""
	}
	rel := strings.TrimPrefix(strings.TrimPrefix(imp, module), "/")
	if rel == "" {
		return ""
	}
	for _, m := range may {
		base, deep := strings.CutSuffix(m, "...")
		switch {
		case m == "PARENT" && rel == path.Dir(pkg), m == rel, deep && strings.HasPrefix(rel, base):
			return ""
		}
	}
	return "its row in the layout does not allow it"
}

func TestEveryPackageSaysWhatItOwns(t *testing.T) {
	for _, p := range listPackages(t) {
		if len(strings.Fields(p.Doc)) < 6 {
			t.Errorf("%s: the package comment is missing or says nothing: %q", p.ImportPath, p.Doc)
		}
	}
}

// landlords: third-party libraries that only the named rooms may import.
var landlords = map[string][]string{
	"github.com/emersion/go-smtp":      {"deliver/smtpsend", "receive/smtprecv"},
	"modernc.org/sqlite":               {"sqldb"},
	"github.com/pressly/goose/v3":      {"sqldb"},
	"github.com/emersion/go-message":   {"codec/mimemail"},
	"github.com/scrapli/scrapligo":     {"agent/collect/sshrun"},
	"github.com/miekg/dns":             {"resolve"},
	"github.com/spf13/cobra":           {"cmd/callhome"},
	"go.yaml.in/yaml/v3":               {"config", "config/stanza", "server/analysis", "server/advisory"},
	"github.com/invopop/jsonschema":    {"config"},
	"github.com/klauspost/compress":    {"outbox", "server/confighistory", "server/archive"},
	"github.com/expr-lang/expr":        {"server/analysis"},
	"github.com/sirikothe/gotextfsm":   {"server/analysis"},
	"github.com/gocsaf/csaf":           {"server/advisory"},
	"github.com/pandatix/go-cvss":      {"server/advisory"},
	"github.com/aymanbagabas/go-udiff": {"server/confighistory"},
	"github.com/danielgtaylor/huma":    {"server/api"},
	"github.com/coreos/go-oidc":        {"server/account"},
	"golang.org/x/oauth2":              {"server/account"},
	"github.com/alexedwards/argon2id":  {"server/account"},
	"filippo.io/age":                   {"gateway/bundle"},
	"github.com/emersion/go-imap":      {"receive/mailbox"},
	"github.com/smallstep/pkcs7":       {"deliver/smtpsend"},
	"github.com/emersion/go-msgauth":   {"deliver/smtpsend"},
	"github.com/insomniacslk/dhcp":     {"resolve"},
	"github.com/coreos/go-systemd":     {"agent/intake/syslogd"},
	"github.com/fsnotify/fsnotify":     {"agent/intake/logfile", "config"},
	"github.com/leodido/go-syslog":     {}, // an oracle of tests, never linked
	"github.com/gliderlabs/ssh":        {"simulate/device"},
	"github.com/rogpeppe/go-internal":  {},
	"github.com/jackc/pgx":             {"sqldb"},
}

func TestEachLibraryHasOneLandlord(t *testing.T) {
	for _, p := range listPackages(t) {
		rel := strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, module), "/")
		for _, imp := range p.Imports {
			for lib, rooms := range landlords {
				if (imp == lib || strings.HasPrefix(imp, lib+"/")) && !slices.Contains(rooms, rel) {
					t.Errorf("%s imports %s, whose landlords are %v: use theirs, or record the decision", rel, imp, rooms)
				}
			}
		}
	}
}

func TestJudgeImport(t *testing.T) {
	for _, c := range []struct {
		pkg, imp string
		may      []string
		bans     []string
		ok       bool
	}{
		{"codec/aml", "callhome", nil, codecBans, true},
		{"codec/aml", "callhome/codec/syslog", nil, codecBans, false},
		{"codec/aml", "net", nil, codecBans, false},
		{"agent/route", "callhome/agent/classify", []string{"codec/..."}, nil, false},
		{"agent/intake/syslogd", "callhome/agent/intake", []string{"PARENT"}, nil, true},
		{"", "go.yaml.in/yaml/v3", nil, []string{"STDONLY"}, false},
	} {
		if got := judgeImport(c.pkg, c.imp, c.may, c.bans); (got == "") != c.ok {
			t.Errorf("judgeImport(%q, %q) = %q, want allowed=%v", c.pkg, c.imp, got, c.ok)
		}
	}
}
