package aml

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"callhome"
)

func TestParseTime(t *testing.T) {
	for in, want := range map[string]string{
		"2026-03-14 09:26:53 GMT+00:00":  "2026-03-14T09:26:53Z",
		"2026-03-14 09:26:53 GMT-07:00":  "2026-03-14T09:26:53-07:00",
		"2026-03-14 09:26:53 GMT+05:45":  "2026-03-14T09:26:53+05:45",
		"2026-03-14 09:26:53 GMT+0000":   "2026-03-14T09:26:53Z",
		"2026-03-14 09:26:53 GMT-0330":   "2026-03-14T09:26:53-03:30",
		"2026-03-14 09:26:53 GMT+02":     "2026-03-14T09:26:53+02:00",
		"2026-03-14 09:26 GMT+00:00":     "2026-03-14T09:26:00Z",
		"2026-03-14T09:26:53":            "2026-03-14T09:26:53",
		"2026-03-14T09:26":               "2026-03-14T09:26:00",
		"2026-03-14T09:26:53Z":           "2026-03-14T09:26:53Z",
		"2026-03-14T09:26:53.114+02:00":  "2026-03-14T09:26:53.114+02:00",
		"2026-03-14 09:26:53 utc":        "2026-03-14T09:26:53Z",
		"2026-03-14 09:26:53 GMT +02:00": "2026-03-14T09:26:53+02:00",
		"2026-03-14 09:26:53 CET":        "2026-03-14T09:26:53",
		" 2026-03-14 09:26:53\n":         "2026-03-14T09:26:53",
		"2024-02-29 00:00:00":            "2024-02-29T00:00:00",
		"2026-03-14 23:59:60 GMT+00:00":  "2026-03-15T00:00:00Z",
		"":                               "", "soon": "", "2026-03-14": "", "2026-13-14 09:26:53": "", "2026-02-30 09:26:53": "",
		"2026-03-14 24:00:00": "", "2026-03-14 09:60:00": "", "2026-3-14 09:26:53": "", "2026-03-14_09:26:53": "",
		"2026-03-14 09:26:53 GMT+25:00": "", "2026-03-14 09:26:53 GMT+2": "", "2026-03-14 09:26:53 CET+01:00": "",
		"2026-03-14 09:26:53 GMT+00:00 or so": "", "2026-03-14 09:26:53 later on": "", "2026-03-14 09:26:": "",
	} {
		got, ok := ParseTime(in)
		text, err := got.MarshalText()
		if err != nil || ok != (want != "") || ok && string(text) != want {
			t.Errorf("%q: got %s, %v, want %q", in, text, ok, want)
		}
	}
}

func TestAppendTime(t *testing.T) {
	at := time.Date(2026, 3, 14, 9, 26, 53, 0, time.FixedZone("", -7*3600))
	for _, tc := range []struct {
		t     callhome.Timestamp
		colon bool
		want  string
	}{
		{callhome.At(at), true, "2026-03-14 09:26:53 GMT-07:00"},
		{callhome.At(at), false, "2026-03-14 09:26:53 GMT-0700"},
		{callhome.At(at.UTC()), true, "2026-03-14 16:26:53 GMT+00:00"},
		{callhome.Timestamp{Time: at.UTC(), NoZone: true}, true, "2026-03-14 16:26:53"},
	} {
		if got := string(appendTime(nil, tc.t, tc.colon)); got != tc.want {
			t.Errorf("got %s, want %s", got, tc.want)
		}
	}
}

