package render_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/mail"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"callhome"
	"callhome/agent/render"
	"callhome/codec/aml"
	"callhome/codec/mimemail"
	"callhome/codec/plaintext"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func message(attachments ...string) *callhome.Message {
	level := callhome.LevelCritical
	m := &callhome.Message{
		MessageID: "M4:HRX77120:6967F3E2", GroupID: "G5:HRX77120:6967F3E2",
		EventTime: callhome.At(time.Date(2027, 1, 9, 4, 5, 6, 0, time.UTC)), CreationTime: callhome.At(time.Date(2027, 1, 9, 4, 5, 7, 0, time.UTC)),
		Name: "environment", Type: "environment", Group: callhome.GroupEnvironment, Severity: &level, SourceID: "Heron 400",
		DeviceID: "HR-410@C@HRX77120", SystemName: "oslo-gw-1", Description: "%ENVMON-1-FAN: Fan tray 2 stopped", Model: "HR-410", Serial: "HRX77120",
	}
	for i, text := range attachments {
		m.Attachments = append(m.Attachments, callhome.Attachment{Name: fmt.Sprintf("show %d", i), Text: text})
	}
	return m
}

func profile(f callhome.Format) *callhome.Profile {
	return &callhome.Profile{Name: "noc", Format: f, Email: []string{"noc@acme.example", "desk@acme.example"}, HTTP: []string{"https://backend.example/x"}}
}

func options() render.Options {
	return render.Options{
		AlertID: "a1", Device: "oslo-gw-1", From: "Call Home <callhome@acme.example>", ReplyTo: "desk@acme.example",
		Date: time.Date(2027, 1, 9, 4, 5, 8, 0, time.UTC),
	}
}

