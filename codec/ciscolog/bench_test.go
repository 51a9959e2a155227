package ciscolog

import "testing"

// benchLines are one line of each kind.
var benchLines = map[string]string{
	"plain":  "<188>7: gw1.example: Mar  7 2027 08:15:30.250 +0100: %TOLL-4-LINK_LOST: Link to peer lost, standby takes over",
	"tagged": "<190>7: gw1.example: Mar  7 2027 08:15:30.250 +0100: %TOLL-6-CALL: %[ip.from=192.0.2.4][ip.to=2001:db8::4][pname.orig=tolld][txn=a81]: Call up",
	"ucm":    "<187>511: pub-7: Mar 07 2027 08:15:30.250 UTC :  %UC_CALLMANAGER-3-EndPointLost: %[DeviceName=SEP02AA02BB02CC][IPAddress=198.51.100.8][Reason=9][AppID=Cisco CallManager][ClusterID=West][NodeID=pub-7]: End point lost",
	"relay":  "Mar  7 09:02:29 sub-8 local7 2 ccm: 17: sub-8: Mar  7 2027 08:15:30 AM.250 UTC : %UC_CALLMANAGER-2-Jam: %[AppID=Cisco CallManager][ClusterID=West][NodeID=pub-7]: Jam",
	"loose":  "44: gw1: Mar 07 2027 08:15:30.250 UTC : %TOLL-6-LinkUp: %[App ID=x] [b c=[2] ]: Up",
}

func BenchmarkParse(b *testing.B) {
	for name, text := range benchLines {
		b.Run(name, func(b *testing.B) {
			line := []byte(text)
			b.ReportAllocs()
			b.SetBytes(int64(len(line)))
			var r Record
			for b.Loop() {
				if !Parse(line, receivedOwn, &r, Options{}) {
					b.Fatal("not read")
				}
			}
		})
	}
}

func BenchmarkTags(b *testing.B) {
	var r Record
	Parse([]byte(benchLines["tagged"]), receivedOwn, &r, Options{})
	b.ReportAllocs()
	for b.Loop() {
		if r.Match("ip", "192.0.2.5") {
			b.Fatal("matched")
		}
	}
}

func BenchmarkAppend(b *testing.B) {
	f, buf := good(), []byte(nil)
	b.ReportAllocs()
	for b.Loop() {
		var err error
		if buf, err = Append(buf[:0], f); err != nil {
			b.Fatal(err)
		}
	}
}

// TestParseAllocatesNothing covers every path of the tolerant parser.
func TestParseAllocatesNothing(t *testing.T) {
	var r Record
	for name, text := range benchLines {
		line := []byte(text)
		if n := testing.AllocsPerRun(100, func() { Parse(line, receivedOwn, &r, Options{}) }); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
	for _, l := range ownLines(t) {
		if n := testing.AllocsPerRun(10, func() { Parse(l.line, receivedOwn, &r, Options{}) }); n != 0 {
			t.Errorf("%s: %v allocations", l.name, n)
		}
	}
	Parse([]byte(benchLines["tagged"]), receivedOwn, &r, Options{})
	if n := testing.AllocsPerRun(100, func() { r.Match("ip", "192.0.2.5") }); n != 0 {
		t.Errorf("Match: %v allocations", n)
	}
}
