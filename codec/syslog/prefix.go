package syslog

import (
	"bytes"
	"time"
)

// maxWords bounds the words a header may have beside stamps and numbers: relay, level, host, tag and one to spare. A
// piece of text with more is a sentence, and a core behind it is quoted.
const maxWords = 5

// word is one token of a header that is neither stamp nor number.
type word struct {
	text   []byte
	colon  bool // a colon closed it
	stamps int8 // how many stamps stood before it
	nums   int8 // how many numbers stood before it
}

// prefix is everything between PRI and the core, in the order in which it stood.
type prefix struct {
	words    [maxWords]word
	n        int
	nums     [3][]byte
	numWords [3]int8 // how many words stood before each number
	nn       int
	stamps   int
	last     reading
	relay    reading
	accuracy byte
	noClock  bool
	named    bool // a name behind the stamp is a host and no zone, unless a table has it
	uptime   []byte
	node     []byte // of IOS XR
	where    []byte // VDC, stack unit
	task     []byte // of AireOS
	sd       []byte
}

// scan reads the pieces of b. It answers false for what no device puts in front of a core.
func (x *prefix) scan(p *Parser, b []byte) bool {
	for i := 0; i < len(b); {
		c := b[i]
		if c == ' ' || c == ':' && !address6(b, i) || c == '\t' {
			i++
			continue
		}
		n := x.piece(p, b, i)
		if n <= i {
			return false
		}
		i = n
	}
	return true
}

// piece reads the piece at i and gives the index behind it, 0 when it is none.
func (x *prefix) piece(p *Parser, b []byte, i int) int {
	switch b[i] {
	case '*', '.':
		if n := x.stamp(p, b, skipSpaces(b, i+1)); n > 0 {
			x.accuracy = b[i]
			return n
		}
		if b[i] == '*' {
			return x.taskName(b, i)
		}
	case '%':
		return x.place(b, i)
	case '[':
		return x.bracket(b, i)
	case '<':
		if i+2 >= len(b) && bytes.Count(b[i:], []byte("<")) == len(b)-i {
			return len(b)
		}
	case '-':
		if hasPrefixAt(b, i, noClockText) {
			x.noClock = true
			x.stamps++
			return i + len(noClockText)
		}
	}
	if n := x.stamp(p, b, i); n > 0 {
		return n
	}
	if digit(b[i]) {
		if n := x.numeric(b, i); n > 0 {
			return n
		}
	}
	return x.word(b, i)
}

// noClockText is the stamp of a device without a date.
const noClockText = "--- 00 0000 00:00:00.000 ---"

// stamp reads a date stamp with its zone at i.
func (x *prefix) stamp(p *Parser, b []byte, i int) int {
	if i >= len(b) || class[b[i]]&(isAlpha|isDigit) == 0 && b[i] < 0x80 {
		return 0
	}
	var r reading
	n := scanStamp(b[i:], &r)
	if n == 0 {
		return 0
	}
	i += n
	free := 0
	switch {
	case x.named:
	case x.n > 0 && x.stamps == 0:
		free = longestZone // the host has been named: what follows the stamp is a zone
	case x.nn > 0 || x.n > 0 || r.year != 0 || r.digits > 0 || x.accuracy != 0:
		free = longestFreeZone
	}
	i = p.zoneAfter(b, i, &r, free)
	if x.stamps > 0 {
		x.relay = x.last
	}
	x.stamps++
	x.last = r
	return i
}

