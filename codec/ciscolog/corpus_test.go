package ciscolog

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"callhome/callhometest"
)

// vector is one row of the shared test vectors.
type vector struct {
	ID     string  `json:"id"`
	Strict string  `json:"strict"`
	Input  string  `json:"input"`
	Base64 []byte  `json:"input_base64"`
	Error  Rule    `json:"error"`
	Want   *wanted `json:"want"`
}

// wanted is what a valid line holds.
type wanted struct {
	PRI  *int        `json:"pri"`
	Seq  uint64      `json:"seq"`
	Host string      `json:"host"`
	Acc  string      `json:"acc"`
	Time *string     `json:"time"` // date and clock as written
	TZ   string      `json:"tz"`
	App  string      `json:"app"`
	Sev  int8        `json:"sev"`
	Msg  string      `json:"msg"`
	Tags [][2]string `json:"tags"`
	Text string      `json:"text"`
}

func (v *vector) line() []byte {
	if v.Base64 != nil {
		return v.Base64
	}
	return []byte(v.Input)
}

func corpusVectors(t *testing.T) []vector {
	t.Helper()
	text, err := os.ReadFile(callhometest.Corpus(t, "spec", "ciscolog-vectors.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	var all []vector
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var v vector
		if err := json.Unmarshal(lines.Bytes(), &v); err != nil {
			t.Fatal(err)
		}
		all = append(all, v)
	}
	if err := lines.Err(); err != nil || len(all) == 0 {
		t.Fatalf("%d vectors, error %v", len(all), err)
	}
	return all
}

const civilLayout = "2006-01-02T15:04:05.000"

// wantedOf gives the fields of a record in the form of the vectors.
func wantedOf(r *Record) *wanted {
	w := &wanted{
		Seq: r.Seq, Host: string(r.Host), App: string(r.App), Sev: r.Severity, Msg: string(r.Name), Text: string(r.Text),
		TZ: string(r.Zone),
	}
	if r.PRI >= 0 {
		w.PRI = &r.PRI
	}
	if r.Accuracy != AccuracyNoClock {
		civil := r.Time.Add(time.Duration(r.Offset) * time.Second).Format(civilLayout)
		w.Time = &civil
	}
	w.Acc = map[Accuracy]string{AccuracyUnsynchronised: "*", AccuracyWasSynchronised: "."}[r.Accuracy]
	for _, tag := range r.AppendTags(nil) {
		w.Tags = append(w.Tags, [2]string{tag.Key, tag.Value})
	}
	return w
}

// outcome is what the tolerant parser makes of a vector.
type outcome struct {
	not   bool // not CiscoLog at all
	flags Flags
	check func(r *Record) bool
}

func with(flags Flags, check func(r *Record) bool) outcome {
	return outcome{flags: flags, check: check}
}

// civilTime tells whether a stamp was read as this date and clock.
func civilTime(want string) func(r *Record) bool {
	return func(r *Record) bool { return *wantedOf(r).Time == want && r.TimeSource == TimeFromHeader }
}

func fromReceipt(r *Record) bool {
	return r.TimeSource == TimeFromReceipt && r.Time.Equal(corpusReceived)
}

func text(want string) func(r *Record) bool {
	return func(r *Record) bool { return string(r.Text) == want && r.TagRegion == nil }
}

func tagList(want ...string) func(r *Record) bool {
	return func(r *Record) bool {
		var got []string
		for k, v := range r.Tags {
			got = append(got, string(k), string(v))
		}
		return cmp.Equal(got, want)
	}
}

// corpusReceived is when the vectors are received: right after most of their stamps.
var corpusReceived = time.Date(2026, 6, 13, 21, 8, 0, 0, time.UTC)

// tolerant says for each vector that is not valid, and for valid ones with a remark, what the tolerant parser makes of it.
var tolerant = map[string]outcome{
	"CL-003": {flags: FlagClockSkew}, // stamps far from corpusReceived
	"CL-022": {flags: FlagClockSkew},
	"CL-023": {flags: FlagClockSkew},
	"CL-027": with(FlagTZUnknown, func(r *Record) bool { return string(r.Zone) == "NZDT+13" && !r.OffsetKnown }),
	"CL-033": {flags: FlagPRISeverityMismatch},
	"CL-034": {flags: FlagOversize},
	"CL-035": {not: true},
	"CL-036": with(FlagPRIForm, func(r *Record) bool { return r.PRI == -1 && r.Severity == 6 }),
	"CL-037": with(FlagPRIForm|FlagPRISeverityMismatch, func(r *Record) bool { return r.PRI == 13 }),
	"CL-038": with(FlagPRIForm, func(r *Record) bool { return r.PRI == -1 }),
	"CL-039": with(0, func(r *Record) bool { return !r.HasSeq && string(r.Host) == "core1" }),
	"CL-040": with(0, func(r *Record) bool { return !r.HasSeq && string(r.Host) == "core1" }),
	"CL-041": with(FlagSeqForm, func(r *Record) bool { return r.HasSeq && r.Seq == 7 }),
	"CL-042": with(0, func(r *Record) bool { return !r.HasSeq }),
	"CL-043": with(FlagSeqRange, func(r *Record) bool { return r.HasSeq && r.Seq == 4294967296 }),
	"CL-044": with(FlagDelim, func(r *Record) bool { return r.Seq == 1 && string(r.Host) == "core1" }),
	"CL-045": with(0, func(r *Record) bool { return r.Host == nil && r.Seq == 1 }),
	"CL-046": with(FlagHostLength, func(r *Record) bool { return len(r.Host) == 256 }),
	"CL-047": with(FlagHostChar, func(r *Record) bool { return Display{}.Host(r.Host) == "co        re" }),
	"CL-048": with(FlagHostChar, func(r *Record) bool { return Display{}.Host(r.Host) == "co?re" }),
	"CL-049": with(FlagTimeForm, civilTime("2026-06-13T21:07:15.454")),
	"CL-050": with(FlagTimeForm, civilTime("2026-06-13T21:07:15.454")),
	"CL-051": with(FlagTimeForm, civilTime("2026-06-13T21:07:15.454")),
	"CL-052": with(FlagTimeForm|FlagClockSkew, civilTime("2026-06-03T21:07:15.454")),
	"CL-053": with(FlagTimeForm|FlagClockSkew, civilTime("2026-06-03T21:07:15.454")),
	"CL-054": with(FlagTimeInvalid, fromReceipt),
	"CL-055": with(FlagTimeInvalid, fromReceipt),
	"CL-056": with(FlagYearInferred, civilTime("2026-06-13T21:07:15.454")),
	"CL-057": with(FlagTimeInvalid, fromReceipt),
	"CL-058": with(FlagTimeInvalid, fromReceipt),
	"CL-059": with(FlagLeapSecond|FlagClockSkew, civilTime("2026-12-31T23:59:59.999")),
	"CL-060": with(0, func(r *Record) bool { return r.Precision == time.Second && r.Time.Nanosecond() == 0 }),
	"CL-061": with(0, func(r *Record) bool { return r.Precision == time.Microsecond }),
	"CL-062": with(FlagTimeForm|FlagDelim, civilTime("2026-06-13T21:07:15.454")),
	"CL-063": with(FlagTZMissing, civilTime("2026-06-13T21:07:15.454")),
	"CL-064": with(FlagTZForm, func(r *Record) bool { return string(r.Zone) == "Atlantic" && !r.OffsetKnown }),
	"CL-065": with(FlagTZForm, func(r *Record) bool { return string(r.Zone) == "+2460" && !r.OffsetKnown }),
	"CL-066": with(FlagTZForm, func(r *Record) bool { return r.OffsetKnown && r.Offset == 0 }),
	"CL-067": {not: true},
	"CL-068": with(FlagHeaderForm, func(r *Record) bool { return string(r.App) == "EDGE" && r.Severity == 6 && len(r.Name) == 0 }),
	"CL-069": with(FlagHeaderForm, func(r *Record) bool {
		return string(r.App) == "CCM_EDGE-EDGE" && r.Severity == 2 && string(r.Name) == "EDGE-ERROR-ALERT"
	}),
	"CL-070": with(FlagHeaderForm, func(r *Record) bool { return string(r.App) == "E" }),
	"CL-071": with(FlagHeaderForm, func(r *Record) bool { return string(r.App) == "Edge_Router" && string(r.Name) == "10500FF" }),
	"CL-072": with(FlagHeaderForm, func(r *Record) bool { return len(r.App) == 25 }),
	"CL-073": with(FlagSeverity, func(r *Record) bool { return r.Severity == 5 }),
	"CL-074": with(FlagSeverity, func(r *Record) bool { return r.Severity == 5 && string(r.App) == "EDGE" }),
	"CL-075": with(FlagHeaderForm, func(r *Record) bool { return string(r.Name) == "DeviceUp" }),
	"CL-076": with(FlagHeaderForm, func(r *Record) bool { return string(r.Name) == "X" }),
	"CL-077": with(FlagHeaderForm, func(r *Record) bool { return len(r.Name) == 31 }),
	"CL-078": with(FlagPRISeverityMismatch, func(r *Record) bool { return r.Severity == 3 }),
	"CL-079": with(FlagTags, text("%[]: Empty tag")),
	"CL-080": with(FlagTags, tagList()),
	"CL-081": with(FlagTags, tagList("a.", "v")),
	"CL-082": with(FlagTags, func(r *Record) bool {
		return tagList("Node ID", "n1")(r) && CanonicalKey([]byte("Node ID")) == "nodeid" && r.Match("nodeid", "n1")
	}),
	"CL-083": with(FlagTags, tagList("User", "bob", "IP", "192.0.2.1")),
	"CL-084": with(FlagTags, tagList("a-b", "v")),
	"CL-085": with(FlagTags, tagList("a", "1", "b", "2")),
	"CL-086": with(FlagTags, tagList("a", "x[0]y")),
	"CL-087": with(FlagTags, tagList("p", `c:\tmp`)),
	"CL-088": with(FlagTags, text("%[a=1: Never closed")),
	"CL-089": with(FlagTags, text("%[a=1]No delimiter")),
	"CL-090": with(0, text("[a=1]: No percent")), // and see TestCorpusICM
	"CL-091": with(FlagTags, func(r *Record) bool {
		value, _ := r.Tag("a")
		return Display{}.Host(value) == "x        y"
	}),
	"CL-092": with(FlagPart, func(r *Record) bool { return !r.HasPart }),
	"CL-093": with(FlagPart, func(r *Record) bool { return r.HasPart && r.Part == Part{First: 7, N: 2, Total: 3} }),
	"CL-094": with(FlagPart, func(r *Record) bool { return !r.HasPart }),
	"CL-095": with(FlagMessage, text("")),
	"CL-096": with(FlagMessage, func(r *Record) bool { return Display{}.Text(r.Text) == "line one\nline two" }),
	"CL-097": with(FlagUTF8, func(r *Record) bool {
		return Display{}.Text(r.Text) == "caf\ufffd" && Display{Windows1252: true}.Text(r.Text) == "café" && r.Text[3] == 0xe9
	}),
	"CL-098": {flags: FlagOversize},
	"CL-099": with(0, func(r *Record) bool {
		return r.Seq == 50 && string(r.Host) == "core1" && string(r.RelayHost) == "relay1" && string(r.RelayTime) == "Jun 13 21:07:16"
	}),
	"CL-100": with(0, func(r *Record) bool {
		return r.Seq == 50 && cmp.Equal(r.RelayCounters(), []uint64{812}) && string(r.Host) == "core1"
	}),
	"CL-101": with(FlagDelim|FlagHeaderForm, func(r *Record) bool {
		return r.Seq == 50 && cmp.Equal(r.RelayCounters(), []uint64{812}) && string(r.Host) == "core1.example.net" &&
			tagList("DeviceName", "P1", "AppID", "Edge", "ClusterID", "C", "NodeID", "n1")(r) && r.Dialect() == DialectUCM
	}),
}

func TestCorpusVectors(t *testing.T) {
	for _, v := range corpusVectors(t) {
		t.Run(v.ID, func(t *testing.T) {
			want, known := tolerant[v.ID]
			if !known && v.Strict != "valid" {
				t.Fatal("no tolerant outcome is expected of this vector: add one")
			}
			checkStrict(t, &v)
			checkTolerant(t, &v, want)
		})
	}
}

func checkStrict(t *testing.T, v *vector) {
	var r Record
	violation := ParseStrict(v.line(), &r)
	if v.Strict != "valid" {
		if violation == nil || violation.Rule != v.Error {
			t.Errorf("strict: got %v, want %s", violation, v.Error)
		}
		return
	}
	if violation != nil {
		t.Fatalf("strict: %v", violation)
	}
	if diff := cmp.Diff(v.Want, wantedOf(&r)); diff != "" {
		t.Errorf("strict (-want +got)\n%s", diff)
	}
	checkRoundTrip(t, v.line(), &r)
}

func checkTolerant(t *testing.T, v *vector, want outcome) {
	var r Record
	ok := Parse(v.line(), corpusReceived, &r, Options{})
	if ok == want.not {
		t.Fatalf("tolerant: CiscoLog %v, want %v", ok, !want.not)
	}
	if !ok {
		return
	}
	if r.Flags != want.flags {
		t.Errorf("tolerant: flags %q, want %q", r.Flags, want.flags)
	}
	if !bytes.Equal(r.Raw, v.line()) {
		t.Errorf("tolerant: raw octets changed")
	}
	if got := r.Conforms; got != (v.Strict == "valid") {
		t.Errorf("tolerant: conforms %v", got)
	}
	if v.Want != nil && v.Want.Time != nil {
		if diff := cmp.Diff(v.Want, wantedOf(&r)); diff != "" {
			t.Errorf("tolerant (-want +got)\n%s", diff)
		}
	}
	if want.check != nil && !want.check(&r) {
		t.Errorf("tolerant: not as expected: %+v", r)
	}
}

// TestCorpusICM reads the vector whose tags have no percent sign as Contact Center Enterprise means it.
func TestCorpusICM(t *testing.T) {
	for _, v := range corpusVectors(t) {
		if v.ID != "CL-090" {
			continue
		}
		var r Record
		if !Parse(v.line(), corpusReceived, &r, Options{ICM: true}) || !tagList("a", "1")(&r) || string(r.Text) != "No percent" {
			t.Errorf("got tags %v, text %q", r.AppendTags(nil), r.Text)
		}
		return
	}
	t.Error("vector CL-090 is gone")
}

// TestCorpusReassembly joins the vectors that are three parts of one message.
func TestCorpusReassembly(t *testing.T) {
	var a Assembler
	var done []Joined
	all := corpusVectors(t)
	for _, i := range []int{29, 0, 27, 4, 28} { // CL-030, -001, -028, -005, -029
		var r Record
		if !Parse(all[i].line(), corpusReceived, &r, Options{}) {
			t.Fatal(all[i].ID)
		}
		done, _ = a.Add(done, "192.0.2.1", &r, corpusReceived)
	}
	if len(done) != 1 || string(done[0].Record.Text) != "null reference\nat parse:18\nat main:4" {
		t.Errorf("got %d messages: %+v", len(done), done)
	}
}
