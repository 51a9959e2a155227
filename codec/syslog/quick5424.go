package syslog

import "time"

// quick5424 reads what nearly all lines of RFC 5424 begin with: version 1, a stamp as quickISO takes it, four fields with
// one space between them, and structured data or its nil value. It answers false for any other line, and has then
// changed nothing. A test holds it against versioned.
func (p *Parser) quick5424(b []byte, received time.Time, l *Line) bool {
	if len(b) < len("1 2026-06-13T21:07:15Z - - - - -") || b[0] != '1' || b[1] != ' ' {
		return false
	}
	var r reading
	i := 2 + quickISO(b[2:], &r)
	if i == 2 || i >= len(b) || b[i] != ' ' {
		return false
	}
	var space [4]int
	if !fourSpaces(b, i+1, &space) {
		return false
	}
	host, app, proc, id, end := i+1, space[0]+1, space[1]+1, space[2]+1, space[3]
	if end+1 >= len(b) || app == host+1 || proc == app+1 || id == proc+1 || end == id || !sdFollows(b, end) || b[end+1] == ' ' {
		return false
	}
	p.settle(&r, received, l)
	l.Dialect = RFC5424
	l.header(field(b[host:app-1], maxHost, l))
	l.Program, l.PID = field(b[app:proc-1], maxApp, l), field(b[proc:id-1], maxProcID, l)
	l.MessageID = field(b[id:end], maxMsgID, l)
	p.message(b[end:], received, l)
	return true
}

// quickISO reads the one form of RFC 3339 that nearly all lines have, 2026-06-13T21:07:15 with or without a fraction and
// Z or an offset behind it, and gives its length; 0 for any other.
func quickISO(b []byte, r *reading) int {
	const seconds = len("2026-06-13T21:07")
	if len(b) < len("2026-06-13T21:07:15Z") || b[seconds] != ':' {
		return 0
	}
	month, ok := monthShape.match(b, 0)
	minute, ok2 := minuteShape.match(b, len(monthForm))
	sec := two(b, seconds+1)
	century := pair(month, 0)
	if !ok || !ok2 || sec < 0 || century == 0 {
		return 0
	}
	r.year, r.month, r.day = century*100+pair(month, 2), pair(month, 5), pair(minute, 0)
	r.hour, r.min, r.sec = pair(minute, 3), pair(minute, 6), sec
	n := scanFraction(b, seconds+3, r)
	r.text, r.ok = b[:n], true
	if n < len(b) && b[n] == 'Z' {
		r.hasZone, r.zone = true, b[n:n+1]
		return n + 1
	}
	return n + isoZone(b[n:], r)
}