// zoneAfter reads a zone behind a stamp and gives the index behind it. An unknown name counts as a zone only when a
// colon closes it and it is no longer than free.
func (p *Parser) zoneAfter(b []byte, i int, r *reading, free int) int {
	if r.hasZone || i >= len(b) {
		return i
	}
	if n := isoZone(b[i:], r); n > 0 && (i+n >= len(b) || b[i+n] == ' ' || b[i+n] == ':') {
		return i + n
	}
	r.hasZone, r.zone, r.offset = false, nil, 0
	if b[i] != ' ' {
		return i
	}
	start := skipSpaces(b, i)
	end := start
	for end < len(b) && b[end] != ' ' && b[end] != ':' && end-start <= longestZone {
		end++
	}
	if end < len(b) && b[end] == ':' && (b[start] == '+' || b[start] == '-') {
		end = token(b, start)
		if end > start && b[end-1] == ':' {
			end--
		}
	}
	if end-start > longestZone || end == start {
		return i
	}
	z := b[start:end]
	off, exact, known := p.zoneOf(z)
	if !known && free > 0 {
		off, exact, known = p.zoneOfSmall(z)
	}
	colon := end < len(b) && b[end] == ':' || hasPrefixAt(b, end, " :")
	if !known && !(colon && len(z) <= free && looksLikeZone(z)) {
		return i
	}
	r.zone, r.offset, r.hasZone = z, off, exact
	if r.year == 0 {
		end = yearAfter(b, end, r) // the order of date(1)
	}
	return end
}

// numeric reads an uptime or a number at i; a number is closed by a colon, by a stamp that follows or by the core.
func (x *prefix) numeric(b []byte, i int) int {
	if n := scanUptime(b[i:]); n > 0 {
		x.uptime = b[i : i+n]
		x.stamps++
		return i + n
	}
	n := digits(b, i)
	if n < len(b) && b[n] != ' ' && (b[n] != ':' || n+1 < len(b) && b[n+1] != ' ' && b[n+1] != '*' && b[n+1] != '.') {
		return 0
	}
	if x.nn < len(x.nums) {
		x.nums[x.nn], x.numWords[x.nn] = b[i:n], int8(x.n)
		x.nn++
		return n
	}
	return 0
}

// taskName reads the *name: of an AireOS task.
func (x *prefix) taskName(b []byte, i int) int {
	n := run(b, i+1, isPrint)
	for n > i+1 && b[n-1] != ':' {
		n--
	}
	if n <= i+2 || x.task != nil {
		return 0
	}
	x.task = b[i+1 : n-1]
	return n
}

// place reads the %$ VDC-1 %$ of NX-OS and the %STKUNIT0-M:CP of Force10 in front of a core.
func (x *prefix) place(b []byte, i int) int {
	if hasPrefixAt(b, i, "%$") {
		n := bytes.Index(b[i+2:], []byte("%$"))
		if n < 0 || n > 64 {
			return 0
		}
		x.where = bytes.TrimSpace(b[i+2 : i+2+n])
		return i + 4 + n
	}
	n := token(b, i)
	if n == i+1 || bytes.IndexByte(b[i:n], ':') < 0 || class[b[i+1]]&isUpper == 0 {
		return 0
	}
	x.where = b[i+1 : n]
	return n
}

// bracket reads [syslog@9 s_sn="1"], which IOS writes on request, or an address in brackets.
func (x *prefix) bracket(b []byte, i int) int {
	n := bytes.IndexByte(b[i:], ']')
	if n < 0 || n > 512 {
		return 0
	}
	in := b[i+1 : i+n]
	if bytes.IndexByte(in, '=') > 0 {
		x.sd = b[i : i+n+1]
		return i + n + 1
	}
	if len(in) == 0 || bytes.IndexByte(in, ' ') >= 0 {
		return 0
	}
	return x.add(in, false, i+n+1)
}

// word reads a token; an IOS XR node is closed by the first colon, anything else by a space or by a colon at its end.
func (x *prefix) word(b []byte, i int) int {
	if n := scanNode(b[i:]); n > 0 && x.node == nil {
		x.node = b[i : i+n]
		return i + n + 1
	}
	end := token(b, i)
	if k := bytes.IndexByte(b[i:end], '\t'); k > 0 {
		end = i + k // files of collectors have columns
	}
	t := b[i:end]
	colon := t[len(t)-1] == ':'
	if colon {
		t = t[:len(t)-1]
	} else if k := bytes.Index(t, []byte(":*")); k > 0 {
		t, colon, end = t[:k], true, i+k+1
	} else if hasPrefixAt(b, end, " :") {
		colon, end = true, end+2
	}
	if len(t) == 0 || len(t) > 255 {
		return 0
	}
	if k := bytes.IndexByte(t, '('); k >= 0 && string(t) != "(Stack)" && bytes.IndexByte(t, ')') < 0 {
		return 0
	}
	return x.add(t, colon, end)
}

