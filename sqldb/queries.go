package sqldb

import (
	"fmt"
	"strings"
)

// queryMark begins the line that names a query.
const queryMark = "-- name:"

// Queries splits the text of a .sql file into its named queries. A query begins with a line "-- name: word" and ends at
// the next one; other comments are left out.
func Queries(text string) (map[string]string, error) {
	out := map[string]string{}
	name := ""
	var body strings.Builder
	for number, line := range strings.Split(text, "\n") {
		trimmed := strings.TrimSpace(line)
		switch rest, marked := strings.CutPrefix(trimmed, queryMark); {
		case marked:
			if err := addQuery(out, name, &body); err != nil {
				return nil, err
			}
			name = strings.TrimSpace(rest)
			if _, twice := out[name]; twice || name == "" {
				return nil, fmt.Errorf("line %d: query name %q is empty or used twice", number+1, name)
			}
		case strings.HasPrefix(trimmed, "--") || trimmed == "":
		case name == "":
			return nil, fmt.Errorf("line %d: this query has no name; put %q above it", number+1, queryMark+" word")
		default:
			body.WriteString(line + "\n")
		}
	}
	return out, addQuery(out, name, &body)
}

func addQuery(out map[string]string, name string, body *strings.Builder) error {
	text := strings.TrimSuffix(strings.TrimSpace(body.String()), ";")
	body.Reset()
	switch {
	case name == "":
		return nil
	case text == "":
		return fmt.Errorf("query %q is empty", name)
	}
	out[name] = text
	return nil
}
