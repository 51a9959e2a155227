package redact

import (
	"strings"
	"sync"
	"unicode/utf8"

	"callhome"
)

// ruleFilter finds the lines that any rule may concern, and ruleScopes the rules of each set of scopes.
var ruleFilter = sync.OnceValue(func() *filter {
	literals := map[string]set{}
	for i, r := range rules {
		for _, l := range r.literal {
			s := literals[l]
			s.add(i)
			literals[l] = s
		}
	}
	return newFilter(literals)
})

func rulesOf(want scope) set {
	var s set
	for i, r := range rules {
		if r.scope&want != 0 {
			s.add(i)
		}
	}
	return s
}

// worker cleans the texts of one message.
type worker struct {
	scopes scope
	want   set // the rules of the scopes
	key    []byte
	hosts  []string  // names of the device, for the prompt
	known  []literal // anonymous: what the message itself says of its identity
}

func newWorker(p Policy, m *callhome.Message) *worker {
	w := &worker{scopes: p.scopes(), want: rulesOf(p.scopes()), key: p.Key}
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
	if w.scopes&scopeAnonymous != 0 && s != "" && configurationCommand.get().MatchString(command) {
		return removed
	}
	return w.text(s)
}

// text cleans any text of the message.
func (w *worker) text(s string) string {
	if s == "" {
		return s
	}
	s = w.applyRules(s)
	if w.scopes&scopeHostname != 0 {
		s = removePrompts(s, w.hosts)
	}
	if w.scopes&scopeAnonymous != 0 {
		s = replaceLiterals(s, w.known)
		s = removeAddresses(s)
	}
	return s
}

// applyRules goes through the lines that the filter finds. What is not concerned is neither copied nor looked at twice.
func (w *worker) applyRules(text string) string {
	var out []byte
	copied := 0
	ruleFilter().find(text, w.want, func(from, to int, found set) {
		if from < copied {
			return // within a block that is gone
		}
		was := text[from:to]
		line := w.applyLine(was, text[:from], found)
		if out == nil && line != was {
			out = make([]byte, 0, len(text)+len(text)/16+64) // most lines stay, and "<removed>" is about as long as a secret
		}
		if line != was {
			out = append(append(out, text[copied:from]...), line...)
			copied = to
		}
		bodyFrom, bodyTo := blockAfter(text, from, to, found)
		if bodyFrom < bodyTo {
			out = append(out, text[copied:bodyFrom]...)
			out = append(append(append(out, indentOf(text[bodyFrom:bodyTo])...), removed...), lineEndOf(text[bodyFrom:bodyTo])...)
			copied = bodyTo
		}
	})
	if copied == 0 {
		return text
	}
	return string(append(out, text[copied:]...))
}

// applyLine applies the rules found to one line.
func (w *worker) applyLine(line, before string, found set) string {
	for i := range rules {
		if found.has(i) && rules[i].form != nil {
			line = w.applyRule(&rules[i], line, before)
		}
	}
	return line
}

func (w *worker) applyRule(r *rule, line, before string) string {
	matches := r.form.get().FindAllStringSubmatchIndex(line, -1)
	if matches == nil {
		return line
	}
	var out []byte
	copied := 0
	for _, at := range matches {
		for g := 2; g < len(at); g += 2 {
			from, to := at[g], at[g+1]
			if from < copied || from < 0 || line[from:to] == removed || r.keep != nil && r.keep(before, line[from:to]) {
				continue
			}
			out = append(append(out, line[copied:from]...), w.replacement(r, line[from:to])...)
			copied = to
		}
	}
	if copied == 0 {
		return line
	}
	return string(append(out, line[copied:]...))
}

// replacement keeps a value's quotes: what reads configurations shall still find a string there.
func (w *worker) replacement(r *rule, v string) string {
	if r.serial {
		return Pseudonym(w.key, v)
	}
	if n := len(v); n >= 2 && (v[0] == '"' || v[0] == '\'') && v[n-1] == v[0] {
		return v[:1] + removed + v[:1]
	}
	return removed
}

// blockAfter gives the bounds of the lines behind a line that go as a whole, from >= end when there are none.
func blockAfter(text string, from, to int, found set) (bodyFrom, bodyTo int) {
	for i := range rules {
		if !found.has(i) || rules[i].block == nil {
			continue
		}
		if f, t := rules[i].block(text[from:], to-from); f < t {
			return from + f, from + t
		}
	}
	return 0, 0
}

func indentOf(s string) string { return s[:len(s)-len(strings.TrimLeft(s, " \t"))] }

func lineEndOf(s string) string {
	switch {
	case strings.HasSuffix(s, "\r\n"):
		return "\r\n"
	case strings.HasSuffix(s, "\n"):
		return "\n"
	}
	return ""
}

var (
	privateKeyHead  = exact(`-{4,5}\s?BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?\s?-{4,5}`)
	privateKeyTail  = exact(`-{4,5}\s?END `)
	certificateHead = exact(`^\s*certificate\s+(?:[a-z][\w-]*\s+)*[0-9A-Fa-f]+\s*$`)
	certificateLine = exact(`^[\s0-9A-Fa-f]*$`)
	keyHead         = exact(`^\s*key-string\s*$`)
	keyLine         = exact(`^\s*[A-Za-z0-9+/=][A-Za-z0-9+/= ]*\s*$`)
	blockTail       = exact(`^\s*(?:quit|exit)\s*$`)
)

// privateKeyBody takes what stands between the two lines of a PEM private key; all the rest when the second is missing.
func privateKeyBody(text string, to int) (from, end int) {
	if !privateKeyHead.get().MatchString(text[:to]) || privateKeyTail.get().MatchString(text[:to]) {
		return 0, 0
	}
	return body(text, to, privateKeyTail, nil)
}

// certificateBody takes the lines of hexadecimal digits between "certificate …" and "quit".
func certificateBody(text string, to int) (from, end int) {
	if !certificateHead.get().MatchString(text[:to]) {
		return 0, 0
	}
	return body(text, to, blockTail, certificateLine)
}

// keyBody takes the lines of a key between "key-string" and "quit" or "exit".
func keyBody(text string, to int) (from, end int) {
	if !keyHead.get().MatchString(text[:to]) {
		return 0, 0
	}
	return body(text, to, blockTail, keyLine)
}

// body gives the bounds of the lines after text[:to] up to the one that tail matches, or that line, if given, does not.
func body(text string, to int, tail, line *pattern) (from, end int) {
	if to >= len(text) {
		return 0, 0
	}
	from = to + 1
	for end = from; end < len(text); {
		next := len(text)
		if i := strings.IndexByte(text[end:], '\n'); i >= 0 {
			next = end + i + 1
		}
		l := strings.TrimRight(text[end:next], "\r\n")
		if tail.get().MatchString(l) || line != nil && !line.get().MatchString(l) && l != indentOf(l)+removed {
			break
		}
		end = next
	}
	return from, end
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
