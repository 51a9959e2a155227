package aml

import (
	"bytes"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"callhome"
)

// wrap puts content into the smallest envelope.
func wrap(content string) string {
	return `<Envelope><Body><Block><Content><CallHome>` + content + `</CallHome></Content></Block></Body></Envelope>`
}

func TestHostile(t *testing.T) {
	nested := strings.Repeat("<x>", maxDepth)
	for name, tc := range map[string]struct{ doc, want string }{
		"empty":                    {"", "empty"},
		"blank":                    {" \n\t", "empty"},
		"text":                     {"TimeStamp : 2026-06-13 05:26 GMT+00:00\n", "text stands before the root element"},
		"other XML":                {"<html><body/></html>", "root element <html>"},
		"no block":                 {"<Envelope><Body/></Envelope>", "no call-home message"},
		"empty block":              {"<Envelope><Body><Block><Header/><Content/></Block></Body></Envelope>", "no call-home message"},
		"answer":                   {string(AppendAck(nil, "M1:S:69B529DD", ResultAccepted)), "no call-home message"},
		"SOAP fault":               {string(AppendFault(nil, FaultSender, "x")), "SOAP fault"},
		"UTF-16 big endian":        {"\xfe\xff\x00<", "UTF-16"},
		"UTF-16 little endian":     {"\xff\xfe<\x00", "UTF-16"},
		"UTF-16 without a mark":    {"<\x00e\x00", "UTF-16"},
		"encoding":                 {`<?xml version="1.0" encoding="EBCDIC-CP-US"?><mml/>`, "EBCDIC-CP-US"},
		"version":                  {`<?xml version="1.1"?><mml/>`, "version 1.1"},
		"billion laughs":           {`<!DOCTYPE mml [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><mml><body><msgDesc>&b;</msgDesc></body></mml>`, "document type"},
		"external entity":          {`<!DOCTYPE mml [<!ENTITY x SYSTEM "file:///etc/passwd">]><mml><body><msgDesc>&x;</msgDesc></body></mml>`, "document type"},
		"parameter entity":         {`<!DOCTYPE mml SYSTEM "mml10.dtd" [<!ENTITY % p SYSTEM "http://192.0.2.1/x"> %p;]><mml/>`, "document type"},
		"DTD of AML":               {`<!DOCTYPE Envelope SYSTEM "x.dtd"><Envelope/>`, "document type"},
		"DTD of MML on AML":        {`<!DOCTYPE mml SYSTEM "mml10.dtd">` + wrap(""), "root element"},
		"two DTDs":                 {`<!DOCTYPE mml SYSTEM "a"><!DOCTYPE mml SYSTEM "a"><mml/>`, "document type"},
		"DTD inside":               {`<mml><!DOCTYPE mml SYSTEM "a"></mml>`, "document type"},
		"DTD unquoted":             {`<!DOCTYPE mml SYSTEM mml10.dtd><mml/>`, "document type"},
		"DTD cut":                  {`<!DOCTYPE mml SYSTEM "mml10.dtd"`, "document type"},
		"DTD name goes on":         {`<!DOCTYPE mmlx><mml/>`, "document type"},
		"entity declaration":       {`<!ENTITY a "b"><mml/>`, "declaration"},
		"entity":                   {wrap("<MessageDescription>&xxe;</MessageDescription>"), "&xxe;"},
		"entity in an attribute":   {wrap(`<Device a="&xxe;"/>`), "&xxe;"},
		"deep":                     {wrap(nested), "64 deep"},
		"many elements":            {"<mml>" + strings.Repeat("<x/>", maxElements) + "</mml>", "100,000 elements"},
		"huge attribute":           {`<mml a="` + strings.Repeat("x", maxAttrBytes+1) + `"/>`, "64 KiB"},
		"many blocks":              {"<Envelope><Body>" + strings.Repeat("<Block/>", maxBlocks+1) + "</Body></Envelope>", "256 blocks"},
		"many attributes":          {"<mml" + strings.Repeat(` a="1"`, maxAttributes+1) + "/>", "64 attributes"},
		"many namespaces":          {strings.Repeat("<mml"+strings.Repeat(` xmlns:a="1"`, maxAttributes)+">", 5), "namespace declarations"},
		"long name":                {"<" + strings.Repeat("m", maxNameBytes+1) + "/>", "256 bytes"},
		"wrong end":                {"<mml><body></mml></body>", "is closed by"},
		"two names in an end":      {"<mml><body></header></mml>", "is closed by"},
		"value without quotes":     {"<mml a=1></mml>", "quotes"},
		"NUL instead of a tag":     {"<mml><\x00a/></mml>", "name"},
		"only an end":              {"</mml>", "no element is open"},
		"reference to nothing":     {wrap("&#99999999999999;</x>"), "no reference"},
		"comment without an end":   {"<mml><!-- ", "cut off"},
		"CDATA without an end":     {"<mml><![CDATA[ ", "cut off"},
		"instruction with no end":  {"<mml><?x ", "cut off"},
		"attribute with no end":    {`<mml a="`, "cut off"},
		"attribute in an end tag":  {`<mml></mml a="1">`, "is closed by"},
		"less than in a value":     {`<mml a="<"/>`, "attribute value"},
		"slash in the middle":      {`<mml /a></mml>`, "after /"},
		"names with blanks, twice": {`<mml a b c="1" d></mml>`, "has no value"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Decode([]byte(tc.doc), Options{})
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got error %v, want one about %q", err, tc.want)
			}
			if err != nil && callhome.KindOf(err) != callhome.KindInvalid {
				t.Errorf("got kind %s, want invalid", callhome.KindOf(err))
			}
		})
	}
}

