package syslog

import (
	"encoding/binary"
	"time"
)

// quick reads the shapes that most lines of IOS, NX-OS and firewalls have, without the general scan of a prefix:
//
//	[n: ] [host: ] [n: ] [*|.] Jun 13 [2026 ]21:07:15[.454] [ZONE]: %FAC-n-NAME: text
//	: 2026 Jun 13 21:07:15[.454] [ZONE]: %FAC-n-NAME: text
//	Jun 13 2026 21:07:15 [host ]: %ASA-n-123456: text
//
// It answers false for any other line and for all that needs a closer look, and has then changed nothing. A test holds it
// against the general way.
func (p *Parser) quick(b []byte, received time.Time, l *Line) bool {
	var q quickLine
	i := q.head(b)
	if i < 0 {
		return false
	}
	if i = q.stamp(b, i); i < 0 {
		return false
	}
	if i = q.zoneOrHost(p, b, i); i < 0 {
		return false
	}
	if i = q.core(b, i); i < 0 {
		return false
	}
	firewall := firewallFamily(q.facility)
	if !firewall && (p.Pinned == NXOS || q.special()) || !q.settle(received) {
		return false
	}
	q.fill(p, l)
	l.Text = b[i:]
	switch {
	case firewall:
		l.firewall()
	case q.yearFirst:
		l.nexus()
	default:
		p.iosLine(l)
	}
	return true
}

// quickLine is what stands before the text.
type quickLine struct {
	facility, mnemonic []byte
	host, zone, text   []byte // text: of the stamp
	first, second      int64  // counter and sequence number, -1 for none
	sec                int64  // of the clock's reading, as Unix time
	year, month, day   int
	nsec, offset       int32
	severity           Severity
	accuracy, digits   byte
	firstSeq, lastSeq  bool // a zero in front makes the number a sequence number
	behind             bool // the host stands behind the stamp
	yearFirst          bool
	noYear, hasZone    bool
}

// head reads counter, host, sequence number and accuracy mark, and gives where the stamp begins; -1 when the line is of
// another shape.
func (q *quickLine) head(b []byte) int {
	i := 0
	q.first, q.second = -1, -1
	if hasPrefixAt(b, 0, ": ") {
		i = 2 // NX-OS without an origin
	}
	if i < len(b) && digit(b[i]) && !yearFirst(b, i) {
		if q.first, q.firstSeq, i = quickNumber(b, i); i < 0 {
			return -1
		}
	}
	if i+4 > len(b) {
		return -1
	}
	if class[b[i]]&(isAlpha|isDigit) != 0 && quickMonth(b, i) == 0 && !yearFirst(b, i) {
		if i = q.name(b, i); i < 0 {
			return -1
		}
	}
	if i < len(b) && (b[i] == '*' || b[i] == '.') {
		q.accuracy = b[i]
		i++
	}
	return i
}

// name reads a host, with or without a number behind it, or a second number.
func (q *quickLine) name(b []byte, i int) int {
	n := quickName(b, i)
	if !hasPrefixAt(b, n, ": ") {
		return -1
	}
	w := b[i:n]
	if !digit(w[0]) || digits(w, 0) != len(w) {
		q.host, i = w, n+2
		if digit(w[0]) && (string(w) == "0.0.0.0" || scanUptime(w) > 0) {
			return -1
		}
	} else if q.first < 0 {
		return -1
	}
	if i < len(b) && digit(b[i]) && !yearFirst(b, i) {
		q.second, q.lastSeq, i = quickNumber(b, i)
	}
	return i
}

// longestNumber keeps a number within 63 bits.
const longestNumber = 18

// quickNumber reads a number that a colon and a space close, whether it begins with a zero, and where what follows
// begins; -1 for another form.
func quickNumber(b []byte, i int) (n int64, padded bool, next int) {
	start := i
	value, few := fewDigits(b, i)
	n, i = int64(value), i+few
	for few == 0 && i < len(b) && b[i]-'0' <= 9 {
		n = n*10 + int64(b[i]-'0')
		i++
	}
	if i-start > longestNumber || i+1 >= len(b) || b[i] != ':' || b[i+1] != ' ' {
		return -1, false, -1
	}
	return n, b[start] == '0' && i-start > 1, i + 2
}

// inName are the octets of the hosts and zones of an ordinary line.
var inName = func() (t [256]bool) {
	for c := range t {
		t[c] = class[c]&(isName|isDash) != 0 || c == '.'
	}
	return t
}()

