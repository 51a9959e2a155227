package ciscolog

import (
	"math/bits"
	"strings"
)

// Flags is the set of remarks of the tolerant parser and of the Assembler about one message. A flag never means that
// anything was thrown away: Record.Raw has every octet.
type Flags uint32

// The flags. The comment gives what was met.
const (
	FlagPRIForm             Flags = 1 << iota // PRI with leading zeros, too big, too long or empty
	FlagPRISeverityMismatch                   // PRI's severity is not the header's; the header's counts
	FlagSeqForm                               // sequence number with leading zeros
	FlagSeqRange                              // sequence number above 4294967295
	FlagDelim                                 // a field is not closed by exactly one colon and one space
	FlagHostLength                            // host longer than 255 octets
	FlagHostChar                              // control character in the host
	FlagTimeForm                              // time stamp readable, but not in the strict layout
	FlagTimeInvalid                           // no such date or time, or none given: Time is the time of receipt
	FlagYearInferred                          // no year: the one nearest to the time of receipt was taken
	FlagLeapSecond                            // second 60, read as 59.999
	FlagTZMissing                             // no time zone
	FlagTZForm                                // time zone too long, or an offset in another form
	FlagTZUnknown                             // name of a time zone that no table has
	FlagClockSkew                             // more than 24 hours between the stamp and the time of receipt
	FlagHeaderForm                            // APPNAME or MSGNAME breaks the grammar, or one is missing
	FlagSeverity                              // severity is a letter, or no severity at all
	FlagTags                                  // tags were read by the tolerant scan, or could not be read
	FlagPart                                  // tag part is not F.n/T, or disagrees with the sequence number
	FlagMessage                               // text is empty or has control characters
	FlagUTF8                                  // octets that are not UTF-8
	FlagOversize                              // longer than 800 octets without PRI
	FlagIncomplete                            // parts are missing
	FlagDupPart                               // a part came twice with different texts
)

// flagNames are the names by bit, as they are written in JSON and shown to people.
var flagNames = [...]string{
	"pri_form", "pri_severity_mismatch", "seq_form", "seq_range", "delim", "host_length", "host_char", "time_form",
	"time_invalid", "year_inferred", "leap_second", "tz_missing", "tz_form", "tz_unknown", "clock_skew", "header_form",
	"severity", "tags", "part", "message", "utf8", "oversize", "incomplete", "dup_part",
}

// Has tells whether all flags of want are set.
func (f Flags) Has(want Flags) bool { return f&want == want }

// AppendNames adds the names of the flags to dst in a fixed order.
func (f Flags) AppendNames(dst []string) []string {
	for f != 0 {
		bit := bits.TrailingZeros32(uint32(f))
		if bit < len(flagNames) {
			dst = append(dst, flagNames[bit])
		}
		f &= f - 1
	}
	return dst
}

// String is the names joined by commas; "" without flags.
func (f Flags) String() string { return strings.Join(f.AppendNames(nil), ",") }
