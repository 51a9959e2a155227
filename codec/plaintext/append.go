package plaintext

import (
	"bytes"
	"strconv"
	"strings"
	"unicode/utf8"

	"callhome"
)

// Words of the fields that have a constant value.
const (
	typeCallHome    = "Call Home"
	typeInventory   = "Inventory Update" // MDS: message name and type of inventory messages
	groupReactive   = "reactive"
	groupProactive  = "proactive"
	attachmentType  = "command output"
	attachmentMIME  = "text/plain"
	alertSuffix     = "_ALERT"
	plusEscape      = '+'
	sectionChassis  = "chassis"
	sectionFRU      = "fru"
	sectionProcess  = "process"
	sectionTrailing = " information:"
)

func appendLong(dst []byte, m *callhome.Message, l *layout) []byte {
	for _, r := range l.head {
		if v := headValue(m, r.field, l); v != "" {
			dst = appendValue(dst, r.label, l.separator, v)
		}
	}
	for _, p := range m.Pairs {
		dst = appendValue(dst, freeName(p.Key), l.separator, p.Value)
	}
	dst = appendChassis(dst, m, l)
	for i := range m.FRUs {
		dst = appendUnit(dst, &m.FRUs[i], l, sectionFRU, l.unit)
	}
	for i := range m.Processes {
		p := &m.Processes[i]
		dst = appendSection(dst, l, "start ", sectionProcess)
		dst = appendRows(dst, l, l.process, func(f field) string { return *processField(p, f) })
		dst = appendSection(dst, l, "end ", sectionProcess)
	}
	for i := range m.Attachments {
		dst = appendOutput(dst, &m.Attachments[i], l)
	}
	return dst
}

// headValue is the text of one head field, "" when there is nothing to say.
func headValue(m *callhome.Message, f field, l *layout) string {
	switch f {
	case fieldSubject:
		return strings.TrimSpace(subjectPrefix + " " + m.SystemName)
	case fieldTime:
		return timeValue(m.EventTime, l)
	case fieldName:
		return messageName(m, l)
	case fieldType:
		return messageType(m, l)
	case fieldMessageGroup:
		return messageGroup(m)
	case fieldSeverity:
		if m.Severity != nil {
			return strconv.Itoa(int(*m.Severity))
		}
		return ""
	case fieldPriority:
		if m.SwitchPriority != nil {
			return strconv.Itoa(*m.SwitchPriority)
		}
		return ""
	case fieldDevice:
		return string(m.DeviceID)
	}
	return *headField(m, f)
}

func timeValue(t callhome.Timestamp, l *layout) string {
	switch {
	case t.IsZero():
		return ""
	case l.reading:
		return string(t.AppendReading(nil))
	case l.minutes:
		return string(t.AppendGMTMinute(nil))
	}
	return string(t.AppendGMT(nil))
}

// messageName is the name field: the message's own, else the alert group's word in the dialect's manner.
func messageName(m *callhome.Message, l *layout) string {
	word := string(m.Group)
	switch {
	case l.alertName && m.Group == callhome.GroupInventory && (m.Name == "" || m.Name == word):
		return typeInventory
	case l.alertName && word != "" && (m.Name == "" || m.Name == word):
		return strings.ToUpper(strings.ReplaceAll(word, "-", "_")) + alertSuffix
	case m.Name == "" && m.Type != typeCallHome:
		return firstNonEmpty(word, m.Type)
	}
	return firstNonEmpty(m.Name, word)
}

// messageType is the type field. The same message has the group as its type in XML and in dialect B, and a constant in
// dialect A: a type that is another format's is translated, one that says more than the group stays.
func messageType(m *callhome.Message, l *layout) string {
	word := string(m.Group)
	foreign := m.Type == "" || strings.EqualFold(m.Type, word) || m.Type == typeCallHome
	switch {
	case l.callHome && (strings.HasSuffix(m.Type, typeCallHome) || m.Type == typeInventory):
		return m.Type
	case l.callHome:
		return typeCallHome
	case !foreign || word == "":
		return m.Type
	case l.alertName && m.Group == callhome.GroupInventory:
		return typeInventory
	case l.alertName && m.Group == callhome.GroupTest:
		return "Test " + typeCallHome
	case l.alertName:
		return strings.ToUpper(word[:1]) + word[1:]
	}
	return word
}

// messageGroup is reactive unless the message says otherwise or tells of the inventory.
func messageGroup(m *callhome.Message) string {
	switch {
	case m.MessageGroup != "":
		return m.MessageGroup
	case m.Group == callhome.GroupInventory:
		return groupProactive
	}
	return groupReactive
}

