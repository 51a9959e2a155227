package advisory_test

import (
	"testing"

	"callhome/server/advisory"
	"callhome/server/inventory"
)

const config = "hostname edge-1\nip http secure-server\nsnmp-server community s3cretword ro\n"

// device is one that the samples in testdata concern.
func device() advisory.Facts {
	return advisory.FactsOf(1, 7, inventory.Inventory{
		Platform: "iosxe", Family: "QX9000 Series", Model: "QX9006", Serial: "QXA2613K0PZ", SWVersion: "17.12.4",
		Units: []inventory.Unit{
			{Slot: "1", Product: "QX-LC24", Serial: "QXL2551Z0AA", PartNo: "73-4410-01", HWVersion: "2.0"},
			{Slot: "Power Supply 0", Product: "QX-PWR-1100", Serial: "QXP0011P0CC", PartNo: "341-1100-02"},
			{Slot: "Fan Tray", Serial: "QXF1"},
		},
	}, false, func() (string, error) { return config, nil })
}

func notice(t testing.TB, file string, at int) advisory.Notice {
	t.Helper()
	return read(t, file)[at]
}

func TestMatch(t *testing.T) {
	for _, c := range []struct {
		name   string
		file   string
		at     int
		change func(*advisory.Facts)
		want   advisory.State
		quote  string // of the evidence that decided
	}{
		{"version and configuration", "qx-sa-2026-0314.json", 0, nil, advisory.Affected, "configuration: ^ip http (secure-)?server wanted, ip http secure-server found (yes)"},
		{"fixed version", "qx-sa-2026-0314.json", 0, func(f *advisory.Facts) { f.SWVersion = "17.12.5" }, advisory.NotAffected, "version: vers:iosxe/>=17.9.1|<17.9.4a wanted, 17.12.5 found (no)"},
		{"listed as fixed", "qx-sa-2026-0314.json", 0, func(f *advisory.Facts) { f.SWVersion = "16.12.10a" }, advisory.NotAffected, "version: = 16.12.10a wanted, 16.12.10a found (yes)"},
		{"a version of another form", "qx-sa-2026-0314.json", 0, func(f *advisory.Facts) { f.SWVersion = "Everest" }, advisory.Unsure, "version: vers:iosxe/>=17.9.1|<17.9.4a wanted, Everest found (unknown)"},
		{"no configuration", "qx-sa-2026-0314.json", 0, func(f *advisory.Facts) { f.Config = nil }, advisory.Unsure, "configuration: ^ip http (secure-)?server wanted, nothing known found (unknown)"},
		{"not configured", "qx-sa-2026-0314.json", 0, func(f *advisory.Facts) { f.Config = func() (string, error) { return "hostname a\n", nil } }, advisory.NotAffected,
			"configuration: ^ip http (secure-)?server wanted, no such line found (no)"},
		{"other platform", "qx-sa-2026-0314.json", 0, func(f *advisory.Facts) { f.Platform = "nxos" }, advisory.NoConcern, ""},
		{"named as not affected", "qx-sa-2026-0314.json", 0, func(f *advisory.Facts) { f.Platform, f.SWVersion = "iosxr", "7.5.2" }, advisory.NotAffected, "platform: iosxr wanted, iosxr found (yes)"},

		{"software on hardware", "qx-sa-2026-0401.json", 0, func(f *advisory.Facts) { f.Platform, f.SWVersion = "junos", "21.4R3-S4" }, advisory.Affected, "product: QX-LC24, QX-LC24-* wanted, QX-LC24 found in slot 1 (yes)"},
		{"software on other hardware", "qx-sa-2026-0401.json", 0, func(f *advisory.Facts) { f.Platform, f.SWVersion, f.Units = "junos", "21.4R3-S4", f.Units[:1] }, advisory.NoConcern, ""},

		{"serial in range", "field-notices.csv", 0, nil, advisory.Affected, "serial: QXP0010A000-QXP0012ZZZZ wanted, QXP0011P0CC found in slot Power Supply 0 (yes)"},
		{"serial out of range", "field-notices.csv", 0, func(f *advisory.Facts) { f.Units[2].Serial = "QXP0013A000" }, advisory.NotAffected, "serial: QXP0010A000-QXP0012ZZZZ wanted, QXP0013A000 found in slot Power Supply 0 (no)"},
		{"serial of another length", "field-notices.csv", 0, func(f *advisory.Facts) { f.Units[2].Serial = "QXP0011" }, advisory.NotAffected, ""},
		{"no serial", "field-notices.csv", 0, func(f *advisory.Facts) { f.Units[2].Serial = "" }, advisory.Unsure, "serial: QXP0010A000-QXP0012ZZZZ wanted, nothing known found in slot Power Supply 0 (unknown)"},
		{"another part", "field-notices.csv", 0, func(f *advisory.Facts) { f.Units[2].PartNo = "341-2200-02" }, advisory.NotAffected, ""},
		{"not there", "field-notices.csv", 0, func(f *advisory.Facts) { f.Units = f.Units[:2] }, advisory.NoConcern, ""},
		{"hardware version", "field-notices.csv", 1, nil, advisory.NotAffected, "hw_version: < 2.0 wanted, 2.0 found in slot 1 (no)"},
		{"old hardware version", "field-notices.csv", 1, func(f *advisory.Facts) { f.Units[1].HWVersion = "1.1" }, advisory.Affected, ""},
		{"two platforms", "field-notices.csv", 2, nil, advisory.Affected, ""},
		{"the other platform", "field-notices.csv", 2, func(f *advisory.Facts) { f.Platform, f.SWVersion = "ios", "15.2(4)M7" }, advisory.Affected, ""},
		{"another train", "field-notices.csv", 2, func(f *advisory.Facts) { f.Platform, f.SWVersion = "ios", "12.2(33)SXI4a" }, advisory.Unsure, ""},

		{"end of life", "end-of-life.json", 0, nil, advisory.Affected, "product: QX9006, QX9010-* wanted, QX9006 found in the chassis (yes)"},
		{"by pattern", "end-of-life.json", 0, func(f *advisory.Facts) { f.Units[0].Product = "QX9010-DC" }, advisory.Affected, ""},
		{"withdrawn", "end-of-life.json", 1, nil, advisory.NotAffected, ""},
	} {
		n, f := notice(t, c.file, c.at), device()
		if c.change != nil {
			c.change(&f)
		}
		got, err := advisory.Match(&n, &f)
		if err != nil || got.State != c.want {
			t.Errorf("%s: got %q, %v; want %q; %+v", c.name, got.State, err, c.want, got)
			continue
		}
		found := c.quote == ""
		for _, e := range got.Evidence() {
			found = found || e.Text() == c.quote
		}
		if !found {
			t.Errorf("%s: no evidence %q among %+v", c.name, c.quote, got.Evidence())
		}
	}
}

func TestEvidenceHoldsNoSecret(t *testing.T) {
	n, f := notice(t, "field-notices.csv", 2), device()
	n.Items[0].Config[0].Pattern = "^snmp-server community"
	got, err := advisory.Match(&n, &f)
	if err != nil || got.State != advisory.Affected {
		t.Fatal(got, err)
	}
	for _, e := range got.Evidence() {
		if e.Criterion == "configuration" && e.Found != "snmp-server community <removed> ro" {
			t.Errorf("quoted as %q", e.Found)
		}
	}
}

func BenchmarkMatch(b *testing.B) {
	n, f := notice(b, "qx-sa-2026-0314.json", 0), device()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := advisory.Match(&n, &f); err != nil {
			b.Fatal(err)
		}
	}
}