func TestDialect(t *testing.T) {
	for _, tc := range []struct {
		m    callhome.Message
		want string
	}{
		{callhome.Message{Builder: "CSR1000v"}, "ios"},
		{callhome.Message{Builder: "Cat6500"}, "ios"},
		{callhome.Message{Builder: "ASR1000", SourceID: "Nexus7000"}, "ios"},
		{callhome.Message{Builder: "ASR9000"}, "iosxr"},
		{callhome.Message{Builder: "DC3"}, "nxos"},
		{callhome.Message{SourceID: "Nexus7000"}, "nxos"},
		{callhome.Message{SourceID: "Lab", SysDescr: "Cisco NX-OS(tm) n7000"}, "nxos"},
		{callhome.Message{Builder: "ASA"}, "asa"},
		{callhome.Message{SourceID: "Adaptive Security Appliance"}, "asa"},
		{callhome.Message{SourceID: "Fabric UCS 6248"}, "ucs"},
		{callhome.Message{SourceID: "Firepower 4100"}, "ucs"},
		{callhome.Message{SourceID: "NASA Routers", MessageID: "M1:S:69B529DD"}, "ios"},
		{callhome.Message{MessageID: "1004:S:69B529DD"}, "nxos"},
		{callhome.Message{MessageID: "M1:S:69B529DD", Description: "%ASA-1-104001: x"}, "asa"},
		{callhome.Message{MessageID: "M1:S:69B529DD", Description: "RP/0/RSP0/CPU0:Jun 13: x"}, "iosxr"},
		{callhome.Message{MessageID: "M1:S:69B529DD", Type: "diag"}, "ucs"},
		{callhome.Message{Format: callhome.FormatMML, Builder: "ASA"}, "mds"},
		{callhome.Message{}, ""},
	} {
		if got := dialectOf(&tc.m); got != tc.want {
			t.Errorf("%+v: got %q, want %q", tc.m, got, tc.want)
		}
	}
}

func TestGroupOf(t *testing.T) {
	for word, want := range map[string]callhome.AlertGroup{
		"syslog": callhome.GroupSyslog, "env": callhome.GroupEnvironment, "Inventory Update": callhome.GroupInventory,
		"Test Call Home": callhome.GroupTest, "diagnostic-signature": callhome.GroupDiagnostic, "diagnostic:GOLD-major": callhome.GroupDiagnostic,
		"Call Home": "", "all": "", "": "", "ack": "",
	} {
		if got := groupOf(word); got != want {
			t.Errorf("%q: got %q, want %q", word, got, want)
		}
	}
}

// block is a document of one block with that header and content.
func blockOf(header, content string) string {
	return `<s:Envelope xmlns:s="` + nsSOAP + `"><s:Body><b:Block xmlns:b="` + nsBlock + `" xmlns:ch="` + nsCH + `" xmlns:rme="` + nsRME + `"><b:Header>` +
		header + `</b:Header><b:Content><ch:CallHome>` + content + `</ch:CallHome></b:Content></b:Block></s:Body></s:Envelope>`
}

