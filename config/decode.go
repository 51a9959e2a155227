package config

import (
	"encoding"
	"fmt"
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"callhome"

	"go.yaml.in/yaml/v3"
)

// maxDepth bounds nesting: our own structure is six levels deep; aliases are refused, so nothing else can grow.
const maxDepth = 32

// defaulter is a value that is not zero before its configuration is read.
type defaulter interface{ SetDefaults() }

// decoder turns one YAML document into a Go value and collects every fault with its place instead of stopping at the
// first. It knows struct fields by their yaml tags, refuses unknown and repeated keys, and puts ${ENV} in.
type decoder struct {
	file   string
	lookup func(string) (string, bool) // environment
	faults []error
	places map[string]string // key path ▸ file:line:column
	unread []string          // key paths of values with a fault, in the order of faults
}

var envPattern = regexp.MustCompile(`\$\{([A-Za-z_][A-Za-z0-9_]*)\}`)

func (d *decoder) fault(n *yaml.Node, path, format string, args ...any) {
	msg := fmt.Sprintf(format, args...)
	d.unread = append(d.unread, path)
	if path != "" {
		msg = path + ": " + msg
	}
	d.faults = append(d.faults, &callhome.Error{Kind: callhome.KindInvalid, Path: d.place(n), Msg: msg})
}

func (d *decoder) place(n *yaml.Node) string {
	return fmt.Sprintf("%s:%d:%d", d.file, max(n.Line, 1), max(n.Column, 1))
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// into decodes n into v, which must be settable.
func (d *decoder) into(n *yaml.Node, v reflect.Value, path string, depth int) {
	d.places[path] = d.place(n)
	if depth > maxDepth {
		d.fault(n, path, "nested deeper than %d levels", maxDepth)
		return
	}
	if n.Kind == yaml.AliasNode {
		d.fault(n, path, "aliases are not supported; write the value out")
		return
	}
	if n.Tag == "!!null" {
		return
	}
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			v.Set(reflect.New(v.Type().Elem()))
			setDefaults(v)
		}
		d.into(n, v.Elem(), path, depth)
		return
	}
	if u, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
		d.text(n, u, path)
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		d.mapping(n, v, path, depth)
	case reflect.Slice:
		d.sequence(n, v, path, depth)
	case reflect.Map:
		d.dictionary(n, v, path, depth)
	default:
		d.scalar(n, v, path)
	}
}

func setDefaults(ptr reflect.Value) {
	if s, ok := ptr.Interface().(defaulter); ok {
		s.SetDefaults()
	}
}

func (d *decoder) text(n *yaml.Node, u encoding.TextUnmarshaler, path string) {
	if n.Kind != yaml.ScalarNode {
		d.fault(n, path, "must be a single value")
		return
	}
	if err := u.UnmarshalText([]byte(d.expand(n, path))); err != nil {
		d.fault(n, path, "%v", err)
	}
}

func (d *decoder) scalar(n *yaml.Node, v reflect.Value, path string) {
	if n.Kind != yaml.ScalarNode {
		d.fault(n, path, "must be a single %s", kindWord(v))
		return
	}
	plain := *n
	if strings.Contains(n.Value, "${") {
		plain.Value = d.expand(n, path)
		plain.Tag, plain.Style = "", 0 // what the variable holds decides
		if v.Kind() == reflect.String {
			plain.Tag = "!!str"
		}
	}
	if v.Kind() == reflect.String && plain.Tag != "!!str" && plain.Tag != "" {
		plain.Tag = "!!str" // 1.1 and 17.12 are versions here, not numbers
	}
	if err := plain.Decode(v.Addr().Interface()); err != nil {
		d.fault(n, path, "%q is not a %s", plain.Value, kindWord(v))
	}
}

func kindWord(v reflect.Value) string {
	if v.Type().String() == "time.Duration" {
		return "duration such as 30s or 5m"
	}
	switch v.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64, reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return "whole number"
	case reflect.Float32, reflect.Float64:
		return "number"
	}
	return "text"
}

// expand puts environment variables in; a missing one is a fault, never an empty string.
func (d *decoder) expand(n *yaml.Node, path string) string {
	return envPattern.ReplaceAllStringFunc(n.Value, func(ref string) string {
		name := ref[2 : len(ref)-1]
		value, ok := d.lookup(name)
		if !ok {
			d.fault(n, path, "the environment variable %s is not set", name)
		}
		return value
	})
}

func (d *decoder) mapping(n *yaml.Node, v reflect.Value, path string, depth int) {
	if n.Kind != yaml.MappingNode {
		d.fault(n, path, "must be a block of keys (one of %s)", strings.Join(keysOf(v.Type()), ", "))
		return
	}
	fields := fieldsOf(v)
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, val := n.Content[i], n.Content[i+1]
		field, ok := fields[key.Value]
		switch {
		case !ok:
			d.fault(key, join(path, key.Value), "unknown key%s", suggest(key.Value, keysOf(v.Type())))
		case seen[key.Value]:
			d.fault(key, join(path, key.Value), "this key stands twice")
		default:
			seen[key.Value] = true
			d.into(val, field, join(path, key.Value), depth+1)
		}
	}
}

