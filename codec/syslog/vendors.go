package syslog

import (
	"bytes"
	"time"
)

// vendorText looks for what the text of a line with a read header says of its maker.
func (l *Line) vendorText() {
	t := l.Text
	if len(t) == 0 {
		return
	}
	switch {
	case bytes.IndexByte(t[:min(len(t), maxRelayHeader)], '%') >= 0:
		if l.moduleCore() {
			return
		}
	case l.angled():
		return
	case digit(t[0]) && l.coded():
		return
	}
	if l.payload() || l.junos() {
		return
	}
	switch {
	case bytes.HasPrefix(t, []byte("NetScreen device_id=")):
		l.Vendor = VendorNetScreen
	case string(l.Program) == "SFIMS":
		l.Vendor = VendorFirepower
	case string(l.Program) == "tvcs":
		l.expressway()
	}
}

// moduleCore reads %%vvMODULE/n/MNEMONIC of Huawei and Comware, and the level word behind %% of Dell switches. Source:
// Huawei and H3C log references.
func (l *Line) moduleCore() bool {
	t := l.Text
	at := bytes.Index(t, []byte("%%"))
	if at < 0 {
		return false
	}
	i := digits(t, at+2)
	if i == at+2 {
		return l.dellLevel(at)
	}
	if i-at-2 != 2 || at > 0 && t[at-1] != ' ' {
		return false
	}
	module := run(t, i, isName|isDash)
	if module == i || module+2 >= len(t) || t[module] != '/' || t[module+1] < '0' || t[module+1] > '7' || t[module+2] != '/' {
		return false
	}
	end := run(t, module+3, isName|isDash)
	l.CoreFacility, l.Mnemonic = t[i:module], t[module+3:end]
	l.own(Severity(t[module+1] - '0'))
	l.Vendor = VendorHuawei
	if t[at+2] == '1' {
		l.Vendor = VendorComware
	}
	if hasPrefixAt(t, end, "(") {
		if k := bytes.IndexByte(t[end:], ')'); k > 0 {
			end += k + 1
		}
	}
	if hasPrefixAt(t, end, "[") {
		if k := bytes.IndexByte(t[end:], ']'); k > 0 {
			l.Seq = number(t[end+1 : end+k])
			end += k + 1
		}
	}
	l.Text = t[skipColon(t, end):]
	return true
}

// dellLevel reads `file.c(83) 29333 %% NOTE text`.
func (l *Line) dellLevel(at int) bool {
	t := l.Text
	i := skipSpaces(t, at+2)
	s := severityOfWord(t[i:token(t, i)])
	if !s.Valid() {
		return false
	}
	l.Vendor = VendorDell
	l.own(s)
	head := bytes.TrimRight(t[:at], " ")
	if k := bytes.LastIndexByte(head, ' '); k >= 0 {
		l.Seq = number(head[k+1:])
	}
	return true
}

// angled reads <Noti:AAA.LogSsh> of Extreme and <124198> <4130> <ERRS> of ArubaOS. Source: ExtremeXOS and ArubaOS
// syslog references.
func (l *Line) angled() bool {
	t := l.Text
	if len(t) == 0 || t[0] != '<' {
		return false
	}
	end := bytes.IndexByte(t, '>')
	if end < 2 {
		return false
	}
	in := t[1:end]
	if k := bytes.IndexByte(in, ':'); k > 0 && severityOfWord(in[:k]).Valid() {
		l.Vendor = VendorExtreme
		l.own(severityOfWord(in[:k]))
		l.Mnemonic = in[k+1:]
		if d := bytes.IndexByte(l.Mnemonic, '.'); d > 0 {
			l.CoreFacility, l.Mnemonic = l.Mnemonic[:d], l.Mnemonic[d+1:]
		}
		l.Text = t[skipSpaces(t, end+1):]
		return true
	}
	if !allClass(in, isDigit) || len(in) != 6 {
		return false
	}
	l.Vendor, l.MessageID = VendorArubaOS, in
	for i := end + 1; i < len(t) && i < maxRelayHeader; {
		i = skipSpaces(t, i)
		if i >= len(t) || t[i] != '<' {
			break
		}
		k := bytes.IndexByte(t[i:], '>')
		if k < 0 {
			break
		}
		if s := severityOfWord(t[i+1 : i+k]); s.Valid() {
			l.own(s)
		}
		i += k + 1
	}
	return true
}

