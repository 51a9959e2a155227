package secrets

import (
	"strings"
	"testing"
)

func TestFilterFindsEveryLiteral(t *testing.T) {
	for i, r := range secretTable.rules {
		for _, l := range r.Literal {
			text := "harmless\nx" + strings.ToUpper(l) + "y\nharmless"
			lines := 0
			secretTable.filter().find(text, secretSet, func(from, to int, found Set) {
				lines++
				if !found.has(i) || text[from:to] != "x"+strings.ToUpper(l)+"y" {
					t.Errorf("%s: %q is not found in %q", r.Name, l, text[from:to])
				}
			})
			if lines != 1 {
				t.Errorf("%s: %q is found in %d lines", r.Name, l, lines)
			}
		}
	}
}

func TestMask(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"enable secret 9 $9$abc$def\nhostname a", "enable secret 9 <removed>\nhostname a"},
		{"snmp-server community s3cret ro", "snmp-server community <removed> ro"},
		{"crypto isakmp key 6 QWERTY address 192.0.2.1", "crypto isakmp key 6 <removed> address 192.0.2.1"},
		{"set snmp community \"pub lic\" authorization read-only", "set snmp community \"<removed>\" authorization read-only"},
		{"no password to see", "no password to see"},
	} {
		if got := Mask(c.in); got != c.want {
			t.Errorf("Mask(%q) = %q, want %q", c.in, got, c.want)
		}
	}
}
