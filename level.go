package callhome

import (
	"fmt"
	"strconv"
	"strings"
)

// Level is a Call Home severity level: 0 (debugging) to 9 (catastrophic), where up is worse. It is not a syslog
// severity, which runs the other way; see [LevelFromSyslog].
type Level int8

// The ten levels by their keywords.
const (
	LevelDebugging Level = iota
	LevelNormal
	LevelNotification
	LevelWarning
	LevelMinor
	LevelMajor
	LevelCritical
	LevelFatal
	LevelDisaster
	LevelCatastrophic
)

var levelKeywords = [...]string{
	"debugging", "normal", "notification", "warning", "minor",
	"major", "critical", "fatal", "disaster", "catastrophic",
}

// levelAliases are other spellings that devices and their tools print: UCS writes debug and notify, MDS writes notify.
var levelAliases = map[string]Level{"debug": LevelDebugging, "notify": LevelNotification}

// LevelFromSyslog maps a syslog severity, 0 (emergency) to 7 (debug), to its level: 7 minus severity. Levels 8 and 9
// never come from syslog. A severity outside 0..7 counts as 5 (notice), what RFC 3164 section 4.3.3 assumes.
func LevelFromSyslog(severity int) Level {
	if severity < 0 || severity > 7 {
		severity = 5
	}
	return Level(7 - severity)
}

// ParseLevel reads a keyword in any case, or a number 0..9.
func ParseLevel(s string) (Level, error) {
	word := strings.ToLower(strings.TrimSpace(s))
	for i, k := range levelKeywords {
		if k == word {
			return Level(i), nil
		}
	}
	if l, ok := levelAliases[word]; ok {
		return l, nil
	}
	if n, err := strconv.Atoi(word); err == nil && n >= 0 && n <= 9 {
		return Level(n), nil
	}
	return 0, fmt.Errorf("severity %q is not one of %s, nor a number 0 to 9", s, strings.Join(levelKeywords[:], ", "))
}

// Valid reports whether l is 0..9.
func (l Level) Valid() bool { return l >= LevelDebugging && l <= LevelCatastrophic }

// String is the level's keyword, such as "major".
func (l Level) String() string {
	if !l.Valid() {
		return "level(" + strconv.Itoa(int(l)) + ")"
	}
	return levelKeywords[l]
}

// MarshalText writes the keyword.
func (l Level) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// UnmarshalText reads what [ParseLevel] reads.
func (l *Level) UnmarshalText(b []byte) error {
	v, err := ParseLevel(string(b))
	if err != nil {
		return err
	}
	*l = v
	return nil
}
