package account

import (
	"strings"
	"time"
	"unicode"

	"callhome"
)

// Company is a customer of whoever runs the back end: records of one are not seen by another.
type Company struct {
	ID        CompanyID `json:"id"`
	Name      string    `json:"name"` // unique whatever its case
	CreatedAt time.Time `json:"created_at"`
	Disabled  bool      `json:"disabled,omitempty"` // its people cannot sign in; its devices' messages are stored as ever
}

// maxName bounds names of companies, people and tokens.
const maxName = 128

// plainName reports whether s can name something: trimmed, not empty, not endless, printable.
func plainName(s string) bool {
	return s != "" && len(s) <= maxName && strings.TrimSpace(s) == s &&
		strings.IndexFunc(s, func(r rune) bool { return !unicode.IsPrint(r) || r == unicode.ReplacementChar }) < 0
}

func checkName(what, s string) error {
	if plainName(s) {
		return nil
	}
	return callhome.Errorf(callhome.KindInvalid, "%s needs a name of 1 to %d printable characters without blanks around it", what, maxName)
}
