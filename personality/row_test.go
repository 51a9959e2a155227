package personality

import (
	"strconv"
	"strings"
	"testing"

	"callhome"
)

// TestRowsAreWellFormed reads every row of every table as the classifier does.
func TestRowsAreWellFormed(t *testing.T) {
	for _, p := range All() {
		seen := map[string]bool{}
		for i := range p.Rows {
			r := &p.Rows[i]
			where := string(p.Name) + " row " + strconv.Itoa(i) + " " + r.Rule()
			if seen[r.Rule()] {
				t.Errorf("%s: the same rule stands above it", where)
			}
			seen[r.Rule()] = true
			if err := r.Valid(); err != nil {
				t.Errorf("%s: %v", where, err)
			}
			if _, ok := p.Group(r.Group); !ok {
				t.Errorf("%s: the personality has no alert group %s", where, r.Group)
			}
		}
	}
}

// TestClearsHaveRaises: what a row ends, another row of the table begins.
func TestClearsHaveRaises(t *testing.T) {
	for _, p := range All() {
		raised := map[string]bool{}
		for i := range p.Rows {
			if r := &p.Rows[i]; r.State == callhome.StateRaise {
				raised[r.Type+" "+r.Subtype] = true
			}
		}
		for i := range p.Rows {
			if r := &p.Rows[i]; r.State == callhome.StateClear && !raised[r.Type+" "+r.Subtype] {
				t.Errorf("%s: %s clears %s %q, which nothing raises", p.Name, r.Rule(), r.Type, r.Subtype)
			}
		}
	}
}

func TestTablesAreRich(t *testing.T) {
	want := map[Name]int{IOS: 100, IOSXR: 60, NXOS: 100, ASA: 100, UCM: 60, Junos: 100, EOS: 60, Linux: 100, Generic: 100}
	for _, p := range All() {
		if got := len(p.Rows); got < want[p.Name] {
			t.Errorf("%s has %d rows, want at least %d", p.Name, got, want[p.Name])
		}
	}
}

func TestRowValidFindsFaults(t *testing.T) {
	good := Row{On: "%LINK-UPDOWN", Group: gSys, Type: "LINK_DOWN", Level: fs, State: raise}
	if err := good.Valid(); err != nil {
		t.Fatalf("a good row: %v", err)
	}
	for name, breakIt := range map[string]func(*Row){
		"no sigil":        func(r *Row) { r.On = "LINK-UPDOWN" },
		"no dash":         func(r *Row) { r.On = "%LINK" },
		"range backwards": func(r *Row) { r.On = "#20-10" },
		"no number":       func(r *Row) { r.On = "#1x" },
		"no type":         func(r *Row) { r.Type = "" },
		"no group":        func(r *Row) { r.Group = "" },
		"level":           func(r *Row) { r.Level = 12 },
		"state":           func(r *Row) { r.State = "" },
		"empty phrase":    func(r *Row) { r.Has = "a&" },
	} {
		r := good
		breakIt(&r)
		if err := r.Valid(); err == nil {
			t.Errorf("%s: no error for %+v", name, r)
		} else if strings.TrimSpace(err.Error()) == "" {
			t.Errorf("%s: empty error", name)
		}
	}
}
