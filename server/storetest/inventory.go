package storetest

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"callhome"
	"callhome/server/account"
	"callhome/server/inventory"
	"callhome/server/sqlstore"

	"github.com/google/go-cmp/cmp"
)

// Inventory holds an inventory.Store to its promises.
func Inventory(t *testing.T, open func(testing.TB) *sqlstore.Store) {
	t.Run("Life", func(t *testing.T) { inventoryLife(t, open(t)) })
	t.Run("Idempotent", func(t *testing.T) { inventoryIdempotent(t, open(t)) })
	t.Run("Moves", func(t *testing.T) { inventoryMoves(t, open(t)) })
	t.Run("Reach", func(t *testing.T) { inventoryReach(t, open(t)) })
	t.Run("Companies", func(t *testing.T) { inventoryCompanies(t, open(t)) })
	t.Run("Hostile", func(t *testing.T) { inventoryHostile(t, open(t)) })
}

var inventoryTime = time.Date(2026, 3, 14, 9, 26, 53, 0, time.UTC)

// wholeInventory is a message with the units given as slot, serial in turn.
func wholeInventory(device int64, n int, units ...string) *callhome.Message {
	m := &callhome.Message{
		Dialect: "ios", MessageID: callhome.MessageID(fmt.Sprintf("M%d:QX%d:69B529DD", n, device)), Group: callhome.GroupInventory, Subtype: "full",
		EventTime: callhome.At(inventoryTime.Add(time.Duration(n) * time.Hour)), SourceID: "QX9000 Series", Model: "QX9006", Serial: fmt.Sprintf("QXCHASSIS%d", device), SWVersion: "17.12.4",
	}
	for i := 0; i+1 < len(units); i += 2 {
		m.FRUs = append(m.FRUs, callhome.FRU{Name: "QX-LC24", Slot: units[i], Serial: units[i+1], HWVersion: "1.0"})
	}
	return m
}

