package redact

import (
	"slices"
	"strings"

	"callhome"
)

// ownName finds the commands that name the device.
var ownName = exact(`^\s*(?:set\s+system\s+)?(?:hostname|switchname|host-name|sysname)\s+"?([^\s;"<>]+)`)

// hostNames are the device's names: the message's own and what its configurations say. The longest come first.
func hostNames(m *callhome.Message) []string {
	var names []string
	add := func(n string) {
		if n != "" && !slices.Contains(names, n) {
			names = append(names, n)
		}
	}
	add(m.SystemName)
	if short, _, ok := strings.Cut(m.SystemName, "."); ok && strings.Trim(short, "0123456789") != "" {
		add(short)
	}
	for _, a := range m.Attachments {
		for _, word := range []string{"hostname", "switchname", "host-name", "sysname"} {
			eachLineWith(a.Text, word, func(line string) {
				if at := ownName.Get().FindStringSubmatch(line); at != nil {
					add(at[1])
				}
			})
		}
	}
	slices.SortStableFunc(names, func(a, b string) int { return len(b) - len(a) })
	return names
}

// eachLineWith calls f for every line of s that holds word.
func eachLineWith(s, word string, f func(line string)) {
	for at := 0; ; {
		i := strings.Index(s[at:], word)
		if i < 0 {
			return
		}
		from := strings.LastIndexByte(s[:at+i], '\n') + 1
		to := len(s)
		if n := strings.IndexByte(s[at+i:], '\n'); n >= 0 {
			to = at + i + n
		}
		f(s[from:to])
		at = to
	}
}

// removePrompts takes the device's name out of command prompts: "edge-1#show version", "admin@edge-1> show version",
// "RP/0/RSP0/CPU0:edge-1(config)#".
func removePrompts(s string, hosts []string) string {
	for _, h := range hosts {
		s = removePrompt(s, h)
	}
	return s
}

func removePrompt(s, host string) string {
	var out []byte
	copied := 0
	for at := 0; ; {
		i := strings.Index(s[at:], host)
		if i < 0 {
			break
		}
		from, to := at+i, at+i+len(host)
		at = to
		if !promptBefore(s[:from]) || !promptAfter(s[to:]) {
			continue
		}
		out = append(append(out, s[copied:from]...), removed...)
		copied = to
	}
	if copied == 0 {
		return s
	}
	return string(append(out, s[copied:]...))
}

// promptBefore reports whether a prompt's name may begin here: on a fresh line, behind a user's name or a node's.
func promptBefore(s string) bool {
	const longest = 64 // bytes of a user's or node's name
	line := s[strings.LastIndexByte(s[max(0, len(s)-longest):], '\n')+max(0, len(s)-longest)+1:]
	line = strings.TrimLeft(line, " \t\r[{")
	return line == "" || !strings.ContainsAny(line, " \t") && (strings.HasSuffix(line, "@") || strings.HasSuffix(line, ":") || strings.HasSuffix(line, "/"))
}

// promptAfter reports whether a prompt ends here: "#", ">", "$", "%", with a mode or a path in between.
func promptAfter(s string) bool {
	const longest = 64 // bytes of a mode such as (config-router-af)
	s = s[:min(len(s), longest)]
	if i := strings.IndexAny(s, "#>$%\n"); i >= 0 && s[i] != '\n' {
		mode := s[:i]
		return !strings.ContainsAny(mode, " \t") && (mode == "" || strings.IndexByte("(:/-.~]", mode[0]) >= 0)
	}
	return false
}
