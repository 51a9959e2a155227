package api

import (
	"encoding/json"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// column is one field of a record, as a table shows it: name is the JSON key, with those of objects joined by a dot.
type column struct {
	name  string
	index []int
}

var timeType = reflect.TypeFor[time.Time]()

// columnsOf are the fields of a type, those of objects in it included. What is a list or a map stays one column.
func columnsOf[T any]() []column { return columnsIn(reflect.TypeFor[T](), "", nil) }

func columnsIn(t reflect.Type, prefix string, index []int) []column {
	var out []column
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		at := append(slices.Clone(index), i)
		switch {
		case f.Anonymous && name == "" && f.Type.Kind() == reflect.Struct:
			out = append(out, columnsIn(f.Type, prefix, at)...)
		case name == "-" || !f.IsExported():
		case f.Type.Kind() == reflect.Struct && f.Type != timeType && !reflect.PointerTo(f.Type).Implements(marshaler):
			out = append(out, columnsIn(f.Type, prefix+name+".", at)...)
		default:
			out = append(out, column{name: prefix + name, index: at})
		}
	}
	return out
}

var marshaler = reflect.TypeFor[json.Marshaler]()

// pick gives the columns that are asked for, nil for all.
func pick(all []column, fields string) ([]column, error) {
	if fields == "" {
		return nil, nil
	}
	var out []column
	for name := range strings.SplitSeq(fields, ",") {
		name = strings.TrimSpace(name)
		i := slices.IndexFunc(all, func(c column) bool { return c.name == name })
		if i < 0 {
			return nil, invalid("query.fields", "there is no field "+strconv.Quote(shorten(name))+"; there are "+namesOf(all))
		}
		out = append(out, all[i])
	}
	return out, nil
}

func namesOf(cols []column) string {
	names := make([]string, len(cols))
	for i, c := range cols {
		names[i] = c.name
	}
	return strings.Join(names, ", ")
}

// appendRow writes a record as JSON: all of it, or the picked fields under their names. Empty fields are left out.
func appendRow(b []byte, record any, picked []column) ([]byte, error) {
	if picked == nil {
		text, err := json.Marshal(record)
		return append(b, text...), err
	}
	v := reflect.ValueOf(record).Elem()
	b = append(b, '{')
	for i, first := 0, true; i < len(picked); i++ {
		f := v.FieldByIndex(picked[i].index)
		if f.IsZero() {
			continue
		}
		text, err := json.Marshal(f.Interface())
		if err != nil {
			return b, err
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		b = append(append(strconv.AppendQuote(b, picked[i].name), ':'), text...)
	}
	return append(b, '}'), nil
}

// cell is a field for a table: empty where it is zero.
func cell(record reflect.Value, c column) (string, error) {
	f := record.FieldByIndex(c.index)
	switch {
	case f.Kind() == reflect.Pointer && f.IsNil():
		return "", nil
	case f.Kind() == reflect.Pointer:
		f = f.Elem()
	}
	switch {
	case f.Type() == timeType:
		if f.IsZero() {
			return "", nil
		}
		return f.Interface().(time.Time).Format(time.RFC3339Nano), nil
	case f.Kind() == reflect.String:
		return guardCell(f.String()), nil
	case f.CanInt():
		return strconv.FormatInt(f.Int(), 10), nil
	case f.Kind() == reflect.Bool:
		return strconv.FormatBool(f.Bool()), nil
	case (f.Kind() == reflect.Slice || f.Kind() == reflect.Map) && f.Len() == 0:
		return "", nil
	}
	if list, ok := textList(f); ok {
		return guardCell(strings.Join(list, " ")), nil
	}
	text, err := json.Marshal(f.Interface())
	return guardCell(string(text)), err
}

// textList is a list of plain words.
func textList(f reflect.Value) ([]string, bool) {
	if f.Kind() != reflect.Slice || f.Type().Elem().Kind() != reflect.String {
		return nil, false
	}
	out := make([]string, f.Len())
	for i := range out {
		out[i] = f.Index(i).String()
	}
	return out, true
}

// guardCell keeps spreadsheets from taking a text for a formula: what begins like one gets an apostrophe, which they hide.
func guardCell(s string) string {
	if s == "" || !strings.ContainsRune("=+-@\t\r\n|%", rune(s[0])) {
		return s
	}
	return "'" + s
}

// schemaOf is a record's schema, by reference.
func schemaOf[T any](reg huma.Registry) *huma.Schema {
	return reg.Schema(reflect.TypeFor[T](), true, "")
}