// quickName is the end of a name that begins at i, as far as a host can be long.
func quickName(b []byte, i int) int {
	for end := min(len(b), i+maxHost); i < end && inName[b[i]]; {
		i++
	}
	return i
}

// quickMonths has the months where the sum of their second and third letter, modulo the table's length, puts them.
var quickMonths = func() (t [32]struct {
	name  uint32 // with the space behind it
	month int
}) {
	for i, name := range [...]string{"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"} {
		at := int(name[1]+name[2]) % len(t)
		t[at].name, t[at].month = binary.LittleEndian.Uint32([]byte(name+" ")), i+1
	}
	return t
}()

// quickMonth is the month whose English name and a space stand at i, where four octets are; 0 for none.
func quickMonth(b []byte, i int) int {
	m := &quickMonths[(b[i+1]+b[i+2])%byte(len(quickMonths))]
	if binary.LittleEndian.Uint32(b[i:]) != m.name {
		return 0
	}
	return m.month
}

// yearFirst reports whether what begins at i has the length of a year in front of a month.
func yearFirst(b []byte, i int) bool {
	return i+5 < len(b) && b[i+4] == ' ' && class[b[i+5]]&isUpper != 0
}

// yearAt reads a year and the space behind it, 0 when there is none, where five octets are.
func yearAt(b []byte, i int) int {
	century, year := two(b, i), two(b, i+2)
	if century <= 0 || year < 0 || b[i+4] != ' ' {
		return 0
	}
	return century*100 + year
}

// stamp reads `Jun 13 [2026 ]21:07:15[.454]` at i and gives the index behind it, -1 for another form.
func (q *quickLine) stamp(b []byte, i int) int {
	start := i
	if yearFirst(b, i) && digit(b[i]) {
		if q.year, q.yearFirst = yearAt(b, i), true; q.year == 0 {
			return -1
		}
		i += len("2026 ")
	}
	at := i + len("Jun 13 ")
	if at+len(clockForm) > len(b) || b[at-1] != ' ' {
		return -1
	}
	q.month, q.day = quickMonth(b, i), two(b, at-3)
	if q.day < 0 && b[at-3] == ' ' && digit(b[at-2]) {
		q.day = int(b[at-2] - '0')
	}
	if b[at+2] != ':' {
		if q.year != 0 {
			return -1
		}
		q.year = yearAt(b, at)
		at += len("2026 ")
		if q.year == 0 || at+len(clockForm) > len(b) {
			return -1
		}
	}
	d, ok := clockShape.match(b, at)
	h, m, s := pair(d, 0), pair(d, 3), pair(d, 6)
	if !ok || q.month == 0 || h > 23 || m > 59 || s > 59 {
		return -1
	}
	q.sec = int64(h*3600 + m*60 + s)
	at += len(clockForm)
	if q.nsec, q.digits, at = plainFraction(b, at); at+1 < len(b) && b[at] == '.' && digit(b[at+1]) {
		return -1
	}
	q.text = b[start:at]
	return at
}

// zoneOrHost reads a zone, or a host, and the colon behind it, and gives where the core begins; -1 for anything else.
func (q *quickLine) zoneOrHost(p *Parser, b []byte, i int) int {
	if hasPrefixAt(b, i, ": ") {
		return i + 2
	}
	if hasPrefixAt(b, i, " UTC: %") {
		q.zone, q.hasZone = b[i+1:i+4], true
		return i + 6
	}
	if i >= len(b) || b[i] != ' ' {
		return -1
	}
	i++
	n := quickName(b, i)
	if n == i || n+3 > len(b) {
		return -1
	}
	w := b[i:n]
	off, exact, known := p.zoneOf(w)
	switch {
	case b[n] == ':' && b[n+1] == ' ' && known:
		q.zone, q.offset, q.hasZone = w, off, exact
		return n + 2
	case hasPrefixAt(b, n, " : ") && q.host == nil && q.first < 0 && !known && quickHost(w):
		q.host, q.behind = w, true
		return n + 3
	}
	return -1
}

// quickHost reports whether a word behind a stamp can be nothing else than a host by its form: no number, no dash.
func quickHost(w []byte) bool {
	return class[w[0]]&isAlpha != 0 || digit(w[0]) && dotted(w) && string(w) != "0.0.0.0"
}

