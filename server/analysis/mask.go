package analysis

import "regexp"

// secretWords finds the secret behind the words that configurations put before one, with the type number in between.
var secretWords = regexp.MustCompile(`(?i)\b((?:password|passwd|secret|community|passphrase|pre-shared-key|key-string|authentication-key|encrypted-password|md5|key(?: ascii-text| hexadecimal)?|auth(?: md5| sha)?|priv(?: aes(?: \d+)?| des)?)(?:\s+[0-9]{1,2})?\s+)("[^"]*"|\S+)`)

// maskSecrets keeps the words and hides what follows them: evidence leaves by mail.
func maskSecrets(s string) string { return secretWords.ReplaceAllString(s, "${1}<removed>") }
