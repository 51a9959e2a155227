package syslog_test

import (
	"regexp"
	"testing"
	"time"

	"github.com/leodido/go-syslog/v4/rfc5424"

	"callhome/codec/syslog"
)

// received is the time of receipt in all tests.
var received = time.Date(2026, 6, 13, 21, 7, 20, 0, time.UTC)

// benchLines are one ordinary line of each common shape.
var benchLines = []struct{ name, line string }{
	{"ios", `<189>2994: edge7: 004211: *Jun 13 21:07:15.454 UTC: %LINEPROTO-5-UPDOWN: Line protocol on Interface GigabitEthernet1/0/7, changed state to down`},
	{"asa", `<164>Jun 13 2026 21:07:15 fw-a : %ASA-4-106023: Deny tcp src outside:192.0.2.9/4000 dst inside:198.51.100.7/23 by access-group "out" [0x0, 0x0]`},
	{"rfc5424", `<165>1 2026-06-13T21:07:15.454321Z edge1.example.net rpd 4711 BGP_PEER_DOWN [origin ip="192.0.2.1"][timeQuality tzKnown="1" isSynced="0"] peer 192.0.2.9 down`},
	{"iosxr", `<187>94307: gw1 LC/0/2/CPU0:Jun 13 20:16:14.834 : ifmgr[214]: %PKT_INFRA-LINK-3-UPDOWN : Interface TenGigE0/2/0/4, changed state to Down`},
	{"nxos", `<189>: 2026 Jun 13 21:07:15 UTC: %ETHPORT-5-IF_UP: Interface Ethernet1/33 is up in mode trunk`},
	{"rfc3164", `<34>Jun 13 21:07:15 h1.example.net su[211]: auth failure for ops on /dev/pts/3`},
	{"junos", `<172>Jun 13 08:41:59 mx1 rpd[13037]: BGP_PREFIX_LIMIT_EXCEEDED: 192.0.2.1 (External AS 64500): exceeded limit 500`},
	{"ucm", `<187>4411: cucm-a: Jun 13 2026 21:07:15.454 UTC :  %UC_CALLMANAGER-3-DeviceUnregistered: %[DeviceName=SEP0A0B0C0D0E0F][IPAddress=192.0.2.31][AppID=Cisco CallManager][ClusterID=Lab][NodeID=cucm-a]: Device unregistered`},
}

func BenchmarkParse(b *testing.B) {
	for _, bl := range benchLines {
		b.Run(bl.name, func(b *testing.B) {
			raw := []byte(bl.line)
			var p syslog.Parser
			var l syslog.Line
			b.ReportAllocs()
			for b.Loop() {
				p.Parse(raw, received, &l)
			}
		})
	}
}

// BenchmarkPeerGoSyslog is the parser that BenchmarkParse/rfc5424 is held against: at most 0.13 of its time.
func BenchmarkPeerGoSyslog(b *testing.B) {
	raw := []byte(benchLines[2].line)
	m := rfc5424.NewParser()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := m.Parse(raw); err != nil {
			b.Fatal(err)
		}
	}
}

// iosExpression reads what BenchmarkParse/ios reads.
var iosExpression = regexp.MustCompile(`^<(\d{1,3})>(?:(\d+): )?(?:([^ :]+): )?(?:(\d+): )?([*.]?)([A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d(?:\.\d+)?)(?: ([A-Z]+))?: %([A-Z0-9_]+)-(?:([A-Z0-9_-]+)-)?([0-7])-([A-Z0-9_]+): (.*)$`)

// BenchmarkPeerRegexp is the regular expression that BenchmarkParse/ios is held against: at most 0.06 of its time.
func BenchmarkPeerRegexp(b *testing.B) {
	raw := []byte(benchLines[0].line)
	b.ReportAllocs()
	for b.Loop() {
		if iosExpression.FindSubmatch(raw) == nil {
			b.Fatal("no match")
		}
	}
}

func BenchmarkAppendJSON(b *testing.B) {
	var p syslog.Parser
	var l syslog.Line
	p.Parse([]byte(benchLines[0].line), received, &l)
	var dst []byte
	b.ReportAllocs()
	for b.Loop() {
		dst = l.AppendJSON(dst[:0])
	}
}

func BenchmarkFramer(b *testing.B) {
	var stream []byte
	for range 100 {
		for _, bl := range benchLines {
			stream = syslog.AppendTrailed(stream, []byte(bl.line))
			stream = syslog.AppendCounted(stream, []byte(bl.line))
		}
	}
	var f syslog.Framer
	b.SetBytes(int64(len(stream)))
	b.ReportAllocs()
	for b.Loop() {
		f.Feed(stream)
		for {
			_, ok, err := f.Next()
			if err != nil {
				b.Fatal(err)
			}
			if !ok {
				break
			}
		}
	}
}
