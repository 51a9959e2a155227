package confighistory

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"callhome/secrets"
)

// Form is what a configuration comes to.
type Form struct {
	// Hash is the same for texts that differ in nothing that anyone configured.
	Hash string
	// Salted is the hash of the salted one-way hashes in the text. They change whenever a password is set, to the same one
	// too, so they make no difference; that they changed is noted all the same.
	Salted string
	Lines  int // lines of the normal form
}

// Normalise gives the form of a configuration. It works line by line with one filter over all rules, so that most lines
// cost a look only.
func Normalise(text string) Form {
	settled := settle(text)
	salted := sha256.New()
	canonical := canonicalTable.Apply(settled, canonicalSet, func(r *secrets.Rule, v string) string {
		word, isSalted := canonicalSecret(r.Name, v)
		if isSalted {
			salted.Write([]byte(v + "\n"))
		}
		return word
	})
	sum := sha256.Sum256([]byte(canonical))
	return Form{Hash: hex.EncodeToString(sum[:16]), Salted: hex.EncodeToString(salted.Sum(nil)[:16]), Lines: strings.Count(canonical, "\n")}
}

// settle takes out what changes by itself, but not secrets: the text that people see in differences.
func settle(text string) string {
	return tidy(volatileTable.Apply(text, volatileSet, func(r *secrets.Rule, v string) string {
		if r.Scope == scopeCount {
			return "0"
		}
		return volatileMark
	}))
}

// volatileMark stands in a line that goes as a whole; it occurs in no configuration.
const volatileMark = "\x00"

// tidy drops marked and empty lines, the command's echo and the prompt, and blanks at the ends of lines.
func tidy(text string) string {
	var b strings.Builder
	b.Grow(len(text))
	for first := true; text != ""; {
		line, rest, _ := strings.Cut(text, "\n")
		text = rest
		line = strings.TrimRight(line, " \t\r")
		switch {
		case line == "" || line == "!" || strings.Contains(line, volatileMark):
			continue
		case first && echo(line), rest == "" && isPrompt(line):
			continue
		}
		first = false
		b.WriteString(line)
		b.WriteByte('\n')
	}
	return b.String()
}

// echo finds the command that some outputs begin with, with a prompt before it or without.
func echo(line string) bool {
	if i := strings.LastIndexAny(line, "#>"); i >= 0 && i < maxCommand {
		line = line[i+1:]
	}
	if len(line) > maxCommand {
		return false
	}
	_, ok := kindOf(line)
	return ok
}

// isPrompt finds a prompt behind the output.
func isPrompt(line string) bool {
	return len(line) < maxCommand && !strings.ContainsAny(line, " \t") && len(line) > 1 && (line[len(line)-1] == '#' || line[len(line)-1] == '>')
}

// canonicalSecret is a secret by what it means: the same for two encodings of one secret. salted is set for one-way
// hashes, of which that cannot be told.
func canonicalSecret(rule, v string) (word string, salted bool) {
	v = strings.Trim(v, `"'`)
	switch {
	case rule == ruleRandom:
		return "<encrypted>", false
	case rule == ruleSalted:
		return "<hash>", true
	}
	if plain, ok := decodeType7(v); ok {
		return digest(plain), false
	}
	if plain, ok := decodeJunos(v); ok {
		return digest(plain), false
	}
	return digest(v), false
}

// digest keeps secrets out of what is compared and, by mishap, logged.
func digest(secret string) string {
	sum := sha256.Sum256([]byte("callhome configuration secret\x00" + secret))
	return "<secret " + hex.EncodeToString(sum[:8]) + ">"
}
