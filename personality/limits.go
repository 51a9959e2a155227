package personality

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"callhome"
)

// Span is a range of whole numbers, both ends included, with the value that holds when none is configured.
type Span struct{ Min, Max, Default int }

// Contains reports whether n lies in the span.
func (s Span) Contains(n int) bool { return n >= s.Min && n <= s.Max }

// Charset is a rule for the characters of a field.
type Charset string

// The character rules.
const (
	CharsAny         Charset = ""             // anything but control characters
	CharsPrintable   Charset = "printable"    // printable ASCII without the double quote, not only blanks
	CharsPhone       Charset = "phone"        // "+" first, then digits, blanks and dashes
	CharsPhoneFree   Charset = "phone-free"   // digits, blanks and punctuation of telephone numbers
	CharsEmail       Charset = "email"        // user@host, no blanks
	CharsContactName Charset = "contact-name" // letters, digits, ".", "_", "-" and blanks
	CharsName        Charset = "name"         // printable ASCII without blanks and quotes
)

// Field is the limit of a text: its length in characters and its character rule. Max 0 means no limit.
type Field struct {
	Min, Max int
	Chars    Charset
}

// Limits are a platform's ranges. A zero Field or Span means the platform publishes none and ours apply.
type Limits struct {
	ProfileName Field
	Profiles    int // destination profiles, predefined ones included; 0: no limit
	Recipients  int // mail addresses of a profile; 0: no limit
	URLs        int // HTTP destinations of a profile; 0: no limit

	MessageSize     Span // bytes
	SizeZero        bool // message size 0 means no limit
	RateLimit       Span // messages a minute
	MailServers     int
	MailServer      Field
	MailPriority    Span
	ThresholdMin    callhome.Level // lowest level a syslog subscription may name
	Pattern         Field
	UserCommands    int // commands an operator may add to one group; 0: no limit
	Command         Field
	CommandList     Field // call-home send "…;…", all together
	TestText        Field
	URL             Field
	Email           Field // recipients
	ContactName     Field
	ContactEmail    Field
	Phone           Field
	StreetAddress   Field
	CustomerID      Field
	ContractID      Field
	SiteID          Field
	Sender          Field
	ServiceRequest  Field
	CCOID           Field
	SwitchPriority  Span // zero where the platform has none
	InventoryDays   Span // period of NX-OS's own periodic inventory
	ReservedProfile []string
}

// Throttle tells how a platform holds back repeats.
type Throttle struct {
	// PerType messages of one event type pass in a Window that starts with the first of them; zero: no such rule.
	PerType int
	Window  time.Duration
	// Repeat is how long a repeat of the same alert about the same object is held back; zero: not at all.
	Repeat time.Duration
}

// CheckRate says whether n messages a minute may be configured; 0, which turns the limit off, always may.
func (l *Limits) CheckRate(n int) error {
	if n == 0 || l.RateLimit.Contains(n) {
		return nil
	}
	return fmt.Errorf("%d messages a minute is outside %d..%d (0 turns the limit off)", n, l.RateLimit.Min, l.RateLimit.Max)
}

// CheckSize says whether n bytes may be configured as a message size limit.
func (l *Limits) CheckSize(n int) error {
	if l.MessageSize.Contains(n) {
		return nil
	}
	return fmt.Errorf("%d bytes is outside %d..%d", n, l.MessageSize.Min, l.MessageSize.Max)
}

// Unlimited reports whether a configured message size limit of n bytes means that there is none.
func (l *Limits) Unlimited(n int) bool { return n == 0 && l.SizeZero }

// CheckProfileName says whether name may be the name of a profile.
func (l *Limits) CheckProfileName(name string) error {
	if name == "" {
		return errors.New("a profile needs a name")
	}
	for _, r := range l.ReservedProfile {
		if strings.EqualFold(r, name) {
			return fmt.Errorf("the name %q is reserved; choose another", name)
		}
	}
	return l.ProfileName.Check(name)
}

// Check says what is wrong with value, by length or characters. What is not set, "", is right: whether it must be set
// is another question.
func (f Field) Check(value string) error {
	n := utf8.RuneCountInString(value)
	switch {
	case value == "":
		return nil
	case f.Max > 0 && n > f.Max:
		return fmt.Errorf("%d characters are too many; at most %d are allowed", n, f.Max)
	case n < f.Min:
		return fmt.Errorf("%d characters are too few; at least %d are needed", n, f.Min)
	}
	return f.Chars.check(value)
}

func (c Charset) check(value string) error {
	for i, r := range value {
		if !c.allows(r, i == 0) {
			return fmt.Errorf("character %q at position %d is not allowed; %s", r, i+1, c.rule())
		}
	}
	switch c {
	case CharsPrintable:
		if strings.TrimSpace(value) == "" {
			return fmt.Errorf("only blanks; %s", c.rule())
		}
	case CharsEmail:
		user, host, ok := strings.Cut(value, "@")
		if !ok || user == "" || host == "" || strings.Contains(host, "@") {
			return fmt.Errorf("%q is not of the form user@host", value)
		}
	}
	return nil
}

func (c Charset) allows(r rune, first bool) bool {
	digit := r >= '0' && r <= '9'
	switch c {
	case CharsPrintable:
		return r >= ' ' && r <= '~' && r != '"'
	case CharsName:
		return r > ' ' && r <= '~' && r != '"'
	case CharsPhone:
		if first {
			return r == '+'
		}
		return digit || r == ' ' || r == '-'
	case CharsPhoneFree:
		return digit || strings.ContainsRune("+-() ./x", r)
	case CharsContactName:
		return digit || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || strings.ContainsRune("._- ", r)
	case CharsEmail:
		return r > ' ' && r != 0x7f && !strings.ContainsRune(`"<>,;`, r)
	}
	return r >= ' ' && r != 0x7f
}

func (c Charset) rule() string {
	switch c {
	case CharsPrintable:
		return "use printable ASCII without the double quote"
	case CharsName:
		return "use printable ASCII without blanks and quotes"
	case CharsPhone:
		return "begin with + and go on with digits, blanks and dashes"
	case CharsPhoneFree:
		return "use digits, blanks and + - ( ) . / x"
	case CharsContactName:
		return "use letters, digits, blanks and . _ -"
	case CharsEmail:
		return "write user@host"
	}
	return "leave out control characters"
}
