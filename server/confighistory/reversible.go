package confighistory

import (
	"encoding/hex"
	"strings"
)

// type7Key is the fixed string that IOS's type 7 is made with; it has been public since 1995 and protects nothing.
const type7Key = "dsfd;kfoA,.iyewrkldJKDHSUBsgvca69834ncxv9873254k;fg87"

// decodeType7 reads a type 7 password: two decimal digits say where in the key to begin, then a pair of hexadecimal
// digits for each character. ok is false for what has another form or does not come out as printable text.
func decodeType7(v string) (plain string, ok bool) {
	if len(v) < 4 || len(v)%2 != 0 || v[0] < '0' || v[0] > '5' || v[1] < '0' || v[1] > '9' {
		return "", false
	}
	start := int(v[0]-'0')*10 + int(v[1]-'0')
	raw, err := hex.DecodeString(v[2:])
	if err != nil || start >= len(type7Key) {
		return "", false
	}
	for i := range raw {
		raw[i] ^= type7Key[(start+i)%len(type7Key)]
		if raw[i] < ' ' || raw[i] > '~' {
			return "", false
		}
	}
	return string(raw), true
}

// The alphabet of Junos's $9$ form, in the four families that say how many characters of noise follow the first one, and
// the weights by which the gaps between characters make a byte. Both are public; the form only obscures.
var (
	junosFamilies = []string{"QzF3n6/9CAtpu0O", "B1IREhcSyrleKvMW8LXx", "7N-dVbwsY2g4oaJZGUDj", "iHkq.mPf5T"}
	junosWeights  = [][]int{{1, 4, 32}, {1, 16, 32}, {1, 8, 32}, {1, 64}, {1, 32}, {1, 4, 16, 128}, {1, 32, 64}}
	junosAlphabet = strings.Join(junosFamilies, "")
)

// decodeJunos reads Junos's $9$ form.
func decodeJunos(v string) (plain string, ok bool) {
	v, ok = strings.CutPrefix(v, "$9$")
	if !ok || v == "" {
		return "", false
	}
	noise := -1
	for i, family := range junosFamilies {
		if strings.IndexByte(family, v[0]) >= 0 {
			noise = 3 - i
		}
	}
	if noise < 0 || len(v) < 1+noise {
		return "", false
	}
	last := v[0]
	v = v[1+noise:]
	var out []byte
	for v != "" {
		weights := junosWeights[len(out)%len(junosWeights)]
		if len(v) < len(weights) {
			return "", false
		}
		sum := 0
		for i, w := range weights {
			a, b := strings.IndexByte(junosAlphabet, last), strings.IndexByte(junosAlphabet, v[i])
			if b < 0 {
				return "", false
			}
			n := len(junosAlphabet)
			sum += w * ((b-a+n)%n - 1)
			last = v[i]
		}
		out = append(out, byte(sum&0xff))
		v = v[len(weights):]
	}
	return string(out), true
}
