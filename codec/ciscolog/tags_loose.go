package ciscolog

import "bytes"

// maxLooseKey is the longest key the tolerant scan believes in; alarm parameters of Unified CM stay far below it.
const maxLooseKey = 64

// nodeLookBack is how far before its bracket the pair of a NodeID may begin: a key and a host name.
const nodeLookBack = maxLooseKey + MaxHost + 2

// ucmApp tells Unified CM's applications, whose alert texts quote whole other alarms.
func ucmApp(app []byte) bool {
	return bytes.HasPrefix(app, []byte("UC_")) || bytes.HasPrefix(app, []byte("CCM_"))
}

// Beginnings of APPNAME of Contact Center Enterprise and Express.
var (
	icmApp  = []byte("ICM_")
	mivrApp = []byte("MIVR")
)

// sisterApp tells the applications of Unified CM and of the products that log as it does.
func sisterApp(app []byte) bool {
	return ucmApp(app) || bytes.HasPrefix(app, icmApp) || bytes.HasPrefix(app, mivrApp)
}

// looseRegion finds TAGS in b, which begins as they do, where the strict scan failed: the brackets' region, and where MESSAGE begins.
func looseRegion(b, app []byte) (region []byte, text int, ok bool) {
	start := 0
	if b[0] == '%' {
		start = 1 + spaces(b[1:])
	}
	end := -1
	if ucmApp(app) {
		end = lastNodeID(b[start:])
	}
	if end < 0 {
		end = firstClosing(b[start:])
	}
	if end < 0 {
		return nil, 0, false
	}
	region = b[start : start+end+1]
	text = start + end + 1
	text += spaces(b[text:]) + 1
	if text < len(b) {
		text++
	}
	return region, text, hasPair(region)
}

// closes tells whether TAGS may end with the bracket b[i]: a colon follows, and then a space or nothing.
func closes(b []byte, i int) bool {
	i++
	i += spaces(b[i:])
	return i < len(b) && b[i] == ':' && (i+1 == len(b) || b[i+1] == ' ')
}

// firstClosing is the first closing bracket with all brackets balanced, else the first of all; -1 when there is none.
func firstClosing(b []byte) int {
	first, depth := -1, 0
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '[':
			depth++
			continue
		case ']':
			depth = max(depth-1, 0)
		case '\\':
			if i+1 == len(b) || !escaped(b[i+1]) {
				continue
			}
			i++
			if b[i] != ']' {
				continue
			}
			// An escaped bracket ends nothing, unless no other does: Unified CM escapes nothing at all.
			if first < 0 && closes(b, i) {
				first = i
			}
			continue
		default:
			continue
		}
		if !closes(b, i) {
			continue
		}
		if depth == 0 {
			return i
		}
		if first < 0 {
			first = i
		}
	}
	return first
}

// lastNodeID is the last closing bracket that ends a pair with the key NodeID; -1 when there is none.
func lastNodeID(b []byte) int {
	for end := bytes.LastIndexByte(b, ']'); end >= 0; end = bytes.LastIndexByte(b[:end], ']') {
		if !closes(b, end) {
			continue
		}
		from := max(0, end-nodeLookBack)
		open := bytes.LastIndexByte(b[from:end], '[')
		if open < 0 {
			continue
		}
		key, _, found := bytes.Cut(b[from+open+1:end], []byte{'='})
		if found && isNodeID(key) {
			return end
		}
	}
	return -1
}

// isNodeID tells whether a key reads NodeID when spaces and case are left aside.
func isNodeID(key []byte) bool { return spells(key, "nodeid") }

// looseTags yields the pairs of a region by the tolerant scan: one pair ends where the next plausible key begins.
func looseTags(region []byte, yield func(key, value []byte) bool) {
	for b := region; len(b) > 1; {
		end, next := looseEnd(b)
		if key, value, found := bytes.Cut(b[1:end], []byte{'='}); found {
			if key = trim(key); len(key) > 0 && !yield(key, value) {
				return
			}
		}
		b = b[next:]
	}
}

// looseEnd is where the pair at the start of b ends, and where the next one begins.
func looseEnd(b []byte) (end, next int) {
	for i := 1; i < len(b)-1; i++ {
		if b[i] != ']' {
			continue
		}
		next = i + 1 + spaces(b[i+1:])
		if next < len(b) && b[next] == '[' && plausibleKey(b[next+1:]) {
			return i, next
		}
	}
	return len(b) - 1, len(b)
}

// plausibleKey tells whether b begins with a key as real senders write them, and an equals sign.
func plausibleKey(b []byte) bool {
	for i, c := range b {
		if c == '=' {
			return i > 0
		}
		if i == maxLooseKey || classes[c]&classLoose == 0 {
			return false
		}
	}
	return false
}

// hasPair tells whether the region has an equals sign in any pair; without one the brackets belong to the text.
func hasPair(region []byte) bool { return bytes.IndexByte(region, '=') >= 0 }