// f5Digits is how long a BIG-IP message number is.
const f5Digits = 8

// coded reads 01071681:5: of BIG-IP, a number and a level, in hexadecimal digits.
func (l *Line) coded() bool {
	t := l.Text
	n := 0
	for n < len(t) && (digit(t[n]) || 'a' <= t[n] && t[n] <= 'f') {
		n++
	}
	if n != f5Digits || n+2 >= len(t) || t[n] != ':' || t[n+1] < '0' || t[n+1] > '7' || t[n+2] != ':' {
		return false
	}
	l.Vendor, l.MessageID = VendorF5, t[:n]
	l.own(Severity(t[n+1] - '0'))
	l.Text = t[skipSpaces(t, n+3):]
	return true
}

// procurveNumber gives the length of the five digits in front of a ProCurve text.
func procurveNumber(t []byte) int {
	n := digits(t, 0)
	if n != 5 || n+1 >= len(t) || t[n] != ' ' {
		return 0
	}
	next := t[skipSpaces(t, n):]
	if k := tagEnd(next[:token(next, 0)]); k == 0 {
		return 0
	}
	return n
}

// expressway reads the stamp that a video server states in UTC, where the header's has no zone.
func (l *Line) expressway() {
	l.Vendor = VendorExpressway
	if l.HasZone {
		return
	}
	v, ok := equalsValue(l.Text, "UTCTime")
	if !ok {
		return
	}
	var r reading
	if n := scanStamp(v, &r); n == 0 || r.year == 0 {
		return
	}
	r.hasZone = true
	r.flags &^= FlagTimeForm
	l.Flags &^= FlagYearInferred | FlagTZMissing | FlagTZUnknown
	new(Parser).settle(&r, time.Time{}, l)
}

// headless takes a line without any header: payloads that name themselves, or text.
func (l *Line) headless(b []byte) {
	l.Text = b
	if l.segment() || l.payload() {
		return
	}
	l.Dialect = Unknown
}

// controller reads what iDRAC writes: Severity: Informational, Category: Audit, MessageID: LOG007, Message: text.
func (l *Line) controller() bool {
	if !bytes.HasPrefix(l.Text, []byte("Severity: ")) {
		return false
	}
	l.ParamForm, l.ParamRegion = ParamsColon, l.Text
	i := bytes.Index(l.Text, []byte("MessageID: "))
	if i < 0 {
		l.ParamForm, l.ParamRegion = ParamsNone, nil
		return false
	}
	l.Vendor = VendorDell
	id := l.Text[i+len("MessageID: "):]
	l.MessageID = id[:run(id, 0, isName|isDash)]
	level := l.Text[len("Severity: "):]
	l.own(severityOfWord(level[:run(level, 0, isAlpha)]))
	return true
}

// filer reads [node:event.name:level]: of ONTAP. Source: ONTAP EMS reference.
func (l *Line) filer() bool {
	t := l.Text
	if len(t) == 0 || t[0] != '[' {
		return false
	}
	end := bytes.IndexByte(t, ']')
	if end < 0 || !hasPrefixAt(t, end, "]:") {
		return false
	}
	in := t[1:end]
	first, last := bytes.IndexByte(in, ':'), bytes.LastIndexByte(in, ':')
	if first < 1 || last == first || !severityOfWord(in[last+1:]).Valid() || bytes.IndexByte(in, ' ') >= 0 {
		return false
	}
	l.Vendor, l.Mnemonic = VendorONTAP, in[first+1:last]
	if l.Host == nil {
		l.header(in[:first])
	} else {
		l.Node = in[:first]
	}
	l.own(severityOfWord(in[last+1:]))
	l.Text = t[skipColon(t, end+1):]
	return true
}
