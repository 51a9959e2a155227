package ciscolog

import (
	"bytes"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"callhome"
)

// tabText replaces a tab in what is written, as the guide recommends.
const tabText = "        "

// Fields is what Append writes.
type Fields struct {
	HasPRI bool
	PRI    uint8 // 0..191, facility times 8 plus severity

	Seq      uint32
	Host     string // "" writes 0.0.0.0, the format's way to say that it is not known
	Accuracy Accuracy
	Time     time.Time // written with milliseconds; not used with AccuracyNoClock
	// Zone is the text of TIMEZONE. "" writes Time in UTC with +0000; an offset writes Time at that offset; a name is
	// written with the date and clock that Time has in its own location.
	Zone     string
	App      string
	Severity int8 // 0..7
	Name     string
	Tags     []callhome.Tag
	Text     string

	// AsSent keeps the order of the tags and the spelling of the host, for lines that are written again as they came.
	// Without it tags are sorted by key, part last, and an IPv6 host is written as RFC 5952 has it.
	AsSent bool
}

// Fields gives what Append needs to write the line again. For a line that conforms that gives the same octets, but for
// the zone -0000, which is never written.
func (r *Record) Fields() Fields {
	f := Fields{
		Seq: uint32(r.Seq), Host: string(r.Host), Accuracy: r.Accuracy, Zone: string(r.Zone), App: string(r.App),
		Severity: r.Severity, Name: string(r.Name), Tags: r.AppendTags(nil), Text: string(r.Text), AsSent: true,
	}
	if r.PRI >= 0 {
		f.HasPRI, f.PRI = true, uint8(r.PRI)
	}
	f.Time = r.Time.In(time.FixedZone(f.Zone, r.Offset))
	return f
}

// FieldError says which field cannot be written, and why.
type FieldError struct {
	Field string // name as in the JSON of a decoded line: host, message, tags[2].key
	Msg   string
}

// Error is "FIELD: what is wrong".
func (e *FieldError) Error() string { return e.Field + ": " + e.Msg }

func fieldErrorf(field, format string, args ...any) error {
	return &FieldError{Field: field, Msg: fmt.Sprintf(format, args...)}
}

// Append adds the line, without line end, to dst. It writes strict CiscoLog or nothing: what cannot be written is a
// *FieldError, and dst comes back as it was. A tab in host, tag value or text becomes eight spaces and any other control
// character a question mark; a line feed in the text is refused, as Split makes parts of it.
func Append(dst []byte, f Fields) ([]byte, error) {
	out, err := appendLine(dst, &f)
	if err != nil {
		return dst, err
	}
	length := len(out) - len(dst)
	if f.HasPRI {
		length -= priLen(f.PRI)
	}
	if length > MaxLength {
		return dst, fieldErrorf("message", "the line has %d octets, %d are the limit; split it into parts", length, MaxLength)
	}
	return out, nil
}

// priLen is the length of PRI as written.
func priLen(pri uint8) int { return len(strconv.Itoa(int(pri))) + len("<>") }

// appendLine writes the line without regard to its length.
func appendLine(dst []byte, f *Fields) ([]byte, error) {
	out, err := appendHead(dst, f)
	if err != nil {
		return dst, err
	}
	tags := f.Tags
	if !f.AsSent {
		tags = sorted(tags)
	}
	if out, err = appendTags(out, tags, f.Seq); err != nil {
		return dst, err
	}
	if err := checkMessage(f.Text, len(tags) > 0); err != nil {
		return dst, err
	}
	return appendClean(out, f.Text), nil
}

// checkMessage refuses a text that would not be read back as the text.
func checkMessage(text string, tagged bool) error {
	switch {
	case text == "":
		return fieldErrorf("message", "is empty; a message has at least one character")
	case strings.IndexByte(text, '\n') >= 0:
		return fieldErrorf("message", "has a line feed at octet %d; split it into parts", strings.IndexByte(text, '\n')+1)
	case !tagged && strings.HasPrefix(text, "%["):
		return fieldErrorf("message", "begins with %%[ and would be read as tags; give the message a tag such as %s, or put a space in front", keyPname)
	}
	return checkUTF8("message", text)
}

