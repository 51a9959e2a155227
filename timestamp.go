package callhome

import (
	"fmt"
	"time"
)

// localLayout is RFC 3339 without an offset, for sources that name no zone.
const localLayout = "2006-01-02T15:04:05.999999999"

// Timestamp is a time that a device wrote. NoZone is set when it named no zone; the clock reading is then kept as if it
// were UTC and is printed without an offset.
type Timestamp struct {
	time.Time
	NoZone bool
}

// At is a Timestamp with a zone.
func At(t time.Time) Timestamp { return Timestamp{Time: t} }

// MarshalText writes RFC 3339, without an offset when there was none, and nothing for the zero value.
func (t Timestamp) MarshalText() ([]byte, error) {
	switch {
	case t.IsZero():
		return nil, nil
	case t.NoZone:
		return t.UTC().AppendFormat(nil, localLayout), nil
	}
	return t.AppendFormat(nil, time.RFC3339Nano), nil
}

// MarshalJSON writes the text form as a JSON string.
func (t Timestamp) MarshalJSON() ([]byte, error) {
	text, err := t.MarshalText()
	return append(append([]byte{'"'}, text...), '"'), err
}

// UnmarshalJSON reads what MarshalJSON writes.
func (t *Timestamp) UnmarshalJSON(b []byte) error {
	if string(b) == "null" || len(b) < 2 {
		return nil
	}
	return t.UnmarshalText(b[1 : len(b)-1])
}

// UnmarshalText reads RFC 3339 with or without an offset.
func (t *Timestamp) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*t = Timestamp{}
		return nil
	}
	if v, err := time.Parse(time.RFC3339Nano, string(b)); err == nil {
		*t = Timestamp{Time: v}
		return nil
	}
	v, err := time.Parse(localLayout, string(b))
	if err != nil {
		return fmt.Errorf("time %q is not RFC 3339 (2026-03-14T09:26:53Z, the offset may be missing)", b)
	}
	*t = Timestamp{Time: v, NoZone: true}
	return nil
}

// IsZero reports whether no time was given; encoding/json's omitzero asks it.
func (t Timestamp) IsZero() bool { return t.Time.IsZero() }
