package callhome

import "encoding/json"

// plainMessage is Message without its JSON methods.
type plainMessage Message

type messageJSON struct {
	*plainMessage
	Severity *int8  `json:"severity,omitempty"`
	Level    *Level `json:"level,omitempty"`
}

// MarshalJSON writes the severity twice: as a number and, under level, as its keyword.
func (m Message) MarshalJSON() ([]byte, error) {
	out := messageJSON{plainMessage: (*plainMessage)(&m)}
	if m.Severity != nil {
		n := int8(*m.Severity)
		out.Severity, out.Level = &n, m.Severity
	}
	return json.Marshal(out)
}

// UnmarshalJSON reads what MarshalJSON writes; where only the keyword is given it counts.
func (m *Message) UnmarshalJSON(b []byte) error {
	in := messageJSON{plainMessage: (*plainMessage)(m)}
	if err := json.Unmarshal(b, &in); err != nil {
		return err
	}
	switch {
	case in.Severity != nil:
		l := Level(*in.Severity)
		m.Severity = &l
	case in.Level != nil:
		m.Severity = in.Level
	}
	return nil
}
