package syslog

import (
	"bytes"
	"time"
)

// payload takes formats that stand behind any header, or behind none, and name themselves.
func (l *Line) payload() bool {
	t := l.Text
	switch {
	case len(t) < 8:
		return false
	case hasPrefixAt(t, 0, "CEF:"):
		return l.piped(VendorCEF, 4)
	case hasPrefixAt(t, 0, "LEEF:"):
		return l.piped(VendorLEEF, 4)
	case hasPrefixAt(t, 0, "1,"):
		return l.paloAlto()
	}
	return l.fortinet()
}

// piped reads the header of CEF, version|vendor|product|version|class|name|severity|, or of LEEF, whose event ID is the
// fifth field. Their severities are on scales of their own and do not become the line's.
func (l *Line) piped(v Vendor, id int) bool {
	field, start := 0, 0
	for i := 0; i < len(l.Text); i++ {
		if l.Text[i] == '\\' {
			i++
			continue
		}
		if l.Text[i] != '|' {
			continue
		}
		if field == id {
			l.Vendor, l.MessageID = v, l.Text[start:i]
			return true
		}
		field, start = field+1, i+1
	}
	return false
}

// Columns of PAN-OS logs, from 0. Source: PAN-OS Administrator's Guide, "Syslog Field Descriptions".
const (
	panType          = 3
	panSubtype       = 4
	panSystemLevel   = 13
	panThreatLevel   = 34
	panColumns       = panThreatLevel + 1
	panLongestHeader = 4096
)

// panLevels are the severities of PAN-OS.
var panLevels = map[string]Severity{
	"critical": Critical, "high": Error, "medium": Warning, "low": Notice, "informational": Informational,
}

// paloAlto reads a CSV log of PAN-OS: type and subtype name the message.
func (l *Line) paloAlto() bool {
	var col [panColumns][]byte
	rest, n := l.Text[:min(len(l.Text), panLongestHeader)], 0
	for n < len(col) && len(rest) > 0 {
		i := bytes.IndexByte(rest, ',')
		if i < 0 {
			col[n] = rest
			n++
			break
		}
		col[n], rest = rest[:i], rest[i+1:]
		n++
	}
	if n <= panSubtype || !allClass(col[panType], isUpper|isDash|isUnder) || len(col[panType]) < 3 {
		return false
	}
	l.Vendor, l.CoreFacility, l.Mnemonic = VendorPaloAlto, col[panType], col[panSubtype]
	level := panThreatLevel
	if string(l.CoreFacility) == "SYSTEM" {
		level = panSystemLevel
	}
	if s, ok := panLevels[string(col[level])]; ok && (level == panSystemLevel || string(l.CoreFacility) == "THREAT") {
		l.own(s)
	}
	return true
}

// fortinet reads date=… time=… devname=… logid=… level=…, in that order or nearly. Source: FortiOS Log Message
// Reference.
func (l *Line) fortinet() bool {
	at := 0
	if l.Text[0] != 'd' || l.Text[1] != 'a' {
		at = skipSpaces(l.Text, token(l.Text[:min(len(l.Text), maxRelayHeader)], 0)) // behind one word
	}
	if !hasPrefixAt(l.Text, at, "date=") {
		return false
	}
	t := l.Text[at:]
	date, _ := equalsValue(t, "date")
	clock, ok := equalsValue(t, "time")
	if !ok || len(date) < 8 || len(clock) < 8 {
		return false
	}
	l.Vendor, l.ParamForm, l.ParamRegion = VendorFortinet, ParamsEquals, t
	for _, key := range [...]string{"logid", "log_id"} {
		if v, ok := equalsValue(t, key); ok {
			l.MessageID = v
			break
		}
	}
	l.fortinetHost(at, t)
	for _, key := range [...]string{"level", "pri"} {
		if v, ok := equalsValue(t, key); ok && severityOfWord(v).Valid() {
			l.own(severityOfWord(v))
			break
		}
	}
	l.Text = t
	l.fortinetTime(date, clock, t)
	return true
}

// fortinetHost prefers the name the device gives itself to that in a header.
func (l *Line) fortinetHost(at int, t []byte) {
	if l.Host == nil && at > 0 {
		l.header(bytes.TrimRight(l.Text[:at], " :"))
	}
	name, ok := equalsValue(t, "devname")
	if !ok || len(name) == 0 {
		return
	}
	if l.Host != nil {
		l.Relay.Host = l.Host
	}
	l.header(name)
}

// fortinetTime joins date, time and tz.
func (l *Line) fortinetTime(date, clock, t []byte) {
	var r, d reading
	if scanClock(clock, 0, &r) == 0 || len(date) != 10 || digits(date, 0) != 4 || two(date, 5) < 0 || two(date, 8) < 0 {
		return
	}
	d.year, d.month, d.day = int(number(date[:4])), two(date, 5), two(date, 8)
	d.hour, d.min, d.sec, d.nsec, d.digits, d.text = r.hour, r.min, r.sec, r.nsec, r.digits, clock
	if tz, ok := equalsValue(t, "tz"); ok {
		if off, n := scanOffset(tz); n == len(tz) && n > 0 {
			d.hasZone, d.offset, d.zone = true, off, tz
		}
	}
	l.Flags &^= FlagYearInferred | FlagTZMissing | FlagTZUnknown
	new(Parser).settle(&d, time.Time{}, l)
}