// TestTolerance reads what devices print but should not, and what is merely different.
func TestTolerance(t *testing.T) {
	type message = callhome.Message
	unknown := func(pathValue ...string) (out []callhome.Unknown) {
		for i := 0; i < len(pathValue); i += 2 {
			out = append(out, callhome.Unknown{Path: pathValue[i], Value: pathValue[i+1]})
		}
		return out
	}
	const event = "Envelope/Body/Block/Content/CallHome/Event/"
	for name, tc := range map[string]struct {
		doc  string
		want message
	}{
		"group of the type URI": {blockOf("<b:Type>urn:x/callhome/telemetry</b:Type>", ""), message{Type: "telemetry", Name: "telemetry", Group: "telemetry"}},
		"group of any suffix":   {blockOf("<b:Type>urn:x/novelty</b:Type>", ""), message{Type: "novelty", Name: "novelty"}},
		"type ahead of URI": {blockOf("<b:Type>http://x/callhome/syslog</b:Type>", "<ch:Event><ch:Type>env</ch:Type></ch:Event>"),
			message{Type: "env", Name: "env", Group: "environment", Dialect: "ucs"}},
		"bad severity": {blockOf("<b:Severity>12</b:Severity>", ""),
			message{Unknown: unknown("Envelope/Body/Block/Header/Severity", "12"), Flags: []string{FlagBadValue}}},
		"bad time": {blockOf("", "<ch:EventTime>soon</ch:EventTime>"),
			message{Unknown: unknown("Envelope/Body/Block/Content/CallHome/EventTime", "soon"), Flags: []string{FlagBadTime}}},
		"right namespace over a foreign one": {blockOf("", `<ch:Event><x:Brand xmlns:x="urn:x">B</x:Brand><ch:Brand>A</ch:Brand></ch:Event>`),
			message{Brand: "A", Unknown: unknown(event+"Brand", "B")}},
		"and ahead of it": {blockOf("", `<ch:Event><ch:Brand>A</ch:Brand><x:Brand xmlns:x="urn:x">B</x:Brand></ch:Event>`),
			message{Brand: "A", Unknown: unknown(event+"Brand", "B")}},
		"another of our namespaces": {blockOf("", `<ch:Event><rme:Brand>B</rme:Brand></ch:Event>`), message{Unknown: unknown(event+"Brand", "B")}},
		"said twice":                {blockOf("", `<ch:Event><ch:Brand>A</ch:Brand><ch:Brand>A</ch:Brand></ch:Event>`), message{Brand: "A"}},
		"unbound prefix":            {strings.ReplaceAll(blockOf("", "<ch:Event><ch:Brand>A</ch:Brand></ch:Event>"), "xmlns:ch", "xmlns:hc"), message{Brand: "A"}},
		"default namespace":         {`<CallHome xmlns="` + nsCH + `"><Event><Brand>A</Brand></Event></CallHome>`, message{Brand: "A"}},
		"case of names":             {blockOf("", "<ch:event><ch:BRAND>A</ch:BRAND></ch:event>"), message{Brand: "A"}},
		"unknown attribute":         {blockOf("", `<ch:Event colour="red"/>`), message{Unknown: unknown(event+"@colour", "red")}},
		"unknown tree":              {blockOf("", "<ch:Event><ch:X><ch:Y>1</ch:Y><ch:Z/></ch:X></ch:Event>"), message{Unknown: unknown(event+"X/Y", "1", event+"X/Z", "")}},
		"text between elements":     {blockOf("", "<ch:Event>well<ch:Brand>A</ch:Brand></ch:Event>"), message{Brand: "A", Unknown: unknown("Envelope/Body/Block/Content/CallHome/Event", "well")}},
		"e-mail of the user":        {blockOf("", "<ch:CustomerData><ch:UserData><ch:Email>a@lab.example</ch:Email></ch:UserData></ch:CustomerData>"), message{ContactEmail: "a@lab.example"}},
		"trailing data":             {blockOf("", "") + "-- \nsent by a relay\x00", message{Flags: []string{FlagTrailing}}},
		"byte order mark":           {"\uFEFF\n" + blockOf("", ""), message{}},
		"stray ampersand":           {blockOf("", "<ch:MessageDescription>R&D & more, a ]]> b</ch:MessageDescription>"), message{Description: "R&D & more, a ]]> b", Flags: []string{FlagMalformed}}},
		"control characters":        {blockOf("", "<ch:MessageDescription>a\x1b[0m\x00\xffb</ch:MessageDescription>"), message{Description: "a\uFFFD[0m\uFFFD\uFFFDb", Flags: []string{FlagBadChars}}},
		"reference to one":          {blockOf("", "<ch:MessageDescription>a&#0;b</ch:MessageDescription>"), message{Description: "a\uFFFDb", Flags: []string{FlagBadChars}}},
		"Latin-1": {`<?xml version="1.0" encoding="ISO-8859-1"?>` + blockOf("", "<ch:MessageDescription>caf\xe9 \x85</ch:MessageDescription>"),
			message{Description: "café \u0085"}},
		"windows-1252": {`<?xml version="1.0" encoding="Windows-1252"?>` + blockOf("", "<ch:MessageDescription>\x80\xe9</ch:MessageDescription>"), message{Description: "€é"}},
		"one CDATA after another": {blockOf("", "<ch:MessageDescription> <![CDATA[ a]]>\n<![CDATA[b ]]> c </ch:MessageDescription>"),
			message{Description: "ab  c"}},
		"skew": {`<Envelope><Header><Session><MessageId>M1:S:69B529DD</MessageId></Session></Header><Body><Block><Header><CreationDate>2020-01-01 00:00:00 GMT+00:00</CreationDate></Header><Content><CallHome/></Content></Block></Body></Envelope>`,
			message{MessageID: "M1:S:69B529DD", Dialect: "ios", Flags: []string{FlagNoEventTime, FlagSkew},
				EventTime: at(2020), CreationTime: at(2020)}},
		"card in a card": {blockOf("", "<ch:Device><rme:Chassis><rme:Card><rme:Model>A</rme:Model><rme:Card><rme:Model>B</rme:Model></rme:Card><rme:SerialNumber>1</rme:SerialNumber></rme:Card></rme:Chassis></ch:Device>"),
			message{FRUs: []callhome.FRU{{Name: "A", Serial: "1"}, {Name: "B"}}}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Decode([]byte(tc.doc), Options{})
			if err != nil {
				t.Fatal(err)
			}
			tc.want.Format = callhome.FormatXML
			if diff := cmp.Diff(&tc.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if len(got.Flags) > 0 && (got.Flags[0] == FlagBadChars || got.Flags[0] == FlagMalformed) {
				if _, err := Decode([]byte(tc.doc), Options{Strict: true}); err == nil {
					t.Error("Strict reads it too")
				}
			}
		})
	}
}

