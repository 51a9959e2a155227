package plaintext

import (
	"bytes"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"callhome"
)

// late compiles an expression when it is first needed: a start does not wait for it.
func late(s string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(s) })
}

// logPrefix is what stands before the words of a system message: time, sequence number, %FACILITY-SEVERITY-MNEMONIC.
// IOS XR has a blank before its colon.
var logPrefix = late(`^.{0,120}?%([A-Z][A-Z0-9_]*(?:-[A-Za-z0-9_]+)*-[0-7]-[A-Za-z0-9_]+) ?: *`)

// faultOf is the fault in words: the message's own, else what its description says.
func faultOf(m *callhome.Message) string {
	if m.Fault != "" {
		return oneLine(m.Fault)
	}
	return faultWords(m.Description)
}

// faultWords is the fault in plain words: the description in one line without the log prefix.
func faultWords(description string) string {
	s := oneLine(description)
	if words := s[len(logPrefix().FindString(s)):]; words != "" {
		return words
	}
	return s
}

// errorMessage is the description in one line without the stamp that a device put before its system message: the short
// message has a time of its own.
func errorMessage(description string) string {
	s := oneLine(description)
	if at := logPrefix().FindStringSubmatchIndex(s); at != nil {
		return s[at[2]-1:]
	}
	return s
}

// shortTime is the time as short text writes it, "" when there is none.
func shortTime(t callhome.Timestamp) string {
	if t.IsZero() {
		return ""
	}
	return string(t.AppendGMT(nil))
}

// appendPager writes two lines: device and time, then level and fault. When both are longer than limit characters, the
// fault is cut, and the device's name where it would take more than half of what is left beside time and level.
func appendPager(dst []byte, m *callhome.Message, limit int) []byte {
	stamp := shortTime(m.EventTime)
	host, level, words := oneLine(m.SystemName), levelWord(m.Severity), faultOf(m)
	if limit > 0 {
		newlines := 2
		room := limit - newlines - utf8.RuneCountInString(level) - utf8.RuneCountInString(stamp)
		host = cut(host, max(room/2, room-1-utf8.RuneCountInString(words), 0))
		words = cut(words, max(room-utf8.RuneCountInString(host)-1, 0))
	}
	dst = append(dst, strings.TrimSpace(host+" "+stamp)...)
	dst = append(append(dst, '\n'), strings.TrimSpace(level+words)...)
	return append(dst, '\n')
}

// levelWord is "Critical (6): ", or "" for an unknown level.
func levelWord(l *callhome.Level) string {
	if l == nil || !l.Valid() {
		return ""
	}
	word := l.String()
	return strings.ToUpper(word[:1]) + word[1:] + " (" + strconv.Itoa(int(*l)) + "): "
}

// appendLabels writes five labels. No line is longer than lineLimit; only the error message is cut for limit.
func appendLabels(dst []byte, m *callhome.Message, limit int) []byte {
	host := oneLine(m.SystemName)
	values := map[field]string{
		fieldSubject: strings.TrimSpace(subjectPrefix + " " + host), fieldDevice: host,
		fieldTime: shortTime(m.EventTime), fieldError: errorMessage(m.Description),
	}
	if m.Severity != nil {
		values[fieldSeverity] = strconv.Itoa(int(*m.Severity))
	}
	const separator = " : "
	over := 0
	for _, r := range labelRows {
		room := lineLimit - len(r.label) - len(separator)
		values[r.field] = cut(values[r.field], room)
		over += len(r.label) + len(separator) + utf8.RuneCountInString(values[r.field]) + 1
	}
	if over -= limit; limit > 0 && over > 0 {
		values[fieldError] = cut(values[fieldError], max(utf8.RuneCountInString(values[fieldError])-over, 0))
	}
	for _, r := range labelRows {
		dst = append(append(append(append(dst, r.label...), separator...), values[r.field]...), '\n')
	}
	return dst
}

var (
	pagerFirst = late(`^(.*?) ?(\d{4}-\d\d-\d\d[ T]\d\d:\d\d\S*(?: GMT\S*)?)$`)
	pagerLevel = late(`^([A-Z][a-z]+) \((\d)\):(?: (.*))?$`)
)

// decodePager reads the two lines that appendPager writes; ok is false for anything else.
func decodePager(b []byte) (*callhome.Message, bool) {
	const longest = 4096 // bytes of both lines: far above any pager's
	if len(b) > longest || bytes.Count(bytes.TrimSpace(b), []byte("\n")) != 1 {
		return nil, false
	}
	first, second, _ := strings.Cut(strings.TrimSpace(string(b)), "\n")
	at := pagerFirst().FindStringSubmatch(strings.TrimSpace(first))
	fault := pagerLevel().FindStringSubmatch(strings.TrimSpace(second))
	if at == nil || fault == nil {
		return nil, false
	}
	level, err := callhome.ParseLevel(fault[1])
	stamp, timeErr := callhome.ParseEventTime(at[2])
	if err != nil || timeErr != nil || strconv.Itoa(int(level)) != fault[2] {
		return nil, false
	}
	m := &callhome.Message{
		Format: callhome.FormatShort, Dialect: Pager.Name, SystemName: at[1], EventTime: stamp, Severity: &level,
		Description: fault[3],
	}
	if stamp.NoZone {
		m.Flags = []string{flagTZMissing}
	}
	return m, true
}
