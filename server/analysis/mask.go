package analysis

import (
	"regexp"
	"strings"
)

// secretWords finds the secret behind the words that configurations put before one, with the type number in between.
var secretWords = regexp.MustCompile(`(?i)\b((?:password|passwd|secret|community|passphrase|pre-shared-key|key-string|authentication-key|encrypted-password|md5|key(?: ascii-text| hexadecimal)?|auth(?: md5| sha)?|priv(?: aes(?: \d+)?| des)?)(?:\s+[0-9]{1,2})?\s+)("[^"]*"|\S+)`)

// secretHints are in every text that secretWords matches; looking for them first saves the expression.
var secretHints = []string{"passw", "secret", "communi", "phrase", "key", "md5", "auth", "priv"}

// maskSecrets keeps the words and hides what follows them: evidence leaves by mail.
func maskSecrets(s string) string {
	lower := strings.ToLower(s)
	for _, hint := range secretHints {
		if strings.Contains(lower, hint) {
			return secretWords.ReplaceAllString(s, "${1}<removed>")
		}
	}
	return s
}
