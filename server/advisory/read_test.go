package advisory_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"callhome/server/advisory"

	"github.com/google/go-cmp/cmp"
)

func read(t testing.TB, name string) []advisory.Notice {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	notices, faults := advisory.ReadFile(name, b)
	for _, f := range faults {
		t.Error(f)
	}
	return notices
}

func TestReadCSAF(t *testing.T) {
	got := read(t, "qx-sa-2026-0314.json")
	config := []advisory.ConfigTest{{Pattern: "^ip http (secure-)?server"}, {Pattern: "^ip http active-session-modules none", Absent: true}}
	const cve, xe = "CVE-2026-10314", "Cisco IOS XE Software"
	want := []advisory.Notice{{
		Publisher: "Quillon PSIRT", Ident: "qx-sa-2026-0314", Sort: advisory.SecurityAdvisory, Version: "1.1.0", Status: advisory.Final,
		Title:   "Quillon web server of Cisco IOS XE Software answers crafted requests without asking who sends them",
		Summary: "A crafted request to the web server lets anyone who reaches it add an account of the highest privilege.",
		URL:     "https://psirt.quillon.example/qx-sa-2026-0314", Impact: "critical", Score: 10, Vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", CVEs: []string{cve},
		Released: time.Date(2026, 3, 14, 16, 0, 0, 0, time.UTC), Updated: time.Date(2026, 3, 18, 16, 0, 0, 0, time.UTC),
		Fix: "Change to 17.9.4a, 17.12.5 or later.", Workaround: "Disable the web server: no ip http server, no ip http secure-server.",
		Items: []advisory.Item{
			{Vulnerability: cve, Claim: advisory.ClaimAffected, Name: xe, Platform: "iosxe", Versions: "vers:iosxe/>=17.9.1|<17.9.4a", Config: config},
			{Vulnerability: cve, Claim: advisory.ClaimAffected, Name: xe, Platform: "iosxe", Versions: "17.12.1 through 17.12.4", Config: config},
			{Vulnerability: cve, Claim: advisory.ClaimNotAffected, Name: "Cisco IOS XR Software", Platform: "iosxr"},
			{Vulnerability: cve, Claim: advisory.ClaimNotAffected, Name: xe, Platform: "iosxe", Versions: "= 16.12.10a"},
		},
	}}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	joined := read(t, "qx-sa-2026-0401.json")[0]
	if it := joined.Items[0]; it.Platform != "junos" || it.Versions == "" || len(it.Products) != 2 || joined.Status != advisory.Interim || it.Vulnerability != "PR1700001" {
		t.Errorf("software on hardware: %+v", joined)
	}
}

func TestReadOtherForms(t *testing.T) {
	fns := read(t, "field-notices.csv")
	if len(fns) != 3 || len(fns[2].Items) != 2 || fns[0].Items[0].Serials[0].To != "QXP0012ZZZZ" || fns[0].Sort != advisory.FieldNotice || fns[1].Items[0].HWVersions != "< 2.0" {
		t.Errorf("field notices: %+v", fns)
	}
	eol := read(t, "end-of-life.json")
	if len(eol) != 2 || eol[0].Sort != advisory.EndOfLife || eol[1].Status != advisory.Withdrawn || len(eol[0].Items[0].Products) != 2 {
		t.Errorf("ends of life: %+v", eol)
	}
	at := time.Date(2026, 3, 14, 0, 0, 0, 0, time.UTC)
	word, next, _ := eol[0].Milestones.Next(at)
	if phase := eol[0].Milestones.Phase(at); phase != "end of software maintenance" || word != "end of vulnerability support" || next.Year() != 2028 {
		t.Errorf("phase %q, next %q %v", phase, word, next)
	}
	eox := read(t, "eox-records.json")
	if len(eox) != 1 || eox[0].Ident != "EOL9902/QX-SUP2" || eox[0].Milestones.LastSupport.Format(time.DateOnly) != "2029-05-31" || eox[0].Milestones.Replacement != "QX-SUP3" {
		t.Errorf("records: %+v", eox)
	}
}

func TestFaultsNameFileAndPlace(t *testing.T) {
	want := map[string][]string{
		"column.csv":  {"column.csv: line 1: there is no column \"colour\"", "column.csv: line 2, products: the row names no platform"},
		"values.csv":  {"values.csv: line 2, released: \"first of May\" is not a day", "values.csv: line 2, sw_versions: version range: \"most of them\"", "values.csv: line 3, title: a notice needs a title", "values.csv: line 3, products: the row names no platform"},
		"syntax.json": {"syntax.json: line 1:25: invalid character"},
		"schema.json": {"schema.json: /document/tracking: ", "schema.json: /vulnerabilities/0/cve: "},
		"range.json":  {"range.json: sw_versions: version range: \"most of them\"", "range.json: /vulnerabilities/0/product_status: product \"NOT-THERE\" is not in the product tree"},
	}
	err := advisory.ReadPaths([]string{"testdata/bad", "testdata/gone.json"}, func(name string, _ []advisory.Notice, faults []advisory.Fault) error {
		if name == "testdata/gone.json" {
			if len(faults) != 1 || faults[0].Message != "no such file or directory" {
				t.Errorf("a file that is not there: %v", faults)
			}
			return nil
		}
		var all strings.Builder
		for _, f := range faults {
			all.WriteString(strings.TrimPrefix(f.Error(), "testdata/bad/") + "\n")
		}
		for _, w := range want[filepath.Base(name)] {
			if !strings.Contains(all.String(), w) {
				t.Errorf("%s: want %q among\n%s", name, w, all.String())
			}
		}
		delete(want, filepath.Base(name))
		return nil
	})
	if err != nil || len(want) > 0 {
		t.Errorf("not read: %v (%v)", want, err)
	}
}

func FuzzReadFile(f *testing.F) {
	for _, pattern := range []string{"testdata/*.json", "testdata/*.csv", "testdata/bad/*"} {
		names, _ := filepath.Glob(pattern)
		for _, name := range names {
			b, err := os.ReadFile(name)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(b)
		}
	}
	facts := device()
	f.Fuzz(func(t *testing.T, b []byte) {
		notices, faults := advisory.ReadFile("x", b)
		if len(notices) == 0 && len(faults) == 0 {
			t.Error("neither a notice nor a fault")
		}
		for i := range notices {
			if _, err := advisory.Match(&notices[i], &facts); err != nil {
				t.Error(err)
			}
		}
	})
}
