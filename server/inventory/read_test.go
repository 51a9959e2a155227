package inventory_test

import (
	"os"
	"path/filepath"
	"testing"

	"callhome"
	"callhome/server/inventory"

	"github.com/google/go-cmp/cmp"
)

func testdata(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// full is a whole inventory with one line card.
func full() *callhome.Message {
	return &callhome.Message{
		Dialect: "ios", MessageID: "M7:QXA2613K0PZ:69B529DD", Type: "inventory", Subtype: "full", Group: callhome.GroupInventory,
		DeviceID: "QX9006@C@QXA2613K0PZ", SourceID: "QX9000 Series Routers", Model: "QX9006", Serial: "QXA2613K0PZ", PartNo: "68-9001-02", HWVersion: "1.1",
		SWVersion: "17.12.4", SysDescr: "QXOS Software, Version 17.12.4",
		FRUs: []callhome.FRU{{Name: "QX-LC24", Serial: "QXL2551Z0AA", PartNo: "73-4410-01", Slot: "slot 1", HWVersion: "2.0", SWVersion: "17.12.4"}},
	}
}

func TestReadJoinsCardsAndOutputs(t *testing.T) {
	m := full()
	m.Attachments = []callhome.Attachment{{Name: "show inventory oid", Text: testdata(t, "ios-inventory.txt")}}
	got := inventory.Read(m)
	want := inventory.Inventory{
		Platform: "iosxe", Family: "QX9000 Series Routers", Model: "QX9006", Serial: "QXA2613K0PZ", PartNo: "68-9001-02", HWVersion: "1.1", SWVersion: "17.12.4",
		Units: []inventory.Unit{
			{Slot: "1", Kind: inventory.KindModule, Product: "QX-LC24", Serial: "QXL2551Z0AA", PartNo: "73-4410-01", HWVersion: "2.0", SWVersion: "17.12.4", Descr: "24-port line card"},
			{Slot: "Power Supply Module 0", Kind: inventory.KindPower, Product: "QX-PWR-1100", Serial: "QXP0011P0CC", Descr: "1100W AC power supply", Further: []callhome.Tag{{Key: "VID", Value: "V01"}}},
			{Slot: "subslot 1/0 transceiver 3", Kind: inventory.KindOptic, Product: "QX-SFP-LX", Serial: "QXO1112A2BB", Descr: "1000BASE-LX SFP", Further: []callhome.Tag{{Key: "VID", Value: "V03"}}},
		},
	}
	if d := cmp.Diff(want, got.Inventory); d != "" {
		t.Errorf("inventory (-want +got):\n%s", d)
	}
	if !got.Full || got.Incomplete != "" {
		t.Errorf("full %v, incomplete %q; want a whole inventory", got.Full, got.Incomplete)
	}
}

func TestReadOutputsOfEachPlatform(t *testing.T) {
	for _, c := range []struct {
		dialect, command, file string
		model, serial          string
		units                  []string // slot product serial part hw sw
	}{
		{"nxos", "show module", "nxos-module.txt", "QN7010", "QXN2604A1B2", []string{
			"1 QN-M348XP QXJ1710AAAA  1.1 6.2(10)", "5 QN-SUP2 QXJ1711BBBB  2.0 6.2(10)", "Xbar 1 QN-FAB2 QXJ1712CCCC   ",
		}},
		{"junos", "show chassis hardware", "junos-hardware.txt", "QJ240", "QJ1234567AFB", []string{
			"FPC 1  QJFP4711 750-990004 10 ", "FPC 1/MIC 0  QJMI4712 750-990005 02 ", "FPC 1/MIC 0/PIC 0/Xcvr 0 SFP-LX10 QJXC4713 740-990006 01 ",
			"Fan Tray 0  QJFT0042 710-990007 02 ", "Midplane  QJAB1234 760-990001 07 ", "PEM 0  QJPE0001 740-990002 Rev 03 ", "Routing Engine 0  QJRE9009 740-990003 06 ",
		}},
		{"eos", "show inventory", "eos-inventory.txt", "QE-7280-48", "QEP18210001", []string{
			"Fan 1 QE-FAN-F    ", "Power supply 1 QE-PWR-500 QEK001   ", "Power supply 2 QE-PWR-500 QEK002   ", "Transceiver 49 QE-QSFP-100 QEX0049  A1 ",
		}},
		{"linux", "lsblk -o NAME,MODEL,SERIAL,SIZE,TYPE", "linux-disks.txt", "host", "H1", []string{"sda QX SSD 870 QXS5000001   ", "sdb QX HDD 4T QXH0000042   "}},
	} {
		m := &callhome.Message{Dialect: c.dialect, Group: callhome.GroupInventory, Model: c.model, Serial: c.serial, Attachments: []callhome.Attachment{{Name: c.command, Text: testdata(t, c.file)}}}
		if c.dialect == "eos" || c.dialect == "junos" {
			m.Model, m.Serial = "", "" // the output tells them
		}
		got := inventory.Read(m)
		var units []string
		for _, u := range got.Inventory.Units {
			units = append(units, u.Slot+" "+u.Product+" "+u.Serial+" "+u.PartNo+" "+u.HWVersion+" "+u.SWVersion)
		}
		if d := cmp.Diff(c.units, units); d != "" {
			t.Errorf("%s: units (-want +got):\n%s", c.dialect, d)
		}
		if got.Inventory.Model != c.model || got.Inventory.Serial != c.serial || got.Incomplete != "" {
			t.Errorf("%s: model %q, serial %q, incomplete %q", c.dialect, got.Inventory.Model, got.Inventory.Serial, got.Incomplete)
		}
	}
}

func TestReadIncomplete(t *testing.T) {
	for _, c := range []struct {
		name   string
		spoil  func(*callhome.Message)
		reason string
	}{
		{"whole", func(*callhome.Message) {}, ""},
		{"no model", func(m *callhome.Message) { m.Model, m.DeviceID = "", "" }, "the chassis has no model"},
		{"no serial", func(m *callhome.Message) { m.Serial, m.DeviceID = "", "" }, "the chassis has no serial number"},
		{"no unit", func(m *callhome.Message) { m.FRUs = nil }, "it names no unit"},
		{"cut", func(m *callhome.Message) {
			m.Attachments = []callhome.Attachment{{Name: "show inventory", Text: "NAME: \"x\", DESCR: \"y\"\n[truncated: 3 of 9 KiB]"}}
		}, "an output was cut"},
		{"delta", func(m *callhome.Message) { m.Subtype, m.FRUs = "delta", nil }, ""},
	} {
		m := full()
		c.spoil(m)
		if got := inventory.Read(m).Incomplete; got != c.reason {
			t.Errorf("%s: incomplete %q, want %q", c.name, got, c.reason)
		}
	}
}

func units(slots ...string) []inventory.Unit { // slot, serial, product in turn
	var list []inventory.Unit
	for i := 0; i < len(slots); i += 3 {
		list = append(list, inventory.Unit{Slot: slots[i], Serial: slots[i+1], Product: slots[i+2]})
	}
	return list
}

func TestMerge(t *testing.T) {
	old := inventory.Inventory{Model: "M", Serial: "S", SWVersion: "1", Units: units("1", "AAAAAA", "card", "2", "BBBBBB", "card")}
	for _, c := range []struct {
		name    string
		reading inventory.Reading
		want    []inventory.Unit
		changes []string
	}{
		{"full replaces", inventory.Reading{Full: true, Inventory: inventory.Inventory{Units: units("1", "AAAAAA", "card")}},
			units("1", "AAAAAA", "card"), []string{"card (serial number BBBBBB) was removed from slot 2"}},
		{"an incomplete one removes nothing", inventory.Reading{Full: true, Incomplete: "cut", Inventory: inventory.Inventory{Units: units("1", "AAAAAA", "card")}}, old.Units, nil},
		{"delta adds", inventory.Reading{Inventory: inventory.Inventory{Units: units("3", "CCCCCC", "fan")}},
			units("1", "AAAAAA", "card", "2", "BBBBBB", "card", "3", "CCCCCC", "fan"), []string{"fan (serial number CCCCCC) was added in slot 3"}},
		{"delta replaces in a slot", inventory.Reading{Inventory: inventory.Inventory{Units: units("2", "CCCCCC", "card")}},
			units("1", "AAAAAA", "card", "2", "CCCCCC", "card"), []string{"card (serial number BBBBBB) in slot 2 was replaced by card (serial number CCCCCC)"}},
		{"delta moves", inventory.Reading{Inventory: inventory.Inventory{Units: units("7", "BBBBBB", "card")}},
			units("1", "AAAAAA", "card", "7", "BBBBBB", "card"), []string{"card (serial number BBBBBB) moved from slot 2 to slot 7"}},
		{"removal", inventory.Reading{Removal: true, Inventory: inventory.Inventory{Units: units("2", "BBBBBB", "")}},
			units("1", "AAAAAA", "card"), []string{"card (serial number BBBBBB) was removed from slot 2"}},
		{"software", inventory.Reading{Inventory: inventory.Inventory{SWVersion: "2"}}, old.Units, []string{"software of the chassis changed from 1 to 2"}},
		{"hardware", inventory.Reading{Inventory: inventory.Inventory{HWVersion: "2"}}, old.Units, []string{"hardware version of the chassis changed from none to 2"}},
		{"silence", inventory.Reading{}, old.Units, nil},
		{"swap", inventory.Reading{Full: true, Inventory: inventory.Inventory{Units: units("1", "BBBBBB", "card", "2", "AAAAAA", "card")}},
			units("1", "BBBBBB", "card", "2", "AAAAAA", "card"), []string{"card (serial number BBBBBB) moved from slot 2 to slot 1", "card (serial number AAAAAA) moved from slot 1 to slot 2"}},
	} {
		got := inventory.Merge(old, c.reading)
		if d := cmp.Diff(c.want, got.Units); d != "" {
			t.Errorf("%s: units (-want +got):\n%s", c.name, d)
		}
		var texts []string
		for _, ch := range inventory.Compare(old, got) {
			texts = append(texts, ch.Text())
		}
		if d := cmp.Diff(c.changes, texts); d != "" {
			t.Errorf("%s: changes (-want +got):\n%s", c.name, d)
		}
		if again := inventory.Merge(got, c.reading); again.Hash() != got.Hash() {
			t.Errorf("%s: merged twice it differs", c.name)
		}
	}
}

func TestPlatformOf(t *testing.T) {
	for _, c := range []struct{ dialect, descr, series, version, want string }{
		{"ios", "Cisco IOS Software, C2900 Software, Version 15.2(4)M7", "", "15.2(4)M7", "ios"},
		{"ios", "Cisco IOS Software [Cupertino], Catalyst L3 Switch Software", "", "17.09.04a", "iosxe"},
		{"ios", "", "ASR1000 Series Routers", "03.16.04b.S", "iosxe"},
		{"ios", "Cisco IOS XR Software", "", "7.5.2", "iosxr"},
		{"nxos", "", "Nexus7000", "6.2(10)", "nxos"},
		{"mds", "", "", "3.3(1c)", "nxos"},
		{"asa", "", "", "9.18(4)22", "asa"},
		{"A", "", "", "", ""},
	} {
		m := &callhome.Message{Dialect: c.dialect, SysDescr: c.descr, SourceID: c.series, SWVersion: c.version}
		if got := inventory.PlatformOf(m); got != c.want {
			t.Errorf("%+v: got %q", c, got)
		}
	}
}

func TestDialectAloneDoesNotOverrulePlatform(t *testing.T) {
	for _, c := range []struct{ old, version, want string }{{"iosxe", "17.12.4", "iosxe"}, {"iosxr", "7.5.2", "iosxr"}, {"", "17.12.4", "iosxe"}, {"iosxe", "15.2(4)M7", "ios"}} {
		old := inventory.Inventory{Platform: c.old, SWVersion: c.version}
		if got := inventory.Merge(old, inventory.Read(&callhome.Message{Dialect: "ios"})).Platform; got != c.want {
			t.Errorf("%+v: got %q", c, got)
		}
	}
}

// The outputs that ride along with a removal list what stayed.
func TestRemovalTakesOnlyWhatItNames(t *testing.T) {
	m := &callhome.Message{
		Group: callhome.GroupInventory, Description: "HARDWARE_REMOVAL 2026 Mar 14 09:26:53 spine-2 module 1 removed", FRUs: []callhome.FRU{{Name: "QN-M348XP", Slot: "1", Serial: "QXJ1710AAAA"}},
		Attachments: []callhome.Attachment{{Name: "show module", Text: testdata(t, "nxos-module.txt")}},
	}
	old := inventory.Inventory{Units: units("1", "QXJ1710AAAA", "QN-M348XP", "5", "QXJ1711BBBB", "QN-SUP2")}
	if got := inventory.Merge(old, inventory.Read(m)).Units; len(got) != 1 || got[0].Slot != "5" {
		t.Errorf("left are %+v", got)
	}
}

func FuzzRead(f *testing.F) {
	for _, name := range []string{"ios-inventory.txt", "nxos-module.txt", "junos-hardware.txt", "eos-inventory.txt", "linux-disks.txt"} {
		f.Add(testdata(f, name), "show inventory", "slot 1", "SN1")
	}
	commands := []string{"show inventory", "show module", "show chassis hardware", "show version", "cat /etc/os-release", "lsblk -o NAME,MODEL,SERIAL,SIZE,TYPE"}
	f.Fuzz(func(t *testing.T, text, name, slot, serial string) {
		m := full()
		m.FRUs = append(m.FRUs, callhome.FRU{Slot: slot, Serial: serial, Name: name})
		for _, c := range commands {
			m.Attachments = append(m.Attachments, callhome.Attachment{Name: c, Text: text})
		}
		r := inventory.Read(m)
		once := inventory.Merge(inventory.Inventory{}, r)
		if twice := inventory.Merge(once, r); r.Full && len(inventory.Compare(once, twice)) > 0 {
			t.Errorf("read again it differs: %+v", inventory.Compare(once, twice))
		}
	})
}

func BenchmarkReadFull(b *testing.B) {
	m := full()
	m.Attachments = []callhome.Attachment{{Name: "show inventory oid", Text: testdata(b, "ios-inventory.txt")}}
	b.ReportAllocs()
	for b.Loop() {
		inventory.Read(m)
	}
}

func BenchmarkReadSyslog(b *testing.B) {
	m := full()
	m.Group, m.Type, m.Subtype, m.FRUs = callhome.GroupSyslog, "syslog", "", nil
	b.ReportAllocs()
	for b.Loop() {
		inventory.Read(m)
	}
}
