package aml

import (
	"strings"

	"callhome"
)

// platformWords are beginnings of words that builders, series and system descriptions use, with the dialect of the
// platform. The first that fits counts.
var platformWords = [...]struct{ word, dialect string }{
	{"IOS-XR", "iosxr"}, {"IOS XR", "iosxr"}, {"ASR9", "iosxr"}, {"ASR 9", "iosxr"}, {"CRS", "iosxr"}, {"NCS", "iosxr"},
	{"NX-OS", "nxos"}, {"Nexus", "nxos"}, {"DC3", "nxos"}, {"N9K", "nxos"}, {"N7K", "nxos"}, {"N5K", "nxos"}, {"N3K", "nxos"},
	{"MDS", "mds"},
	{"UCS", "ucs"}, {"FXOS", "ucs"}, {"FX-OS", "ucs"}, {"Firepower", "ucs"}, {"FPR", "ucs"},
	{"ASA", "asa"}, {"Adaptive Security", "asa"},
	{"IOS", "ios"}, {"CSR", "ios"}, {"ASR1", "ios"}, {"ASR 1", "ios"}, {"ISR", "ios"}, {"Cat", "ios"},
}

// dialectOf tells which platform a message comes from: the builder first, the series second, then what else differs.
func dialectOf(m *callhome.Message) string {
	if m.Format == callhome.FormatMML {
		return "mds"
	}
	for _, s := range [...]string{m.Builder, m.SourceID, m.SysDescr} {
		if d := platformOf(s); d != "" {
			return d
		}
	}
	id := string(m.MessageID)
	switch {
	case strings.Contains(m.Description, "%ASA-"):
		return "asa"
	case strings.Contains(m.Description, ":CPU0:"), strings.Contains(m.Description, "RP/0/"):
		return "iosxr"
	case m.Type == "diag" || m.Type == "env" || m.Type == "conf":
		return "ucs"
	case id == "":
		return ""
	case id[0] >= '0' && id[0] <= '9':
		return "nxos"
	}
	return "ios"
}

// platformOf looks for a platform word at the beginning of each word of s.
func platformOf(s string) string {
	for i := range len(s) {
		if i > 0 && alphanumeric(s[i-1]) || !alphanumeric(s[i]) {
			continue
		}
		for _, p := range &platformWords {
			if len(s)-i >= len(p.word) && s[i]|0x20 == p.word[0]|0x20 && strings.EqualFold(s[i:i+len(p.word)], p.word) {
				return p.dialect
			}
		}
	}
	return ""
}

func alphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// typeGroups are the message types that alert groups are not called by: of MML documents, of NX-OS and of IOS.
var typeGroups = map[string]callhome.AlertGroup{
	"inventory update":     callhome.GroupInventory,
	"test call home":       callhome.GroupTest,
	"diagnostic-signature": callhome.GroupDiagnostic,
	"gold":                 callhome.GroupDiagnostic,
	"syslog_alert":         callhome.GroupSyslog,
}

// groupOf is the alert group of a message type; a subtype behind a colon does not count.
func groupOf(word string) callhome.AlertGroup {
	word, _, _ = strings.Cut(word, ":")
	if word == "" {
		return ""
	}
	if g, err := callhome.ParseAlertGroup(word); err == nil && g != callhome.GroupAll {
		return g
	}
	return typeGroups[strings.ToLower(trim(word))]
}

// nameOf is the message name, which AML has no element for: NX-OS puts it before the description, on other platforms
// it is the type.
func nameOf(m *callhome.Message) string {
	if m.Dialect == "nxos" || m.Dialect == "mds" {
		if word, _, ok := strings.Cut(m.Description, " "); ok && isEventName(word) {
			return word
		}
	}
	return m.Type
}

// isEventName reports whether s looks like SYSLOG_ALERT or FAN_FAILURE.
func isEventName(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '_' {
			return false
		}
	}
	return strings.IndexByte(s, '_') > 0
}