// checkUTF8 refuses octets that are not UTF-8.
func checkUTF8(field, s string) error {
	if at := badUTF8(s); at >= 0 {
		return fieldErrorf(field, "octet %d is not UTF-8", at+1)
	}
	return nil
}

// badUTF8 is the index of the first octet that is not UTF-8, -1 when there is none.
func badUTF8(s string) int {
	for i, r := range s {
		if r != utf8.RuneError {
			continue
		}
		if _, size := utf8.DecodeRuneInString(s[i:]); size == 1 {
			return i
		}
	}
	return -1
}

// appendHead writes everything up to HEADER and its delimiter.
func appendHead(dst []byte, f *Fields) ([]byte, error) {
	if f.HasPRI {
		if f.PRI > maxPRI {
			return dst, fieldErrorf("pri", "is %d; %d is the largest", f.PRI, maxPRI)
		}
		dst = append(dst, '<')
		dst = strconv.AppendUint(dst, uint64(f.PRI), 10)
		dst = append(dst, '>')
	}
	dst = strconv.AppendUint(dst, uint64(f.Seq), 10)
	dst = append(dst, delim...)
	dst, err := appendHost(dst, f)
	if err != nil {
		return dst, err
	}
	dst = append(dst, delim...)
	if dst, err = appendStamp(dst, f); err != nil {
		return dst, err
	}
	dst = append(dst, stampDelim...)
	if err := checkHeader(f); err != nil {
		return dst, err
	}
	dst = append(dst, f.App...)
	dst = append(dst, '-', byte('0'+f.Severity), '-')
	dst = append(dst, f.Name...)
	return append(dst, delim...), nil
}

// appendHost writes HOST.
func appendHost(dst []byte, f *Fields) ([]byte, error) {
	host := f.Host
	if host == "" {
		host = unknownHost
	}
	if err := checkUTF8("host", host); err != nil {
		return dst, err
	}
	if !f.AsSent {
		if addr, err := netip.ParseAddr(host); err == nil {
			host = addr.String()
		}
	}
	from := len(dst)
	dst = appendClean(dst, host)
	written := dst[from:]
	switch {
	case len(written) > MaxHost:
		return dst, fieldErrorf("host", "has %d octets, %d are the limit", len(written), MaxHost)
	case bytes.Contains(written, delim):
		return dst, fieldErrorf("host", "has a colon and a space, which would end it")
	}
	return dst, nil
}

// appendStamp writes TIMESTAMP.
func appendStamp(dst []byte, f *Fields) ([]byte, error) {
	switch f.Accuracy {
	case AccuracyNoClock:
		return append(dst, noClockStamp...), nil
	case AccuracyUnsynchronised:
		dst = append(dst, '*')
	case AccuracyWasSynchronised:
		dst = append(dst, '.')
	case AccuracyUnstated, "":
	default:
		return dst, fieldErrorf("accuracy", "%q is none of the four: %s, %s, %s, %s", string(f.Accuracy),
			AccuracyUnstated, AccuracyUnsynchronised, AccuracyWasSynchronised, AccuracyNoClock)
	}
	t, zone := f.Time, f.Zone
	if offset, ok := strictOffset([]byte(zone)); ok {
		t = t.In(time.FixedZone(zone, offset))
	} else if zone == "" {
		t = t.UTC()
	}
	if zone == "" || zone == "-0000" {
		zone = "+0000"
	}
	if !validZone([]byte(zone)) || strings.Contains(zone, string(stampDelim)) {
		return dst, fieldErrorf("timezone", "%q is neither an offset such as +0200 nor a name of 1 to %d printable octets", zone, MaxZone)
	}
	if t.Year() < 0 || t.Year() > 9999 {
		return dst, fieldErrorf("timestamp", "year %d has no four digits", t.Year())
	}
	dst = t.AppendFormat(dst, "Jan _2 2006 15:04:05.000 ")
	return append(dst, zone...), nil
}

