package redact

import (
	"net/netip"
	"strings"
)

// removeAddresses takes out IPv4, IPv6 and MAC addresses, world wide names too, wherever they stand. A version number
// of four parts looks like an IPv4 address and goes with them.
func removeAddresses(s string) string {
	var out []byte
	copied := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c != '.' && c != ':' && c != '-' {
			i++
			continue
		}
		from, to := addressAt(s, i, copied)
		if from == to {
			i++
			continue
		}
		out = append(append(out, s[copied:from]...), removed...)
		copied, i = to, to
	}
	if copied == 0 {
		return s
	}
	return string(append(out, s[copied:]...))
}

// addressAt gives the bounds of the address whose first separator is at i, none when from == to.
func addressAt(s string, i, least int) (from, to int) {
	switch s[i] {
	case '-':
		return fixedMAC(s, i, least, '-')
	case '.':
		if from, to = run(s, i, least, isDigitOrDot); isIPv4(s[from:to]) {
			return from, to
		}
		return dottedMAC(s, i, least)
	}
	from, to = run(s, i, least, isHexColon)
	token := strings.TrimRight(s[from:to], ".")
	token = strings.TrimSuffix(token, ":")
	if strings.HasSuffix(token, ":") { // "fe80::" keeps both
		token += ":"
	}
	to = from + len(token)
	if wordBefore(s, from) || wordAfter(s, to) {
		return i, i
	}
	if isColonAddress(token) {
		return from, to
	}
	return i, i
}

// run widens [i, i+1) over the bytes that in accepts, not left of least.
func run(s string, i, least int, in func(byte) bool) (from, to int) {
	const longest = 64 // bytes; no address is longer
	for from = i; from > least && i-from < longest && in(s[from-1]); from-- {
	}
	for to = i + 1; to < len(s) && to-i < longest && in(s[to]); to++ {
	}
	return from, to
}

func isDigitOrDot(c byte) bool { return c >= '0' && c <= '9' || c == '.' }

func isHex(c byte) bool { return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'f' }

func isHexColon(c byte) bool { return isHex(c) || c == ':' || c == '.' }

// isIPv4 also takes addresses with a full stop behind.
func isIPv4(s string) bool {
	a, err := netip.ParseAddr(strings.TrimRight(s, "."))
	return err == nil && a.Is4()
}

// isColonAddress reports whether s is an IPv6 address, six or eight pairs of hexadecimal digits, or one with fewer
// digits in a pair.
func isColonAddress(s string) bool {
	if strings.Count(s, ":") < 2 {
		return false
	}
	if _, err := netip.ParseAddr(s); err == nil {
		return true
	}
	parts := strings.Split(s, ":")
	if len(parts) != 6 {
		return false
	}
	for _, p := range parts {
		if len(p) == 0 || len(p) > 2 || strings.Contains(p, ".") {
			return false
		}
	}
	return true
}

// dottedMAC finds 0011.2233.4455 around the dot at i.
func dottedMAC(s string, i, least int) (from, to int) {
	const group, length = 4, 14
	from, to = i-group, i-group+length
	if from < least || to > len(s) || s[i+group+1] != '.' || wordBefore(s, from) || wordAfter(s, to) {
		return i, i
	}
	for j := from; j < to; j++ {
		if j != i && j != i+group+1 && !isHex(s[j]) {
			return i, i
		}
	}
	return from, to
}

// fixedMAC finds 00-11-22-33-44-55 around the separator at i.
func fixedMAC(s string, i, least int, separator byte) (from, to int) {
	const length = 17
	from, to = i-2, i-2+length
	if from < least || to > len(s) || wordBefore(s, from) || wordAfter(s, to) {
		return i, i
	}
	for j := from; j < to; j++ {
		if (j-from)%3 == 2 != (s[j] == separator) || s[j] != separator && !isHex(s[j]) {
			return i, i
		}
	}
	return from, to
}
