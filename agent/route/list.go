package route

import (
	"fmt"
	"slices"
	"strings"
)

// list is the message-ID list of one subscription.
type list struct {
	spans []span
	names []name
}

// span is a range of message numbers.
type span struct {
	min, max uint32
	sub      int32
}

// name is a message ID that is no number: a mnemonic or MSGID, with the facility it must have, if any.
type name struct {
	facility string
	mnemonic string
}

// maxNumberDigits bounds message numbers; the longest in use have seven.
const maxNumberDigits = 9

// parseList reads "106100", "302013-302016", "LINK-3-UPDOWN", "LINK-UPDOWN" and "UPDOWN". The severity within a name is
// of no account, as lists admit whatever the severity.
func parseList(ids []string) (list, error) {
	var l list
	for i, id := range ids {
		id = strings.TrimPrefix(strings.TrimSpace(id), "%")
		if id == "" {
			return list{}, fmt.Errorf("message_ids[%d]: is empty; give a number, a range such as 302013-302016, or a name", i)
		}
		if id[0] >= '0' && id[0] <= '9' {
			sp, err := parseSpan(id)
			if err != nil {
				return list{}, fmt.Errorf("message_ids[%d]: %w", i, err)
			}
			l.spans = append(l.spans, sp)
			continue
		}
		l.names = append(l.names, parseName(id))
	}
	return l, nil
}

func parseSpan(s string) (span, error) {
	lo, hi, ok := strings.Cut(s, "-")
	if !ok {
		hi = lo
	}
	a, okA := parseNumber([]byte(strings.TrimSpace(lo)))
	b, okB := parseNumber([]byte(strings.TrimSpace(hi)))
	switch {
	case !okA || !okB:
		return span{}, fmt.Errorf("%q is no message number and no range of them; write 302013 or 302013-302016", s)
	case a > b:
		return span{}, fmt.Errorf("range %q runs backwards; write the lower number first", s)
	}
	return span{min: a, max: b}, nil
}

// parseName splits FACILITY-SEVERITY-MNEMONIC at the severity, else FACILITY-MNEMONIC at the last dash.
func parseName(s string) name {
	parts := strings.Split(s, "-")
	for i := 1; i < len(parts)-1; i++ {
		if len(parts[i]) == 1 && parts[i][0] >= '0' && parts[i][0] <= '7' {
			return name{strings.Join(parts[:i], "-"), strings.Join(parts[i+1:], "-")}
		}
	}
	if i := strings.LastIndexByte(s, '-'); i > 0 {
		return name{s[:i], s[i+1:]}
	}
	return name{"", s}
}

// parseNumber reads a message number.
func parseNumber(b []byte) (uint32, bool) {
	if len(b) == 0 || len(b) > maxNumberDigits {
		return 0, false
	}
	var n uint32
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + uint32(c-'0')
	}
	return n, true
}

func (l *list) empty() bool { return len(l.spans)+len(l.names) == 0 }

// holds reports whether the subject's message is in the list.
func (l *list) holds(s *Subject) bool {
	if l.empty() {
		return false
	}
	id := s.messageID()
	if n, ok := parseNumber(id); ok {
		for i := range l.spans {
			if n >= l.spans[i].min && n <= l.spans[i].max {
				return true
			}
		}
	}
	for i := range l.names {
		n := &l.names[i]
		if n.facility == "" && n.mnemonic == string(id) {
			return true
		}
		if n.mnemonic == string(s.mnemonic()) && (n.facility == "" || n.facility == string(s.facility())) {
			return true
		}
	}
	return false
}

// listIndex holds the lists of all subscriptions.
type listIndex struct {
	spans  []span // of all subscriptions
	merged []span // the same, joined and sorted: most numbers are in none
	names  map[string][]int32
}

func (x *listIndex) any() bool { return len(x.spans)+len(x.names) > 0 }

func (x *listIndex) add(l *list, sub int32) {
	for _, sp := range l.spans {
		sp.sub = sub
		x.spans = append(x.spans, sp)
	}
	for _, n := range l.names {
		if x.names == nil {
			x.names = map[string][]int32{}
		}
		if !slices.Contains(x.names[n.mnemonic], sub) {
			x.names[n.mnemonic] = append(x.names[n.mnemonic], sub)
		}
	}
}

// prepare joins the ranges.
func (x *listIndex) prepare() {
	sorted := slices.Clone(x.spans)
	slices.SortFunc(sorted, func(a, b span) int { return int(a.min) - int(b.min) })
	for _, sp := range sorted {
		if n := len(x.merged); n > 0 && sp.min <= x.merged[n-1].max {
			x.merged[n-1].max = max(x.merged[n-1].max, sp.max)
			continue
		}
		x.merged = append(x.merged, sp)
	}
}

// anyNumber reports whether some list has n.
func (x *listIndex) anyNumber(n uint32) bool {
	lo, hi := 0, len(x.merged)
	for lo < hi {
		mid := (lo + hi) / 2
		if x.merged[mid].max < n {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo < len(x.merged) && n >= x.merged[lo].min
}

// touches reports whether some list may have the subject's message; most are in none.
func (x *listIndex) touches(s *Subject) bool {
	if n, ok := parseNumber(s.messageID()); ok && x.anyNumber(n) {
		return true
	}
	if len(x.names) == 0 {
		return false
	}
	return x.names[string(s.messageID())] != nil || x.names[string(s.mnemonic())] != nil
}
