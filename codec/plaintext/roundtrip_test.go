package plaintext_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"callhome"
	"callhome/codec/plaintext"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var timesEqual = cmp.Comparer(func(a, b callhome.Timestamp) bool { return a.NoZone == b.NoZone && a.Equal(b.Time) })

// readBack is what decoding a message written in a dialect of long text must give: m without what the dialect has no
// label for, its times as coarse, its constants filled in.
func readBack(m *callhome.Message, d plaintext.Dialect) *callhome.Message {
	w := *m
	w.Format, w.Dialect = callhome.FormatFull, d.Name
	w.Name, w.Type = map[string]string{"A": "environment", "B": "ENVIRONMENT_ALERT", "C": "environment"}[d.Name],
		map[string]string{"A": "Call Home", "B": "Environment", "C": "environment"}[d.Name]
	clean := func(s string) string {
		return strings.NewReplacer("\x1b", "^[").Replace(s)
	}
	w.Attachments = nil
	for _, a := range m.Attachments {
		a.Type, a.Text = "command output", clean(a.Text)
		if d.Name == "C" {
			a.Type = ""
		}
		w.Attachments = append(w.Attachments, a)
	}
	switch d.Name {
	case "A":
		w.EventTime.Time = w.EventTime.Truncate(time.Minute)
		w.MessageGroup, w.SwitchPriority = "reactive", nil
	case "B":
		e := w.EventTime
		w.EventTime = callhome.Timestamp{Time: time.Date(e.Year(), e.Month(), e.Day(), e.Hour(), e.Minute(), e.Second(), 0, time.UTC), NoZone: true}
		w.Flags = []string{"tz_missing"}
	case "C":
		w.SwitchPriority, w.SourceID = nil, ""
	}
	return &w
}

// Values that look like the format itself, and ordinary ones.
var lines = rapid.OneOf(
	rapid.StringMatching(`[ -~æ€]{0,20}`),
	rapid.SampledFrom([]string{
		"Command Output Name : x", " Command Output Name:", "command output :", "   COMMAND OUTPUT NAME : y", "Command Output Text : z",
		"start chassis information:", "end chassis information:", "Event Description : d", "+free : x", "", " ", "\t", "a:b",
		"Affected FRU : q", "show version",
	}),
)

func drawText(t *rapid.T, name string) string {
	return strings.Join(rapid.SliceOfN(lines, 0, 4).Draw(t, name), "\n")
}

func drawValue(t *rapid.T, name string) string { return strings.TrimSpace(drawText(t, name)) }

func drawUnit(t *rapid.T, slot bool) callhome.FRU {
	u := callhome.FRU{Name: drawValue(t, "unit"), Serial: drawValue(t, "serial"), HWVersion: drawValue(t, "hw"), SWVersion: drawValue(t, "sw"), PartNo: drawValue(t, "part")}
	if slot {
		u.Slot = drawValue(t, "slot")
	}
	return u
}