// TestAtTheLimits accepts what is just within them.
func TestAtTheLimits(t *testing.T) {
	for name, doc := range map[string]string{
		"many blocks":    "<Envelope><Body>" + strings.Repeat("<Block><Content><CallHome/></Content></Block>", maxBlocks) + "</Body></Envelope>",
		"deep":           wrap(strings.Repeat("<x>", maxDepth-5) + strings.Repeat("</x>", maxDepth-5)),
		"many elements":  "<mml>" + strings.Repeat("<x/>", maxElements-1) + "</mml>",
		"huge attribute": `<mml a="` + strings.Repeat("x", maxAttrBytes) + `"/>`,
		"long name":      "<mml><" + strings.Repeat("m", maxNameBytes) + "/></mml>",
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := Decode([]byte(doc), Options{}); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestTooLong(t *testing.T) {
	doc := []byte(wrap(""))
	if _, err := Decode(doc, Options{MaxBytes: len(doc)}); err != nil {
		t.Errorf("at the limit: %v", err)
	}
	if _, err := Decode(doc, Options{MaxBytes: len(doc) - 1}); err == nil || !strings.Contains(err.Error(), "more than the limit") {
		t.Errorf("got %v, want an error about the limit", err)
	}
	if _, err := Decode(make([]byte, DefaultMaxBytes+1), Options{}); err == nil {
		t.Error("a document above the default limit was read")
	}
}

// TestErrorPlace names line and column.
func TestErrorPlace(t *testing.T) {
	_, err := Decode([]byte("<mml>\n<header>\n<type>&foo;</type>"), Options{})
	if err == nil || !strings.HasPrefix(err.Error(), "line 3, column 7: ") {
		t.Errorf("got %v, want line 3, column 7", err)
	}
}

// TestTruncated cuts every sample after each byte: an error each time, up to the end of the root element.
func TestTruncated(t *testing.T) {
	for _, name := range []string{"ios-syslog.xml", "nxos-environment.xml", "asa-inventory.xml", "mds-mml.xml"} {
		doc := bytes.TrimSpace(sample(t, name))
		for n := range doc {
			if _, err := Decode(doc[:n], Options{}); err == nil {
				t.Errorf("%s cut after %d of %d bytes was read", name, n, len(doc))
			}
		}
	}
}

// TestNULs puts a NUL at each place of a document: it is read or refused, and where it is read it is told.
func TestNULs(t *testing.T) {
	doc := bytes.TrimSpace(sample(t, "nxos-environment.xml"))
	want, err := Decode(doc, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range doc {
		broken := append(append(append([]byte(nil), doc[:i]...), 0), doc[i:]...)
		got, err := Decode(broken, Options{})
		if err == nil && len(got.Flags) == len(want.Flags) && !cmp.Equal(got, want) {
			t.Fatalf("NUL at %d: changed the message unflagged: %s", i, cmp.Diff(want, got))
		}
	}
}

// TestUnknownIsBounded keeps some of what is not understood and says that there was more.
func TestUnknownIsBounded(t *testing.T) {
	m, err := Decode([]byte(wrap(strings.Repeat("<x>y</x>", maxUnknown+1))), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Unknown) != maxUnknown || len(m.Flags) != 1 || m.Flags[0] != FlagUnknownCapped {
		t.Errorf("got %d unknown elements and flags %v", len(m.Unknown), m.Flags)
	}
	name := strings.Repeat("n", maxNameBytes)
	deep := strings.Repeat("<"+name+">", 50)
	up := strings.Repeat("</"+name+">", 50)
	m, err = Decode([]byte(wrap(strings.Repeat(deep+"y"+up, 99))), Options{})
	if err != nil {
		t.Fatal(err)
	}
	total := 0
	for _, u := range m.Unknown {
		total += len(u.Path)
	}
	if total > maxUnknownBytes || len(m.Unknown) == 0 {
		t.Errorf("got paths of %d bytes in %d unknown elements", total, len(m.Unknown))
	}
}

// TestPiecewiseText joins a text of many pieces without copying it again for each.
func TestPiecewiseText(t *testing.T) {
	const n = 200_000
	doc := []byte(wrap("<MessageDescription>" + strings.Repeat("a<!---->", n) + "</MessageDescription>"))
	var m *callhome.Message
	used := allocated(func() {
		var err error
		if m, err = Decode(doc, Options{}); err != nil {
			t.Fatal(err)
		}
	})
	if len(m.Description) != n {
		t.Errorf("got %d bytes, want %d", len(m.Description), n)
	}
	if used > 2*uint64(len(doc)) {
		t.Errorf("used %d bytes of memory for a document of %d", used, len(doc))
	}
}

// TestMemory holds a message with a long attachment to twice the document, the document itself included.
func TestMemory(t *testing.T) {
	doc := shapes(t)["1MiB"]
	used := allocated(func() {
		if _, err := Decode(doc, Options{}); err != nil {
			t.Fatal(err)
		}
	})
	if most := uint64(len(doc)) + uint64(len(doc))/16; used > most {
		t.Errorf("used %d bytes beside a document of %d, want at most %d", used, len(doc), most)
	}
}

// allocated is how many bytes of memory f takes, garbage included.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func FuzzDecode(f *testing.F) {
	for _, name := range []string{"ios-syslog.xml", "nxos-environment.xml", "asa-inventory.xml", "iosxr-inventory-delta.xml", "mds-mml.xml", "aml-root.xml"} {
		f.Add(sample(f, name))
	}
	f.Add([]byte(wrap("<Device><Chassis><Card><Card/></Card></Chassis></Device><Pair name='a' value='b'/>")))
	f.Add(AppendAck(nil, "M1:S:69B529DD", ResultAccepted))
	f.Fuzz(func(t *testing.T, doc []byte) {
		msgs, err := DecodeAll(doc, Options{})
		if err != nil {
			return
		}
		if len(msgs) == 0 {
			t.Fatal("no message and no error")
		}
		for i := range msgs {
			if got := weight(&msgs[i]); got > 8*len(doc)+maxUnknownBytes {
				t.Fatalf("%d bytes of text came of a document of %d", got, len(doc))
			}
			reread(t, &msgs[i])
		}
		_, _ = ParseAck(doc)
	})
}

// reread writes a message, where it can be written, and reads it again.
func reread(t *testing.T, m *callhome.Message) {
	t.Helper()
	for _, v := range variants {
		doc, err := Append(nil, m, v)
		if err != nil {
			return
		}
		if n, err := Size(m, v); err != nil || n != len(doc) {
			t.Fatalf("got size %d (%v), want %d", n, err, len(doc))
		}
		if _, err := Decode(doc, Options{Strict: true, MaxBytes: 8 * DefaultMaxBytes}); err != nil && !strings.Contains(err.Error(), "limit") {
			t.Fatalf("%v in\n%q", err, doc)
		}
	}
}

// weight is roughly the text that a message holds.
func weight(m *callhome.Message) int {
	n := len(m.Description) + len(m.SystemName)
	for _, a := range m.Attachments {
		n += len(a.Name) + len(a.Text)
	}
	for _, u := range m.Unknown {
		n += len(u.Path) + len(u.Value)
	}
	return n + len(fmt.Sprint(m.Pairs, m.Additional))
}
