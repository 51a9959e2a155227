package aml

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"callhome"
)

// shapes are the documents of the performance goals.
func shapes(tb testing.TB) map[string][]byte {
	tb.Helper()
	out := make(map[string][]byte)
	for name, m := range map[string]*callhome.Message{
		"8KiB": sized(8 << 10), "1MiB": sized(1 << 20), "markup": cards(200),
	} {
		b, err := Append(nil, m, variants[0])
		if err != nil {
			tb.Fatal(err)
		}
		out[name] = b
	}
	out["crlf"] = []byte(strings.ReplaceAll(string(out["1MiB"]), " up\n", " up\r\n"))
	return out
}

// tokens runs the library over a document: no message is built.
func tokens(b []byte) error {
	d := xml.NewDecoder(bytes.NewReader(b))
	for {
		if _, err := d.Token(); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
	}
}

// BenchmarkDecode compares Decode with the token loop of encoding/xml over the same documents.
func BenchmarkDecode(b *testing.B) {
	docs := shapes(b)
	for _, name := range []string{"8KiB", "1MiB", "crlf", "markup"} {
		doc := docs[name]
		b.Run(name+"/aml", func(b *testing.B) {
			b.SetBytes(int64(len(doc)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Decode(doc, Options{}); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(name+"/encoding-xml", func(b *testing.B) {
			b.SetBytes(int64(len(doc)))
			b.ReportAllocs()
			for b.Loop() {
				if err := tokens(doc); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkAppend(b *testing.B) {
	for name, m := range map[string]*callhome.Message{"8KiB": sized(8 << 10), "1MiB": sized(1 << 20), "markup": cards(200)} {
		b.Run(name, func(b *testing.B) {
			buf, err := Append(nil, m, variants[0])
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(len(buf)))
			b.ReportAllocs()
			for b.Loop() {
				if buf, err = Append(buf[:0], m, variants[0]); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkRatio says how many times as fast as the token loop of encoding/xml Decode is; the goal is 8 or more. The two
// run in turns and their medians count, so that other work on the machine does not.
func BenchmarkRatio(b *testing.B) {
	docs := shapes(b)
	for _, name := range []string{"8KiB", "1MiB", "crlf", "markup"} {
		doc := docs[name]
		b.Run(name, func(b *testing.B) {
			var ours, theirs []time.Duration
			for b.Loop() {
				start := time.Now()
				if _, err := Decode(doc, Options{}); err != nil {
					b.Fatal(err)
				}
				middle := time.Now()
				if err := tokens(doc); err != nil {
					b.Fatal(err)
				}
				ours, theirs = append(ours, middle.Sub(start)), append(theirs, time.Since(middle))
			}
			slices.Sort(ours)
			slices.Sort(theirs)
			mid := len(ours) / 2
			b.ReportMetric(float64(theirs[mid])/float64(ours[mid]), "x-encoding-xml")
			b.ReportMetric(float64(len(doc))/ours[mid].Seconds()/1e6, "MB/s")
		})
	}
}
