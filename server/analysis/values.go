package analysis

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// values are the names a rule knows while it is evaluated: what it captured, and what is known of the message.
type values struct {
	f     *facts
	pairs []pair
	count int
	rise  float64
}

type pair struct{ name, value string }

// builtins are the names every rule knows.
var builtins = []string{
	"type", "subtype", "group", "level", "severity", "platform", "model", "version", "serial", "host", "text", "mnemonic",
	"facility", "program", "number", "alert", "event", "count", "rise",
}

func (v *values) set(name, value string) {
	value = clean(value, maxCaptured)
	for i := range v.pairs {
		if v.pairs[i].name == name {
			if value != "" {
				v.pairs[i].value = value
			}
			return
		}
	}
	v.pairs = append(v.pairs, pair{name, value})
}

func (v *values) get(name string) string {
	for i := range v.pairs {
		if v.pairs[i].name == name {
			return v.pairs[i].value
		}
	}
	return clean(v.builtin(name), maxCaptured)
}

func (v *values) builtin(name string) string {
	f := v.f
	switch name {
	case "type":
		return f.m.Type
	case "subtype":
		return f.m.Subtype
	case "group":
		return string(f.group)
	case "level":
		return f.level.String()
	case "severity":
		return strconv.Itoa(int(f.level))
	case "platform":
		return f.platform
	case "model":
		return f.model
	case "version":
		return f.version
	case "serial":
		return firstOf(f.m.Serial, f.m.DeviceID.Serial())
	case "host":
		return firstOf(f.m.SystemName, string(f.line.Host), string(f.m.DeviceID), "the device")
	case "text":
		return f.text
	case "mnemonic":
		return f.mnemonic
	case "facility":
		return f.facility
	case "program":
		return f.program
	case "alert":
		return f.alert
	case "event":
		return f.event
	case "number":
		if f.number > 0 {
			return strconv.Itoa(int(f.number))
		}
	case "count":
		return strconv.Itoa(v.count)
	case "rise":
		return strconv.FormatFloat(v.rise, 'f', -1, 64)
	}
	return ""
}

// fork is a copy that a row may add to.
func (v *values) fork() values {
	c := *v
	c.pairs = append(make([]pair, 0, len(v.pairs)+4), v.pairs...)
	return c
}

func (v *values) captured() map[string]string {
	if len(v.pairs) == 0 {
		return nil
	}
	out := make(map[string]string, len(v.pairs))
	for _, p := range v.pairs {
		out[p.name] = p.value
	}
	return out
}

func knownNames(known map[string]bool) string {
	return strings.Join(slices.Sorted(maps.Keys(known)), ", ")
}