// core reads %FAC-n-NAME, a colon and a space, and gives where the text begins; -1 for any other form of a core.
func (q *quickLine) core(b []byte, at int) int {
	if at+1 >= len(b) || b[at] != '%' || class[b[at+1]]&isAlpha == 0 {
		return -1
	}
	i := run(b, at+1, isName)
	for {
		if i+3 >= len(b) || b[i] != '-' {
			return -1
		}
		if b[i+2] == '-' && digit(b[i+1]) {
			break
		}
		i = run(b, i+1, isName)
	}
	end := run(b, i+3, isName|isDash)
	text := end + 2
	if hasPrefixAt(b, end, " : ") {
		text = end + 3
	} else if !hasPrefixAt(b, end, ": ") {
		return -1
	}
	if b[i+1] > '7' || i-at < 3 || b[i-1] == '-' || end == i+3 || text > maxHeader || text < len(b) && (b[text] == ' ' || b[text] == '%') {
		return -1
	}
	q.severity = Severity(b[i+1] - '0')
	q.facility, q.mnemonic = b[at+1:i], b[i+3:end]
	return text
}

// settle finds the instant; false when that takes more than a look at the table of days.
func (q *quickLine) settle(received time.Time) bool {
	now := int64(0)
	if q.year == 0 {
		if received.IsZero() {
			return false
		}
		now = received.Unix()
		q.year, q.noYear = 1970+int(now/meanYear), true // as inferYear does
	}
	days, ok := tableDays(q.year, q.month, q.day)
	q.sec += days * 86400
	if !ok || q.noYear && (q.sec-now >= maxAhead || now-q.sec >= halfYear) {
		return false
	}
	return true
}

// fill writes into l what the general way writes.
func (q *quickLine) fill(p *Parser, l *Line) {
	if q.host != nil {
		l.Host, l.HostSource = q.host, HostFromHeader
	}
	switch {
	case q.second >= 0 && q.first >= 0:
		l.Counter, l.Seq = q.first, q.second
	case q.second >= 0 && q.lastSeq, q.first >= 0 && q.firstSeq:
		l.Seq = max(q.first, q.second)
	default:
		l.Counter = max(q.first, q.second)
	}
	if q.accuracy != 0 {
		l.mark(q.accuracy, !q.noYear && bootDefault(q.year, q.month, q.day))
	}
	q.fillTime(p, l)
	l.own(q.severity)
	l.CoreFacility, l.Mnemonic = q.facility, q.mnemonic
}

// fillTime writes the stamp into l as settle does.
func (q *quickLine) fillTime(p *Parser, l *Line) {
	l.Stamp.Text, l.Zone, l.Digits, l.HasZone, l.Offset, l.NoYear = q.text, q.zone, q.digits, q.hasZone, q.offset, q.noYear
	if q.noYear {
		l.Flags |= FlagYearInferred
	}
	switch {
	case q.hasZone:
		q.sec -= int64(q.offset)
	case q.zone == nil:
		l.Flags |= FlagTZMissing
	default:
		l.Flags |= FlagTZUnknown
	}
	if !q.hasZone && p.Zone != nil && p.Zone != time.UTC {
		clock := int(q.sec % 86400)
		r := reading{year: q.year, month: q.month, day: q.day, hour: clock / 3600, min: clock / 60 % 60, sec: clock % 60}
		q.sec = p.localSeconds(&r, l)
	}
	l.Time = time.Unix(q.sec, int64(q.nsec)).UTC()
}

// special reports whether a line that is of no firewall needs the general way: an agent in place of a zone, another
// family, or the full dress that CiscoLog has too.
func (q *quickLine) special() bool {
	return q.behind || specialFacility(q.facility) || q.host != nil && !q.yearFirst && q.year != 0 && q.digits == 3 && len(q.zone) > 0
}

// specialFacility reports whether a facility belongs to a family that the general way knows better.
func specialFacility(fac []byte) bool {
	switch fac[0] {
	case 'U', 'C':
		return callManager(fac) || ucsFamily(fac) || overlay(fac) > 0
	case 'I', 'M':
		return callManager(fac)
	case 'F':
		return fxosFamily(fac)
	case 'L':
		return hasPrefixAt(fac, 0, "LOG_")
	case 'V':
		return hasPrefixAt(fac, 0, "Viptela")
	}
	return string(fac) == "ACLLOG"
}
