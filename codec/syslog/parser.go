package syslog

import "time"

// YearRule chooses the year of a stamp that has none.
type YearRule uint8

// The rules.
const (
	YearNearest YearRule = iota // the year that brings the stamp nearest to the time of receipt
	YearPast                    // likewise, but at most a week ahead of it
)

// Parser holds what is known of the senders. The zero value knows nothing and is ready to use; a Parser may be used by
// several goroutines as long as its fields stand still.
type Parser struct {
	// Zone is where the clock of a stamp without a zone runs. nil leaves such a stamp without an offset.
	Zone *time.Location
	// Zones are offsets, in seconds east of UTC, of zone names that are unknown or ambiguous; they win over our table.
	Zones map[string]int
	// Pinned is the dialect of this sender. It settles what content leaves open; a line that clearly is of another
	// dialect stays with that, as one address may carry several.
	Pinned Dialect
	// Year chooses the year of a stamp without one.
	Year YearRule
}

// Parse reads one line, a datagram or a frame, into l. It never fails: what it cannot read stays in l.Text. received is
// the time of receipt, which year inference needs; l aliases raw.
func (p *Parser) Parse(raw []byte, received time.Time, l *Line) {
	l.clear(raw)
}
