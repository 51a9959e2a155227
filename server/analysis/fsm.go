package analysis

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/sirikothe/gotextfsm"
)

// fsm is a TextFSM template. A parsed template keeps state while it runs, so each run takes one from the pool.
type fsm struct {
	names []string
	pool  sync.Pool
}

func compileFSM(source string) (*fsm, error) {
	if len(source) > maxExpression {
		return nil, fmt.Errorf("is longer than %d bytes", maxExpression)
	}
	first, err := parseFSM(source)
	if err != nil {
		return nil, err
	}
	f := &fsm{names: slices.Sorted(maps.Keys(first.Values))}
	f.pool.New = func() any {
		t, err := parseFSM(source)
		if err != nil {
			return err
		}
		return t
	}
	f.pool.Put(first)
	return f, nil
}

// parseFSM makes an error of a panic: the library was not written for hostile templates.
func parseFSM(source string) (t *gotextfsm.TextFSM, err error) {
	defer func() {
		if r := recover(); r != nil {
			t, err = nil, fmt.Errorf("the template cannot be read: %v", r)
		}
	}()
	t = &gotextfsm.TextFSM{}
	if err := t.ParseString(source); err != nil {
		return nil, err
	}
	return t, nil
}

// rows gives the records of a text; lists are joined by blanks.
func (f *fsm) rows(text string) (out []map[string]string, err error) {
	t, ok := f.pool.Get().(*gotextfsm.TextFSM)
	if !ok {
		return nil, errors.New("the template cannot be read")
	}
	defer func() {
		if r := recover(); r != nil {
			out, err = nil, fmt.Errorf("textfsm: %v", r)
			return // a template that failed is not used again
		}
		f.pool.Put(t)
	}()
	var p gotextfsm.ParserOutput
	if err := p.ParseTextString(text, *t, true); err != nil {
		return nil, fmt.Errorf("textfsm: %w", err)
	}
	for _, record := range p.Dict {
		row := make(map[string]string, len(record))
		for k, v := range record {
			switch v := v.(type) {
			case string:
				row[k] = v
			case []string:
				row[k] = strings.Join(v, " ")
			}
		}
		if out = append(out, row); len(out) >= maxRows {
			break
		}
	}
	return out, nil
}
