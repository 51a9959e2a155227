package device

import "strings"

// Style names the platform whose command line a device imitates.
type Style string

// The styles.
const (
	IOS   Style = "ios"
	IOSXR Style = "iosxr"
	NXOS  Style = "nxos"
	ASA   Style = "asa"
	EOS   Style = "eos"
	Junos Style = "junos"
	UCM   Style = "ucm"
	Linux Style = "linux"
)

// manner is how a style looks; {host} and {user} are filled in.
type manner struct {
	user       string // prompt before enable; "" where there is no such mode
	privileged string
	pager      string
	pagerOff   []string // commands that end paging
	invalid    string   // answer to a command that is not known
}

const ciscoInvalid = "            ^\r\n% Invalid input detected at '^' marker.\r\n\r\n"

var manners = map[Style]manner{
	IOS:   {user: "{host}>", privileged: "{host}#", pager: " --More-- ", pagerOff: []string{"terminal length 0"}, invalid: ciscoInvalid},
	IOSXR: {privileged: "RP/0/RSP0/CPU0:{host}#", pager: " --More-- ", pagerOff: []string{"terminal length 0"}, invalid: ciscoInvalid},
	NXOS:  {privileged: "{host}# ", pager: "--More--", pagerOff: []string{"terminal length 0"}, invalid: ciscoInvalid},
	ASA:   {user: "{host}> ", privileged: "{host}# ", pager: "<--- More --->", pagerOff: []string{"terminal pager 0", "terminal pager lines 0"}, invalid: "           ^\r\nERROR: % Invalid input detected at '^' marker.\r\n"},
	EOS:   {user: "{host}>", privileged: "{host}#", pager: " --More-- ", pagerOff: []string{"terminal length 0"}, invalid: "% Invalid input\r\n"},
	Junos: {privileged: "{user}@{host}> ", pager: "---(more)---", pagerOff: []string{"set cli screen-length 0"}, invalid: "                 ^\r\nunknown command.\r\n"},
	UCM:   {privileged: "{user}:", pager: "", invalid: "No valid command entered\r\n"},
	Linux: {privileged: "{user}@{host}:~$ ", invalid: "command not found\r\n"},
}

// quiet are commands that set up the terminal: answered by nothing.
var quiet = []string{"terminal width ", "terminal length ", "terminal pager ", "set cli ", "terminal exec prompt no-timestamp"}

func isQuiet(command string) bool {
	for _, q := range quiet {
		if strings.HasPrefix(command, q) {
			return true
		}
	}
	return false
}