func firstNonEmpty(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func appendChassis(dst []byte, m *callhome.Message, l *layout) []byte {
	first := callhome.FRU{Name: m.Model, Serial: m.Serial, PartNo: m.PartNo, HWVersion: m.HWVersion, SWVersion: m.SWVersion}
	if !emptyUnit(&first) || len(m.Chassis) > 0 {
		dst = appendUnit(dst, &first, l, sectionChassis, l.chassis)
	}
	for i := range m.Chassis {
		dst = appendUnit(dst, &m.Chassis[i], l, sectionChassis, l.chassis)
	}
	return dst
}

func emptyUnit(u *callhome.FRU) bool {
	return u.Name == "" && u.Serial == "" && u.PartNo == "" && u.Slot == "" && u.HWVersion == "" && u.SWVersion == ""
}

func appendUnit(dst []byte, u *callhome.FRU, l *layout, section string, rows []row) []byte {
	dst = appendSection(dst, l, "start ", section)
	dst = appendRows(dst, l, rows, func(f field) string { return *unitField(u, f) })
	return appendSection(dst, l, "end ", section)
}

// appendRows writes the rows of one block. The first is written even when empty: it tells where the block begins.
func appendRows(dst []byte, l *layout, rows []row, value func(field) string) []byte {
	for i, r := range rows {
		if v := value(r.field); v != "" || i == 0 {
			dst = appendValue(dst, r.label, l.separator, v)
		}
	}
	return dst
}

func appendSection(dst []byte, l *layout, word, section string) []byte {
	if !l.sections {
		return dst
	}
	dst = append(append(dst, word...), section...)
	return append(append(dst, sectionTrailing...), '\n')
}

// appendValue writes one label line, and a value's further lines behind one blank each.
func appendValue(dst []byte, label, separator, value string) []byte {
	dst = append(append(dst, label...), separator...)
	start := len(dst)
	dst = appendText(dst, value)
	text := bytes.TrimSpace(dst[start:])
	if bytes.IndexByte(text, '\n') >= 0 {
		text = bytes.ReplaceAll(text, []byte("\n"), []byte("\n "))
	}
	return append(append(dst[:start], text...), '\n')
}

// freeName makes the name of a pair one that reads back as such: no colon, one line, not too long, and a "+" before what would be
// read as a label, a section mark or no label at all.
func freeName(key string) string {
	key = strings.ReplaceAll(oneLine(key), ":", "=")
	for len(key) >= maxLabel {
		_, size := utf8.DecodeLastRuneInString(key)
		key = strings.TrimSpace(key[:len(key)-size])
	}
	if _, known := labels()[strings.ToLower(key)]; known || !plausibleLabel(key) || isMark(key) || key[0] == plusEscape {
		return string(plusEscape) + key
	}
	return key
}

func appendOutput(dst []byte, a *callhome.Attachment, l *layout) []byte {
	for _, r := range l.output {
		switch r.field {
		case fieldOutputName:
			dst = appendValue(dst, r.label, l.separator, a.Name)
		case fieldOutput: // the output follows at once, so the name cannot have further lines
			dst = appendValue(dst, r.label, l.separator, oneLine(a.Name))
		case fieldOutputType:
			dst = appendValue(dst, r.label, l.separator, attachmentType)
		case fieldOutputMIME:
			dst = appendValue(dst, r.label, l.separator, attachmentMIME)
		case fieldOutputText:
			dst = append(append(dst, r.label...), l.separator...)
			if !echoes(a) {
				dst = append(bytes.TrimRight(dst, " "), '\n')
			}
		}
	}
	return append(appendStuffed(dst, a.Text), '\n')
}

// echoes reports whether the output begins with the command itself on a line of its own, which then stands on the label
// line, as devices write it.
func echoes(a *callhome.Attachment) bool {
	rest, ok := strings.CutPrefix(a.Text, a.Name)
	return ok && a.Name != "" && a.Name == oneLine(a.Name) && strings.HasPrefix(strings.TrimLeft(rest, "\r"), "\n")
}

// appendStuffed appends device output, with one more blank before each line that, blanks aside, reads as the label that
// begins an output.
func appendStuffed(dst []byte, text string) []byte {
	start := len(dst)
	dst = appendText(dst, text)
	if !containsOutputLabel(dst[start:]) {
		return dst
	}
	lines := bytes.SplitAfter(bytes.Clone(dst[start:]), []byte("\n"))
	dst = dst[:start]
	for _, line := range lines {
		if looksLikeOutput(line) {
			dst = append(dst, ' ')
		}
		dst = append(dst, line...)
	}
	return dst
}
