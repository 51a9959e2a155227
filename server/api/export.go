package api

import (
	"context"
	"encoding/csv"
	"io"
	"net/http"
	"reflect"
	"strings"
	"time"

	"callhome/server/account"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

const (
	// exportPage is how many records of an export are in memory at once.
	exportPage = 500
	// exportStall is how long a reader may take none of a page before it is given up, with the database's cursor.
	exportStall = 30 * time.Second
)

// exportForm is how an export is written.
type exportForm struct{ name, suffix, media string }

var (
	formCSV    = exportForm{"CSV", ".csv", "text/csv; charset=utf-8; header=present"}
	formNDJSON = exportForm{"NDJSON", ".ndjson", "application/x-ndjson"}
)

// addExport adds a list as a file: every record that the filter chooses and the caller may see, read page by page by key.
func addExport[I, T any, P listInput[I]](a *API, l listing[I, T], form exportForm, all []column) {
	r := l.Route
	r.Method, r.Path, r.Summary = http.MethodGet, l.Path+form.suffix, l.Summary+", whole, as "+form.name
	add(a, r, func(ctx context.Context, c *caller, in *I) (*huma.StreamResponse, error) {
		p := P(in).paging()
		picked, err := pick(all, p.Fields)
		if err != nil {
			return nil, err
		}
		after, err := readCursor(p.Cursor)
		if err != nil {
			return nil, err
		}
		e := &export[I, T]{
			listing: l, api: a, query: &query{caller: c, Views: a.backend.Read(), api: a}, in: in, picked: picked, all: all, left: p.Limit,
			bounded: p.Limit > 0, after: after,
		}
		first, err := e.next(ctx) // what is wrong with the request shows before the answer begins
		if err != nil {
			return nil, err
		}
		return &huma.StreamResponse{Body: func(hc huma.Context) { e.stream(hc, form, first) }}, nil
	})
	describeExport(a.huma.OpenAPI(), Prefix+r.Path, form)
}

func describeExport(o *huma.OpenAPI, path string, form exportForm) {
	media, _, _ := strings.Cut(form.media, ";")
	o.Paths[path].Get.Responses["200"] = &huma.Response{
		Description: "The list as a file; it ends early where the connection breaks", Content: map[string]*huma.MediaType{media: {Schema: &huma.Schema{Type: "string"}}},
	}
}

// export is one export under way.
type export[I, T any] struct {
	listing[I, T]
	api     *API
	query   *query
	in      *I
	picked  []column
	all     []column
	left    int // records, when bounded
	bounded bool
	after   int64
	done    bool
}

// next reads a page; none after the last.
func (e *export[I, T]) next(ctx context.Context) ([]T, error) {
	if e.done {
		return nil, nil
	}
	limit := exportPage
	if e.bounded {
		limit = min(limit, e.left)
	}
	ctx, cancel := context.WithTimeout(ctx, workTime)
	defer cancel()
	items, err := e.page(ctx, e.query, e.in, account.Page{After: e.after, Limit: limit})
	if err != nil {
		return nil, err
	}
	if e.bounded && len(items) > e.left {
		items = items[:e.left]
	}
	e.left -= len(items)
	e.done = e.whole || len(items) < limit || e.bounded && e.left == 0
	if len(items) > 0 && !e.whole {
		e.after = e.key(&items[len(items)-1])
	}
	return items, nil
}

// stream writes page by page until the end, or until the reader is gone. An error in the middle breaks the connection: a
// file that ends in its proper way is whole.
func (e *export[I, T]) stream(hc huma.Context, form exportForm, items []T) {
	r, w := humago.Unwrap(hc)
	control := http.NewResponseController(w)
	hc.SetHeader("Content-Type", form.media)
	hc.SetHeader("Content-Disposition", `attachment; filename="`+firstPart(e.Path)+form.suffix+`"`)
	hc.SetStatus(http.StatusOK)
	write := e.writer(w, form)
	for {
		_ = control.SetWriteDeadline(time.Now().Add(exportStall)) // where there is no deadline to set the server's own holds
		err := write(items)
		if err == nil {
			err = control.Flush()
		}
		if err == nil && len(items) > 0 {
			items, err = e.next(r.Context())
		}
		if err != nil {
			e.api.logFault(r.Context(), r.Method, r.URL.Path, err, problemOf(err))
			panic(http.ErrAbortHandler)
		}
		if len(items) == 0 {
			return
		}
	}
}

// writer writes pages in a form.
func (e *export[I, T]) writer(w io.Writer, form exportForm) func([]T) error {
	if form == formCSV {
		return e.csvWriter(w)
	}
	var buf []byte
	return func(items []T) (err error) {
		for i := range items {
			if buf, err = appendRow(buf[:0], &items[i], e.picked); err != nil {
				return err
			}
			if _, err = w.Write(append(buf, '\n')); err != nil {
				return err
			}
		}
		return nil
	}
}

func (e *export[I, T]) csvWriter(w io.Writer) func([]T) error {
	cols := e.picked
	if cols == nil {
		cols = e.all
	}
	out := csv.NewWriter(w)
	line := make([]string, len(cols))
	for i, c := range cols {
		line[i] = c.name
	}
	_ = out.Write(line) // what is wrong comes out of Error
	return func(items []T) (err error) {
		for i := range items {
			v := reflect.ValueOf(&items[i]).Elem()
			for j, c := range cols {
				if line[j], err = cell(v, c); err != nil {
					return err
				}
			}
			_ = out.Write(line) // what is wrong comes out of Error
		}
		out.Flush()
		return out.Error()
	}
}
