package syslog

import (
	"encoding/base64"
	"strconv"
	"time"
	"unicode/utf8"

	"callhome"
)

// AppendJSON appends l as `decode syslog` prints it: one object on one line, unknown fields left out. Octets that are
// not UTF-8 are shown as U+FFFD; raw_base64 then has the line as it came.
func (l *Line) AppendJSON(dst []byte) []byte {
	o := object{dst: append(dst, '{')}
	flags := l.FlagNames()
	o.bytes("raw", l.Raw)
	if !utf8.Valid(l.Raw) {
		flags = append(flags, flagNames[flagUTF8Bit])
		o.text("raw_base64", base64.StdEncoding.EncodeToString(l.Raw))
	}
	o.text("dialect", string(l.Dialect))
	o.text("vendor", string(l.Vendor))
	o.number("facility", int64(l.Facility))
	o.number("severity", int64(l.Severity))
	if l.OwnSeverity && l.PRISeverity.Valid() {
		o.number("pri_severity", int64(l.PRISeverity))
	}
	o.number("sequence", l.Sequence())
	if l.Seq >= 0 || l.Flags.Has(FlagRepeated) {
		o.number("counter", l.Counter)
	}
	o.bytes("host", l.Host)
	if l.Host != nil {
		o.text("host_source", string(l.HostSource))
	}
	o.bytes("node", l.Node)
	o.stamp("timestamp", l)
	o.bytes("zone", l.Zone)
	if l.Accuracy != 0 {
		o.text("accuracy", string(rune(l.Accuracy)))
	}
	if l.Clock != ClockUnstated {
		o.text("clock", string(l.Clock))
	}
	o.bytes("uptime", l.Uptime)
	o.bytes("app", l.Program)
	o.bytes("pid", l.PID)
	l.appendNames(&o)
	if l.EventState != callhome.StateNone {
		o.text("event_state", string(l.EventState))
	}
	o.tags(l)
	o.bytes("message", l.Text)
	l.appendRelay(&o)
	o.list("flags", flags)
	return append(o.dst, '}')
}

// FlagNames lists the names of all flags, those of codec/ciscolog included.
func (l *Line) FlagNames() []string {
	names := l.Flags.Names()
	if l.CiscoLogFlags == 0 {
		return names
	}
	seen := make(map[string]bool, len(names))
	for _, n := range names {
		seen[n] = true
	}
	for _, n := range l.CiscoLogFlags.AppendNames(nil) {
		if !seen[n] {
			names = append(names, n)
		}
	}
	return names
}

// appendNames writes the parts of the core. The name of a Meraki event is its kind and type, joined by a dot.
func (l *Line) appendNames(o *object) {
	if l.Dialect == Meraki && l.CoreFacility != nil {
		o.text("mnemonic", string(l.CoreFacility)+"."+string(l.Mnemonic))
	} else {
		o.bytes("mnemonic_facility", l.CoreFacility)
		o.bytes("mnemonic", l.Mnemonic)
	}
	o.bytes("message_id", l.MessageID)
}

// appendRelay writes what a relay put in front.
func (l *Line) appendRelay(o *object) {
	if !l.Flags.Has(FlagRelayed) {
		return
	}
	o.key("relay")
	r := object{dst: append(o.dst, '{')}
	r.number("pri", int64(l.Relay.PRI))
	r.bytes("host", l.Relay.Host)
	r.bytes("tag", l.Relay.Tag)
	if !l.Relay.Time.IsZero() {
		r.text("timestamp", l.Relay.Time.UTC().Format("2006-01-02T15:04:05.999999999"))
	}
	o.dst = append(r.dst, '}')
}

// object writes the members of one JSON object; empty values are left out.
type object struct {
	dst []byte
}

func (o *object) key(k string) {
	if o.dst[len(o.dst)-1] != '{' {
		o.dst = append(o.dst, ',')
	}
	o.dst = append(o.dst, '"')
	o.dst = append(o.dst, k...)
	o.dst = append(o.dst, '"', ':')
}

func (o *object) text(k, v string) {
	if v != "" {
		o.key(k)
		o.dst = appendString(o.dst, v)
	}
}

func (o *object) bytes(k string, v []byte) {
	if len(v) > 0 {
		o.key(k)
		o.dst = appendString(o.dst, v)
	}
}

func (o *object) number(k string, v int64) {
	if v >= 0 {
		o.key(k)
		o.dst = strconv.AppendInt(o.dst, v, 10)
	}
}

// stamp writes a time in RFC 3339 with as many fraction digits as the device wrote, and without an offset where it named
// no zone.
func (o *object) stamp(k string, l *Line) {
	if l.Time.IsZero() {
		return
	}
	o.key(k)
	t := l.Wall()
	if l.HasZone {
		t = l.Time.In(fixedZone(l.Offset))
	}
	o.dst = append(o.dst, '"')
	o.dst = t.AppendFormat(o.dst, "2006-01-02T15:04:05")
	if l.Digits > 0 {
		o.dst = append(o.dst, fraction(t, l.Digits)...)
	}
	switch {
	case !l.HasZone:
	case l.Offset == 0:
		o.dst = append(o.dst, 'Z')
	default:
		o.dst = t.AppendFormat(o.dst, "-07:00")
	}
	o.dst = append(o.dst, '"')
}

// fraction is the point and the first n digits below the second.
func fraction(t time.Time, n uint8) string {
	return t.Format(".000000000")[:min(int(n), 9)+1]
}

func (o *object) tags(l *Line) {
	first := true
	for k, v := range l.Params() {
		if first {
			o.key("tags")
			o.dst = append(o.dst, '[')
		} else {
			o.dst = append(o.dst, ',')
		}
		first = false
		o.dst = append(o.dst, `{"key":`...)
		o.dst = appendString(o.dst, k)
		o.dst = append(o.dst, `,"value":`...)
		o.dst = append(appendString(o.dst, v), '}')
	}
	if !first {
		o.dst = append(o.dst, ']')
	}
}

func (o *object) list(k string, v []string) {
	if len(v) == 0 {
		return
	}
	o.key(k)
	o.dst = append(o.dst, '[')
	for i, s := range v {
		if i > 0 {
			o.dst = append(o.dst, ',')
		}
		o.dst = appendString(o.dst, s)
	}
	o.dst = append(o.dst, ']')
}

const hex = "0123456789abcdef"

// appendString writes s in quotes. Octets that are not UTF-8 become U+FFFD; what a browser or a terminal might obey is
// escaped.
func appendString[S string | []byte](dst []byte, s S) []byte {
	dst = append(dst, '"')
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c == '\n':
			dst = append(dst, '\\', 'n')
		case c == '\t':
			dst = append(dst, '\\', 't')
		case c == '\r':
			dst = append(dst, '\\', 'r')
		case c < 0x20 || c == 0x7f:
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		case c < utf8.RuneSelf:
			dst = append(dst, c)
		default:
			r, n := utf8.DecodeRuneInString(string(s[i:min(i+utf8.UTFMax, len(s))]))
			dst = utf8.AppendRune(dst, r)
			i += n
			continue
		}
		i++
	}
	return append(dst, '"')
}
