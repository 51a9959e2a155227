package analysis

import (
	"fmt"
	"strings"
	"testing"

	"callhome"
)

// BenchmarkSyslog is one syslog message with its two attachments, with every shipped rule loaded.
func BenchmarkSyslog(b *testing.B) {
	logging := "Syslog logging: enabled (0 messages dropped)\n"
	for range 40 {
		logging += "*Mar 14 09:26:53.114: %LINK-3-UPDOWN: Interface GigabitEthernet0/1, changed state to down\n"
	}
	level := callhome.LevelMinor
	message := func(line string) *callhome.Message {
		return &callhome.Message{
			Type: "syslog", Group: callhome.GroupSyslog, Severity: &level, Model: "C9300-48P", SWVersion: "17.9.4", SystemName: "edge-1",
			Description: line,
			Attachments: []callhome.Attachment{{Name: "show logging", Text: logging}, {Name: "show inventory", Text: logging}},
		}
	}
	e := shippedEngine(b)
	for name, s := range map[string]*Subject{
		"link":    {Message: message("*Mar 14 09:26:53.114: %LINK-3-UPDOWN: Interface GigabitEthernet0/1, changed state to down"), Personality: "ios", Device: 1, ReceivedAt: sampleTime},
		"nothing": {Message: message("*Mar 14 09:26:53.114: %SYS-6-LOGOUT: User noc has exited tty session 1(192.0.2.7)"), Personality: "ios", Device: 1, ReceivedAt: sampleTime},
		"kernel":  {Message: message("Jun 13 21:07:15 h1 kernel: [ 1200.345678] blk_update_request: I/O error, dev sdb, sector 2048"), Personality: "linux", Device: 1, ReceivedAt: sampleTime},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			var h Memory
			for b.Loop() {
				if _, err := e.Evaluate(b.Context(), s, &h); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkConfiguration is a configuration message with 4,000 lines: every rule of the platform's hygiene reads it.
func BenchmarkConfiguration(b *testing.B) {
	var text strings.Builder
	text.WriteString("version 17.9\nhostname edge-1\n")
	for n := range 4000 {
		fmt.Fprintf(&text, "interface GigabitEthernet1/0/%d\n description to desk %d\n switchport access vlan %d\n", n, n, n%400)
	}
	s := &Subject{Message: &callhome.Message{
		Type: "configuration", Group: callhome.GroupConfiguration, Attachments: []callhome.Attachment{{Name: "show running-config all", Text: text.String()}},
	}, Personality: "ios", Device: 1, ReceivedAt: sampleTime}
	e := shippedEngine(b)
	b.ReportAllocs()
	b.SetBytes(int64(text.Len()))
	for b.Loop() {
		if r, err := e.Evaluate(b.Context(), s, nil); err != nil || len(r.Findings) == 0 {
			b.Fatal(len(r.Findings), err)
		}
	}
}
