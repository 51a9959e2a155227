package ciscolog

import (
	"bytes"
	"time"
)

// Delimiters of the format.
var (
	delim       = []byte(": ")
	stampDelim  = []byte(": %")
	noClockText = []byte(noClockStamp)
)

// ParseStrict reads a line, without its line end, by the strict grammar. It returns nil and a filled r, or the first rule
// that is broken, reading from left to right; what of r is filled then is not to be used. Time is zero for a stamp without
// a clock; a zone that is no offset and no unambiguous name is read as UTC, with OffsetKnown false.
func ParseStrict(line []byte, r *Record) *Violation {
	r.reset(line)
	if rule, at := r.strict(line, &Options{}); rule != "" {
		return &Violation{Rule: rule, Column: at + 1, Message: ruleTexts[rule]}
	}
	r.finish(time.Time{})
	return nil
}

// strict reads the line by the strict grammar and gives the first broken rule and its index.
func (r *Record) strict(line []byte, o *Options) (Rule, int) {
	body, ok := r.strictPRI(line)
	if !ok {
		return RulePRI, 0
	}
	from := len(line) - len(body)
	rule, at := r.strictBody(body, o)
	if len(body) > MaxLength && (rule == "" || at >= MaxLength) {
		return RuleLength, from + MaxLength
	}
	if rule != "" {
		return rule, from + at
	}
	r.Conforms = true
	return "", 0
}

// strictPRI takes PRI off, if there is one.
func (r *Record) strictPRI(line []byte) (body []byte, ok bool) {
	if len(line) == 0 || line[0] != '<' {
		return line, true
	}
	end := bytes.IndexByte(line[:min(len(line), MaxLengthPRI-MaxLength)], '>')
	if end < 0 {
		return nil, false
	}
	pri, ok := strictNumber(line[1:end], maxPRI)
	r.PRI = int(pri)
	return line[end+1:], ok
}

// maxPRI is facility 23 (local7) and severity 7, RFC 3164 section 4.1.1.
const maxPRI = 191

func (r *Record) strictBody(b []byte, o *Options) (Rule, int) {
	host, rule, at := r.strictSeq(b)
	if rule != "" {
		return rule, at
	}
	stamp, rule, at := r.strictHost(b, host)
	if rule != "" {
		return rule, at
	}
	end := indexStampDelim(b[stamp:])
	if end < 0 {
		return RuleTimestamp, stamp
	}
	if rule, at := r.strictStamp(b[stamp:stamp+end], o); rule != "" {
		return rule, stamp + at
	}
	header := stamp + end + len(stampDelim)
	end = indexDelim(b[header:])
	if end < 0 {
		return RuleHeader, header
	}
	if rule, at := r.strictHeader(b[header : header+end]); rule != "" {
		return rule, header + at
	}
	return r.strictMessage(b, header+end+len(delim))
}

// indexDelim is bytes.Index(b, ": "), faster for the short fields that lines have.
func indexDelim(b []byte) int {
	for i := 0; i+1 < len(b); i++ {
		if b[i] == ':' && b[i+1] == ' ' {
			return i
		}
	}
	return -1
}

// indexStampDelim is bytes.Index(b, ": %"), likewise.
func indexStampDelim(b []byte) int {
	for i := 0; i+2 < len(b); i++ {
		if b[i] == ':' && b[i+1] == ' ' && b[i+2] == '%' {
			return i
		}
	}
	return -1
}

// strictSeq reads SEQNUM and gives where HOST begins.
func (r *Record) strictSeq(b []byte) (next int, rule Rule, at int) {
	end := digits(b)
	if end < 1 || !bytes.HasPrefix(b[end:], delim) || end > 1 && b[0] == '0' {
		return 0, RuleSeq, 0
	}
	if r.Seq, r.HasSeq = strictNumber(b[:end], MaxSeq); !r.HasSeq {
		return 0, RuleSeqRange, 0
	}
	return end + len(delim), "", 0
}

// strictHost reads HOST, which begins at index i, and gives where TIMESTAMP begins.
func (r *Record) strictHost(b []byte, i int) (next int, rule Rule, at int) {
	end := indexDelim(b[i:])
	missing := end < 0
	if missing {
		end = len(b) - i
	}
	r.Host = b[i : i+end]
	what, bad := checkText(r.Host)
	switch {
	case end == 0:
		return 0, RuleHostEmpty, i
	case what == faultControl && bad < MaxHost:
		return 0, RuleHostChar, i + bad
	case what == faultUTF8 && bad < MaxHost:
		return 0, RuleUTF8, i + bad
	case end > MaxHost:
		return 0, RuleHostLength, i + MaxHost
	case missing:
		return 0, RuleTimestamp, len(b)
	}
	return i + end + len(delim), "", 0
}

// strictHeader reads APPNAME-SEVERITY-MSGNAME.
func (r *Record) strictHeader(h []byte) (Rule, int) {
	first := bytes.IndexByte(h, '-')
	last := bytes.LastIndexByte(h, '-')
	second := first + 1
	for second < last && h[second] != '-' {
		second++
	}
	if first < 0 || first == last || second != last {
		return RuleHeader, 0
	}
	app, severity, name := h[:first], h[first+1:last], h[last+1:]
	if !validName(app, MaxApp) {
		return RuleApp, 0
	}
	if len(severity) != 1 || severity[0]-'0' > 7 {
		return RuleSeverity, len(app) + 1
	}
	if !validName(name, MaxName) {
		return RuleName, len(h) - len(name)
	}
	r.App, r.Severity, r.Name = app, int8(severity[0]-'0'), name
	return "", 0
}

// validName tells whether b can be an APPNAME or MSGNAME.
func validName(b []byte, longest int) bool {
	return len(b) >= MinName && len(b) <= longest && allOf(b, className)
}

// strictMessage reads TAGS, if there are any, and MESSAGE from index i on.
func (r *Record) strictMessage(b []byte, i int) (Rule, int) {
	if len(b) > i+1 && b[i] == '%' && b[i+1] == '[' {
		end, partAt, rule, at := scanTags(b[i:], r)
		if rule != "" {
			return rule, i + at
		}
		if partAt >= 0 {
			return RuleTagPart, i + partAt
		}
		r.TagRegion = b[i+1 : i+end]
		i += end + len(delim)
	}
	r.Text = b[i:]
	if len(r.Text) == 0 {
		return RuleMessageEmpty, i
	}
	switch what, at := checkText(r.Text); what {
	case faultControl:
		return RuleMessageChar, i + at
	case faultUTF8:
		return RuleUTF8, i + at
	}
	return "", 0
}
