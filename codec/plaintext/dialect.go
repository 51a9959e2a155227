package plaintext

import (
	"strings"

	"callhome"
)

// Dialect is one way to write a message as text.
type Dialect struct {
	Name   string          // what [callhome.Message.Dialect] says after decoding
	Format callhome.Format // short-text or long-text
	Limit  int             // characters of a whole short message, final newline included; 0: no limit

	long *layout // nil for short text
}

// The lengths of short text.
const (
	pagerLimit = 160 // characters: one SMS, and what product and MIB call a pager message
	lineLimit  = 160 // characters of one line of the five-label form
)

// The dialects.
var (
	A      = Dialect{Name: "A", Format: callhome.FormatFull, long: &layoutA}
	B      = Dialect{Name: "B", Format: callhome.FormatFull, long: &layoutB}
	C      = Dialect{Name: "C", Format: callhome.FormatFull, long: &layoutC}
	Pager  = Dialect{Name: "pager", Format: callhome.FormatShort, Limit: pagerLimit}
	Labels = Dialect{Name: "labels", Format: callhome.FormatShort}
)

// Lookup finds a dialect by its name in any case.
func Lookup(name string) (Dialect, error) {
	for _, d := range []Dialect{A, B, C, Pager, Labels} {
		if strings.EqualFold(d.Name, name) {
			return d, nil
		}
	}
	return Dialect{}, callhome.Errorf(callhome.KindInvalid, "text dialect %q is unknown; use A, B or C for long text, pager or labels for short text", name)
}

// WithLimit is d with another limit of characters; it counts for short text only.
func (d Dialect) WithLimit(characters int) Dialect {
	d.Limit = characters
	return d
}

// Append appends m in dialect d. Control characters of device output are made visible, tabs and newlines stay; fields
// the dialect has no label for are left out.
func Append(dst []byte, m *callhome.Message, d Dialect) []byte {
	switch {
	case d.long != nil:
		return appendLong(dst, m, d.long)
	case d.Name == Labels.Name:
		return appendLabels(dst, m, d.Limit)
	}
	return appendPager(dst, m, d.Limit)
}
