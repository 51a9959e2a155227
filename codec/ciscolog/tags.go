package ciscolog

import (
	"bytes"
	"time"

	"callhome"
)

// Keys with a meaning of their own.
const (
	keyPart   = "part"
	keyUptime = "uptime"
	keyWrap   = "wrap"
	keyPname  = "pname.orig"
)

// Tags yields the tags in the order sent. A value has its escapes undone; it aliases the line unless it had any. Pairs
// without a key are passed over. Use it as a range function: for key, value := range r.Tags { … }.
func (r *Record) Tags(yield func(key, value []byte) bool) {
	r.rawTags(func(key, value []byte) bool { return yield(key, unescape(value)) })
}

// AppendTags adds the tags to dst, in order and with repeated keys.
func (r *Record) AppendTags(dst []callhome.Tag) []callhome.Tag {
	for key, value := range r.Tags {
		dst = append(dst, callhome.Tag{Key: string(key), Value: string(value)})
	}
	return dst
}

// Tag gives the value of the first tag with exactly this key.
func (r *Record) Tag(key string) (value []byte, ok bool) {
	r.rawTags(func(k, v []byte) bool {
		if ok = string(k) == key; ok {
			value = unescape(v)
		}
		return !ok
	})
	return value, ok
}

// Match tells whether a tag that the query asks for (see KeyMatches) has this value.
func (r *Record) Match(query, value string) bool {
	found := false
	for k, v := range r.Tags {
		if KeyMatches(query, k) && string(v) == value {
			found = true
			break
		}
	}
	return found
}

// NodeID is the value of the last tag NodeID, in any of Unified CM's spellings: the node that raised the alarm. The last,
// because an alert's text may quote whole other alarms before it. nil when there is none.
func (r *Record) NodeID() []byte {
	var node []byte
	r.rawTags(func(k, v []byte) bool {
		if isNodeID(k) {
			node = v
		}
		return true
	})
	return unescape(node)
}

// rawTags yields keys and values as sent.
func (r *Record) rawTags(yield func(key, value []byte) bool) {
	if r.looseTags {
		looseTags(r.TagRegion, yield)
		return
	}
	for b := r.TagRegion; len(b) > 1; {
		eq := bytes.IndexByte(b, '=')
		end := eq + 1
		for b[end] != ']' {
			if b[end] == '\\' {
				end++
			}
			end++
		}
		if !yield(b[1:eq], b[eq+1:end]) {
			return
		}
		b = b[end+1:]
	}
}

// unescape undoes the three escapes \[ \] \\ and leaves any other backslash alone.
func unescape(value []byte) []byte {
	i := bytes.IndexByte(value, '\\')
	if i < 0 {
		return value
	}
	out := append(make([]byte, 0, len(value)), value[:i]...)
	for ; i < len(value); i++ {
		if value[i] == '\\' && i+1 < len(value) && escaped(value[i+1]) {
			i++
		}
		out = append(out, value[i])
	}
	return out
}

// escaped tells the octets that have to be escaped in a value.
func escaped(c byte) bool { return c == '[' || c == ']' || c == '\\' }

// scanTags reads TAGS by the strict grammar. b begins with "%["; end is the index after the last bracket. What the tags
// part and uptime say goes into r. partAt is where a bad value of part begins, -1 without one.
func scanTags(b []byte, r *Record) (end, partAt int, rule Rule, at int) {
	partAt = -1
	for i := 1; ; {
		key := i + 1
		eq, rule := scanKey(b, key)
		if rule != "" {
			return 0, partAt, rule, eq
		}
		closing, rule := scanValue(b, eq+1)
		if rule != "" {
			return 0, partAt, rule, closing
		}
		if !r.note(b[key:eq], b[eq+1:closing]) && partAt < 0 {
			partAt = eq + 1
		}
		i = closing + 1
		switch {
		case i < len(b) && b[i] == '[':
		case i+1 < len(b) && b[i] == ':' && b[i+1] == ' ':
			return i, partAt, "", 0
		default:
			return 0, partAt, RuleTagSyntax, i
		}
	}
}

// scanKey finds the equals sign that ends the key at i, or what breaks the rule.
func scanKey(b []byte, i int) (int, Rule) {
	for start := i; ; i++ {
		if i >= len(b) {
			return i, RuleTagSyntax
		}
		switch c := b[i]; {
		case classes[c]&classKey != 0:
		case c == '=' || c == '.':
			if i == start || b[i-1] == '.' {
				return i, RuleTagKey
			}
			if c == '=' {
				return i, ""
			}
		case c == ']' || c == '[':
			return i, RuleTagSyntax
		default:
			return i, RuleTagKey
		}
	}
}

// scanValue finds the bracket that ends the value at i, or what breaks the rule.
func scanValue(b []byte, i int) (int, Rule) {
	for start := i; i < len(b); i++ {
		switch c := b[i]; {
		case c == ']':
			if what, at := checkText(b[start:i]); what == faultUTF8 {
				return start + at, RuleUTF8
			}
			return i, ""
		case c == '[':
			return i, RuleTagEscape
		case c == '\\':
			if i+1 >= len(b) || !escaped(b[i+1]) {
				return i, RuleTagEscape
			}
			i++
		case c < ' ' || c == 0x7f:
			return i, RuleTagChar
		}
	}
	return i, RuleTagSyntax
}

// note takes what a tag says about the message itself. It is false for a value of part that cannot be used, or that
// disagrees with the sequence number.
func (r *Record) note(key, value []byte) bool {
	switch string(key) {
	case keyUptime:
		if !r.HasUptime {
			r.Uptime, r.HasUptime = parseUptime(value)
		}
	case keyPart:
		part, ok := ParsePart(value)
		if ok && !r.HasPart {
			r.Part, r.HasPart = part, true
		}
		return ok && (!r.HasSeq || uint64(part.First+part.N-1) == r.Seq)
	}
	return true
}

// ParsePart reads the value of a tag part: FIRST.N/TOTAL, N from 1 to TOTAL.
func ParsePart(value []byte) (Part, bool) {
	first, rest, ok1 := bytes.Cut(value, []byte{'.'})
	n, total, ok2 := bytes.Cut(rest, []byte{'/'})
	f, ok3 := strictNumber(first, MaxSeq)
	i, ok4 := strictNumber(n, MaxSeq)
	t, ok5 := strictNumber(total, MaxSeq)
	if !(ok1 && ok2 && ok3 && ok4 && ok5) || i < 1 || i > t {
		return Part{}, false
	}
	return Part{First: uint32(f), N: uint32(i), Total: uint32(t)}, true
}

// parseUptime reads seconds, or days, hours, minutes and seconds joined by colons: the guide does not give the unit.
func parseUptime(value []byte) (time.Duration, bool) {
	units := [...]time.Duration{24 * time.Hour, time.Hour, time.Minute, time.Second}
	fields := bytes.Count(value, []byte{':'}) + 1
	if fields != 1 && fields != len(units) {
		return 0, false
	}
	var sum time.Duration
	for i := len(units) - fields; i < len(units); i++ {
		field, rest, _ := bytes.Cut(value, []byte{':'})
		n, ok := number(field)
		if !ok || n > MaxSeq {
			return 0, false
		}
		sum += time.Duration(n) * units[i]
		value = rest
	}
	// 2^32 days overflow; a negative sum is no uptime.
	return sum, sum >= 0
}