func drawMessage(t *rapid.T) *callhome.Message {
	m := &callhome.Message{
		EventTime: callhome.At(time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "time"), 0).In(time.FixedZone("", 60*rapid.IntRange(-720, 840).Draw(t, "zone")))),
		Group:     callhome.GroupEnvironment, Type: "environment", Severity: level(callhome.Level(rapid.IntRange(0, 9).Draw(t, "level"))),
		SourceID: drawValue(t, "source"), DeviceID: callhome.DeviceID(drawValue(t, "device")), CustomerID: drawValue(t, "customer"),
		ContractID: drawValue(t, "contract"), SiteID: drawValue(t, "site"), ServerID: drawValue(t, "server"),
		Description: drawValue(t, "description"), SystemName: drawValue(t, "system"), ContactName: drawValue(t, "name"),
		ContactEmail: drawValue(t, "email"), ContactPhone: drawValue(t, "phone"), StreetAddress: drawValue(t, "street"),
		Model: "m" + drawValue(t, "model"), Serial: drawValue(t, "serial"),
	}
	for range rapid.IntRange(0, 2).Draw(t, "chassis") {
		m.Chassis = append(m.Chassis, drawUnit(t, false))
	}
	for range rapid.IntRange(0, 2).Draw(t, "FRUs") {
		m.FRUs = append(m.FRUs, drawUnit(t, true))
	}
	for range rapid.IntRange(0, 2).Draw(t, "processes") {
		m.Processes = append(m.Processes, callhome.Process{Name: drawValue(t, "p"), ID: drawValue(t, "id"), State: drawValue(t, "state"), Exception: drawValue(t, "exc")})
	}
	for range rapid.IntRange(0, 2).Draw(t, "pairs") {
		key := strings.Join(strings.Fields(strings.ReplaceAll(lines.Draw(t, "key"), ":", "=")), " ")
		m.Pairs = append(m.Pairs, callhome.Tag{Key: key, Value: drawValue(t, "value")})
	}
	for range rapid.IntRange(0, 3).Draw(t, "attachments") {
		m.Attachments = append(m.Attachments, callhome.Attachment{
			Name: strings.Join(strings.Fields(drawValue(t, "command")), " "), Text: drawText(t, "output"),
		})
	}
	return m
}

func TestRoundTrip(t *testing.T) {
	for _, d := range []plaintext.Dialect{plaintext.A, plaintext.B, plaintext.C} {
		t.Run(d.Name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				m := drawMessage(t)
				text := plaintext.Append(nil, m, d)
				got, err := plaintext.Decode(text)
				if err != nil {
					t.Fatalf("%v\n%s", err, text)
				}
				if diff := cmp.Diff(readBack(m, d), got, timesEqual); diff != "" {
					t.Fatalf("(-want +got):\n%s\n%s", diff, text)
				}
			})
		})
	}
}

func FuzzDecode(f *testing.F) {
	for _, d := range []plaintext.Dialect{plaintext.A, plaintext.B, plaintext.C, plaintext.Pager, plaintext.Labels} {
		f.Add(plaintext.Append(nil, fanFailure(), d))
	}
	f.Add([]byte(foreignB))
	f.Add([]byte("TimeStamp:2027-01-09 04:05\nEvent Description:\nCommand Output Name:\nzz\n+:\nCommand Output:\n Command Output:x"))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := plaintext.Decode(b)
		if err != nil {
			return
		}
		for _, d := range []plaintext.Dialect{plaintext.A, plaintext.B, plaintext.C} {
			once := plaintext.Append(nil, m, d)
			again, err := plaintext.Decode(once)
			if err != nil {
				continue // too little was left that the dialect has labels for
			}
			if twice := plaintext.Append(nil, again, d); !bytes.Equal(once, twice) {
				t.Errorf("dialect %s is not stable:\n%q\n%q", d.Name, once, twice)
			}
		}
	})
}

// page is a message of about size bytes in one output.
func page(size int) *callhome.Message {
	m := fanFailure()
	var b strings.Builder
	for i := 0; b.Len() < size; i++ {
		fmt.Fprintf(&b, "Gi0/%d   connected    %4d  a-full a-1000 10/100/1000BaseTX\n", i, i)
	}
	m.Attachments = []callhome.Attachment{{Name: "show interfaces status", Text: b.String()}}
	return m
}

func BenchmarkAppend(b *testing.B) {
	m := page(8 << 10)
	for _, d := range []plaintext.Dialect{plaintext.A, plaintext.B, plaintext.C, plaintext.Pager, plaintext.Labels} {
		b.Run(d.Name, func(b *testing.B) {
			b.ReportAllocs()
			var dst []byte
			for b.Loop() {
				dst = plaintext.Append(dst[:0], m, d)
			}
			b.SetBytes(int64(len(dst)))
		})
	}
}

func BenchmarkDecode(b *testing.B) {
	for _, size := range []int{8 << 10, 1 << 20} {
		text := plaintext.Append(nil, page(size), plaintext.A)
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				if _, err := plaintext.Decode(text); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
