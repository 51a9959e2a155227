package analysis

import (
	"encoding"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"time"

	"callhome"

	"go.yaml.in/yaml/v3"
)

// maxDepth bounds nesting: a sample's captures are eight levels deep.
const maxDepth = 16

// scalarReader is a value that a plain word can stand for.
type scalarReader interface{ fromScalar(s string) }

// ParsePack reads one pack. file is named in errors, which are joined: each is a *callhome.Error whose Path is
// file:line:column. Unknown and repeated keys are refused, as are aliases and tags of YAML.
func ParsePack(file string, text []byte) (*Pack, error) {
	if len(text) > maxPackBytes {
		return nil, &callhome.Error{Kind: callhome.KindInvalid, Path: file, Msg: fmt.Sprintf("a pack has at most %d bytes", maxPackBytes)}
	}
	p := &Pack{File: file, places: map[string]string{}}
	var doc, more yaml.Node
	dec := yaml.NewDecoder(strings.NewReader(string(text)))
	if err := dec.Decode(&doc); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, p.fault("", "the file is empty")
		}
		return nil, p.fault("", "%s", strings.TrimPrefix(err.Error(), "yaml: "))
	}
	if err := dec.Decode(&more); !errors.Is(err, io.EOF) {
		return nil, p.fault("", "a file holds one pack")
	}
	d := &decoder{pack: p}
	d.into(doc.Content[0], reflect.ValueOf(p).Elem(), "", 0)
	if d.faults != nil {
		return nil, errors.Join(d.faults...)
	}
	return p, p.check()
}

// decoder reads YAML nodes into structs by their yaml tags and collects faults with their places.
type decoder struct {
	pack   *Pack
	faults []error
}

const maxFaults = 50 // a person mends no more at once

func (d *decoder) fault(n *yaml.Node, path, format string, args ...any) {
	if len(d.faults) >= maxFaults {
		return
	}
	d.place(n, path)
	d.faults = append(d.faults, d.pack.fault(path, format, args...))
}

func (d *decoder) place(n *yaml.Node, path string) {
	d.pack.places[path] = fmt.Sprintf("%s:%d:%d", d.pack.File, max(n.Line, 1), max(n.Column, 1))
}

func (d *decoder) into(n *yaml.Node, v reflect.Value, path string, depth int) {
	d.place(n, path)
	switch {
	case depth > maxDepth:
		d.fault(n, path, "nested deeper than %d levels", maxDepth)
		return
	case n.Kind == yaml.AliasNode || n.Anchor != "":
		d.fault(n, path, "anchors and aliases are not supported; write the value out")
		return
	case n.Tag == "!!null":
		return
	}
	if v.Kind() == reflect.Pointer {
		v.Set(reflect.New(v.Type().Elem()))
		d.into(n, v.Elem(), path, depth)
		return
	}
	if n.Kind == yaml.ScalarNode {
		d.scalar(n, v, path, depth)
		return
	}
	switch {
	case n.Kind == yaml.MappingNode && v.Kind() == reflect.Struct:
		d.mapping(n, v, path, depth)
	case n.Kind == yaml.MappingNode && v.Kind() == reflect.Map:
		d.dictionary(n, v, path)
	case n.Kind == yaml.SequenceNode && v.Kind() == reflect.Slice:
		for i, item := range n.Content {
			e := reflect.New(v.Type().Elem()).Elem()
			d.into(item, e, fmt.Sprintf("%s[%d]", path, i), depth+1)
			v.Set(reflect.Append(v, e))
		}
	default:
		d.fault(n, path, "must be %s", kindWord(v))
	}
}

func (d *decoder) mapping(n *yaml.Node, v reflect.Value, path string, depth int) {
	fields := map[string]int{}
	for i := range v.NumField() {
		if name := v.Type().Field(i).Tag.Get("yaml"); name != "" && name != "-" {
			fields[name] = i
		}
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		at := joinPath(path, key.Value)
		index, ok := fields[key.Value]
		switch {
		case !ok:
			d.fault(key, at, "unknown key")
		case seen[key.Value]:
			d.fault(key, at, "given twice")
		default:
			seen[key.Value] = true
			d.into(value, v.Field(index), at, depth+1)
		}
	}
}

func (d *decoder) dictionary(n *yaml.Node, v reflect.Value, path string) {
	v.Set(reflect.MakeMap(v.Type()))
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		at := joinPath(path, key.Value)
		if value.Kind != yaml.ScalarNode {
			d.fault(value, at, "must be text")
			continue
		}
		if v.MapIndex(reflect.ValueOf(key.Value)).IsValid() {
			d.fault(key, at, "given twice")
			continue
		}
		v.SetMapIndex(reflect.ValueOf(key.Value), reflect.ValueOf(value.Value))
	}
}

func (d *decoder) scalar(n *yaml.Node, v reflect.Value, path string, depth int) {
	if v.Kind() == reflect.Slice { // one entry needs no brackets
		e := reflect.New(v.Type().Elem()).Elem()
		d.into(n, e, path, depth+1)
		v.Set(reflect.Append(v, e))
		return
	}
	switch t := v.Addr().Interface().(type) {
	case scalarReader:
		t.fromScalar(n.Value)
		return
	case encoding.TextUnmarshaler:
		if err := t.UnmarshalText([]byte(n.Value)); err != nil {
			d.fault(n, path, "%v", err)
		}
		return
	case *time.Duration:
		w, err := time.ParseDuration(n.Value)
		if err != nil || w <= 0 {
			d.fault(n, path, "%q is not a duration such as 10m or 24h", n.Value)
		}
		*t = w
		return
	case *string:
		*t = n.Value // 17.12 and 1.0 are versions here, not numbers
		return
	case *callhome.EventState:
		*t = callhome.EventState(n.Value)
		return
	}
	if v.Kind() == reflect.String {
		v.SetString(n.Value)
		return
	}
	if v.Kind() == reflect.Struct || v.Kind() == reflect.Map || n.Decode(v.Addr().Interface()) != nil {
		d.fault(n, path, "%q is not %s", n.Value, kindWord(v))
	}
}

func joinPath(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func kindWord(v reflect.Value) string {
	switch v.Kind() {
	case reflect.Struct, reflect.Map:
		return "keys with values"
	case reflect.Slice:
		return "a list"
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int64:
		return "a whole number"
	case reflect.Float64:
		return "a number"
	}
	return "text"
}