// checkHeader refuses names and severities that HEADER cannot hold.
func checkHeader(f *Fields) error {
	switch {
	case !validName([]byte(f.App), MaxApp):
		return fieldErrorf("mnemonic_facility", "%q must be %d to %d octets out of A-Z, 0-9 and underscore", f.App, MinName, MaxApp)
	case f.Severity < 0 || f.Severity > 7:
		return fieldErrorf("severity", "is %d; it must be 0 to 7", f.Severity)
	case !validName([]byte(f.Name), MaxName):
		return fieldErrorf("mnemonic", "%q must be %d to %d octets out of A-Z, 0-9 and underscore", f.Name, MinName, MaxName)
	}
	return nil
}

// sorted gives the tags by key, octet by octet, equal keys as they were, and part last.
func sorted(tags []callhome.Tag) []callhome.Tag {
	out := slices.Clone(tags)
	slices.SortStableFunc(out, func(a, b callhome.Tag) int {
		if last := boolInt(a.Key == keyPart) - boolInt(b.Key == keyPart); last != 0 {
			return last
		}
		return strings.Compare(a.Key, b.Key)
	})
	return out
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// appendTags writes TAGS and their delimiter, or nothing for no tags.
func appendTags(dst []byte, tags []callhome.Tag, seq uint32) ([]byte, error) {
	if len(tags) == 0 {
		return dst, nil
	}
	dst = append(dst, '%')
	for i, tag := range tags {
		if field, msg := checkTag(tag, seq); msg != "" {
			return dst, fieldErrorf(fmt.Sprintf("tags[%d].%s", i, field), "%s", msg)
		}
		dst = appendTag(dst, tag)
	}
	return append(dst, delim...), nil
}

// checkTag says which half of a tag cannot be written, and why.
func checkTag(tag callhome.Tag, seq uint32) (field, msg string) {
	if end, rule := scanKey([]byte(tag.Key+"="), 0); rule != "" || end != len(tag.Key) {
		return "key", fmt.Sprintf("%q must be words of letters, digits and underscores, joined by dots", tag.Key)
	}
	if at := badUTF8(tag.Value); at >= 0 {
		return "value", fmt.Sprintf("octet %d is not UTF-8", at+1)
	}
	if tag.Key != keyPart {
		return "", ""
	}
	part, ok := ParsePart([]byte(tag.Value))
	if !ok || part.First+part.N-1 != seq {
		return "value", fmt.Sprintf("%q must be FIRST.N/TOTAL, N from 1 to TOTAL, and FIRST+N-1 the sequence number %d", tag.Value, seq)
	}
	return "", ""
}

// appendTag writes one pair with its brackets.
func appendTag(dst []byte, tag callhome.Tag) []byte {
	dst = append(append(append(dst, '['), tag.Key...), '=')
	return append(appendValue(dst, tag.Value), ']')
}

// appendValue writes a tag's value with its escapes.
func appendValue(dst []byte, value string) []byte {
	for {
		i := strings.IndexAny(value, `[]\`)
		if i < 0 {
			return appendClean(dst, value)
		}
		dst = append(appendClean(dst, value[:i]), '\\', value[i])
		value = value[i+1:]
	}
}

// appendClean writes free text: a tab as eight spaces, other control characters as question marks.
func appendClean(dst []byte, s string) []byte {
	for i := range len(s) {
		switch c := s[i]; {
		case c == '\t':
			dst = append(dst, tabText...)
		case c < ' ' || c == 0x7f:
			dst = append(dst, '?')
		default:
			dst = append(dst, c)
		}
	}
	return dst
}
