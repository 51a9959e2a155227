package ciscolog

import "fmt"

// Rule names a rule of the strict format.
type Rule string

// The rules.
const (
	RulePRI          Rule = "E_PRI"
	RuleSeq          Rule = "E_SEQNUM"
	RuleSeqRange     Rule = "E_SEQNUM_RANGE"
	RuleHostEmpty    Rule = "E_HOST_EMPTY"
	RuleHostLength   Rule = "E_HOST_LENGTH"
	RuleHostChar     Rule = "E_HOST_CHAR"
	RuleTimestamp    Rule = "E_TIMESTAMP"
	RuleMonth        Rule = "E_MONTH"
	RuleDay          Rule = "E_DAY"
	RuleHour         Rule = "E_HOUR"
	RuleMinutes      Rule = "E_MINUTES"
	RuleSeconds      Rule = "E_SECONDS"
	RuleTimezone     Rule = "E_TIMEZONE"
	RuleHeader       Rule = "E_HEADER"
	RuleApp          Rule = "E_APPNAME"
	RuleSeverity     Rule = "E_SEVERITY"
	RuleName         Rule = "E_MSGNAME"
	RuleTagSyntax    Rule = "E_TAG_SYNTAX"
	RuleTagKey       Rule = "E_TAG_KEY"
	RuleTagEscape    Rule = "E_TAG_ESCAPE"
	RuleTagChar      Rule = "E_TAG_CHAR"
	RuleTagPart      Rule = "E_TAG_PART"
	RuleMessageEmpty Rule = "E_MESSAGE_EMPTY"
	RuleMessageChar  Rule = "E_MESSAGE_CHAR"
	RuleUTF8         Rule = "E_UTF8"
	RuleLength       Rule = "E_LENGTH"
)

// ruleTexts says for each rule what the strict format asks for.
var ruleTexts = map[Rule]string{
	RulePRI:          "PRI must be <0> to <191> without leading zeros",
	RuleSeq:          "SEQNUM must be a decimal number without leading zeros, closed by a colon and a space",
	RuleSeqRange:     "SEQNUM must be at most 4294967295; the next number is 0",
	RuleHostEmpty:    "HOST must not be empty; write 0.0.0.0 when it is not known",
	RuleHostLength:   "HOST must be at most 255 octets",
	RuleHostChar:     "HOST must not have control characters",
	RuleTimestamp:    "TIMESTAMP must read like \"Jun  3 2026 21:07:15.454 +0000\", closed by a colon, a space and a percent sign",
	RuleMonth:        "MONTH must be Jan, Feb, Mar, Apr, May, Jun, Jul, Aug, Sep, Oct, Nov or Dec",
	RuleDay:          "DAY must be a day of that month, two octets, padded with a space",
	RuleHour:         "HOUR must be 00 to 23",
	RuleMinutes:      "MINUTES must be 00 to 59",
	RuleSeconds:      "SECONDS must be 00 to 59",
	RuleTimezone:     "TIMEZONE must be an offset such as +0000 or a name of at most 7 printable octets that begins and ends with no space or sign",
	RuleHeader:       "HEADER must be APPNAME-SEVERITY-MSGNAME, closed by a colon and a space",
	RuleApp:          "APPNAME must be 2 to 24 octets out of A-Z, 0-9 and underscore",
	RuleSeverity:     "SEVERITY must be one digit from 0 to 7",
	RuleName:         "MSGNAME must be 2 to 30 octets out of A-Z, 0-9 and underscore",
	RuleTagSyntax:    "TAGS must be pairs [key=value] with nothing between them, closed by a colon and a space",
	RuleTagKey:       "a tag's key must be words of letters, digits and underscores, joined by dots",
	RuleTagEscape:    "in a tag's value a bracket or backslash must be written with a backslash in front, and nothing else may",
	RuleTagChar:      "a tag's value must not have control characters",
	RuleTagPart:      "the tag part must be FIRST.N/TOTAL, N from 1 to TOTAL, and FIRST+N-1 must be the SEQNUM",
	RuleMessageEmpty: "MESSAGE must not be empty",
	RuleMessageChar:  "MESSAGE must not have control characters",
	RuleUTF8:         "octets above 127 must be UTF-8",
	RuleLength:       "a message must be at most 800 octets without PRI; split it into parts",
}

// Violation is the first rule that a line breaks.
type Violation struct {
	Rule    Rule   `json:"rule"`
	Column  int    `json:"column"` // octet of the line, PRI included, from 1
	Message string `json:"message"`
}

// Error is "column N: RULE: message".
func (v *Violation) Error() string {
	return fmt.Sprintf("column %d: %s: %s", v.Column, v.Rule, v.Message)
}

// Rules lists all rules in the order in which a line is read.
func Rules() []Rule {
	return []Rule{
		RulePRI, RuleSeq, RuleSeqRange, RuleHostEmpty, RuleHostLength, RuleHostChar, RuleTimestamp, RuleMonth, RuleDay,
		RuleHour, RuleMinutes, RuleSeconds, RuleTimezone, RuleHeader, RuleApp, RuleSeverity, RuleName, RuleTagSyntax,
		RuleTagKey, RuleTagEscape, RuleTagChar, RuleTagPart, RuleMessageEmpty, RuleMessageChar, RuleUTF8, RuleLength,
	}
}