func observe(t *testing.T, s *sqlstore.Store, device int64, company account.CompanyID, m *callhome.Message) (res inventory.Result) {
	t.Helper()
	err := s.InTx(context.Background(), func(tx *sqlstore.Tx) (err error) {
		res, err = inventory.Observe(context.Background(), tx.Inventory(), inventory.Observation{Device: device, Company: company, Received: inventoryTime, Message: m})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return res
}

func changeTexts(changes []inventory.Change) []string {
	var out []string
	for _, c := range changes {
		out = append(out, c.Text())
	}
	return out
}

func inventoryLife(t *testing.T, s *sqlstore.Store) {
	ctx, all := context.Background(), account.Everywhere()
	steps := []struct {
		m       *callhome.Message
		number  int
		changes []string
	}{
		{wholeInventory(1, 1, "1", "CARDAAA", "2", "CARDBBB"), 1, nil},
		{wholeInventory(1, 2, "1", "CARDAAA", "2", "CARDBBB"), 1, nil},
		{&callhome.Message{MessageID: "M3", Group: callhome.GroupSyslog, Model: "QX9006", Serial: "QXCHASSIS1", SWVersion: "17.12.4", Dialect: "ios"}, 1, nil},
		{&callhome.Message{MessageID: "M4", Group: callhome.GroupSyslog, SWVersion: "17.12.5"}, 2, []string{"software of the chassis changed from 17.12.4 to 17.12.5"}},
		{&callhome.Message{MessageID: "M5", Group: callhome.GroupInventory, Subtype: "delta", FRUs: []callhome.FRU{{Name: "QX-LC24", Slot: "2", Serial: "CARDCCC"}}}, 3,
			[]string{"QX-LC24 (serial number CARDBBB) in slot 2 was replaced by QX-LC24 (serial number CARDCCC)"}},
		{wholeInventory(1, 6, "1", "CARDAAA"), 4, []string{
			"software of the chassis changed from 17.12.5 to 17.12.4", "QX-LC24 (serial number CARDCCC) was removed from slot 2"}},
	}
	for i, step := range steps {
		res := observe(t, s, 1, 7, step.m)
		if d := cmp.Diff(step.changes, changeTexts(res.Changes)); d != "" || res.Revision != step.number {
			t.Errorf("step %d: revision %d, want %d; changes (-want +got):\n%s", i, res.Revision, step.number, d)
		}
	}
	list, err := s.Read().Inventory().Revisions(ctx, all, 1, account.Page{Limit: 3})
	if err != nil || len(list) != 3 || list[0].Number != 4 || list[2].Number != 2 || list[0].MessageID != "M6:QX1:69B529DD" || !list[0].At.Equal(inventoryTime.Add(6*time.Hour)) {
		t.Errorf("Revisions = %+v, %v", list, err)
	}
	rest, err := s.Read().Inventory().Revisions(ctx, all, 1, account.Page{After: 2})
	if err != nil || len(rest) != 1 || rest[0].Number != 1 {
		t.Errorf("Revisions after 2 = %+v, %v", rest, err)
	}
	one, err := s.Read().Inventory().Revision(ctx, all, 1, 3)
	if err != nil || len(one.Inventory.Units) != 2 || one.Inventory.Units[1].Serial != "CARDCCC" {
		t.Errorf("Revision 3 = %+v, %v", one, err)
	}
	diff, err := inventory.Diff(ctx, s.Read().Inventory(), all, 1, 1, 0)
	if want := []string{"QX-LC24 (serial number CARDBBB) was removed from slot 2"}; err != nil || cmp.Diff(want, changeTexts(diff)) != "" {
		t.Errorf("Diff of 1 and the latest = %v, %v", changeTexts(diff), err)
	}
	places, err := s.Read().Inventory().Units(ctx, all, inventory.UnitFilter{Product: "qx-l"}, account.Page{})
	if err != nil || len(places) != 1 || places[0].Unit.Serial != "CARDAAA" || !places[0].Since.Equal(inventoryTime.Add(time.Hour)) {
		t.Errorf("Units = %+v, %v", places, err)
	}
	if err := s.InTx(ctx, func(tx *sqlstore.Tx) error { return tx.Inventory().Forget(ctx, 1) }); err != nil {
		t.Fatal(err)
	}
	if counts, err := s.Read().Inventory().Summary(ctx, all, inventory.ByFamily); err != nil || len(counts) != 0 {
		t.Errorf("after Forget the summary is %v, %v", counts, err)
	}
}

func inventoryIdempotent(t *testing.T, s *sqlstore.Store) {
	a, b := wholeInventory(1, 1, "1", "CARDAAA"), wholeInventory(1, 2, "1", "CARDBBB")
	observe(t, s, 1, 7, a)
	first := observe(t, s, 1, 7, b)
	for _, m := range []*callhome.Message{b, a, b, a} {
		again := observe(t, s, 1, 7, m)
		if m == b && again.Changed && cmp.Diff(changeTexts(first.Changes), changeTexts(again.Changes)) != "" {
			t.Errorf("the same message changed something else: %v", changeTexts(again.Changes))
		}
	}
	list, err := s.Read().Inventory().Revisions(context.Background(), account.Everywhere(), 1, account.Page{})
	if err != nil || len(list) != 2 {
		t.Errorf("%d revisions after repeats, want 2 (%v)", len(list), err)
	}
}

func inventoryMoves(t *testing.T, s *sqlstore.Store) {
	observe(t, s, 1, 7, wholeInventory(1, 1, "1", "CARDAAA"))
	observe(t, s, 2, 7, wholeInventory(2, 1, "4", "CARDDDD"))
	observe(t, s, 3, 8, wholeInventory(3, 1, "4", "CARDEEE"))
	got := observe(t, s, 2, 7, wholeInventory(2, 2, "4", "CARDDDD", "5", "CARDAAA")).Changes
	if len(got) != 1 || got[0].Kind != inventory.Moved || got[0].FromDevice != 1 || got[0].From != "1" {
		t.Errorf("into a device of the company: %+v", got)
	}
	got = observe(t, s, 1, 7, wholeInventory(1, 3)).Changes // names no unit: not believed
	if len(got) != 0 {
		t.Errorf("an inventory without units removed something: %v", changeTexts(got))
	}
	got = observe(t, s, 3, 8, wholeInventory(3, 3, "4", "CARDEEE", "5", "CARDAAA")).Changes
	if len(got) != 1 || got[0].Kind != inventory.Added || got[0].FromDevice != 0 {
		t.Errorf("into a device of another company: %+v", got)
	}
}

func inventoryReach(t *testing.T, s *sqlstore.Store) {
	ctx := context.Background()
	observe(t, s, 1, 7, wholeInventory(1, 1, "1", "CARDAAA"))
	observe(t, s, 2, 8, wholeInventory(2, 1, "1", "CARDBBB"))
	store := s.Read().Inventory()
	for _, c := range []struct {
		reach account.Reach
		want  int
	}{{account.Everywhere(), 2}, {account.Reach{Companies: []account.CompanyID{7}}, 1}, {account.Reach{}, 0}} {
		heads, err1 := store.Devices(ctx, c.reach, inventory.DeviceFilter{Family: "QX9000 Series", Platform: "iosxe"}, account.Page{})
		units, err2 := store.Units(ctx, c.reach, inventory.UnitFilter{Product: "QX-LC24"}, account.Page{})
		list, err3 := store.Revisions(ctx, c.reach, 1, account.Page{})
		sums, err4 := store.Summary(ctx, c.reach, inventory.ByVersion)
		n := int64(0)
		for _, sum := range sums {
			n += sum.Devices
		}
		if err1 != nil || err2 != nil || err3 != nil || err4 != nil || len(heads) != c.want || len(units) != c.want || len(list) != min(c.want, 1) || n != int64(c.want) {
			t.Errorf("%+v sees %d devices, %d units, %d revisions, %v; %v %v %v %v", c.reach, len(heads), len(units), len(list), sums, err1, err2, err3, err4)
		}
	}
	if _, err := store.Revision(ctx, account.Reach{Companies: []account.CompanyID{8}}, 1, 0); callhome.KindOf(err) != callhome.KindNotFound {
		t.Errorf("another company's revision: %v, want not found", err)
	}
}

func inventoryCompanies(t *testing.T, s *sqlstore.Store) {
	ctx := context.Background()
	observe(t, s, 1, 0, wholeInventory(1, 1, "1", "CARDAAA"))
	observe(t, s, 2, 7, wholeInventory(2, 1, "1", "CARDAAA"))
	if err := s.InTx(ctx, func(tx *sqlstore.Tx) error { return tx.Inventory().SetCompany(ctx, 1, 7) }); err != nil {
		t.Fatal(err)
	}
	reach := account.Reach{Companies: []account.CompanyID{7}}
	heads, err := s.Read().Inventory().Devices(ctx, reach, inventory.DeviceFilter{}, account.Page{})
	counts, err2 := s.Read().Inventory().Summary(ctx, reach, inventory.ByModel)
	if err != nil || err2 != nil || len(heads) != 2 || len(counts) != 1 || counts[0].Devices != 2 {
		t.Errorf("after the device changed hands: %+v, %+v (%v, %v)", heads, counts, err, err2)
	}
}

// BenchmarkInventory measures what a message without news costs: most of them.
func BenchmarkInventory(b *testing.B, open func(testing.TB) *sqlstore.Store) {
	s, ctx := open(b), context.Background()
	var units []string
	for i := range 40 {
		units = append(units, fmt.Sprint(i), fmt.Sprintf("CARD%04d", i))
	}
	whole := wholeInventory(1, 1, units...)
	syslog := &callhome.Message{MessageID: "M2", Dialect: "ios", Group: callhome.GroupSyslog, Model: whole.Model, Serial: whole.Serial, SWVersion: whole.SWVersion, SourceID: whole.SourceID}
	for name, m := range map[string]*callhome.Message{"whole": whole, "syslog": syslog} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			err := s.InTx(ctx, func(tx *sqlstore.Tx) error {
				for b.Loop() {
					if _, err := inventory.Observe(ctx, tx.Inventory(), inventory.Observation{Device: 1, Company: 7, Received: inventoryTime, Message: m}); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				b.Fatal(err)
			}
		})
	}
}

// inventoryHostile: what a device writes into its fields must not stop the work on its messages.
func inventoryHostile(t *testing.T, s *sqlstore.Store) {
	long := strings.Repeat("x", 10_000)
	for i, bad := range []string{"a\x00b", "\xff\xfe", long, "'; DROP TABLE inventory_heads; --", "<script>", "\u202e"} {
		m := wholeInventory(1, i+1, bad, bad)
		m.MessageID, m.Model, m.SWVersion, m.SourceID = callhome.MessageID(bad), bad, bad, bad
		m.FRUs[0].Name, m.FRUs[0].PartNo = bad, bad
		m.Attachments = []callhome.Attachment{{Name: "show running-config", Text: "hostname " + bad + "\nx\ny\nend\n"}, {Name: "show inventory", Text: bad}}
		observe(t, s, 1, 7, m)
		observeConfig(t, s, 1, 7, m)
		matchDevice(t, s, 1)
	}
}
