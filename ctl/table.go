package ctl

import (
	"bufio"
	"strings"
	"unicode"
	"unicode/utf8"
)

// defaultWidth is the width of a list that no terminal shows, in characters: a log or a mail has room for it.
const defaultWidth = 160

// column is a column of a list.
type column struct {
	title string
	keep  int // characters that it keeps while another column can be cut
	least int // characters that it keeps in any case
}

// wordy is what a last column of free words keeps: what the others, at what they keep, leave of a wide line.
func wordy(width int) int {
	const others, least = 120, 14
	return max(width-others, least)
}

// table is a list that fits a width: long cells are cut, the widest column first.
type table struct {
	columns []column
	rows    [][]string
}

// add appends a row.
func (t *table) add(cells ...string) {
	for i, c := range cells {
		cells[i] = oneLine(c)
	}
	t.rows = append(t.rows, cells)
}

// oneLine makes a blank of what would break a line or command a terminal: receivers choose the words of errors.
func oneLine(s string) string {
	breaks := func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }
	return strings.Join(strings.FieldsFunc(strings.ToValidUTF8(s, "\uFFFD"), breaks), " ")
}

// print writes the titles and the rows, none longer than width characters unless the least widths need more.
func (t *table) print(w *bufio.Writer, width int) {
	widths := t.widths(width)
	titles := make([]string, len(t.columns))
	for i, c := range t.columns {
		titles[i] = c.title
	}
	t.line(w, titles, widths)
	for _, r := range t.rows {
		t.line(w, r, widths)
	}
}

// widths shares width among the columns: first down to what they would keep, then to the least.
func (t *table) widths(width int) []int {
	out, room := make([]int, len(t.columns)), width-(len(t.columns)-1)
	for i, c := range t.columns {
		out[i] = utf8.RuneCountInString(c.title)
		for _, r := range t.rows {
			out[i] = max(out[i], utf8.RuneCountInString(r[i]))
		}
		room -= out[i]
	}
	for _, floor := range []func(column) int{func(c column) int { return c.keep }, func(c column) int { return c.least }} {
		for room < 0 {
			widest := -1
			for i, c := range t.columns {
				if out[i] > floor(c) && (widest < 0 || out[i] > out[widest]) {
					widest = i
				}
			}
			if widest < 0 {
				break
			}
			out[widest]--
			room++
		}
	}
	return out
}

func (t *table) line(w *bufio.Writer, cells []string, widths []int) {
	var b strings.Builder
	for i, c := range cells {
		if n := utf8.RuneCountInString(c); n > widths[i] {
			c = string([]rune(c)[:widths[i]-1]) + "…"
		} else {
			c += strings.Repeat(" ", widths[i]-n)
		}
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(c)
	}
	_, _ = w.WriteString(strings.TrimRight(b.String(), " ") + "\n") // the writer keeps its error until it is flushed
}
