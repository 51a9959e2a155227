package aml

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// events runs the scanner over a document: one line a start or end tag, and the text between tags joined.
func events(src string, lenient bool) ([]string, *fault) {
	var s scanner
	s.reset(src, lenient, false)
	var out []string
	var text strings.Builder
	flush := func() {
		if text.Len() > 0 {
			out = append(out, fmt.Sprintf("text %q", text.String()))
			text.Reset()
		}
	}
	for {
		tok, f := s.next()
		if f != nil {
			return nil, f
		}
		switch tok {
		case tokenText:
			text.WriteString(s.text)
		case tokenStart:
			flush()
			line := fmt.Sprintf("start %q %q", s.prefix(), s.local())
			for _, a := range s.attrs {
				line += fmt.Sprintf(" %q %q=%q", a.prefix, a.local, a.value)
			}
			out = append(out, line)
		case tokenEnd:
			flush()
			out = append(out, "end")
		case tokenEOF:
			flush()
			return out, nil
		}
	}
}

// libraryEvents does the same with encoding/xml.
func libraryEvents(src string) ([]string, error) {
	d := xml.NewDecoder(strings.NewReader(src))
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, err
		}
	}
	d = xml.NewDecoder(strings.NewReader(src))
	var out []string
	var text strings.Builder
	flush := func() {
		if text.Len() > 0 {
			out = append(out, fmt.Sprintf("text %q", text.String()))
			text.Reset()
		}
	}
	for {
		tok, err := d.RawToken()
		if err != nil {
			flush()
			return out, nil //nolint:nilerr // the end: the first pass has accepted the document
		}
		switch tok := tok.(type) {
		case xml.CharData:
			text.Write(tok)
		case xml.StartElement:
			flush()
			line := fmt.Sprintf("start %q %q", tok.Name.Space, tok.Name.Local)
			for _, a := range tok.Attr {
				line += fmt.Sprintf(" %q %q=%q", a.Name.Space, a.Name.Local, a.Value)
			}
			out = append(out, line)
		case xml.EndElement:
			flush()
			out = append(out, "end")
		}
	}
}

// deliberate reports whether the two may differ here, see the package comment.
func deliberate(ours *fault, theirs error) bool {
	if ours != nil {
		for _, s := range []string{"declaration", "limit of", "more than", "nested", "encoding"} {
			if strings.Contains(ours.reason, s) {
				return true
			}
		}
	}
	if theirs == nil {
		return false
	}
	_, name, invalid := strings.Cut(theirs.Error(), "invalid XML name: ")
	return invalid && strings.IndexFunc(name, func(r rune) bool { return r >= 0x80 }) >= 0 || strings.Contains(theirs.Error(), "encoding")
}

// compare holds the scanner to encoding/xml on one document.
func compare(t *testing.T, src string) {
	t.Helper()
	got, f := events(src, false)
	want, err := libraryEvents(src)
	if (f == nil) != (err == nil) {
		if !deliberate(f, err) {
			t.Fatalf("%q: got fault %v, want that of encoding/xml: %v", src, f, err)
		}
		return
	}
	if f != nil {
		return
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("%q differs from encoding/xml (-want +got):\n%s", src, diff)
	}
}

