package registry

import (
	"strings"
	"testing"
	"time"
)

func TestJudge(t *testing.T) {
	c := &Contract{
		Covers: []Cover{{CoverSerial, "QXA2613K0PZ"}, {CoverProduct, "QX90*"}, {CoverProduct, "SPA/12?"}},
		Claims: []Claim{{ClaimEmail, "noc@ops.example"}, {ClaimEmail, "@fix.example"}, {ClaimUser, "rita"}},
	}
	for _, k := range []struct {
		name string
		d    Claimed
		want Refusal
	}{
		{"by serial", Claimed{Model: "ZZ", Serial: "qxa2613k0pz", Email: "NOC@ops.example"}, ""},
		{"by product", Claimed{Model: "qx9006", Serial: "1", Email: "a@fix.example"}, ""},
		{"by product with a slash", Claimed{Model: "SPA/123", Serial: "1", Email: "a@fix.example"}, ""},
		{"with the user", Claimed{Model: "QX9006", Serial: "1", Email: "noc@ops.example", User: "Rita"}, ""},
		{"neither", Claimed{Model: "ZZ9006", Serial: "1", Email: "noc@ops.example"}, RefusedSerial},
		{"another address", Claimed{Model: "QX9006", Serial: "1", Email: "eve@ops.example"}, RefusedEmail},
		{"an address behind the domain", Claimed{Model: "QX9006", Serial: "1", Email: "a@fix.example.evil.example"}, RefusedEmail},
		{"an address that ends like the domain", Claimed{Model: "QX9006", Serial: "1", Email: "a@notfix.example"}, RefusedEmail},
		{"no address", Claimed{Model: "QX9006", Serial: "1"}, RefusedEmail},
		{"another user", Claimed{Model: "QX9006", Serial: "1", Email: "noc@ops.example", User: "eve"}, RefusedUser},
	} {
		if got := c.Judge(k.d); got != k.want {
			t.Errorf("%s: got %q, want %q", k.name, got, k.want)
		}
	}
	if got := (&Contract{}).Judge(Claimed{Model: "QX9006", Serial: "1"}); got != RefusedSerial {
		t.Errorf("a contract that lists nothing: got %q, want %q", got, RefusedSerial)
	}
}

func TestReadContracts(t *testing.T) {
	for _, c := range []struct {
		name, file string
		want       []string // faults
	}{
		{"good", "contract,company,until\nK-1,Acme,2026-12-31\n", nil},
		{"byte order mark, blanks, CRLF", "\xEF\xBB\xBFContract, Company\r\nK-1, Acme\r\n", nil},
		{"empty", "", []string{"line 1: the file is empty"}},
		{"no needed column", "contract\nK-1\n", []string{"line 1, column company: is missing"}},
		{"unknown column", "contract,company,colour\n", []string{"line 1, column colour: is not one of"}},
		{"twice", "contract,company,company\n", []string{"line 1, column company: is there twice"}},
		{"too few fields", "contract,company\nK-1\n", []string{"line 2: has 1 fields"}},
		{"several faults", "contract,company,from,email\n,Acme,,\nK-1,,,\nK-2,Acme,14.3.2026,\nK-3,Acme,,nobody\n", []string{
			"line 2, column contract: is empty", "line 3, column company: is empty", "line 4, column from", "line 5, column email",
		}},
		{"says otherwise", "contract,company,tier\nK-1,Acme,gold\nk-1,Acme,silver\n", []string{`line 3, column tier: is "silver"; line 2 says "gold"`}},
		{"ends before it begins", "contract,company,from,until\nK-1,Acme,2026-03-14,2026-03-13\n", []string{"line 2, column until: is before"}},
		{"one day", "contract,company,from,until\nK-1,Acme,2026-03-14,2026-03-14\n", nil},
		{"a pattern that is none", "contract,company,product\nK-1,Acme,QX[\n", []string{"line 2, column product"}},
		{"a quote left open", "contract,company\n\"K-1,Acme\nK-2,Acme\n", []string{"line 2"}},
		{"control characters", "contract,company\nK-1\x00,Acme\n", []string{"line 2, column contract: is longer than"}},
		{"a long word", "contract,company\n" + strings.Repeat("K", 200) + ",Acme\n", []string{"line 2, column contract: is longer than"}},
	} {
		rows, faults, err := ReadContracts(strings.NewReader(c.file))
		if err != nil || len(faults) != len(c.want) {
			t.Errorf("%s: got faults %v, %v; want %v", c.name, faults, err, c.want)
			continue
		}
		for k, f := range faults {
			if !strings.HasPrefix(f.Error(), c.want[k]) {
				t.Errorf("%s: got %q, want %q", c.name, f.Error(), c.want[k])
			}
		}
		if (len(rows) == 0) != (len(faults) > 0) {
			t.Errorf("%s: %d contracts with %d faults", c.name, len(rows), len(faults))
		}
	}
}

func FuzzReadContracts(f *testing.F) {
	f.Add("contract,company,tier,from,until,name,serial,product,email,user\nK-1,Acme,gold,2026-01-01,,,QX1,QX*,@a.example,rita\n")
	f.Add("contract,company\n\"\n,,,\n")
	f.Fuzz(func(t *testing.T, file string) {
		rows, faults, err := ReadContracts(strings.NewReader(file))
		if err != nil {
			t.Fatal(err)
		}
		if len(rows) > 0 && len(faults) > 0 {
			t.Errorf("%d contracts with faults %v", len(rows), faults)
		}
		for _, r := range rows {
			if r.Number == "" || r.CompanyName == "" || !r.From.IsZero() && !r.Until.IsZero() && !r.From.Before(r.Until) {
				t.Errorf("contract %+v", r)
			}
		}
	})
}

func TestEntitlement(t *testing.T) {
	from, until := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	c := &Contract{Number: "K-1", From: from, Until: until}
	for _, k := range []struct {
		at   time.Time
		want Happening
		full bool
	}{
		{from.Add(-1), CoverToCome, false}, {from, CoverBegan, true}, {until.Add(-1), CoverBegan, true}, {until, CoverEnded, false},
	} {
		e := c.entitles()
		e.Registered = true
		if got := c.At(k.at); got != k.want || e.Full(k.at) != k.full {
			t.Errorf("at %s: %s, full %v; want %s, %v", k.at, got, e.Full(k.at), k.want, k.full)
		}
	}
	if (Entitlement{Contract: "K-1"}).Full(from) {
		t.Error("a device that is not registered has the full service")
	}
	if !(Entitlement{Contract: "K-1", Registered: true}).Full(from) {
		t.Error("a contract without dates gives nothing")
	}
}
