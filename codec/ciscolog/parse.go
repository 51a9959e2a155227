package ciscolog

import (
	"bytes"
	"time"
)

// defaultSeverity is taken when neither header nor PRI gives one: notice, the usual threshold of logging.
const defaultSeverity = 5

// maxAnchors is how many places of a line are tried as the beginning of its header. The first is right in nearly every
// line; a bound keeps crafted lines cheap.
const maxAnchors = 8

// Parse reads a line as it really arrives. It is false for what is not CiscoLog at all: nothing but line ends, or no
// percent sign with a header where one has to be; r is then not to be used. Whatever else is wrong is a flag, and r.Raw
// keeps every octet. received is when the line was received: it stands in for a time that is missing or impossible, and
// gives the year to a stamp without one. Parse allocates nothing.
func Parse(line []byte, received time.Time, r *Record, opts Options) bool {
	return r.parse(line, received, &opts)
}

func (r *Record) parse(line []byte, received time.Time, o *Options) bool {
	body := withoutLineEnd(line)
	r.reset(line)
	if rule, _ := r.strict(body, o); rule == "" {
		if r.TagRegion == nil && r.Text[0] == '[' && r.bareTags(o) {
			r.looseMessage(r.Text, o)
		}
		r.finish(received)
		return true
	}
	r.reset(line)
	body = r.loosePRI(body)
	if !r.looseBody(body, received, o) {
		return false
	}
	if len(body) > MaxLength {
		r.Flags |= FlagOversize
	}
	r.finish(received)
	return true
}

// withoutLineEnd takes CR, LF and NUL off the end.
func withoutLineEnd(b []byte) []byte {
	for len(b) > 0 && (b[len(b)-1] == '\n' || b[len(b)-1] == '\r' || b[len(b)-1] == 0) {
		b = b[:len(b)-1]
	}
	return b
}

// maxPRIDigits is how long a wrong PRI may be and still be taken for one.
const maxPRIDigits = 10

// loosePRI takes off what stands in the place of PRI.
func (r *Record) loosePRI(b []byte) []byte {
	if len(b) == 0 || b[0] != '<' {
		return b
	}
	end := bytes.IndexByte(b[:min(len(b), maxPRIDigits+2)], '>')
	if end < 0 || !allOf(b[1:end], classDigit) {
		return b
	}
	pri, ok := number(b[1:end])
	if ok && pri <= maxPRI && end <= 4 {
		r.PRI = int(pri)
	}
	if r.PRI < 0 || b[1] == '0' && end > 2 {
		r.Flags |= FlagPRIForm
	}
	b = b[end+1:]
	return b[spaces(b):]
}

// looseBody finds the header and reads what is before and behind it.
func (r *Record) looseBody(b []byte, received time.Time, o *Options) bool {
	from := 0
	for range maxAnchors {
		colon, percent := nextAnchor(b, from)
		if percent < 0 {
			return false
		}
		prefix := trimRight(b[:colon])
		st, stamped := findStamp(prefix)
		h, ok := parseHeader(b[percent+1:], stamped)
		if ok && (stamped || plainPrefix(prefix)) {
			r.UCM = stamped && len(prefix) < colon
			if len(prefix) < colon || percent > colon+2 || percent == colon+1 {
				r.Flags |= FlagDelim
			}
			r.looseStamp(&st, received, o)
			r.loosePrefix(prefix[:st.start])
			r.looseHeader(&h)
			r.looseRest(b[percent+1+h.end:], o)
			return true
		}
		from = percent + 1
	}
	return false
}

// nextAnchor finds the next percent sign that a header may follow, and the colon before it. At the start of the line
// there is no colon.
func nextAnchor(b []byte, from int) (colon, percent int) {
	for percent = from; ; percent++ {
		next := bytes.IndexByte(b[percent:], '%')
		if next < 0 {
			return -1, -1
		}
		percent += next
		before := trimRight(b[:percent])
		if len(before) == 0 {
			return 0, percent
		}
		if before[len(before)-1] == ':' {
			return len(before) - 1, percent
		}
	}
}

