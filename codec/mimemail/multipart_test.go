package mimemail

import (
	"bytes"
	"encoding/base64"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"strings"
	"testing"
	"time"

	"callhome"
)

func part(t *testing.T, p *multipart.Part) string {
	t.Helper()
	var r io.Reader = p
	switch p.Header.Get("Content-Transfer-Encoding") {
	case "base64":
		r = base64.NewDecoder(base64.StdEncoding, p)
	case "quoted-printable":
		r = quotedprintable.NewReader(p)
	}
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestMultipart reads what was written with the standard library.
func TestMultipart(t *testing.T) {
	m := &Mail{
		From: "Callhome <callhome@ops.example>", To: []string{"ana@ops.example"}, Date: time.Unix(1773480413, 0).UTC(), Subject: "Fan 2",
		MessageID: "N1:2", Format: callhome.FormatFull, Body: []byte("Fan 2 failed – look\n.\nFrom here\n"), HTML: []byte("<p>Fan 2 failed</p>\n"), Thread: "SR-000001",
		Files: []File{{Name: "show env/all.txt", Body: []byte("FAN2\x1b bad\n--=_callhome_\n")}, {Name: "p.zip", Type: "application/zip", Body: []byte{0, 1, 2, 0xff}}},
	}
	b, err := Append(nil, m)
	if err != nil {
		t.Fatal(err)
	}
	if again, _ := Append(nil, m); !bytes.Equal(b, again) {
		t.Error("a repeat of the mail differs")
	}
	msg, err := mail.ReadMessage(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	if ref := msg.Header.Get("References"); !strings.HasPrefix(ref, "<SR-000001.") || !strings.HasSuffix(ref, "@ops.example>") {
		t.Errorf("References is %q", ref)
	}
	kind, params, err := mime.ParseMediaType(msg.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/mixed" {
		t.Fatalf("Content-Type %q, %v", kind, err)
	}
	mixed := multipart.NewReader(msg.Body, params["boundary"])
	first, err := mixed.NextRawPart()
	if err != nil {
		t.Fatal(err)
	}
	kind, params, _ = mime.ParseMediaType(first.Header.Get("Content-Type"))
	if kind != "multipart/alternative" {
		t.Fatalf("first part is %s", kind)
	}
	alternative := multipart.NewReader(first, params["boundary"])
	for _, want := range []string{"Fan 2 failed – look\r\n.\r\nFrom here\r\n", "<p>Fan 2 failed</p>\r\n"} {
		p, err := alternative.NextRawPart()
		if err != nil {
			t.Fatal(err)
		}
		if got := part(t, p); strings.TrimRight(got, "\r\n") != strings.TrimRight(want, "\r\n") {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	for _, want := range m.Files {
		p, err := mixed.NextRawPart()
		if err != nil {
			t.Fatal(err)
		}
		got := part(t, p)
		if want.Type == "" {
			got = strings.ReplaceAll(got, "\r\n", "\n")
		}
		if got != string(want.Body) || strings.ContainsAny(p.FileName(), `/\`) || p.FileName() == "" {
			t.Errorf("%s: got %q, want %q", p.FileName(), got, want.Body)
		}
	}
	if _, err := mixed.NextRawPart(); err != io.EOF {
		t.Errorf("after the last file: %v", err)
	}
	if got, err := Decode(b); err != nil || !strings.Contains(string(got.Payload), "Fan 2 failed – look") {
		t.Errorf("our own reader: %+v, %v", got, err)
	}
}
