package ciscolog

import (
	"strings"
	"testing"
	"time"
)

// TestParseCost feeds lines of 1 MiB, each made to be dear to some loop. What takes milliseconds may take a second on a
// busy machine; what grows with the square of the length takes minutes.
func TestParseCost(t *testing.T) {
	const (
		n     = 1 << 20
		front = "44: gw1: Mar 07 2027 08:15:30.250 UTC : %UC_X-6-Y: "
		back  = " Mar  7 2027 08:15:30: %A-1-B: x"
	)
	for name, line := range map[string]string{
		"opening brackets":  front + "%" + strings.Repeat("[", n),
		"closing brackets":  front + "%[a=b" + strings.Repeat("]:", n/2),
		"ends of tags":      front + "%[a=b" + strings.Repeat("]: ", n/3),
		"pairs":             front + "%" + strings.Repeat("[a=b] ", n/6) + "]: x",
		"no node id":        front + "%" + strings.Repeat("[x]: ", n/5),
		"escapes":           front + "%[a=" + strings.Repeat(`\]`, n/2) + "]: x",
		"headers":           strings.Repeat(": %A-1-B", n/8),
		"percent signs":     strings.Repeat(" %", n/2),
		"colons":            strings.Repeat(":", n) + back,
		"glued fields":      strings.Repeat("g:", n/2) + back,
		"glued words":       strings.Repeat("a:b ", n/4) + back,
		"counters":          strings.Repeat("1: ", n/3) + back,
		"spaces":            "1:" + strings.Repeat(" ", n) + back,
		"clocks":            strings.Repeat("08:15:30 ", n/9) + back,
		"relays":            strings.Repeat("Mar  7 08:15:30 r ", n/18) + back,
		"control and utf-8": front + strings.Repeat("\x01\xff", n/2),
	} {
		var r Record
		start := time.Now()
		Parse([]byte(line), receivedOwn, &r, Options{})
		for range r.Tags {
		}
		if took := time.Since(start); took > time.Second {
			t.Errorf("%s: %s", name, took)
		}
	}
}
