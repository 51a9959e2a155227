package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"callhome"
	"callhome/bench/proc"
	"callhome/codec/aml"
)

// document makes an AML message of about size bytes: one long command output, or all markup.
func document(size int, markup bool) ([]byte, error) {
	level := callhome.LevelMinor
	at := callhome.Timestamp{}
	if err := at.UnmarshalText([]byte("2026-06-13T21:07:15Z")); err != nil {
		return nil, err
	}
	m := &callhome.Message{
		MessageID: "M1:QXA2613K0PZ:69B52A1D", EventTime: at, CreationTime: at, Name: "syslog", Type: "syslog", Group: callhome.GroupSyslog, Severity: &level,
		SourceID: "QX9000", Brand: "Acme Networks", DeviceID: "QX9006@C@QXA2613K0PZ", Description: "%LINK-3-UPDOWN", SystemName: "edge-7",
		ContactEmail: "noc@ops.example", Model: "QX9006", Serial: "QXA2613K0PZ",
	}
	var text bytes.Buffer
	for i := 0; ; i++ {
		b, err := aml.Append(nil, m, aml.Variants()[0])
		if err != nil {
			return nil, err
		}
		if len(b) >= size {
			return b, nil
		}
		if markup {
			for range 1 + (size-len(b))/2000 {
				n := len(m.FRUs)
				m.FRUs = append(m.FRUs, callhome.FRU{Name: fmt.Sprint("QX-LC", n), Serial: fmt.Sprint("QXL", n), PartNo: fmt.Sprint("73-", n), Slot: fmt.Sprint(n), HWVersion: "2.0", SWVersion: "16.3.1"})
			}
			continue
		}
		for room := size - len(b); room > 0; room -= 80 {
			fmt.Fprintf(&text, "GigabitEthernet0/0/%-4d 192.0.2.%-4d YES NVRAM  up                    up      \n", text.Len()%48, text.Len()%250)
		}
		m.Attachments = []callhome.Attachment{{Name: "show ip interface brief", Type: "inline", Encoding: "plain", Text: text.String()}}
	}
}

// speed is how fast f works through a document, in MB/s: the median of turns that each last a while.
func (b *bench) speed(doc []byte, f func([]byte) error) (float64, error) {
	least := 200 * time.Millisecond
	if b.quick {
		least = 60 * time.Millisecond
	}
	var each []float64
	for start := time.Now(); time.Since(start) < least; {
		one := time.Now()
		if err := f(doc); err != nil {
			return 0, err
		}
		each = append(each, time.Since(one).Seconds())
	}
	return float64(len(doc)) / 1e6 / median(each), nil
}

func decodeOurs(doc []byte) error {
	_, err := aml.Decode(doc, aml.Options{})
	return err
}

