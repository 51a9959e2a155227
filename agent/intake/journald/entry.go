package journald

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// Facility and severity of an entry that names none: user, and notice as journald itself assumes for kernel messages
// without a level (systemd.journal-fields(7), RFC 3164 section 4.3.3).
const (
	defaultFacility = 1
	defaultPriority = 5
)

// entry is what we use of the journal's JSON (systemd "Journal Export Formats", JSON).
type entry struct {
	Cursor     string `json:"__CURSOR"`
	Message    text   `json:"MESSAGE"`
	Priority   text   `json:"PRIORITY"`
	Facility   text   `json:"SYSLOG_FACILITY"`
	Identifier text   `json:"SYSLOG_IDENTIFIER"`
	Comm       text   `json:"_COMM"`
	PID        text   `json:"SYSLOG_PID"`
	ProcessID  text   `json:"_PID"`
}

// text is a field's value: a string, or a list of byte values where it is no UTF-8, or a list of strings where the field
// came more than once, or null where it is too long to be shown.
type text string

// UnmarshalJSON reads all four.
func (t *text) UnmarshalJSON(b []byte) error {
	var s string
	if json.Unmarshal(b, &s) == nil {
		*t = text(s)
		return nil
	}
	var octets []uint8
	var numbers []uint16
	if json.Unmarshal(b, &numbers) == nil {
		for _, n := range numbers {
			octets = append(octets, uint8(n))
		}
		*t = text(octets)
		return nil
	}
	var many []text
	if err := json.Unmarshal(b, &many); err != nil {
		return fmt.Errorf("journal field: %w", err)
	}
	if len(many) > 0 {
		*t = many[0]
	}
	return nil
}

// number reads a decimal in range, else gives the default.
func (t text) number(limit, missing int) int {
	n, err := strconv.Atoi(string(t))
	if err != nil || n < 0 || n > limit {
		return missing
	}
	return n
}

// appendLine writes e as <PRI>program[pid]: text. Line feeds inside the text stay.
func (e *entry) appendLine(b []byte) []byte {
	b = append(b, '<')
	b = strconv.AppendInt(b, int64(e.Facility.number(23, defaultFacility)*8+e.Priority.number(7, defaultPriority)), 10)
	b = append(b, '>')
	program := e.Identifier
	if program == "" {
		program = e.Comm
	}
	if program != "" {
		b = append(b, strings.ReplaceAll(string(program), " ", "_")...)
		pid := e.PID
		if pid == "" {
			pid = e.ProcessID
		}
		if pid != "" {
			b = append(append(append(b, '['), pid...), ']')
		}
		b = append(b, ": "...)
	}
	return append(b, e.Message...)
}
