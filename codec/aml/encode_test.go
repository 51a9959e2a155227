package aml

import (
	"bytes"
	"encoding/xml"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"callhome"
)

// emitted are messages and the golden file that each variant writes of them.
func emitted() map[string]*callhome.Message {
	nexus := plainMessage()
	nexus.Name, nexus.MessageID, nexus.GroupID = "FAN_FAILURE", "1004:TSTN3105C4D:6A2CE9F4", ""
	nexus.CustomerID, nexus.SiteID, nexus.ContractID, nexus.Builder, nexus.BuilderVersion = "", "", "", "", ""
	second := plainMessage()
	second.Block = &callhome.Block{Number: 1, IsLast: true, WaitForPrimary: true}
	return map[string]*callhome.Message{"full": fullMessage(), "small": smallMessage(), "nexus": nexus, "block": second}
}

func TestAppendGolden(t *testing.T) {
	for name, m := range emitted() {
		for _, v := range Variants() {
			t.Run(name+"-"+v.Name, func(t *testing.T) {
				got, err := Append([]byte("kept "), m, v)
				if err != nil {
					t.Fatal(err)
				}
				body, ok := bytes.CutPrefix(got, []byte("kept "))
				if !ok {
					t.Fatal("Append wrote over what dst held")
				}
				golden(t, "testdata/emitted/"+name+"-"+v.Name+".xml", body)
			})
		}
	}
}

func TestAppendRefuses(t *testing.T) {
	good := fullMessage()
	if _, err := Append(nil, good, variants[0]); err != nil {
		t.Fatal(err)
	}
	bad := callhome.Level(10)
	for name, tc := range map[string]struct {
		change func(m *callhome.Message)
		want   string
	}{
		"no message ID":   {func(m *callhome.Message) { m.MessageID = "" }, "message_id"},
		"odd message ID":  {func(m *callhome.Message) { m.MessageID = "M1:x:soon" }, "message_id"},
		"no time":         {func(m *callhome.Message) { m.EventTime = callhome.Timestamp{} }, "event_time"},
		"far future":      {func(m *callhome.Message) { m.EventTime.Time = m.EventTime.AddDate(9000, 0, 0) }, "year 11026"},
		"odd group ID":    {func(m *callhome.Message) { m.GroupID = "G1:x:69b529dd" }, "group_id"},
		"no severity":     {func(m *callhome.Message) { m.Severity = nil }, "severity"},
		"severity of ten": {func(m *callhome.Message) { m.Severity = &bad }, "severity 10"},
		"no group":        {func(m *callhome.Message) { m.Group, m.Type = "", "Call Home" }, "alert_group"},
	} {
		t.Run(name, func(t *testing.T) {
			m := *good
			tc.change(&m)
			out, err := Append([]byte("x"), &m, variants[0])
			if err == nil || !strings.Contains(err.Error(), tc.want) || callhome.KindOf(err) != callhome.KindInvalid {
				t.Errorf("got error %v, want an invalid one about %s", err, tc.want)
			}
			if string(out) != "x" {
				t.Errorf("got %q, want dst as it was", out)
			}
		})
	}
}

func TestTypeWord(t *testing.T) {
	for _, tc := range []struct {
		typ   string
		group callhome.AlertGroup
		want  string
	}{
		{"environment", callhome.GroupEnvironment, "environment"},
		{"diagnostic-signature", callhome.GroupDiagnostic, "diagnostic-signature"},
		{"env", "", "env"},
		{"Call Home", callhome.GroupSyslog, "syslog"},
		{"environment", callhome.GroupSyslog, "syslog"},
		{"", callhome.GroupSendCLI, "send-cli"},
		{"1x", "", ""},
		{"x<y", "", ""},
	} {
		if got := typeWord(&callhome.Message{Type: tc.typ, Group: tc.group}); got != tc.want {
			t.Errorf("type %q of group %q: got %q, want %q", tc.typ, tc.group, got, tc.want)
		}
	}
}

func TestNextID(t *testing.T) {
	for _, tc := range [][3]string{
		{"M8:S@1:51AEAC68", "G", "G9:S@1:51AEAC68"}, {"1004:S:69B529DD", "", "1005:S:69B529DD"}, {"odd", "G", "odd"},
	} {
		if got := nextID(callhome.MessageID(tc[0]), tc[1]); got != tc[2] {
			t.Errorf("message ID %s: got group ID %s, want %s", tc[0], got, tc[2])
		}
	}
}

// TestRoundTrip reads back what was written, for whatever text XML can hold.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.SampledFrom(variants[:]).Draw(t, "variant")
		want := drawMessage(t, v, cleanText)
		doc, err := Append(nil, want, v)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Decode(doc, Options{Strict: true})
		if err != nil {
			t.Fatalf("%v in\n%s", err, doc)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("read back (-want +got):\n%s\nof\n%s", diff, doc)
		}
		if n, err := Size(want, v); err != nil || n != len(doc) {
			t.Fatalf("got size %d (%v), want %d", n, err, len(doc))
		}
	})
}

// TestHostileText writes whatever bytes a device prints: the library must accept the document, and reading and writing
// it once more must change nothing.
func TestHostileText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.SampledFrom(variants[:]).Draw(t, "variant")
		m := drawMessage(t, v, hostileText)
		doc, err := Append(nil, m, v)
		if err != nil {
			t.Fatal(err)
		}
		if err := xml.Unmarshal(doc, new(struct{})); err != nil {
			t.Fatalf("encoding/xml refuses: %v\n%q", err, doc)
		}
		if n, err := Size(m, v); err != nil || n != len(doc) {
			t.Fatalf("got size %d (%v), want %d", n, err, len(doc))
		}
		once, err := Decode(doc, Options{Strict: true})
		if err != nil {
			t.Fatalf("%v in\n%q", err, doc)
		}
		again, err := Append(nil, once, v)
		if err != nil {
			t.Fatal(err)
		}
		twice, err := Decode(again, Options{Strict: true})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(once, twice); diff != "" {
			t.Fatalf("the second reading differs (-first +second):\n%s", diff)
		}
	})
}

func TestAttachmentSize(t *testing.T) {
	for _, text := range []string{"", "x", "a]]>b", "]]", "]]]>", "\r\n\r\x00\xff é \u2028", strings.Repeat("]]>", 99)} {
		for _, enc := range []string{"", "plain", "text", "base64", "other"} {
			m := fullMessage()
			a := callhome.Attachment{Name: "show <x>", Encoding: enc, Text: text}
			without, err := Append(nil, m, variants[2])
			if err != nil {
				t.Fatal(err)
			}
			m.Attachments = append(m.Attachments, a)
			with, err := Append(nil, m, variants[2])
			if err != nil {
				t.Fatal(err)
			}
			if got, want := AttachmentSize(a, variants[2]), len(with)-len(without); got != want {
				t.Errorf("%q as %q: got size %d, want %d", text, enc, got, want)
			}
		}
	}
	if got := DescriptionSize("a<b\xff"); got != len("a&lt;b\uFFFD") {
		t.Errorf("got description size %d", got)
	}
}