func rendered(t testing.TB, m *callhome.Message, p *callhome.Profile, o render.Options) []callhome.Envelope {
	t.Helper()
	out, err := render.Render(m, p, o)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestOneEnvelopePerDestination(t *testing.T) {
	out := rendered(t, message("output"), profile(callhome.FormatXML), options())
	if len(out) != 3 {
		t.Fatalf("got %d envelopes, want 3", len(out))
	}
	h := out[2]
	want := callhome.Envelope{
		MessageID: "M4:HRX77120:6967F3E2", AlertID: "a1", Device: "oslo-gw-1", Profile: "noc", Group: callhome.GroupEnvironment,
		Format: callhome.FormatXML, Destination: callhome.Destination{Transport: callhome.TransportHTTP, Address: "https://backend.example/x"},
		ContentType: "text/xml", Body: h.Body,
	}
	if diff := cmp.Diff(want, h); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for i, address := range []string{"noc@acme.example", "desk@acme.example"} {
		e := out[i]
		if e.From != "callhome@acme.example" || e.Destination.Address != address {
			t.Errorf("envelope %d: from %s to %s", i, e.From, e.Destination.Address)
		}
		m, err := mail.ReadMessage(bytes.NewReader(e.Body))
		if err != nil {
			t.Fatal(err)
		}
		if m.Header.Get("To") != "<"+address+">" || m.Header.Get("Subject") != "System Notification From oslo-gw-1 - environment - 2027-01-09 04:05:06 GMT+00:00" {
			t.Errorf("header: %v", m.Header)
		}
		got, err := mimemail.Decode(e.Body)
		if err != nil || string(got.Payload) != string(h.Body) {
			t.Errorf("the mail holds another message than the HTTP body, %v:\n%s", err, got.Payload)
		}
	}
	if again := rendered(t, message("output"), profile(callhome.FormatXML), options()); cmp.Diff(out, again) != "" {
		t.Error("a repeat differs")
	}
}

func TestFormats(t *testing.T) {
	for _, c := range []struct {
		name        string
		change      func(*callhome.Profile, *render.Options)
		contentType string
		want        []byte
	}{
		{"long text A", func(p *callhome.Profile, _ *render.Options) { p.Format = callhome.FormatFull }, "text/plain; charset=utf-8", plaintext.Append(nil, message("o"), plaintext.A)},
		{"long text of the platform", func(p *callhome.Profile, o *render.Options) { p.Format, o.LongText = callhome.FormatFull, "B" }, "text/plain; charset=utf-8", plaintext.Append(nil, message("o"), plaintext.B)},
		{"long text of the profile", func(p *callhome.Profile, o *render.Options) {
			p.Format, p.LongTextDialect, o.LongText = callhome.FormatFull, "C", "B"
		}, "text/plain; charset=utf-8", plaintext.Append(nil, message("o"), plaintext.C)},
		{"pager", func(p *callhome.Profile, _ *render.Options) { p.Format = callhome.FormatShort }, "text/plain; charset=utf-8", plaintext.Append(nil, message("o"), plaintext.Pager)},
		{"labels", func(p *callhome.Profile, _ *render.Options) { p.Format, p.ShortTextLabels = callhome.FormatShort, true }, "text/plain; charset=utf-8", plaintext.Append(nil, message("o"), plaintext.Labels)},
		{"no format is XML", func(p *callhome.Profile, o *render.Options) { p.Format = ""; o.Variant, _ = aml.VariantFor("nxos") }, "text/xml", variantXML(t, "nxos", message("o"))},
	} {
		p, o := profile(""), options()
		p.Email = nil
		c.change(p, &o)
		out := rendered(t, message("o"), p, o)
		if string(out[0].Body) != string(c.want) || out[0].ContentType != c.contentType {
			t.Errorf("%s: got %s\n%s", c.name, out[0].ContentType, out[0].Body)
		}
	}
}

func variantXML(t *testing.T, name string, m *callhome.Message) []byte {
	v, _ := aml.VariantFor(name)
	b, err := aml.Append(nil, m, v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func wellFormed(b []byte) error {
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

func TestSizePolicy(t *testing.T) {
	m := message(strings.Repeat("a", 1000), strings.Repeat("b", 2000), "tiny", strings.Repeat("c", 3000))
	m.Description = strings.Repeat("å", 400)
	p := profile(callhome.FormatXML)
	p.Email = nil
	full := len(rendered(t, m, p, options())[0].Body)
	for _, c := range []struct {
		limit int
		want  []string // text of the attachments
		runes int      // least length of the description
	}{
		{full, []string{"aaa", "bbb", "tiny", "ccc"}, 400},
		{full - 1, []string{"aaa", "bbb", "tiny", "[truncated: 3000 bytes removed]"}, 400},
		{full - 3000, []string{"aaa", "[truncated: 2000 bytes removed]", "tiny", "[truncated: 3000 bytes removed]"}, 400},
		{full - 5500, []string{"[truncated: 1000 bytes removed]", "[truncated: 2000 bytes removed]", "tiny", "[truncated: 3000 bytes removed]"}, 400},
		{full - 6500, []string{"[truncated: 1000 bytes removed]", "[truncated: 2000 bytes removed]", "tiny", "[truncated: 3000 bytes removed]"}, 50},
	} {
		o := options()
		o.Limit = c.limit
		e := rendered(t, m, p, o)[0]
		if len(e.Body) > c.limit || e.Truncated != (c.limit < full) || wellFormed(e.Body) != nil {
			t.Errorf("limit %d: %d bytes, truncated %v, %v", c.limit, len(e.Body), e.Truncated, wellFormed(e.Body))
		}
		got, err := aml.Decode(e.Body, aml.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range c.want {
			if !strings.HasPrefix(got.Attachments[i].Text, want) {
				t.Errorf("limit %d: attachment %d is %.40q, want %q", c.limit, i, got.Attachments[i].Text, want)
			}
		}
		n := utf8.RuneCountInString(got.Description)
		if n < c.runes || !utf8.ValidString(got.Description) || n < 400 && !strings.HasSuffix(got.Description, "å...") {
			t.Errorf("limit %d: description of %d characters: %s", c.limit, n, got.Description)
		}
		if n < 400 && c.limit-len(e.Body) > 3 {
			t.Errorf("limit %d: %d bytes are left unused", c.limit, c.limit-len(e.Body))
		}
	}
	if m.Attachments[3].Text[0] != 'c' {
		t.Error("the message itself was changed")
	}
}

func TestTooLargeForItsHeaders(t *testing.T) {
	for f, limit := range map[callhome.Format]int{callhome.FormatXML: 50, callhome.FormatFull: 50, callhome.FormatShort: 40} {
		o := options()
		o.Limit = limit
		out, err := render.Render(message("x"), profile(f), o)
		var d *render.Dropped
		if !errors.As(err, &d) || d.Reason != callhome.ReasonSize || !strings.Contains(err.Error(), fmt.Sprint(limit)) {
			t.Errorf("%s: got %v, %v, want a drop for size", f, out, err)
		}
	}
}

func TestShortTextWithinBytes(t *testing.T) {
	m := message("not part of it")
	m.Description = "%X-1-Y: " + strings.Repeat("å", 500)
	for _, labels := range []bool{false, true} {
		p := profile(callhome.FormatShort)
		p.ShortTextLabels, p.Email = labels, nil
		for _, limit := range []int{120, 159, 200, 4000} {
			o := options()
			o.Limit = limit
			out, err := render.Render(m, p, o)
			var d *render.Dropped
			if errors.As(err, &d) && labels && limit < 160 {
				continue // the labels alone take that much
			}
			if err != nil {
				t.Fatal(err)
			}
			b := out[0].Body
			if len(b) > limit || !utf8.Valid(b) || !strings.Contains(string(b), "å") {
				t.Errorf("labels %v, limit %d: %d bytes\n%s", labels, limit, len(b), b)
			}
		}
	}
}

func TestSizeLimit(t *testing.T) {
	ios := render.Sizes{Min: 50, Max: 3145728, Default: 3145728}
	nxos := render.Sizes{Min: 0, Max: 5000000, Default: 2500000, ZeroUnlimited: true}
	for _, c := range []struct {
		configured int
		sizes      render.Sizes
		want       int
		ok         bool
	}{
		{49, ios, 0, false}, {50, ios, 50, true}, {3145728, ios, 3145728, true}, {3145729, ios, 0, false}, {0, ios, 0, false},
		{0, nxos, 0, true}, {1, nxos, 1, true}, {5000000, nxos, 5000000, true}, {5000001, nxos, 0, false}, {-1, nxos, 0, false},
	} {
		got, err := render.SizeLimit(&c.configured, c.sizes)
		if got != c.want || (err == nil) != c.ok || err != nil && callhome.KindOf(err) != callhome.KindInvalid {
			t.Errorf("%d in %+v: got %d, %v", c.configured, c.sizes, got, err)
		}
	}
	if got, err := render.SizeLimit(nil, nxos); got != 2500000 || err != nil {
		t.Errorf("default: got %d, %v", got, err)
	}
}

func TestAnonymousGoesByHTTPSOnly(t *testing.T) {
	o := options()
	o.Anonymous = true
	p := profile(callhome.FormatXML)
	p.HTTP = append(p.HTTP, "http://plain.example/x", "HTTPS://other.example/x")
	out := rendered(t, message(), p, o)
	if len(out) != 2 || !out[0].Anonymous || out[0].Destination.Address != "https://backend.example/x" || out[1].Destination.Address != "HTTPS://other.example/x" {
		t.Errorf("got %+v", out)
	}
	p.HTTP = p.HTTP[1:2]
	_, err := render.Render(message(), p, o)
	var d *render.Dropped
	if !errors.As(err, &d) || d.Reason != callhome.ReasonPrivacy {
		t.Errorf("got %v, want a drop for privacy", err)
	}
}

func TestOnDemandDestinations(t *testing.T) {
	o := options()
	o.To = []callhome.Destination{{Transport: callhome.TransportEmail, Address: "me@acme.example"}}
	if out := rendered(t, message(), profile(callhome.FormatShort), o); len(out) != 1 || out[0].Destination.Address != "me@acme.example" {
		t.Errorf("got %+v", out)
	}
	if out, err := render.Render(message(), &callhome.Profile{Name: "empty"}, options()); len(out) != 0 || err != nil {
		t.Errorf("no destination: got %v, %v", out, err)
	}
}

func TestRefuses(t *testing.T) {
	for name, change := range map[string]func(*callhome.Message, *callhome.Profile, *render.Options){
		"format": func(_ *callhome.Message, p *callhome.Profile, _ *render.Options) { p.Format = callhome.FormatMML },
		"dialect": func(_ *callhome.Message, p *callhome.Profile, _ *render.Options) {
			p.Format, p.LongTextDialect = callhome.FormatFull, "D"
		},
		"short dialect": func(_ *callhome.Message, p *callhome.Profile, _ *render.Options) {
			p.Format, p.LongTextDialect = callhome.FormatFull, "pager"
		},
		"sender":    func(_ *callhome.Message, _ *callhome.Profile, o *render.Options) { o.From = "" },
		"recipient": func(_ *callhome.Message, p *callhome.Profile, _ *render.Options) { p.Email = []string{"nobody"} },
		"message":   func(m *callhome.Message, _ *callhome.Profile, _ *render.Options) { m.Severity = nil },
		"reply-to":  func(_ *callhome.Message, _ *callhome.Profile, o *render.Options) { o.ReplyTo = "x\r\nBcc: a@b.example" },
	} {
		m, p, o := message(), profile(callhome.FormatXML), options()
		change(m, p, &o)
		if out, err := render.Render(m, p, o); callhome.KindOf(err) != callhome.KindInvalid {
			t.Errorf("%s: got %v, %v", name, out, err)
		}
	}
}

func TestOneBadAddressHoldsNobodyUp(t *testing.T) {
	p := profile(callhome.FormatXML)
	p.Email = []string{"nobody", "noc@acme.example"}
	out, err := render.Render(message(), p, options())
	if len(out) != 2 || callhome.KindOf(err) != callhome.KindInvalid || !strings.Contains(err.Error(), "nobody") {
		t.Errorf("got %d envelopes, %v, want the two good ones and the fault", len(out), err)
	}
}

// Whatever the message, what is rendered fits or is dropped for its size, and XML stays well-formed.
func TestLimitHolds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := message(rapid.SliceOfN(rapid.OneOf(rapid.String(), rapid.StringMatching(`(]]>|<&>|\n){0,40}`)), 0, 5).Draw(t, "outputs")...)
		m.Description = rapid.String().Draw(t, "description")
		p := profile(rapid.SampledFrom([]callhome.Format{callhome.FormatXML, callhome.FormatFull, callhome.FormatShort}).Draw(t, "format"))
		p.Email = nil
		o := options()
		o.Limit = rapid.IntRange(50, 5000).Draw(t, "limit")
		out, err := render.Render(m, p, o)
		var d *render.Dropped
		if errors.As(err, &d) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if b := out[0].Body; len(b) > o.Limit || p.Format == callhome.FormatXML && wellFormed(b) != nil {
			t.Fatalf("limit %d: %d bytes, %v\n%s", o.Limit, len(b), wellFormed(b), b)
		}
	})
}

func BenchmarkRender(b *testing.B) {
	m := message(strings.Repeat("Gi0/1   connected    100  a-full a-1000 10/100/1000BaseTX\n", 140))
	for _, f := range []callhome.Format{callhome.FormatXML, callhome.FormatFull, callhome.FormatShort} {
		for _, to := range []string{"http", "email"} {
			p := profile(f)
			if to == "http" {
				p.Email = nil
			} else {
				p.HTTP, p.Email = nil, p.Email[:1]
			}
			b.Run(string(f)+"/"+to, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					rendered(b, m, p, options())
				}
			})
		}
	}
	large := message()
	for range 40 {
		large.Attachments = append(large.Attachments, callhome.Attachment{Name: "show tech", Text: strings.Repeat("line of output <&>\n", 10000)})
	}
	b.Run("cut to size", func(b *testing.B) {
		p, o := profile(callhome.FormatXML), options()
		p.Email, o.Limit = nil, 3145728
		b.ReportAllocs()
		for b.Loop() {
			rendered(b, large, p, o)
		}
	})
}