func at(year int) callhome.Timestamp {
	return callhome.At(time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC))
}

func TestAttachmentData(t *testing.T) {
	for name, tc := range map[string]struct {
		data string
		want callhome.Attachment
		flag string
	}{
		"blanks around CDATA": {"<Data encoding='plain'>\n <![CDATA[ x\n]]>\n</Data>", callhome.Attachment{Encoding: "plain", Text: " x\n"}, ""},
		"no CDATA":            {"<Data encoding='text'> x\n</Data>", callhome.Attachment{Encoding: "text", Text: " x\n"}, ""},
		"blank":               {"<Data encoding='text'>\n</Data>", callhome.Attachment{Encoding: "text"}, ""},
		"blank CDATA":         {"<Data><![CDATA[\n]]></Data>", callhome.Attachment{Text: "\n"}, ""},
		"line ends":           {"<Data><![CDATA[a\r\nb\rc]]></Data>", callhome.Attachment{Text: "a\nb\nc"}, ""},
		"base64 in lines":     {"<Data encoding='BASE64'>\n aGVs\r\n\tbG8= </Data>", callhome.Attachment{Encoding: "BASE64", Text: "hello"}, ""},
		"broken base64":       {"<Data encoding='base64'>%%%</Data>", callhome.Attachment{Encoding: "plain", Text: "%%%"}, FlagBadBase64},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := Decode([]byte("<Block><Attachments><Attachment><Name>c</Name>"+tc.data+"</Attachment></Attachments></Block>"), Options{})
			if err != nil {
				t.Fatal(err)
			}
			tc.want.Name = "c"
			if diff := cmp.Diff([]callhome.Attachment{tc.want}, m.Attachments); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if got := strings.Join(m.Flags, " "); got != tc.flag {
				t.Errorf("got flags %q, want %q", got, tc.flag)
			}
		})
	}
}

func TestVariantFor(t *testing.T) {
	if v, ok := VariantFor("NXOS"); !ok || v.Name != "nxos" || v.MessagePrefix != "" {
		t.Errorf("got %+v, %v", v, ok)
	}
	if v, ok := VariantFor("junos"); ok || v.Name != "ios" {
		t.Errorf("got %+v, %v, want ios and false", v, ok)
	}
	Variants()[0].Name = "changed"
	if variants[0].Name != "ios" {
		t.Error("Variants gives its own table away")
	}
}

func TestAnswers(t *testing.T) {
	golden(t, "testdata/answers/accepted.xml", AppendAck(nil, "M41:S<1>:6A2CE9F4", ResultAccepted))
	golden(t, "testdata/answers/fault.xml", AppendFault(nil, FaultSender, "line 3: & is not\x00 XML"))
	for name, tc := range map[string]struct {
		in   string
		want Ack
	}{
		"accepted":  {string(AppendAck([]byte(" "), "M41:S<1>:6A2CE9F4", ResultAccepted)), Ack{MessageID: "M41:S<1>:6A2CE9F4", Result: ResultAccepted}},
		"duplicate": {string(AppendAck(nil, "", ResultDuplicate)), Ack{Result: ResultDuplicate}},
		"fault":     {string(AppendFault(nil, FaultReceiver, "full")), Ack{Fault: FaultReceiver, Reason: "full"}},
		"SOAP 1.1 fault": {"<e:Envelope><e:Body><e:Fault><faultcode>e:Client</faultcode><faultstring>no</faultstring></e:Fault></e:Body></e:Envelope>",
			Ack{Fault: FaultSender, Reason: "no"}},
		"empty":      {"", Ack{}},
		"other XML":  {"<html><body/></html>", Ack{}},
		"with a BOM": {"\uFEFF<a><Result> Accepted </Result></a>", Ack{Result: ResultAccepted}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := ParseAck([]byte(tc.in))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	for _, in := range []string{"OK", "<a>", "<a></b>", "<!DOCTYPE a><a/>", strings.Repeat(" ", maxAnswer+1)} {
		if got, err := ParseAck([]byte(in)); err == nil || got != (Ack{}) || callhome.KindOf(err) != callhome.KindInvalid {
			t.Errorf("%.20q: got %+v, %v, want an invalid error", in, got, err)
		}
	}
}
