package sqlstore

import (
	"strconv"
	"strings"

	"callhome/server/account"
)

// listing puts the text of a filtered list together. Conditions are constants of this package, with ? for each value;
// values never become text.
type listing struct {
	sql   strings.Builder
	where bool
	args  []any
}

// newListing begins with "SELECT … FROM …".
func newListing(from string) *listing {
	l := &listing{}
	l.sql.WriteString(from)
	return l
}

// and adds a condition.
func (l *listing) and(condition string, args ...any) {
	if l.where {
		l.sql.WriteString(" AND ")
	} else {
		l.sql.WriteString(" WHERE ")
		l.where = true
	}
	l.add(condition, args...)
}

// add appends text, numbering its values.
func (l *listing) add(text string, args ...any) {
	for _, arg := range args {
		before, after, _ := strings.Cut(text, "?")
		l.args = append(l.args, arg)
		l.sql.WriteString(before + "$" + strconv.Itoa(len(l.args)))
		text = after
	}
	l.sql.WriteString(text)
}

// andText adds "column = value" when the value is not empty.
func (l *listing) andText(column, value string) {
	if value != "" {
		l.and(column+" = ?", value)
	}
}

// andID adds "column = value" when the value is not 0.
func (l *listing) andID(column string, value int64) {
	if value != 0 {
		l.and(column+" = ?", value)
	}
}

// reach keeps to the companies that a person may see.
func (l *listing) reach(column string, r account.Reach) {
	switch {
	case r.All:
	case len(r.Companies) == 0:
		l.and("1 = 0")
	default:
		args := make([]any, len(r.Companies))
		for i, c := range r.Companies {
			args[i] = int64(c)
		}
		l.and(column+" IN (?"+strings.Repeat(", ?", len(args)-1)+")", args...)
	}
}

// page orders newest first and takes one page by key.
func (l *listing) page(key string, p account.Page) {
	if p.After != 0 {
		l.and(key+" < ?", p.After)
	}
	l.add(" ORDER BY " + key + " DESC")
	l.add(" LIMIT ?", p.Limited())
}

func (l *listing) text() string { return l.sql.String() }
