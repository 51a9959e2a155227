package syslog

// Severity is a syslog severity, 0 (emergency, worst) to 7 (debug): RFC 5424 section 6.2.1. It runs against
// callhome.Level.
type Severity int8

// The eight severities, and the absence of one.
const (
	Emergency Severity = iota
	Alert
	Critical
	Error
	Warning
	Notice
	Informational
	Debug

	NoSeverity Severity = -1
)

var severityNames = [...]string{
	"emergency", "alert", "critical", "error", "warning", "notice", "informational", "debug",
}

// Valid reports whether s is 0..7.
func (s Severity) Valid() bool { return s >= Emergency && s <= Debug }

// String is the severity's name, or "unknown".
func (s Severity) String() string {
	if !s.Valid() {
		return "unknown"
	}
	return severityNames[s]
}

// severityWords are the level words that senders write in place of a digit. Sources: syslog(3), the Identity Services
// Engine, FortiOS, BIG-IP and ExtremeXOS log references.
var severityWords = map[string]Severity{
	"emerg": Emergency, "emergency": Emergency, "panic": Emergency, "fatal": Critical,
	"alert": Alert, "alrt": Alert,
	"crit": Critical, "critical": Critical,
	"err": Error, "error": Error, "erro": Error, "errs": Error, "major": Error,
	"warn": Warning, "warning": Warning, "minor": Warning,
	"notice": Notice, "note": Notice, "noti": Notice, "notification": Notice,
	"info": Informational, "informational": Informational, "information": Informational,
	"debug": Debug, "dbug": Debug, "debu": Debug, "debugging": Debug,
	"summ": Informational, "verb": Debug, "data": Debug,
}

// The lengths of the words bound the look-up of one that may be anything.
const (
	shortestSeverityWord = 3
	longestSeverityWord  = 13
)

// severityInitials has a bit for each first letter, a lowest.
var severityInitials = func() (letters uint32) {
	for w := range severityWords {
		letters |= 1 << (w[0] - 'a')
	}
	return letters
}()

// severityOfWord reads a level word in any case, NoSeverity when it is none.
func severityOfWord(word []byte) Severity {
	if len(word) == 0 || len(word) > longestSeverityWord {
		return NoSeverity
	}
	var low [longestSeverityWord]byte
	for i, c := range word {
		if class[c]&isAlpha == 0 {
			return NoSeverity
		}
		low[i] = c | 0x20
	}
	if len(word) < shortestSeverityWord || 1<<(low[0]-'a')&severityInitials == 0 {
		return NoSeverity // most words that come here are hosts and tags
	}
	if s, ok := severityWords[string(low[:len(word)])]; ok {
		return s
	}
	return NoSeverity
}

// severityOfLetter reads the letters that small-business switches and old CiscoLog headers write for a level.
func severityOfLetter(c byte) Severity {
	switch c {
	case 'F':
		return Emergency
	case 'A':
		return Alert
	case 'C':
		return Critical
	case 'E':
		return Error
	case 'W':
		return Warning
	case 'N':
		return Notice
	case 'I':
		return Informational
	case 'D':
		return Debug
	}
	return NoSeverity
}
