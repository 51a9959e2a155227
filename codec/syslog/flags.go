package syslog

import (
	"math/bits"
	"strings"
)

// Flags tell what was out of form or had to be inferred.
type Flags uint32

// The flags. Their names are what `decode syslog` prints.
const (
	FlagTZMissing           Flags = 1 << iota // the stamp names no zone
	FlagTZUnknown                             // the stamp names a zone that is unknown or ambiguous
	FlagYearInferred                          // the stamp has no year
	FlagTimeInvalid                           // no such date or time: it has no instant
	FlagTimeForm                              // the stamp is readable, but not in its dialect's form
	FlagLeapSecond                            // second 60 was read as 59.999999999
	FlagPRIForm                               // PRI is out of range, padded, empty or not closed
	FlagPRISeverityMismatch                   // the message's own severity differs from PRI's
	FlagOriginNumeric                         // an origin of digits only, told from a counter by its place
	FlagRelayed                               // a relay put its own header in front
	FlagSDInvalid                             // structured data did not parse and is part of the text
	FlagFieldLength                           // a header field is longer than RFC 5424 allows
	FlagHeaderForm                            // a header is readable, but not in its dialect's form
	FlagUTF8                                  // the line is not valid UTF-8
	FlagTruncated                             // longer than the limit: the rest was cut
	FlagUnterminated                          // the stream ended inside the frame
	FlagContinuation                          // lines that followed without a header were joined to this one
	FlagRepeated                              // "last message repeated n times"
	FlagSegmented                             // one segment of several
	FlagIncomplete                            // segments of it never came

	flagCount = iota
)

var flagNames = [flagCount]string{
	"tz_missing", "tz_unknown", "year_inferred", "time_invalid", "time_form", "leap_second", "pri_form",
	"pri_severity_mismatch", "origin_numeric", "relayed", "sd_invalid", "field_length", "header_form", "utf8",
	"truncated", "unterminated", "continuation", "repeated", "segmented", "incomplete",
}

// flagUTF8Bit is the place of FlagUTF8's name.
var flagUTF8Bit = bits.TrailingZeros32(uint32(FlagUTF8))

// Has reports whether all of g are set.
func (f Flags) Has(g Flags) bool { return f&g == g }

// Names lists the set flags' names in a fixed order.
func (f Flags) Names() []string {
	names := make([]string, 0, bits.OnesCount32(uint32(f)))
	for i, n := range flagNames {
		if f&(1<<i) != 0 {
			names = append(names, n)
		}
	}
	return names
}

// String is the list of the set flags' names in brackets.
func (f Flags) String() string { return "[" + strings.Join(f.Names(), " ") + "]" }