// looseRest reads what follows HEADER: its delimiter, TAGS and MESSAGE.
func (r *Record) looseRest(b []byte, o *Options) {
	gap := spaces(b)
	after := b[gap:]
	if len(after) > 0 && after[0] == ':' {
		after = after[1:]
	} else {
		gap = 1
	}
	lead := spaces(after)
	if gap > 0 || lead == 0 {
		r.Flags |= FlagDelim
	}
	if lead > 1 && len(after) > lead && after[lead] == '%' {
		r.Flags |= FlagDelim
		after = after[lead:]
	} else if lead > 0 {
		after = after[1:]
	}
	r.looseMessage(after, o)
}

// looseMessage reads TAGS and MESSAGE.
func (r *Record) looseMessage(b []byte, o *Options) {
	r.Text = b
	if r.mayHaveTags(b, o) {
		r.readTags(b, o)
	}
	if len(r.Text) == 0 {
		r.Flags |= FlagMessage
	}
	r.Flags |= textFlags(r.Text, FlagMessage) | textFlags(r.TagRegion, FlagTags) | textFlags(r.Host, FlagHostChar)
	r.UCM = r.UCM || sisterApp(r.App) || r.NodeID() != nil
}

// mayHaveTags tells whether b begins as TAGS do.
func (r *Record) mayHaveTags(b []byte, o *Options) bool {
	if len(b) == 0 {
		return false
	}
	if b[0] == '[' {
		return r.bareTags(o)
	}
	next := 1 + spaces(b[1:])
	return b[0] == '%' && next < len(b) && b[next] == '['
}

// bareTags tells whether the sender leaves out the percent sign before tags.
func (r *Record) bareTags(o *Options) bool { return o.ICM || bytes.HasPrefix(r.App, icmApp) }

// readTags reads TAGS by the strict scan, else by the tolerant one.
func (r *Record) readTags(b []byte, o *Options) {
	if b[0] == '%' && b[1] == '[' {
		end, partAt, rule, _ := scanTags(b, r)
		if rule == "" {
			if partAt >= 0 {
				r.Flags |= FlagPart
			}
			r.TagRegion, r.Text = b[1:end], b[end+len(delim):]
			return
		}
	}
	r.HasPart, r.HasUptime, r.Part, r.Uptime = false, false, Part{}, 0
	r.Flags |= FlagTags
	region, text, ok := looseRegion(b, r.App)
	if !ok {
		return
	}
	r.TagRegion, r.Text, r.looseTags = region, b[text:], true
	if b[0] == '[' && strictRegion(region) {
		r.Flags &^= FlagTags
	}
	looseTags(region, func(key, value []byte) bool {
		if !r.note(key, value) {
			r.Flags |= FlagPart
		}
		return true
	})
}

// strictRegion tells whether a region without its percent sign keeps the grammar of tags otherwise, as the documented
// example of Contact Center Enterprise does.
func strictRegion(region []byte) bool {
	for i := 0; i < len(region); {
		if region[i] != '[' {
			return false
		}
		eq, rule := scanKey(region, i+1)
		if rule != "" {
			return false
		}
		end, rule := scanValue(region, eq+1)
		if rule != "" {
			return false
		}
		i = end + 1
	}
	return true
}

// finish settles what depends on several fields.
func (r *Record) finish(received time.Time) {
	pri := int8(-1)
	if r.PRI >= 0 {
		pri = int8(r.PRI & 7)
	}
	switch {
	case r.Severity < 0 && pri >= 0:
		r.Severity = pri
	case r.Severity < 0:
		r.Severity = defaultSeverity
	case pri >= 0 && pri != r.Severity:
		r.Flags |= FlagPRISeverityMismatch
	}
	if r.TimeSource == TimeFromReceipt {
		r.Time = received
		return
	}
	if !received.IsZero() && received.Sub(r.Time).Abs() > maxSkew {
		r.Flags |= FlagClockSkew
	}
}
