package analysis

import (
	"fmt"
	"strings"
)

// Bounds of what rules look at. Attachments have up to 5 MiB; tables that show trouble are among the first lines.
const (
	scanLimit = 1 << 20   // bytes of one attachment that expressions see
	fsmLimit  = 128 << 10 // bytes that a TextFSM template sees: it costs fifty times as much a byte
	lineLimit = 4 << 10   // bytes of one line
	maxRows   = 1000      // rows of one attachment
)

// attachment is a compiled AttachmentMatch.
type attachment struct {
	commands []glob
	line     *pattern
	pattern  *pattern
	absent   *pattern
	fsm      *fsm
	where    *condition
}

// row is what one line, match or record gave.
type row struct {
	values []pair
	quote  Quote
}

func (a *attachment) producesRows() bool { return a.line != nil || a.pattern != nil || a.fsm != nil }

// find gives the rows of an attachment; holds is false when it says nothing. where is judged by the caller, who knows
// the other values.
func (a *attachment) find(name, text string) (rows []row, holds bool, err error) {
	cut := len(text) > scanLimit || wasCut(text)
	text = text[:min(len(text), scanLimit)]
	if a.absent != nil {
		found := false
		eachLine(text, a.absent, func(_ int, line string) bool {
			found = a.absent.re.MatchString(line)
			return !found
		})
		if found || cut {
			return nil, false, nil
		}
	}
	switch {
	case a.line != nil:
		rows = a.lines(name, text)
	case a.pattern != nil:
		rows = a.matches(name, text)
	case a.fsm != nil:
		if rows, err = a.records(name, text); err != nil {
			return nil, false, err
		}
	default:
		return nil, true, nil
	}
	return rows, len(rows) > 0, nil
}

// wasCut reports whether an agent left the rest of an output out and said so in its last line.
func wasCut(text string) bool {
	tail := strings.TrimRight(text[max(0, len(text)-64):], "\r\n ")
	return strings.HasSuffix(tail, "bytes removed]") && strings.Contains(tail, "[truncated: ")
}

func (a *attachment) lines(name, text string) (rows []row) {
	number, counted := 1, 0 // the number of the line at offset counted
	eachLine(text, a.line, func(start int, line string) bool {
		at := a.line.re.FindStringSubmatchIndex(line)
		if at == nil {
			return true
		}
		number += strings.Count(text[counted:start], "\n")
		counted = start
		rows = append(rows, row{values: pairs(a.line, line, at), quote: Quote{Source: name, Line: number, Text: line}})
		return len(rows) < maxRows
	})
	return rows
}

// eachLine calls f with every line that may match, until f returns false.
func eachLine(text string, p *pattern, f func(start int, line string) bool) {
	if !p.may(text) {
		return
	}
	for start := 0; start < len(text); {
		if len(p.literals) == 1 {
			i := strings.Index(text[start:], p.literals[0])
			if i < 0 {
				return
			}
			start += strings.LastIndexByte(text[start:start+i], '\n') + 1
		}
		end := len(text)
		if i := strings.IndexByte(text[start:], '\n'); i >= 0 {
			end = start + i
		}
		line := strings.TrimSuffix(text[start:end], "\r")
		if len(line) <= lineLimit && p.may(line) && !f(start, line) {
			return
		}
		start = end + 1
	}
}

func (a *attachment) matches(name, text string) (rows []row) {
	if !a.pattern.may(text) {
		return nil
	}
	for _, at := range a.pattern.re.FindAllStringSubmatchIndex(text, maxRows) {
		if at[0] == at[1] {
			continue // a match of nothing says nothing
		}
		rows = append(rows, row{
			values: pairs(a.pattern, text, at),
			quote:  Quote{Source: name, Line: 1 + strings.Count(text[:at[0]], "\n"), Text: text[at[0]:min(at[1], at[0]+lineLimit)]},
		})
	}
	return rows
}

func (a *attachment) records(name, text string) (rows []row, err error) {
	if len(text) > fsmLimit {
		text = text[:fsmLimit]
	}
	records, err := a.fsm.rows(text)
	if err != nil {
		return nil, err
	}
	for _, record := range records {
		r := row{quote: Quote{Source: name}}
		words := make([]string, 0, len(a.fsm.names))
		for _, n := range a.fsm.names {
			r.values = append(r.values, pair{n, record[n]})
			words = append(words, fmt.Sprintf("%s=%s", n, record[n]))
		}
		r.quote.Text = strings.Join(words, " ")
		rows = append(rows, r)
	}
	return rows, nil
}

func pairs(p *pattern, s string, at []int) (out []pair) {
	for i, name := range p.names {
		if name == "" {
			continue
		}
		value := ""
		if at[2*i] >= 0 {
			value = s[at[2*i]:at[2*i+1]]
		}
		out = append(out, pair{name, value})
	}
	return out
}
