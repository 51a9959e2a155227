package mimemail

import (
	"regexp"
	"strings"
	"sync"

	"callhome"
)

// SubjectStyle is a platform's way to write subjects. The zero value is that of IOS.
type SubjectStyle struct {
	From    string // "From", or "from" on NX-OS and UCS; "": From
	Subtype bool   // the subtype follows the type after a colon
}

// Subject is the subject of m's mail, in the form of the published samples:
// "System Notification From <host> - <type>[:subtype] - <event time>".
func Subject(m *callhome.Message, style SubjectStyle) string {
	kind := m.Type
	if kind == "" || strings.ContainsAny(kind, " \t") { // long text has "Call Home" there
		kind = string(m.Group)
	}
	if style.Subtype && m.Subtype != "" {
		kind += ":" + m.Subtype
	}
	word := style.From
	if word == "" {
		word = "From"
	}
	return plain("System Notification " + word + " " + m.SystemName + " - " + kind + " - " + string(m.EventTime.AppendGMT(nil)))
}

// SubjectParts is what a subject says.
type SubjectParts struct {
	Host    string
	Type    string
	Subtype string
	Time    callhome.Timestamp // zero when it could not be read
	Trailer string             // what follows the time
}

// late compiles an expression when it is first needed: a start does not wait for it.
func late(s string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(s) })
}

var subjectForm = late(`(?i)^.{0,40}?\bsystem notification from (.*) - ([^: ]*)(?::(\S*))? - (.*)$`)

// timeForm finds where the time ends and a trailer begins.
var timeForm = late(`(?i)^(\d{4}-\d\d-\d\d[ T]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?: ?(?:GMT|UTC|Z)?(?:[+-]\d\d:?\d\d)?)?)(?:\W*(.*))?$`)

// ParseSubject reads a subject in any case, after "Re:" and the like, with or without subtype and trailer. ok is false
// when it is no call-home subject.
func ParseSubject(s string) (parts SubjectParts, ok bool) {
	at := subjectForm().FindStringSubmatch(strings.Join(strings.Fields(s), " "))
	if at == nil {
		return SubjectParts{}, false
	}
	parts = SubjectParts{Host: at[1], Type: at[2], Subtype: at[3], Trailer: at[4]}
	if when := timeForm().FindStringSubmatch(at[4]); when != nil {
		if t, err := callhome.ParseEventTime(when[1]); err == nil {
			parts.Time, parts.Trailer = t, when[2]
		}
	}
	return parts, true
}