func (x *prefix) add(t []byte, colon bool, end int) int {
	if x.n == maxWords {
		return 0
	}
	x.words[x.n] = word{text: t, colon: colon, stamps: int8(x.stamps), nums: int8(x.nn)}
	x.n++
	return end
}

// longestNode is longer than any node: rack, slot and processor with three digits each need 25 octets.
const longestNode = 40

// scanNode reads an IOS XR node that a colon closes, RP/0/RSP0/CPU0: or 0/RP0/ADMIN0:, and gives its length without the
// colon.
func scanNode(b []byte) int {
	slashes, i := 0, 0
	for i < len(b) && i < longestNode {
		switch {
		case b[i] == '/' && i > 0:
			slashes++
		case b[i] == ':':
			first, last := b[0], b[bytes.LastIndexByte(b[:i], '/')+1]
			if class[last]&isUpper != 0 && (slashes == 3 && class[first]&isUpper != 0 || slashes == 2 && digit(first)) {
				return i
			}
			return 0
		case class[b[i]]&(isAlpha|isDigit|isUnder) == 0:
			return 0
		}
		i++
	}
	return 0
}

// numbers gives l its sequence number and counter. With three numbers and no word the middle one is the origin.
func (x *prefix) numbers(l *Line) {
	switch x.nn {
	case 1:
		if x.nums[0][0] == '0' && len(x.nums[0]) > 1 || x.numWords[0] > 0 && x.words[x.numWords[0]-1].stamps == int8(x.stamps) {
			l.Seq = number(x.nums[0])
		} else {
			l.Counter = number(x.nums[0])
		}
	case 2:
		l.Counter, l.Seq = number(x.nums[0]), number(x.nums[1])
	case 3:
		l.Counter, l.Seq = number(x.nums[0]), number(x.nums[2])
		if x.n == 0 {
			l.Host, l.HostSource = x.nums[1], HostFromHeader
			l.Flags |= FlagOriginNumeric
		}
	}
}

// times gives l its stamp, clock and relay stamp.
func (x *prefix) times(p *Parser, received time.Time, l *Line) {
	l.mark(x.accuracy, bootDefault(x.last.year, x.last.month, x.last.day))
	l.Uptime, l.Node = x.uptime, x.where
	if x.last.ok && (x.uptime == nil && !x.noClock || x.stamps == 1) {
		p.settle(&x.last, received, l)
	}
	if x.uptime != nil || x.noClock {
		l.Clock = ClockNone
	}
	outer := &x.relay
	if x.stamps > 1 && !outer.ok {
		outer = &x.last // a date in front of an uptime is the relay's
	}
	if x.stamps > 1 && outer.ok {
		var t Line
		p.settle(outer, received, &t)
		l.Relay.Time = t.Time
		l.Flags |= FlagRelayed
	}
}

// mark says what the mark in front of a stamp tells of the clock. boot: its date is one of bootDefault.
func (l *Line) mark(accuracy byte, boot bool) {
	l.Accuracy = accuracy
	switch {
	case accuracy == '*' && boot:
		l.Clock = ClockNone
	case accuracy == '*':
		l.Clock = ClockUnsynchronised
	case accuracy == '.':
		l.Clock = ClockWasSynchronised
	}
}

// bootDefault reports whether a date is one that clocks show before anyone set them.
func bootDefault(year, month, day int) bool {
	return year == 1993 || year == 1970 || year == 2000 && month == 1 && day == 1
}
