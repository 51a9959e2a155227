package inventory

import (
	"regexp"
	"strings"

	"callhome"
)

// platformMarks tell the software platform by words of what a message says of itself, in lower case, the more exact first.
// They stand as whole words, except that a digit may follow.
var platformMarks = []struct {
	words    []string
	platform string
}{
	{[]string{"ios xr", "ios-xr", "iosxr"}, "iosxr"},
	{[]string{"ios xe", "ios-xe", "iosxe", "x86_64_linux_iosd"}, "iosxe"},
	{[]string{"nx-os", "nxos", "nexus", "mds", "mds9", "san-os", "sanos"}, "nxos"},
	{[]string{"adaptive security appliance", "asa", "pix"}, "asa"},
	{[]string{"junos", "juniper"}, "junos"},
	{[]string{"arista", "eos"}, "eos"},
	{[]string{"unified cm", "unified communications manager", "cucm", "callmanager"}, "ucm"},
	{[]string{"ios", "catalyst"}, "ios"},
	{[]string{"linux"}, "linux"},
}

var (
	formXEVersion  = regexp.MustCompile(`^(?:1[6-9]|2\d)\.\d+\.\d+[a-z]*$|^0?3\.\d+\.\d+[a-z]?\.?[A-Z]+$`)
	formIOSVersion = regexp.MustCompile(`^\d+\.\d+\(\d+[a-z]?\)[A-Z]*\d*[a-z]?$`)
)

// maxSelf is how much of a text about the device itself is looked at; what names the platform stands in front.
const maxSelf = 512

// PlatformOf tells the software platform of a message's device: ios, iosxe, iosxr, nxos, asa, ucm, junos, eos, linux, or
// the dialect of the message, or "" when nothing tells.
func PlatformOf(m *callhome.Message) string {
	for _, text := range []string{m.SysDescr, m.SourceID, m.Builder, m.Brand} {
		if p := platformOfText(text); p != "" {
			return refine(p, m.SWVersion)
		}
	}
	for i := range m.Attachments {
		if a := &m.Attachments[i]; len(a.Name) < 40 && strings.HasSuffix(commandOf(a.Name), "show version") {
			if p := platformOfText(a.Text); p != "" {
				return refine(p, m.SWVersion)
			}
		}
	}
	if m.Dialect == "mds" {
		return "nxos"
	}
	if len(m.Dialect) > 1 { // not one of A, B, C, the forms of long text
		return refine(m.Dialect, m.SWVersion)
	}
	return ""
}

func platformOfText(text string) string {
	if text == "" {
		return ""
	}
	text = strings.ToLower(text[:min(len(text), maxSelf)])
	for _, p := range platformMarks {
		for _, w := range p.words {
			if hasWord(text, w) {
				return p.platform
			}
		}
	}
	return ""
}

// hasWord finds a word that no letter touches, nor a digit or letter in front.
func hasWord(text, word string) bool {
	for at := 0; ; {
		i := strings.Index(text[at:], word)
		if i < 0 {
			return false
		}
		from, to := at+i, at+i+len(word)
		if (from == 0 || !isLetter(text[from-1]) && !isDigit(text[from-1])) && (to == len(text) || !isLetter(text[to])) {
			return true
		}
		at = from + 1
	}
}

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' }

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// refine tells IOS XE from IOS by the form of its version.
func refine(platform, version string) string {
	switch {
	case platform == "ios" && formXEVersion.MatchString(version):
		return "iosxe"
	case platform == "iosxe" && formIOSVersion.MatchString(version):
		return "ios"
	}
	return platform
}

// laterPlatform is what is known after a message that tells a platform, maybe by its dialect alone: that is ios for IOS XE
// and IOS XR too, and does not overrule what was known better.
func laterPlatform(old, told, version string) string {
	if told == "" || told == "ios" && (old == "iosxe" || old == "iosxr") {
		told = old
	}
	return refine(told, version)
}
