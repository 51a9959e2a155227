package advisory_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"callhome/server/advisory"

	"github.com/gocsaf/csaf/v3/csaf"
)

func TestExportVEX(t *testing.T) {
	at := time.Date(2026, 3, 20, 9, 0, 0, 0, time.UTC)
	a, b := notice(t, "qx-sa-2026-0314.json", 0), notice(t, "qx-sa-2026-0401.json", 0)
	fn := notice(t, "field-notices.csv", 0)
	for _, c := range []struct {
		name   string
		change func(*advisory.Facts)
		want   string
	}{
		{"affected", nil, `"known_affected"`},
		{"fixed", func(f *advisory.Facts) { f.SWVersion = "17.12.5" }, `"known_not_affected"`},
		{"unknown", func(f *advisory.Facts) { f.Config = nil }, `"under_investigation"`},
		{"without a CVE", func(f *advisory.Facts) { f.Platform, f.SWVersion = "junos", "21.4R3-S4" }, `"PR1700001"`},
	} {
		f := device()
		if c.change != nil {
			c.change(&f)
		}
		var list []advisory.Assessment
		for _, n := range []advisory.Notice{a, b, fn} {
			res, err := advisory.Match(&n, &f)
			if err != nil {
				t.Fatal(err)
			}
			if res.State != advisory.NoConcern {
				list = append(list, advisory.Assessment{Notice: n, Result: res})
			}
		}
		doc, ok, err := advisory.ExportVEX(f, list, advisory.Issuer{Name: "Ops"}, at)
		if err != nil || !ok || !bytes.Contains(doc, []byte(c.want)) {
			t.Errorf("%s: no %s in\n%s (%v)", c.name, c.want, doc, err)
			continue
		}
		var any any
		dec := json.NewDecoder(bytes.NewReader(doc))
		dec.UseNumber()
		if err := dec.Decode(&any); err != nil {
			t.Fatal(err)
		}
		if faults, err := csaf.ValidateCSAF(any); err != nil || len(faults) > 0 {
			t.Errorf("%s: against the schema: %v %v", c.name, faults, err)
		}
		if strings.Contains(string(doc), "s3cretword") || strings.Contains(string(doc), "FN-70001") {
			t.Errorf("%s: the document holds a secret or a field notice:\n%s", c.name, doc)
		}
		if _, faults := advisory.ReadFile("vex.json", doc); len(faults) > 0 {
			t.Errorf("%s: our own reader finds %v", c.name, faults)
		}
	}
	if _, ok, err := advisory.ExportVEX(device(), nil, advisory.Issuer{}, at); ok || err != nil {
		t.Errorf("without advisories there is a document (%v)", err)
	}
}
