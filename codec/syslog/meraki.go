package syslog

import (
	"bytes"
	"time"
)

// Digits of a Unix time in seconds and in milliseconds, for any year of this device's life.
const (
	epochDigits      = 10
	epochMilliDigits = 13
)

// scanEpoch reads a Unix time with a fraction, or in milliseconds, at i, closed by a space; it gives the index behind it
// and 0 when there is none.
func scanEpoch(b []byte, i int, l *Line) int {
	end := digits(b, i)
	if n := end - i; end >= len(b) || n != epochDigits && n != epochMilliDigits {
		return 0
	}
	var r reading
	sec := number(b[i:end])
	stop := scanFraction(b, end, &r)
	if stop >= len(b) || b[stop] != ' ' {
		return 0
	}
	if end-i == epochMilliDigits {
		r.nsec, r.digits = int32(sec%1000)*1e6, 3
		sec /= 1000
	}
	l.Stamp = Stamp{
		Time: time.Unix(sec, int64(r.nsec)).UTC(), Text: b[i:stop], Digits: r.digits, HasZone: true,
	}
	return stop
}

// meraki takes the rest of a line of the Meraki cloud's devices: device, kind of event, text. The kind and the type in
// the text name the message.
func (l *Line) meraki(b []byte, i int) {
	l.Dialect = Meraki
	i = skipSpaces(b, i)
	if b[i-2] != ' ' { // two spaces are around the empty name of a device that has none
		host := token(b, i)
		l.header(b[i:host])
		i = skipSpaces(b, host)
	}
	kind := token(b, i)
	l.Program = b[i:kind]
	l.Text = b[skipSpaces(b, kind):]
	if len(l.Program) == 0 {
		l.Program = nil
		return
	}
	l.ParamForm, l.ParamRegion = ParamsEquals, l.Text
	l.CoreFacility = l.Program
	l.Mnemonic = merakiType(l.Text)
	if l.Mnemonic == nil {
		l.Mnemonic, l.CoreFacility = l.Program, nil
	}
}

// merakiType is the type of an event: the value of type=, or a leading word that is no pair.
func merakiType(t []byte) []byte {
	end := token(t, 0)
	if w := t[:end]; len(w) > 0 && allClass(w, isName|isDash) && class[w[0]]&isAlpha != 0 {
		return w
	}
	v, ok := equalsValue(t, "type")
	if !ok || len(v) == 0 {
		return nil
	}
	return v
}

// equalsValue finds key=value or key="value" in t, at a word's start.
func equalsValue(t []byte, key string) (value []byte, ok bool) {
	for from := 0; from < len(t); {
		i := bytes.Index(t[from:], []byte(key))
		if i < 0 {
			return nil, false
		}
		i += from
		from = i + len(key)
		if i > 0 && t[i-1] != ' ' && t[i-1] != '\t' || from >= len(t) || t[from] != '=' {
			continue
		}
		v, _ := equalsScan(t, from+1)
		return v, true
	}
	return nil, false
}

// equalsScan reads a value at i, in double or single quotes or up to a space, and gives the index behind it.
func equalsScan(t []byte, i int) (value []byte, end int) {
	if i < len(t) && (t[i] == '"' || t[i] == '\'') {
		for n := i + 1; n < len(t); n++ {
			if t[n] == '\\' {
				n++
				continue
			}
			if t[n] == t[i] {
				return t[i+1 : n], n + 1
			}
		}
	}
	end = token(t, i)
	return t[i:end], end
}