func tokens(doc []byte) error {
	d := xml.NewDecoder(bytes.NewReader(doc))
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// saxSpeed is how fast xmllint's SAX mode reads a document: CPU time of many readings less that of one.
func (b *bench) saxSpeed(doc []byte) (float64, error) {
	bin, err := proc.Find("xmllint")
	if err != nil {
		return 0, err
	}
	dir, err := b.folder("xml")
	if err != nil {
		return 0, err
	}
	path := filepath.Join(dir, "doc.xml")
	if err := os.WriteFile(path, doc, 0o600); err != nil {
		return 0, err
	}
	many := max(20, 30<<20/len(doc)) // about 30 MiB in all
	cpu := func(n int) (float64, error) {
		args := append([]string{bin, "--sax", "--noout", "--nonet", "--huge"}, make([]string, n)...)
		for i := range n {
			args[len(args)-1-i] = path
		}
		p, err := proc.Start(dir, "xmllint", nil, args...)
		if err != nil {
			return 0, err
		}
		for p.Alive() == nil {
			time.Sleep(time.Millisecond)
		}
		return p.Stop().CPU.Seconds(), nil
	}
	var all []float64
	for range b.turns() {
		one, err := cpu(1)
		if err != nil {
			return 0, err
		}
		n, err := cpu(1 + many)
		if err != nil {
			return 0, err
		}
		all = append(all, float64(many)*float64(len(doc))/1e6/(n-one))
	}
	return median(all), nil
}

var xmlShapes = []struct {
	name   string
	size   int
	markup bool
}{{"8 KiB", 8 << 10, false}, {"1 MiB, one long output", 1 << 20, false}, {"markup, 200 cards", 64 << 10, true}}

// xmlDecode is row 17.
func (b *bench) xmlDecode() ([]Result, error) {
	var out []Result
	for _, s := range xmlShapes {
		doc, err := document(s.size, s.markup)
		if err != nil {
			return out, err
		}
		var ours, std []float64
		for range b.turns() {
			o, err := b.speed(doc, decodeOurs)
			if err != nil {
				return out, err
			}
			e, err := b.speed(doc, tokens)
			if err != nil {
				return out, err
			}
			ours, std = append(ours, o), append(std, e)
		}
		sax, err := b.saxSpeed(doc)
		if err != nil {
			return out, err
		}
		mine, theirs := median(ours), median(std)
		out = append(out,
			Result{Figure: "XML decode, " + s.name, Goal: "≥ 8×; ≥ 15×", Peer: fmt.Sprintf("encoding/xml %.0f MB/s", theirs), Ours: fmt.Sprintf("%.0f MB/s", mine),
				Ratio: mine / theirs, Verdict: atLeast(mine/theirs, 8, 15)},
			Result{Figure: "XML decode, " + s.name, Goal: "≥ 0.8×; ≥ 3×", Peer: fmt.Sprintf("libxml2 SAX %.0f MB/s", sax), Ours: fmt.Sprintf("%.0f MB/s", mine),
				Ratio: mine / sax, Verdict: atLeast(mine/sax, 0.8, 3)})
	}
	doc, err := document(8<<10, false)
	if err != nil {
		return out, err
	}
	allocs, _ := allocations(func() error { return decodeOurs(doc) })
	out = append(out, Result{Figure: "XML decode, 8 KiB: allocations", Goal: "≤ 20", Peer: "–", Ours: fmt.Sprintf("%.0f", allocs), Verdict: atMost(allocs, 20, 20)})
	return out, nil
}

// allocations are the objects and bytes that one call makes.
func allocations(f func() error) (objects, size float64) {
	const calls = 20
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range calls {
		if f() != nil {
			return 0, 0
		}
	}
	runtime.ReadMemStats(&after)
	return float64(after.Mallocs-before.Mallocs) / calls, float64(after.TotalAlloc-before.TotalAlloc) / calls
}

// growSize is the growth of message sizes.
func (b *bench) growSize() ([]Result, error) {
	small, err := document(8<<10, false)
	if err != nil {
		return nil, err
	}
	large, err := document(1<<20, false)
	if err != nil {
		return nil, err
	}
	var took [2]float64
	for i, doc := range [][]byte{small, large} {
		v, err := b.speed(doc, decodeOurs)
		if err != nil {
			return nil, err
		}
		took[i] = float64(len(doc)) / v
	}
	_, bytes := allocations(func() error { return decodeOurs(large) })
	times, memory := took[1]/took[0], bytes/float64(len(large))
	return []Result{
		{Row: "g-size", Figure: fmt.Sprintf("message size ×%.0f: time to decode", float64(len(large))/float64(len(small))), Goal: "≤ ×140", Peer: "itself, 8 KiB",
			Ours: fmt.Sprintf("×%.0f", times), Ratio: times, Verdict: atMost(times, 140, 128)},
		{Row: "g-size", Figure: "memory to decode 1 MiB", Goal: "≤ 2× the message", Peer: "the message", Ours: fmt.Sprintf("%.2f×", memory), Ratio: memory, Verdict: atMost(memory, 2, 1.1)},
	}, nil
}
