package aml

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"callhome"
)

func TestInsertVia(t *testing.T) {
	const id = "urn:callhome:gateway:a&b:1"
	for _, c := range []struct {
		name, in, want string // want "": there is no path
		vias           []string
	}{
		{
			"as IOS writes it",
			`<?xml version="1.0"?><soap-env:Envelope xmlns:a="x"><soap-env:Header><aml-session:Session a="b>c"><aml-session:To>t</aml-session:To><aml-session:Path><aml-session:Via>http://one</aml-session:Via></aml-session:Path><aml-session:From>f</aml-session:From></aml-session:Session></soap-env:Header><soap-env:Body>&amp; rest`,
			`<?xml version="1.0"?><soap-env:Envelope xmlns:a="x"><soap-env:Header><aml-session:Session a="b>c"><aml-session:To>t</aml-session:To><aml-session:Path><aml-session:Via>http://one</aml-session:Via><aml-session:Via>urn:callhome:gateway:a&amp;b:1</aml-session:Via></aml-session:Path><aml-session:From>f</aml-session:From></aml-session:Session></soap-env:Header><soap-env:Body>&amp; rest`,
			[]string{"http://one", id},
		},
		{"without prefix", `<Envelope><Session><Path> </Path></Session>`, `<Envelope><Session><Path> <Via>urn:callhome:gateway:a&amp;b:1</Via></Path></Session>`, []string{id}},
		{"one tag", `<s:Session><s:Path /></s:Session>`, `<s:Session><s:Path><s:Via>urn:callhome:gateway:a&amp;b:1</s:Via></s:Path></s:Session>`, []string{id}},
		{"in a comment", `<s:Session><!-- </s:Path> --><s:Path></s:Path></s:Session>`, `<s:Session><!-- </s:Path> --><s:Path><s:Via>urn:callhome:gateway:a&amp;b:1</s:Via></s:Path></s:Session>`, []string{id}},
		{"outside a session", `<x><Path></Path></x>`, "", nil},
		{"in the body", `<s:Session></s:Session><s:Body><s:Session><s:Path></s:Path>`, "", nil},
		{"MML", `<mml><header/></mml>`, "", nil},
		{"broken", `<s:Session><s:Path`, "", nil},
		{"open comment", `<s:Session><!-- `, "", nil},
		{"nothing", ``, "", nil},
	} {
		got, ok := InsertVia([]byte("before"), []byte(c.in), id)
		if !ok {
			got = nil
		}
		want := ""
		if c.want != "" {
			want = "before" + c.want
		}
		if string(got) != want {
			t.Errorf("%s: got  %s\nwant %s", c.name, got, want)
		}
		if c.want == "" {
			continue
		}
		if vias := Vias([]byte(c.want)); !slices.Equal(vias, c.vias) {
			t.Errorf("%s: vias %q, want %q", c.name, vias, c.vias)
		}
	}
}

// TestViaKeepsMessage is that a message with one more station decodes to the same message.
func TestViaKeepsMessage(t *testing.T) {
	for _, v := range Variants() {
		level := callhome.LevelMajor
		m := &callhome.Message{
			MessageID: "M1:S:51AEAC68", GroupID: "G2:S:51AEAC68", Type: "syslog", Name: "n", Description: "d", DeviceID: "T@C@S", Severity: &level,
			Model: "T", Serial: "S", SystemName: "h", SourceID: "series", ContactEmail: "a@b.example", CustomerID: "c", SiteID: "s", ContractID: "k",
			Group: callhome.GroupSyslog,
		}
		m.EventTime, _ = ParseTime("2026-03-14 09:26:53 GMT+00:00")
		doc, err := Append(nil, m, v)
		if err != nil {
			t.Fatal(err)
		}
		longer, ok := InsertVia(nil, doc, "urn:x")
		if !ok {
			t.Fatalf("%s: no path in our own form:\n%s", v.Name, doc)
		}
		a, err := Decode(doc, Options{})
		if err != nil {
			t.Fatal(err)
		}
		b, err := Decode(longer, Options{Strict: true})
		if err != nil {
			t.Fatalf("%s: %v", v.Name, err)
		}
		if a.MessageID != b.MessageID || a.Description != b.Description || len(b.Unknown) != len(a.Unknown) || len(b.Flags) != len(a.Flags) {
			t.Errorf("%s: %+v became %+v", v.Name, a, b)
		}
		if got := Vias(longer); got[len(got)-1] != "urn:x" {
			t.Errorf("%s: %q", v.Name, got)
		}
	}
}

func FuzzInsertVia(f *testing.F) {
	f.Add([]byte(`<s:Session><s:Path><s:Via>a</s:Via></s:Path></s:Session>`))
	f.Add([]byte(`<s:Session><s:Path/>`))
	f.Add([]byte(`<Session><![CDATA[</Path>]]><Path a='>'></Path>`))
	f.Fuzz(func(t *testing.T, doc []byte) {
		out, ok := InsertVia(nil, doc, "urn:v")
		if !ok {
			return
		}
		if len(out) <= len(doc) || strings.Count(string(out), "urn:v") != bytes.Count(doc, []byte("urn:v"))+1 {
			t.Errorf("%q became %q", doc, out)
		}
	})
}
