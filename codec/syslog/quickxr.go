package syslog

import "time"

// quickXR reads the shape that most lines of IOS XR have, without the general scan of a prefix:
//
//	[n: ][host ]NODE:[*|.]Jun 13 [2026 ]21:07:15[.454] [ZONE]: process[pid]: %FAC-n-NAME : text
//
// It answers false for any other line, and has then changed nothing. A test holds it against the general way.
func (p *Parser) quickXR(b []byte, received time.Time, l *Line) bool {
	q := quickLine{first: -1, second: -1}
	i := 0
	if len(b) > 0 && digit(b[0]) && !nodeFirst(b) {
		if q.first, _, i = quickNumber(b, 0); i < 0 {
			return false
		}
	}
	node, i := q.node(b, i)
	if i < 0 {
		return false
	}
	if i < len(b) && (b[i] == '*' || b[i] == '.') {
		q.accuracy = b[i]
		i++
	}
	if i = q.stampAndZone(p, b, i); i < 0 {
		return false
	}
	name := quickName(b, i)
	end := name
	if name > i && hasPrefixAt(b, name, "[") && class[b[i]]&isAlpha != 0 {
		end = digits(b, name+1)
	}
	if end <= name+1 || !hasPrefixAt(b, end, "]: ") {
		return false
	}
	text := q.core(b, end+3)
	if text < 0 || firewallFamily(q.facility) || !q.settle(received) {
		return false
	}
	q.fill(p, l)
	l.Text, l.Program, l.PID = b[text:], b[i:name], b[name+1:end]
	l.xr(node)
	return true
}

// nodeFirst reports whether a node such as 0/RP0/ADMIN0 begins b, which begins with a digit.
func nodeFirst(b []byte) bool { return len(b) > 1 && b[1] == '/' }

// node reads a node, with or without a host and a space in front, and gives the index behind its colon, -1 when there is
// none.
func (q *quickLine) node(b []byte, i int) (node []byte, next int) {
	if n := scanNode(b[min(i, len(b)):]); n > 0 {
		return b[i : i+n], i + n + 1
	}
	end := quickName(b, i)
	if end == i || !hasPrefixAt(b, end, " ") || !quickHost(b[i:end]) || facilityLevel(b[i:end]) {
		return nil, -1
	}
	n := scanNode(b[end+1:])
	if n == 0 {
		return nil, -1
	}
	q.host = b[i:end]
	return b[end+1 : end+1+n], end + n + 2
}

// stampAndZone reads a stamp at i, a zone that a table has, and a colon with or without a space in front, and gives where
// the process begins; -1 for anything else.
func (q *quickLine) stampAndZone(p *Parser, b []byte, i int) int {
	if i = q.stamp(b, i); i < 0 || q.yearFirst {
		return -1
	}
	if hasPrefixAt(b, i, " : ") {
		return i + 3
	}
	host := q.host
	if i = q.zoneOrHost(p, b, i); i < 0 || q.behind {
		q.host = host
		return -1
	}
	return i
}
