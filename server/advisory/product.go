package advisory

import (
	"regexp"
	"strings"
)

// productPlatforms tell the software platform by a product's name as notices write it, the more exact first.
var productPlatforms = []struct {
	form     *regexp.Regexp
	platform string
}{
	{regexp.MustCompile(`(?i)\bios[ _-]?xr\b`), "iosxr"},
	{regexp.MustCompile(`(?i)\bios[ _-]?xe\b`), "iosxe"},
	{regexp.MustCompile(`(?i)\bnx-?os\b`), "nxos"},
	{regexp.MustCompile(`(?i)\badaptive security appliance\b|\basa software\b`), "asa"},
	{regexp.MustCompile(`(?i)\bunified communications manager\b|\bunified cm\b`), "ucm"},
	{regexp.MustCompile(`(?i)\bjunos\b`), "junos"},
	{regexp.MustCompile(`(?i)\barista\b.*\beos\b|\beos\b.*\barista\b|^\s*eos\b`), "eos"},
	{regexp.MustCompile(`(?i)\bcisco ios\b|^ios$|\bios software\b|\bcisco ios$`), "ios"},
	{regexp.MustCompile(`(?i)\bdebian\b|\bubuntu\b|\blinux\b`), "linux"},
}

// maxName bounds what is looked at of a product's names.
const maxName = 1024

func platformOfProduct(name string) string {
	name = name[:min(len(name), maxName)]
	for _, p := range productPlatforms {
		if p.form.MatchString(name) {
			return p.platform
		}
	}
	return ""
}

// formProductID is a product ID: capitals and digits with dashes, at least one of each.
var formProductID = regexp.MustCompile(`^[A-Z0-9][A-Z0-9+./=]*(?:-[A-Z0-9+./=*]+)+$`)

func looksLikeProductID(name string) bool {
	return formProductID.MatchString(name) && strings.ContainsAny(name, "0123456789")
}