func (d *decoder) sequence(n *yaml.Node, v reflect.Value, path string, depth int) {
	if n.Kind != yaml.SequenceNode {
		d.fault(n, path, "must be a list")
		return
	}
	out := reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content))
	for i, item := range n.Content {
		if out.Index(i).CanAddr() {
			setDefaults(out.Index(i).Addr())
		}
		d.into(item, out.Index(i), fmt.Sprintf("%s[%d]", path, i), depth+1)
	}
	v.Set(out)
}

func (d *decoder) dictionary(n *yaml.Node, v reflect.Value, path string, depth int) {
	if n.Kind != yaml.MappingNode {
		d.fault(n, path, "must be a block of keys")
		return
	}
	out := reflect.MakeMap(v.Type())
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, val := reflect.New(v.Type().Key()), reflect.New(v.Type().Elem())
		at := join(path, n.Content[i].Value)
		d.into(n.Content[i], key.Elem(), at, depth+1) // keys are texts or numbers
		setDefaults(val)
		d.into(n.Content[i+1], val.Elem(), at, depth+1)
		if out.MapIndex(key.Elem()).IsValid() {
			d.fault(n.Content[i], at, "this key stands twice")
		}
		out.SetMapIndex(key.Elem(), val.Elem())
	}
	v.Set(out)
}

// fieldsOf maps yaml names to settable fields; inline structs lend theirs.
func fieldsOf(v reflect.Value) map[string]reflect.Value {
	out := map[string]reflect.Value{}
	for i := range v.NumField() {
		name, inline := yamlName(v.Type().Field(i))
		switch {
		case inline:
			for k, f := range fieldsOf(v.Field(i)) {
				out[k] = f
			}
		case name != "":
			out[name] = v.Field(i)
		}
	}
	return out
}

func keysOf(t reflect.Type) []string {
	var out []string
	for i := range t.NumField() {
		name, inline := yamlName(t.Field(i))
		switch {
		case inline:
			out = append(out, keysOf(t.Field(i).Type)...)
		case name != "":
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

func yamlName(f reflect.StructField) (name string, inline bool) {
	if !f.IsExported() {
		return "", false
	}
	tag := f.Tag.Get("yaml")
	name, opts, _ := strings.Cut(tag, ",")
	if slices.Contains(strings.Split(opts, ","), "inline") {
		return "", true
	}
	switch name {
	case "-":
		return "", false
	case "":
		return strings.ToLower(f.Name), false
	}
	return name, false
}

// suggest names the key that was probably meant.
func suggest(got string, keys []string) string {
	best, bestDist := "", 3
	for _, k := range keys {
		if dist := distance(got, k); dist < bestDist {
			best, bestDist = k, dist
		}
	}
	if best != "" {
		return fmt.Sprintf("; did you mean %s?", best)
	}
	return "; known here are " + strings.Join(keys, ", ")
}

// distance is the edit distance between two short words.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diagonal := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := diagonal
			if a[i-1] != b[j-1] {
				cost++
			}
			diagonal = row[j]
			row[j] = min(cost, row[j]+1, row[j-1]+1)
		}
	}
	return row[len(b)]
}

// secretFiles reads what `x_file` names into the Secret `x` beside it.
func (d *decoder) secretFiles(v reflect.Value, path string) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			d.secretFiles(v.Elem(), path)
		}
	case reflect.Slice:
		for i := range v.Len() {
			d.secretFiles(v.Index(i), fmt.Sprintf("%s[%d]", path, i))
		}
	case reflect.Struct:
		d.structSecrets(v, path)
	}
}

func (d *decoder) structSecrets(v reflect.Value, path string) {
	fields := fieldsOf(v)
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		field := fields[name]
		d.secretFiles(field, join(path, name))
		file, has := fields[name+"_file"]
		if !isSecret(fields, name) || !has || file.Kind() != reflect.String || file.String() == "" {
			continue
		}
		secret, _ := field.Addr().Interface().(*callhome.Secret)
		at := join(path, name+"_file")
		if !secret.IsZero() {
			d.faultAt(at, "%s and %s_file are both given; keep one", name, name)
			continue
		}
		b, err := os.ReadFile(file.String())
		if err != nil {
			d.faultAt(at, "%v", err)
			continue
		}
		line, _, _ := strings.Cut(string(b), "\n")
		*secret = callhome.NewSecret(strings.TrimSuffix(line, "\r"))
		file.SetString("") // it has done its work: only one of the two counts
	}
}

// isSecret reports whether one of the fields is a secret of this name.
func isSecret(fields map[string]reflect.Value, name string) bool {
	field, ok := fields[name]
	if !ok {
		return false
	}
	_, ok = field.Addr().Interface().(*callhome.Secret)
	return ok
}

// faultAt reports a fault of a key path that may be known by a shorter path only.
func (d *decoder) faultAt(path, format string, args ...any) {
	d.faults = append(d.faults, &callhome.Error{
		Kind: callhome.KindInvalid, Path: d.placeOf(path), Msg: path + ": " + fmt.Sprintf(format, args...),
	})
}

// placeOf finds where a key path stands, or the nearest block above it.
func (d *decoder) placeOf(path string) string {
	for p := path; ; {
		if place, ok := d.places[p]; ok {
			return place
		}
		i := strings.LastIndexAny(p, ".[")
		if i < 0 {
			return d.file + ":1:1"
		}
		p = p[:i]
	}
}
