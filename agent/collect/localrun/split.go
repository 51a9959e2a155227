package localrun

import (
	"strings"

	"callhome"
)

// Split makes an argument list of a command line. Blanks separate; single quotes keep all between them, double quotes keep
// all but a backslash before a quote or a backslash; outside quotes a backslash keeps the next character. Nothing else
// has a meaning: there are no variables, patterns, pipes or redirections.
func Split(command string) ([]string, error) {
	var args []string
	var b strings.Builder
	started := false // b holds an argument, perhaps an empty one
	var quote rune   // the quote we are in, else 0
	escaped := false
	for _, c := range command {
		switch {
		case escaped:
			if quote == '"' && c != '"' && c != '\\' {
				b.WriteByte('\\')
			}
			b.WriteRune(c)
			escaped = false
		case c == '\\' && quote != '\'':
			escaped, started = true, true
		case quote != 0 && c == quote:
			quote = 0
		case quote != 0:
			b.WriteRune(c)
		case c == '\'' || c == '"':
			quote, started = c, true
		case c == ' ' || c == '\t':
			if started {
				args = append(args, b.String())
				b.Reset()
				started = false
			}
		default:
			b.WriteRune(c)
			started = true
		}
	}
	switch {
	case quote != 0:
		return nil, callhome.Errorf(callhome.KindInvalid, "command %q: a %c is not closed", command, quote)
	case escaped:
		return nil, callhome.Errorf(callhome.KindInvalid, "command %q ends in a backslash", command)
	case strings.ContainsRune(command, 0):
		return nil, callhome.Errorf(callhome.KindInvalid, "command %q holds a NUL", command)
	}
	if started {
		args = append(args, b.String())
	}
	if len(args) == 0 {
		return nil, callhome.Errorf(callhome.KindInvalid, "the command is empty")
	}
	return args, nil
}
