package redact_test

import (
	"fmt"
	"strings"
	"testing"

	"callhome"
	"callhome/agent/redact"
)

func FuzzText(f *testing.F) {
	for _, name := range samples {
		f.Add(sample(f, name))
	}
	f.Add("oslo-gw-1#show x\n::1.2.3.4:\xff-00-11 1.1.1.1.1 ::\nkey 1\nkey-string\nquit")
	f.Fuzz(func(t *testing.T, s string) {
		for _, p := range []redact.Policy{{}, {Config: redact.Config{Level: redact.LevelHigh, Hostname: true}}, {Anonymous: true, Key: testKey}} {
			const secret = "Hq9ZbX"
			if strings.Contains(s, secret) {
				return
			}
			text := s + "\nenable secret " + secret + "\n"
			m := &callhome.Message{SystemName: "oslo-gw-1", Serial: "HRX77120", Attachments: []callhome.Attachment{{Name: "show x", Text: text}}}
			once := apply(t, p, m)
			if strings.Contains(once.Attachments[0].Text, secret) {
				t.Errorf("what stood before it saved a secret:\n%q", once.Attachments[0].Text)
			}
			if len(once.Attachments[0].Text) > 12*len(text) {
				t.Errorf("%d bytes became %d", len(text), len(once.Attachments[0].Text))
			}
		}
	})
}

// large is size bytes of ordinary output with a configuration in between.
func large(t testing.TB, size int) string {
	config := sample(t, "ios.conf")
	var b strings.Builder
	for i := 0; b.Len() < size; i++ {
		fmt.Fprintf(&b, "Gi0/%d   to customer %d   connected    %4d  a-full a-1000 10/100/1000BaseTX\n", i, i, i)
		if i%2000 == 0 {
			b.WriteString(config)
		}
	}
	return b.String()
}

// Output without a secret in it costs the filter's pass alone.
func BenchmarkOrdinaryOutput(b *testing.B) {
	text := strings.Repeat("Gi0/1   to customer 1   connected    100  a-full a-1000 10/100/1000BaseTX\n", 110)
	m := &callhome.Message{SystemName: "oslo-gw-1", Description: "%LINK-3-UPDOWN: Interface Gi0/1, changed state to down", Attachments: []callhome.Attachment{{Name: "show interfaces", Text: text}}}
	b.ReportAllocs()
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		apply(b, redact.Policy{}, m)
	}
}

func BenchmarkApply(b *testing.B) {
	for _, size := range []int{8 << 10, 5 << 20} {
		m := &callhome.Message{SystemName: "oslo-gw-1", Serial: "HRX77120", Attachments: []callhome.Attachment{{Name: "show tech-support", Text: large(b, size)}}}
		for name, p := range map[string]redact.Policy{
			"normal": {}, "hostname-high": {Config: redact.Config{Level: redact.LevelHigh, Hostname: true}}, "anonymous": {Anonymous: true, Key: testKey},
		} {
			b.Run(fmt.Sprintf("%s/%d", name, size), func(b *testing.B) {
				b.ReportAllocs()
				b.SetBytes(int64(size))
				for b.Loop() {
					apply(b, p, m)
				}
			})
		}
	}
}
