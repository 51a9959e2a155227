package redact

import (
	"strings"
	"unicode/utf8"

	"callhome"
	"callhome/secrets"
)

// worker cleans the texts of one message.
type worker struct {
	scopes uint8
	want   secrets.Set // the rules of the scopes
	key    []byte
	hosts  []string  // names of the device, for the prompt
	known  []literal // anonymous: what the message itself says of its identity
}

func newWorker(p Policy, m *callhome.Message) *worker {
	w := &worker{scopes: p.scopes(), want: table.Of(p.scopes()), key: p.Key}
	if w.scopes&scopeHostname != 0 {
		w.hosts = hostNames(m)
	}
	if p.Anonymous {
		w.known = w.identity(m)
	}
	return w
}

// output cleans the output of a command. An anonymous report has no place for a whole configuration.
func (w *worker) output(command, s string) string {
	if w.scopes&scopeAnonymous != 0 && s != "" && configurationCommand.Get().MatchString(command) {
		return removed
	}
	return w.text(s)
}

// text cleans any text of the message.
func (w *worker) text(s string) string {
	if s == "" {
		return s
	}
	s = table.Apply(s, w.want, w.replacement)
	if w.scopes&scopeHostname != 0 {
		s = removePrompts(s, w.hosts)
	}
	if w.scopes&scopeAnonymous != 0 {
		s = replaceLiterals(s, w.known)
		s = removeAddresses(s)
	}
	return s
}

// replacement puts a pseudonym in the place of a serial number and the mask in that of all else.
func (w *worker) replacement(r *rule, v string) string {
	if r.Serial {
		return Pseudonym(w.key, v)
	}
	return secrets.Replacement(v)
}

// literal is a known string and what takes its place; text is in lower case.
type literal struct {
	text, with string
}

// replaceLiterals replaces known strings wherever they stand as whole words, whatever their case.
func replaceLiterals(s string, list []literal) string {
	if len(list) == 0 {
		return s
	}
	lower := lowerASCII(s)
	for _, l := range list {
		if replaced := replaceLiteral(s, lower, l); replaced != s {
			s, lower = replaced, lowerASCII(replaced)
		}
	}
	return s
}

func replaceLiteral(s, lower string, l literal) string {
	var out []byte
	copied := 0
	for at := 0; ; {
		i := strings.Index(lower[at:], l.text)
		if i < 0 {
			break
		}
		from, to := at+i, at+i+len(l.text)
		at = to
		if wordBefore(s, from) || wordAfter(s, to) {
			at = from + 1
			continue
		}
		out = append(append(out, s[copied:from]...), l.with...)
		copied = to
	}
	if copied == 0 {
		return s
	}
	return string(append(out, s[copied:]...))
}

func wordBefore(s string, i int) bool {
	r, _ := utf8.DecodeLastRuneInString(s[:i])
	return i > 0 && wordRune(r)
}

func wordAfter(s string, i int) bool {
	r, _ := utf8.DecodeRuneInString(s[i:])
	return i < len(s) && wordRune(r)
}

func wordRune(r rune) bool {
	return r == '_' || r >= '0' && r <= '9' || r|0x20 >= 'a' && r|0x20 <= 'z' || r > 0xbf && r != utf8.RuneError
}

// lowerASCII lowers letters of ASCII only, so that positions stay.
func lowerASCII(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			b[i] = c | 0x20
		}
	}
	return string(b)
}
