package syslog

import (
	"bytes"
	"iter"
	"strconv"
	"strings"
	"time"

	"callhome/codec/ciscolog"
)

// ParamForm says how the parameters of a line are written.
type ParamForm uint8

// The forms.
const (
	ParamsNone     ParamForm = iota
	ParamsSD                 // RFC 5424 structured data: [id name="value"]
	ParamsCiscoLog           // CiscoLog tags: [key=value][key=value]
	ParamsBrackets           // UCS, FXOS, APIC: [F0461][info][cause][dn], keys "1", "2", …
	ParamsEquals             // key=value or key="value", separated by spaces: Meraki, Fortinet
	ParamsComma              // key=value separated by ", ": ISE
	ParamsColon              // Key: value separated by ", ": FTD
)

// Params walks the parameters in order; keys may repeat. Structured data has keys "id.name". Escapes are undone.
func (l *Line) Params() iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		switch l.ParamForm {
		case ParamsSD:
			eachSD(l.ParamRegion, yield)
		case ParamsCiscoLog:
			l.eachTag(yield)
		case ParamsBrackets:
			eachBracket(l.ParamRegion, yield)
		case ParamsEquals:
			eachEquals(l.ParamRegion, yield)
		case ParamsComma:
			eachComma(l.ParamRegion, yield)
		case ParamsColon:
			eachColon(l.ParamRegion, yield)
		}
	}
}

// Param gives the value of the first parameter with this key.
func (l *Line) Param(key string) (value string, ok bool) {
	for k, v := range l.Params() {
		if k == key {
			return v, true
		}
	}
	return "", false
}

// eachTag has codec/ciscolog walk the tags: how they are to be scanned depends on the whole line.
func (l *Line) eachTag(yield func(string, string) bool) {
	var rec ciscolog.Record
	if !ciscolog.Parse(l.inner(), time.Time{}, &rec, ciscolog.Options{}) {
		return
	}
	rec.Tags(func(k, v []byte) bool { return yield(string(k), string(v)) })
}

// eachSD walks structured data that scanSD has accepted.
func eachSD(b []byte, yield func(string, string) bool) {
	for i := 0; i < len(b) && b[i] == '['; {
		n := sdName(b, i+1)
		id := string(b[i+1 : n])
		i = n
		for i < len(b) && b[i] == ' ' {
			i = skipSpaces(b, i)
			if i >= len(b) || b[i] == ']' {
				break
			}
			eq, end := sdParam(b, i)
			if end == 0 {
				return
			}
			value := b[eq+1 : end]
			if value[0] == '"' {
				value = value[1 : len(value)-1]
			}
			if !yield(id+"."+string(b[i:eq]), unescape(value, `"\]`)) {
				return
			}
			i = end
		}
		i++
	}
}

// unescape takes a backslash off in front of each octet of set; in front of any other it stands for itself.
func unescape(v []byte, set string) string {
	if bytes.IndexByte(v, '\\') < 0 {
		return string(v)
	}
	out := make([]byte, 0, len(v))
	for i := 0; i < len(v); i++ {
		if v[i] == '\\' && i+1 < len(v) && strings.IndexByte(set, v[i+1]) >= 0 {
			i++
		}
		out = append(out, v[i])
	}
	return string(out)
}

func eachBracket(b []byte, yield func(string, string) bool) {
	for n := 1; len(b) > 1 && b[0] == '['; n++ {
		end := closing(b)
		if end < 0 || !yield(strconv.Itoa(n), string(b[1:end])) {
			return
		}
		b = b[end+1:]
	}
}

// eachEquals walks key=value; words between that are no pairs are passed over.
func eachEquals(b []byte, yield func(string, string) bool) {
	for i := 0; i < len(b); {
		if b[i] == ' ' || b[i] == '\t' {
			i++
			continue
		}
		end := run(b, i, isName|isDash|isTag)
		if end == i || end >= len(b) || b[end] != '=' {
			i = max(token(b, i), i+1)
			continue
		}
		value, next := equalsScan(b, end+1)
		if !yield(string(b[i:end]), string(value)) {
			return
		}
		i = next
	}
}

// eachComma walks key=value pairs that ", " separates; a backslash, or braces, guard a comma inside a value.
func eachComma(b []byte, yield func(string, string) bool) {
	for len(b) > 0 {
		end := commaEnd(b)
		pair := bytes.TrimSpace(b[:end])
		if k := bytes.IndexByte(pair, '='); k > 0 {
			if !yield(string(bytes.TrimSpace(pair[:k])), unescape(pair[k+1:], `,\{}`)) {
				return
			}
		}
		if end == len(b) {
			return
		}
		b = b[end+1:]
	}
}

// commaEnd is where the first pair of b ends.
func commaEnd(b []byte) int {
	depth := 0
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '{':
			depth++
		case '}':
			depth--
		case ',':
			if depth <= 0 && (i+1 == len(b) || b[i+1] == ' ') {
				return i
			}
		}
	}
	return len(b)
}

// eachColon walks Key: value pairs. A value may hold commas: a pair begins only where ", " is followed by a key, one word
// that a colon and a space close.
func eachColon(b []byte, yield func(string, string) bool) {
	n := colonKey(b)
	for n > 0 {
		key := string(b[:n])
		b = b[skipColon(b, n):]
		value, next := b, 0
		for from := 0; ; {
			k := bytes.Index(b[from:], []byte(", "))
			if k < 0 {
				break
			}
			k += from
			if next = colonKey(b[k+2:]); next > 0 {
				value, b = b[:k], b[k+2:]
				break
			}
			from = k + 2
		}
		if !yield(key, string(value)) {
			return
		}
		n = next
	}
}

// colonKey gives the length of a key of FTD events at the start of b.
func colonKey(b []byte) int {
	n := run(b, 0, isName|isDash)
	if n == 0 || n+1 >= len(b) || b[n] != ':' || b[n+1] != ' ' || class[b[0]]&isUpper == 0 {
		return 0
	}
	return n
}