// fragments are where XML readers tend to disagree.
var fragments = []string{
	"", " ", "x", "<a/>", "<a></a>", "<a>", "</a>", "<a></b>", "<a></a >", "<a></ a>", "<a></a b>", "< a/>", "<a / >", "<a/ >",
	"<a b='1'/>", `<a b="1"c="2"/>`, `<a b = "1" />`, `<a b/>`, `<a b=1/>`, `<a b="<"/>`, `<a b=">"/>`, `<a b="'"/>`, `<a b='1/>`,
	`<a b="1" b="2"/>`, "<a b=\"x\r\ny\tz\n\"/>", "<a:b xmlns:a='u'/>", "<:a/>", "<a:/>", "<a:b:c/>", "<a ::b='1'/>", "<1a/>", "<-a/>", "<a.b-c_1/>",
	"<é/>", "<a·/>", "<·a/>", "<a\u037e/>", "<a\xff/>", "<a b\xff='1'/>",
	"<a>&lt;&gt;&amp;&quot;&apos;</a>", "<a>&#65;&#x41;&#x1F600;</a>", "<a>&#0;</a>", "<a>&#xD800;</a>", "<a>&#x110000;</a>", "<a>&#xFFFE;</a>",
	"<a>&#;</a>", "<a>&#x;</a>", "<a>&#xZ;</a>", "<a>&#65</a>", "<a>&</a>", "<a>& </a>", "<a>&foo;</a>", "<a>&lt</a>", "<a>&;</a>", "<a>&LT;</a>", "<a>&#X41;</a>",
	"<a>&#0000000000000000000000000000000065;</a>", "<a>&#99999999999999999999999;</a>", "<a>&#13;\n</a>", "<a>\r&#10;\n\r\r\n</a>",
	"<a>]]></a>", "<a>]]&gt;</a>", "<a>]]</a>", "<a>]]]]]></a>", `<a b="]]>"/>`, "<a><![CDATA[]]></a>", "<a><![CDATA[]]]]><![CDATA[>]]></a>",
	"<a><![CDATA[x]]]></a>", "<a><![CDATA[&lt;<b>\r\n\r]]></a>", "<a><![CDATA[\x00]]></a>", "<a><![CDATA[\xc3\x28]]></a>", "<a><![CDATA[", "<a><![CDATA[x]]",
	"<a><![cdata[x]]></a>", "<a><![CDAT", "<![CDATA[x]]><a/>", "<a>\x01</a>", "<a>\ufffe</a>", "<a>\ufffd</a>", "<a>\xed\xa0\x80</a>", "<a>\u0085\u2028</a>", "<a>\x7f</a>",
	"<!-- x --><a/>", "<!----><a/>", "<!--->--><a/>", "<!-- -- --><a/>", "<!----->", "<!-->", "<!--", "<!- x -->", "<a><!-- \x00 --></a>", "<a>x<!-- y -->z</a>",
	"<?xml version='1.0'?><a/>", "<?xml version='1.1'?><a/>", `<?xml version="1.0" encoding="UTF-8"?><a/>`, `<?xml encoding=""?><a/>`, "<?xml?><a/>", "<?xml ?><a/>",
	"<?x?><a/>", "<??><a/>", "<? x?><a/>", "<?x", "<?x ?", "<?1?>", "<?a:b:c ?><a/>", " <?xml version='1.0'?><a/>", "<a/><?xml version='2.0'?>", "<?xmlversion='2.0'?><a/>", "<?xml xversion='2.0' version='1.0'?><a/>",
	"<a/>x", "x<a/>", "<a/><b/>", "<a/></a>", "\ufeff<a/>", "<a>\x00</a>", "\x00", "<", "<a", "<a ", "<a b", "<a b=", "<a b='", "</", "</a", "<a></a", "<!", "<!D", "<!ELEMENT a>", "<!DOCTYPE a>",
}

func TestScannerAsLibrary(t *testing.T) {
	for _, src := range fragments {
		compare(t, src)
	}
	for _, src := range fragments {
		for _, more := range fragments {
			compare(t, src+more)
			compare(t, "<r>"+src+more+"</r>")
		}
	}
}

// TestScannerNames accepts what the fifth edition allows and the library does not.
func TestScannerNames(t *testing.T) {
	for name, want := range map[string]bool{"ⰰ": true, "𐀀b": true, "a‿b": true, "‿a": false, "×": false, "a\u037e": false} {
		if _, f := events("<"+name+"/>", false); (f == nil) != want {
			t.Errorf("name %q: got fault %v, want accepted %v", name, f, want)
		}
	}
}

func FuzzScanner(f *testing.F) {
	for _, src := range fragments {
		f.Add(src)
	}
	files, err := filepath.Glob("testdata/samples/*.xml")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(b))
	}
	f.Fuzz(func(t *testing.T, src string) {
		compare(t, src)
		if _, strict := events(src, false); strict == nil {
			return
		}
		_, _ = events(src, true) // must not panic or hang
	})
}
