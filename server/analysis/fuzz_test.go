package analysis

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"callhome"
)

// FuzzParsePack: whatever a pack holds, reading and compiling it ends with a pack or an error that names the file.
func FuzzParsePack(f *testing.F) {
	files, err := filepath.Glob("packs/*.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text[:min(len(text), 3000)]))
	}
	f.Add(smallPack)
	f.Add("a: &a [*a, *a]")
	f.Add("rules: [{match: {attachments: [{textfsm: \"Value A (\\n\\nStart\\n\"}]}}]")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := ParsePack("x.yaml", []byte(text))
		if err != nil {
			if !strings.Contains(err.Error(), "x.yaml") {
				t.Errorf("the error does not name the file: %v", err)
			}
			return
		}
		e, err := New(p)
		if err != nil {
			return
		}
		TestSamples(t.Context(), e)
	})
}

// FuzzEvaluate: whatever a device sends, every shipped rule ends in good time, and findings are fit to be shown.
func FuzzEvaluate(f *testing.F) {
	e := shippedEngine(f)
	for _, c := range e.rules {
		for _, s := range c.Samples.Positive[:1] {
			name, text := "show version", ""
			for name, text = range s.Attachments {
				break
			}
			f.Add(s.Line, s.Type, s.Platform, name, text)
		}
	}
	f.Add("%A-3-B: "+strings.Repeat("(", 300), "syslog", "ios", "show module", strings.Repeat("Mod  MAC addresses\n", 200))
	f.Add("", "configuration", "junos", "show configuration", strings.Repeat("{\n", 500)+"\xff\xfe\x00")
	f.Fuzz(func(t *testing.T, line, kind, platform, command, text string) {
		s := &Subject{
			Message: &callhome.Message{
				Type: kind, Description: line, Attachments: []callhome.Attachment{{Name: command, Text: text}, {Name: "show running-config", Text: text}},
			},
			Personality: platform, Device: 1, ReceivedAt: sampleTime,
		}
		begun := time.Now()
		r, err := e.Evaluate(t.Context(), s, earlier{&Sample{History: 99, Values: []float64{1, 2, 3, 4, 5, 6}}})
		if err != nil {
			t.Fatal(err)
		}
		// Generous, as machines are busy: it bounds what is not linear.
		if spent := time.Since(begun); spent > 5*time.Second {
			t.Errorf("%v for %d bytes", spent, len(line)+2*len(text))
		}
		for _, fault := range r.Faults {
			if strings.Contains(fault.Err.Error(), "panic") {
				t.Errorf("%s: %v", fault.Rule, fault.Err)
			}
		}
		for _, x := range r.Findings {
			if !utf8.ValidString(x.Title+x.Diagnosis+x.Key+x.Component) || len(x.Title) > maxTitle || len(x.Key) > maxKeyLength || len(x.Evidence) > maxQuotes || strings.ContainsAny(x.Title, "\x1b\n\x00") {
				t.Errorf("%s: a finding that is not fit to be shown: %+v", x.Rule, x)
			}
			if x.Outcome == OutcomeServiceRequest && (kind == "inventory" || kind == "configuration") {
				t.Errorf("%s: a message of group %s opens a service request", x.Rule, kind)
			}
		}
	})
}

// TestHostileAttachments evaluates texts as large as a message may be.
func TestHostileAttachments(t *testing.T) {
	e := shippedEngine(t)
	const size = 5 << 20 // the largest message
	for name, text := range map[string]string{
		"one line":     strings.Repeat("a", size),
		"empty lines":  strings.Repeat("\n", size),
		"config lines": strings.Repeat("username a password 7 0\nsnmp-server community public\n transport input telnet\n", size/80),
		"table":        strings.Repeat("  3  0011.2233.4430 to 0011.2233.445f   2.1   12.2(14r)S5  12.2(33)SXJ  PwrDown\n", size/84),
		"zeros":        strings.Repeat("\x00", size),
	} {
		for _, command := range []string{"show running-config", "show module", "show environment", "show configuration", "cat /proc/mdstat"} {
			for _, platform := range []string{"ios", "junos", "linux"} {
				s := &Subject{Message: &callhome.Message{Type: "configuration", Attachments: []callhome.Attachment{{Name: command, Text: text}}}, Personality: platform, ReceivedAt: sampleTime}
				begun := time.Now()
				r := evaluate(t, e, s, nil)
				if spent := time.Since(begun); spent > 30*time.Second {
					t.Errorf("%s as %s on %s: %v", name, command, platform, spent)
				}
				if len(r.Findings) > maxFindings*len(e.rules) {
					t.Errorf("%s as %s on %s: %d findings", name, command, platform, len(r.Findings))
				}
			}
		}
	}
}
