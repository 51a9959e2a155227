package api

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"callhome/server/account"

	"github.com/danielgtaylor/huma/v2"
)

// Paging is embedded by the inputs of lists.
type Paging struct {
	Limit  int    `query:"limit" minimum:"1" doc:"How many at most: 50 where none is given, 1000 at most in one page; of an export how many in all"`
	Cursor string `query:"cursor" maxLength:"32" doc:"next of the page before"`
	Fields string `query:"fields" maxLength:"1000" doc:"Only these fields, separated by commas, in this order; those of a field that is an object by a dot"`
}

func (p *Paging) paging() *Paging { return p }

// listInput is an input with a page.
type listInput[I any] interface {
	*I
	paging() *Paging
}

// List is one page.
type List[T any] struct {
	Items []row[T] `json:"items" doc:"The newest first"`
	Next  *string  `json:"next" nullable:"true" doc:"cursor of the next page; null after the last"`
}

type listOutput[T any] struct{ Body List[T] }

// listing is a list that is paged by key, and can be streamed whole.
type listing[I, T any] struct {
	Route
	key  func(*T) int64 // what the cursor says of the last record
	page func(ctx context.Context, q *query, in *I, p account.Page) ([]T, error)
	// whole says that page gives everything at once: a list that is short by nature.
	whole bool
}

// addList adds a list: as JSON by pages, as .csv and .ndjson whole.
func addList[I, T any, P listInput[I]](a *API, l listing[I, T]) {
	cols := columnsOf[T]()
	look(a, l.Route, func(ctx context.Context, q *query, in *I) (*listOutput[T], error) {
		p := P(in).paging()
		if p.Limit > account.MaxLimit {
			return nil, invalid("query.limit", "is at most "+strconv.Itoa(account.MaxLimit)+"; a list as a whole is at "+Prefix+l.Path+".ndjson")
		}
		picked, err := pick(cols, p.Fields)
		if err != nil {
			return nil, err
		}
		after, err := readCursor(p.Cursor)
		if err != nil {
			return nil, err
		}
		items, next, err := l.take(ctx, q, in, account.Page{After: after, Limit: p.Limit})
		if err != nil {
			return nil, err
		}
		out := &listOutput[T]{Body: List[T]{Items: make([]row[T], len(items)), Next: next}}
		for i := range items {
			out.Body.Items[i] = row[T]{value: &items[i], picked: picked}
		}
		return out, nil
	})
	for _, form := range []exportForm{formCSV, formNDJSON} {
		addExport[I, T, P](a, l, form, cols)
	}
}

// take reads a page and finds out whether there is another.
func (l *listing[I, T]) take(ctx context.Context, q *query, in *I, p account.Page) ([]T, *string, error) {
	p.Limit = p.Limited()
	ask := p
	if ask.Limit < account.MaxLimit {
		ask.Limit++
	}
	items, err := l.page(ctx, q, in, ask)
	if err != nil || l.whole || len(items) < p.Limit {
		return items, nil, err
	}
	if ask.Limit == p.Limit {
		more, err := l.page(ctx, q, in, account.Page{After: l.key(&items[p.Limit-1]), Limit: 1})
		if err != nil || len(more) == 0 {
			return items, nil, err
		}
	} else if len(items) == p.Limit {
		return items, nil, nil
	}
	items = items[:p.Limit]
	next := makeCursor(l.key(&items[p.Limit-1]))
	return items, &next, nil
}

// cursorMark begins cursors, so that what is none is told apart; should their form change, so does it.
const cursorMark = "k"

func makeCursor(key int64) string { return cursorMark + strconv.FormatInt(key, 36) }

func readCursor(s string) (int64, error) {
	if s == "" {
		return 0, nil
	}
	text, ok := strings.CutPrefix(s, cursorMark)
	n, err := strconv.ParseInt(text, 36, 64)
	if !ok || err != nil || n <= 0 || strings.ToLower(text) != text || strings.HasPrefix(text, "+") {
		return 0, invalid("query.cursor", "is not one that a list gave as next")
	}
	return n, nil
}

// row is a record of a list, of which fields may be picked.
type row[T any] struct {
	value  *T
	picked []column
}

// MarshalJSON writes the record, or the picked fields.
func (r row[T]) MarshalJSON() ([]byte, error) { return appendRow(nil, r.value, r.picked) }

// Schema is the record's.
func (row[T]) Schema(reg huma.Registry) *huma.Schema { return schemaOf[T](reg) }

func listRoute(path string, action account.Action, summary string) Route {
	return Route{Method: http.MethodGet, Path: path, Action: action, Summary: summary}
}
