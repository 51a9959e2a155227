package mimemail_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"flag"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"callhome"
	"callhome/codec/mimemail"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func sample() *mimemail.Mail {
	return &mimemail.Mail{
		From: "Call Home <callhome@acme.example>", To: []string{"noc@acme.example"}, ReplyTo: "desk@acme.example",
		Date:    time.Date(2027, 1, 9, 4, 5, 7, 0, time.FixedZone("", -5*3600)),
		Subject: "System Notification From oslo-gw-1 - environment - 2027-01-09 04:05:06 GMT-05:00", MessageID: "M4:HRX@77120:6967F3E2",
		Copy: "noc", Format: callhome.FormatXML,
		Body: []byte("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<a attribute=\"1\">plain</a>\n"),
	}
}

func appended(t testing.TB, m *mimemail.Mail) []byte {
	t.Helper()
	b, err := mimemail.Append(nil, m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestGolden(t *testing.T) {
	quoted, binary := sample(), sample()
	quoted.Format, quoted.Body = callhome.FormatFull, []byte("Site : Blåsenborg\nFrom here\n.dot\n"+strings.Repeat("wide ", 30)+"\nend ")
	quoted.Subject = "System Notification From blåsenborg - test - now"
	binary.Body = []byte("<a>" + strings.Repeat("ѐж", 40) + "</a>")
	for name, m := range map[string]*mimemail.Mail{"plain": sample(), "quoted": quoted, "base64": binary} {
		path := filepath.Join("testdata", name+".eml")
		got := appended(t, m)
		if *update {
			if err := os.WriteFile(path, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// readStd reads a mail with the standard library alone.
func readStd(t testing.TB, b []byte) (mail.Header, []byte) {
	t.Helper()
	m, err := mail.ReadMessage(bytes.NewReader(b))
	if err != nil {
		t.Fatalf("%v\n%s", err, b)
	}
	body := m.Body
	switch enc := m.Header.Get("Content-Transfer-Encoding"); enc {
	case "quoted-printable":
		body = quotedprintable.NewReader(body)
	case "base64":
		body = base64.NewDecoder(base64.StdEncoding, body)
	case "7bit":
	default:
		t.Fatalf("transfer encoding %q", enc)
	}
	out, err := io.ReadAll(body)
	if err != nil {
		t.Fatalf("%v\n%s", err, b)
	}
	return m.Header, out
}

// canonical is a body without what SMTP may change: the kind of its line ends and whether the last line has one.
func canonical(b []byte) string {
	return strings.TrimSuffix(strings.ReplaceAll(string(b), "\r\n", "\n"), "\n")
}

func checkWire(t testing.TB, b []byte) {
	t.Helper()
	for _, line := range strings.SplitAfter(string(b), "\r\n") {
		if line = strings.TrimSuffix(line, "\r\n"); len(line) > 998 || strings.ContainsAny(line, "\r\n\x00") {
			t.Fatalf("line of %d bytes does not fit SMTP: %q", len(line), line)
		}
		for i := 0; i < len(line); i++ {
			if line[i] >= 0x80 {
				t.Fatalf("8-bit byte in %q", line)
			}
		}
	}
}

func TestAnyBodySurvives(t *testing.T) {
	line := rapid.OneOf(
		rapid.StringMatching(`[ -~]{0,100}`), rapid.Custom(func(t *rapid.T) string {
			return strings.Repeat(rapid.StringMatching(`[ -~\t]{10}`).Draw(t, "ten"), 100)[:rapid.IntRange(990, 1000).Draw(t, "length")]
		}),
		rapid.SampledFrom([]string{"From me", ".", "..", "=", "tail \t", "æøå", "\x00\x01", "a\rb", "\xff\xfe", "Fr", "\r"}),
	)
	rapid.Check(t, func(rt *rapid.T) {
		m := sample()
		m.Body = []byte("x" + strings.Join(rapid.SliceOfN(line, 0, 12).Draw(rt, "lines"), rapid.SampledFrom([]string{"\n", "\r\n", ""}).Draw(rt, "end")))
		m.Format = rapid.SampledFrom([]callhome.Format{callhome.FormatXML, callhome.FormatFull}).Draw(rt, "format")
		b := appended(t, m)
		checkWire(t, b)
		if _, got := readStd(t, b); canonical(got) != canonical(m.Body) {
			rt.Fatalf("second parser: got %q, want %q in\n%s", got, m.Body, b)
		}
		got, err := mimemail.Decode(b)
		if err != nil {
			rt.Fatal(err)
		}
		if p := strings.TrimSuffix(string(got.Payload), "\n"); p != canonical(m.Body) && p != strings.TrimSuffix(string(m.Body), "\n") {
			rt.Fatalf("got %q, want %q", got.Payload, m.Body)
		}
	})
}

func TestHeaders(t *testing.T) {
	b := appended(t, sample())
	h, _ := readStd(t, b)
	for name, want := range map[string]string{
		"From": `"Call Home" <callhome@acme.example>`, "To": "<noc@acme.example>", "Reply-To": "<desk@acme.example>",
		"Subject": sample().Subject, "Date": "Sat, 09 Jan 2027 04:05:07 -0500", "Auto-Submitted": "auto-generated",
		"X-Callhome-Message-Id": "M4:HRX@77120:6967F3E2", "Mime-Version": "1.0", "Content-Type": "text/xml; charset=utf-8",
	} {
		if got := h.Get(name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	again, other, renamed := sample(), sample(), sample()
	again.Date = again.Date.Add(time.Hour)
	other.MessageID, renamed.Copy = "M5:HRX@77120:6967F3E2", "desk"
	id := func(m *mimemail.Mail) string { h, _ := readStd(t, appended(t, m)); return h.Get("Message-Id") }
	if id(again) != id(sample()) || id(other) == id(sample()) || id(renamed) == id(sample()) {
		t.Errorf("a repeat keeps its Message-ID, others have their own: %s %s %s %s", id(sample()), id(again), id(other), id(renamed))
	}
	if !strings.HasPrefix(id(sample()), "<M4.HRX77120.6967F3E2.") {
		t.Errorf("the Message-ID should show the message's: %s", id(sample()))
	}
	bare := sample()
	bare.ReplyTo = ""
	if h, _ := readStd(t, appended(t, bare)); h.Get("Reply-To") != "" {
		t.Error("Reply-To should be left out")
	}
}

func TestNoHeaderInjection(t *testing.T) {
	for _, evil := range []string{
		"gw\r\nBcc: all@evil.example\r\n\r\nbody", "gw\nBcc: a@evil.example", "gw\rBcc: b@evil.example", "gw\u2028Bcc: c@evil.example",
		"=?utf-8?q?gw=0D=0ABcc:_d@evil.example?=", "gw\x00\u0085Bcc: e@evil.example", strings.Repeat("h", 3000), "blå\r\nBcc: f@evil.example",
	} {
		m := sample()
		m.Subject = mimemail.Subject(&callhome.Message{SystemName: evil, Type: evil, Subtype: evil}, mimemail.SubjectStyle{Subtype: true})
		m.MessageID, m.Copy = callhome.MessageID(evil), evil
		m.From = fmt.Sprintf("%q <callhome@acme.example>", strings.NewReplacer("\r", "", "\n", "", "\x00", "").Replace(evil))
		b := appended(t, m)
		checkWire(t, b)
		h, body := readStd(t, b)
		if h.Get("Bcc") != "" || len(h) != 12 || canonical(body) != canonical(m.Body) {
			t.Errorf("%q got into the header:\n%s", evil, b)
		}
		got, err := mimemail.Decode(b)
		if err != nil || strings.ContainsAny(got.Subject, "\r\n\x00") {
			t.Errorf("%q: decoded subject %q, %v", evil, got.Subject, err)
		}
	}
	for _, bad := range []string{"", "nobody", "a@b.example\r\nBcc: c@d.example", "a@b.example, c@d.example", "å@b.example", "a@blå.example", "<>"} {
		for _, change := range []func(*mimemail.Mail){
			func(m *mimemail.Mail) { m.From = bad }, func(m *mimemail.Mail) { m.To = []string{bad} },
		} {
			m := sample()
			change(m)
			if b, err := mimemail.Append(nil, m); callhome.KindOf(err) != callhome.KindInvalid {
				t.Errorf("address %q: got %v\n%s", bad, err, b)
			}
		}
	}
	if _, err := mimemail.Append(nil, &mimemail.Mail{From: "a@b.example"}); err == nil {
		t.Error("no recipient: got no error")
	}
}

func TestSubject(t *testing.T) {
	at := callhome.At(time.Date(2027, 1, 9, 4, 5, 6, 0, time.UTC))
	nxos := mimemail.SubjectStyle{From: "from", Subtype: true}
	for _, c := range []struct {
		m     callhome.Message
		style mimemail.SubjectStyle
		want  string
	}{
		{callhome.Message{SystemName: "gw", Type: "syslog", EventTime: at}, mimemail.SubjectStyle{}, "System Notification From gw - syslog - 2027-01-09 04:05:06 GMT+00:00"},
		{callhome.Message{SystemName: "gw", Type: "test", Subtype: "test", EventTime: at}, mimemail.SubjectStyle{}, "System Notification From gw - test - 2027-01-09 04:05:06 GMT+00:00"},
		{callhome.Message{SystemName: "gw", Type: "diagnostic", Subtype: "GOLD-major", EventTime: at}, nxos, "System Notification from gw - diagnostic:GOLD-major - 2027-01-09 04:05:06 GMT+00:00"},
		{callhome.Message{SystemName: "gw", Type: "Call Home", Group: callhome.GroupCrash, EventTime: at}, nxos, "System Notification from gw - crash - 2027-01-09 04:05:06 GMT+00:00"},
	} {
		if got := mimemail.Subject(&c.m, c.style); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

func TestParseSubject(t *testing.T) {
	utc := callhome.At(time.Date(2027, 1, 9, 4, 5, 6, 0, time.UTC))
	for in, want := range map[string]mimemail.SubjectParts{
		"System Notification From gw - syslog - 2027-01-09 04:05:06 GMT+00:00":                         {Host: "gw", Type: "syslog", Time: utc},
		"system notification FROM gw - diagnostic:GOLD-major - 2027-01-09 04:05:06 GMT+00:00 - case 1": {Host: "gw", Type: "diagnostic", Subtype: "GOLD-major", Time: utc, Trailer: "case 1"},
		"Re: [noc] System Notification from a - b - test - 2027-01-09 04:05:06 GMT+0000":               {Host: "a - b", Type: "test", Time: utc},
		"System Notification From gw - syslog - 2027-01-09\r\n 04:05:06 GMT+00:00":                     {Host: "gw", Type: "syslog", Time: utc},
		"System Notification From gw - syslog - soon":                                                  {Host: "gw", Type: "syslog", Trailer: "soon"},
		"System Notification From gw - inventory - 2027-01-09T04:05:06":                                {Host: "gw", Type: "inventory", Time: callhome.Timestamp{Time: utc.Time, NoZone: true}},
	} {
		got, ok := mimemail.ParseSubject(in)
		if !ok {
			t.Errorf("%q: not read", in)
			continue
		}
		if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b time.Time) bool { return a.Equal(b) })); diff != "" {
			t.Errorf("%q (-want +got):\n%s", in, diff)
		}
	}
	for _, in := range []string{"", "hello", "System Notification From gw"} {
		if got, ok := mimemail.ParseSubject(in); ok {
			t.Errorf("%q: got %+v", in, got)
		}
	}
}

// mailWith builds a mail of parts with the standard library.
func mailWith(t *testing.T, parts ...[3]string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	fmt.Fprintf(&b, "From: r@dev.example\r\nSubject: =?iso-8859-1?q?System_Notification_From_bl=E5_-_test_-_x?=\r\nDate: Sat, 9 Jan 2027 04:05:06 +0000 (UTC)\r\nContent-Type: multipart/mixed; boundary=%s\r\n\r\n", w.Boundary())
	for _, p := range parts {
		pw, err := w.CreatePart(map[string][]string{"Content-Type": {p[0]}, "Content-Transfer-Encoding": {p[1]}})
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(pw, p[2])
	}
	w.Close()
	return b.Bytes()
}

func TestDecodeForms(t *testing.T) {
	const xml = "<?xml version=\"1.0\"?><e>å</e>"
	b64 := base64.StdEncoding.EncodeToString([]byte(xml))
	latin := "<?xml version='1.0' encoding='ISO-8859-1'?><e>\xe5</e>"
	note := [3]string{"text/plain", "", "see attachment"}
	page := [3]string{"text/html", "", "<html><body>see</body></html>"}
	inner := string(mailWith(t, note, [3]string{"text/xml", "base64", b64}))
	for name, c := range map[string]struct {
		mail []byte
		want string
	}{
		"direct, no header at all":     {[]byte("Subject: x\r\n\r\n" + xml), xml},
		"direct, text/plain":           {[]byte("Content-Type: text/plain; charset=us-ascii\n\n\n" + xml), "\n" + xml},
		"out of a mail store":          {[]byte("From root@gw Sat Jan  9 04:05:06 2027\nSubject: x\n\n" + xml), xml},
		"text/xml part after a note":   {mailWith(t, note, [3]string{"text/xml; charset=utf-8", "", xml}), xml},
		"attachment of unknown kind":   {mailWith(t, note, page, [3]string{`application/octet-stream; name="m.xml"`, "base64", b64}), xml},
		"quoted-printable":             {mailWith(t, [3]string{"text/xml", "quoted-printable", strings.ReplaceAll(strings.ReplaceAll(xml, "=", "=3D"), "å", "=C3=A5")}), xml},
		"latin-1, declaration follows": {mailWith(t, [3]string{"text/xml; charset=iso-8859-1", "8bit", latin}), "<?xml version='1.0' encoding='UTF-8'?><e>å</e>"},
		"unknown charset":              {mailWith(t, [3]string{"text/xml; charset=klingon", "8bit", xml}), xml},
		"forwarded":                    {mailWith(t, note, [3]string{"message/rfc822", "", inner}), xml},
		"nested multipart":             {mailWith(t, note, [3]string{"multipart/alternative; boundary=q", "", "--q\r\n\r\nno\r\n--q\r\nContent-Type: text/xml\r\n\r\n" + xml + "\r\n--q--\r\n"}), xml},
		"text only":                    {mailWith(t, page, [3]string{"text/plain", "", "TimeStamp : x"}), "TimeStamp : x"},
		"text file":                    {mailWith(t, page, [3]string{"application/octet-stream", "", "TimeStamp : x"}), "TimeStamp : x"},
		"cut off":                      {[]byte("Content-Type: multipart/mixed; boundary=q\r\n\r\n--q\r\nContent-Type: text/xml\r\n\r\n" + xml + "\r\n"), xml},
	} {
		got, err := mimemail.Decode(c.mail)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if string(got.Payload) != c.want {
			t.Errorf("%s: got %q, want %q", name, got.Payload, c.want)
		}
	}
	got, err := mimemail.Decode(mailWith(t, note))
	if err != nil {
		t.Fatal(err)
	}
	if got.Subject != "System Notification From blå - test - x" || got.From != "r@dev.example" || !got.Date.Equal(time.Date(2027, 1, 9, 4, 5, 6, 0, time.UTC)) || got.ContentType != "text/plain" {
		t.Errorf("headers: got %+v", got)
	}
}

func TestDecodeRefuses(t *testing.T) {
	nested := "<x/>"
	for i := range 12 {
		nested = fmt.Sprintf("Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n%s\r\n--b%d--\r\n", i, i, nested, i)
	}
	for name, in := range map[string]string{
		"nothing": "", "no header": "hello", "a page": "Content-Type: text/html\r\n\r\n<html>", "an image": "Content-Type: image/png\r\n\r\n\x89PNG",
		"too deep":    nested,
		"many parts":  "Content-Type: multipart/mixed; boundary=q\r\n\r\n" + strings.Repeat("--q\r\n\r\nx\r\n", 200) + "--q--",
		"long header": "X: " + strings.Repeat("y", 1<<19) + "\r\n\r\nx",
	} {
		_, err := mimemail.Decode([]byte(in))
		var e *callhome.Error
		if !errors.As(err, &e) || e.Kind != callhome.KindInvalid {
			t.Errorf("%s: got %v, want an error of kind invalid", name, err)
		}
	}
}

func TestEncodedWordsDecodeElsewhere(t *testing.T) {
	m := sample()
	m.Subject = "System Notification From " + strings.Repeat("blåbærsyltetøy-", 20) + " - test - now"
	h, _ := readStd(t, appended(t, m))
	got, err := new(mime.WordDecoder).DecodeHeader(h.Get("Subject"))
	if err != nil || got != m.Subject {
		t.Errorf("got %q, %v, want %q", got, err, m.Subject)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(appended(f, sample()))
	f.Add([]byte("Content-Type: multipart/mixed; boundary=q\r\n\r\n--q\r\nContent-Type: text/xml; charset=latin1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n<?xml encoding=3D'x'?>=E5\r\n--q\r\nContent-Type: message/rfc822\r\n\r\nA: b\r\n\r\nc\r\n--q--"))
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := mimemail.Decode(b)
		if err != nil {
			return
		}
		mimemail.ParseSubject(got.Subject)
		again := sample()
		again.Subject, again.MessageID, again.Body = got.Subject, got.MessageID, got.Payload
		wire := appended(t, again)
		checkWire(t, wire)
		if _, body := readStd(t, wire); canonical(body) != canonical(got.Payload) {
			t.Errorf("got %q, want %q", body, got.Payload)
		}
	})
}

func FuzzParseSubject(f *testing.F) {
	f.Add("System Notification From gw - diagnostic:GOLD-major - 2027-01-09 04:05:06 GMT+00:00 - case 1")
	f.Fuzz(func(t *testing.T, s string) {
		if parts, ok := mimemail.ParseSubject(s); ok && !strings.Contains(strings.Join(strings.Fields(s), " "), parts.Host) {
			t.Errorf("%q: host %q", s, parts.Host)
		}
	})
}

func BenchmarkAppend(b *testing.B) {
	line := "Gi0/1   connected    100  a-full a-1000 10/100/1000BaseTX\n"
	for name, body := range map[string]string{
		"7bit": strings.Repeat(line, 140), "quoted": strings.Repeat(line, 139) + "blå\n", "base64": strings.Repeat("åæø", 1365),
	} {
		b.Run(name, func(b *testing.B) {
			m := sample()
			m.Body = []byte(body)
			b.ReportAllocs()
			b.SetBytes(int64(len(body)))
			var dst []byte
			for b.Loop() {
				dst, _ = mimemail.Append(dst[:0], m)
			}
		})
	}
}

func BenchmarkDecode(b *testing.B) {
	m := sample()
	m.Body = bytes.Repeat([]byte("<e>Gi0/1 connected</e>\n"), 356)
	wire := appended(b, m)
	b.ReportAllocs()
	b.SetBytes(int64(len(wire)))
	for b.Loop() {
		if _, err := mimemail.Decode(wire); err != nil {
			b.Fatal(err)
		}
	}
}
