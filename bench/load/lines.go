package load

import (
	"fmt"
	"strings"
	"time"
)

// Layout is a way of writing log lines.
type Layout string

// The five layouts.
const (
	IOS     Layout = "ios"
	IOSXR   Layout = "iosxr"
	NXOS    Layout = "nxos"
	ASA     Layout = "asa"
	RFC5424 Layout = "rfc5424"
)

// Layouts lists all five.
func Layouts() []Layout { return []Layout{IOS, IOSXR, NXOS, ASA, RFC5424} }

// Line is one line without framing, and what a right reading of it says.
type Line struct {
	Text     string
	Layout   Layout
	Wanted   bool   // a subscription of Subscriptions takes it
	Host     string // "" where the layout carries none
	Mnemonic string // or message number
	Severity int
}

// Wish is what every wanted line contains, and no other.
const Wish = "EVENT_0008"

// Device is the host name of the i-th device.
func Device(i int) string { return fmt.Sprintf("edge-%d", i) }

// Options say which lines to make.
type Options struct {
	Layouts []Layout
	Percent int // of wanted lines
	Count   int
	Devices int       // host names they take turns with; at least one
	Size    int       // bytes a line is padded to; 0: as it comes
	At      time.Time // what their stamps say
}

// Lines are Count different lines. Wanted ones are spread evenly.
func Lines(o Options) []Line {
	out := make([]Line, o.Count)
	for i := range out {
		wanted := i*o.Percent/100 != (i+1)*o.Percent/100
		out[i] = line(o.Layouts[i%len(o.Layouts)], i, wanted, Device(i%max(1, o.Devices)), o.At.Add(time.Duration(i)*time.Millisecond))
		if pad := o.Size - len(out[i].Text) - 1; pad > 0 {
			out[i].Text += " " + padding(i, pad)
		}
	}
	return out
}

// padding is text as devices print it: words and numbers, which compress as well as real output does.
func padding(seed, size int) string {
	var b strings.Builder
	for n := seed; b.Len() < size; n++ {
		fmt.Fprintf(&b, "GigabitEthernet0/%d/%d is up, line protocol is up, %d packets input, %d bytes; ", n%4, n%48, n*7919%1_000_003, n*104_729)
	}
	return b.String()[:size]
}

func line(l Layout, i int, wanted bool, host string, at time.Time) Line {
	at = at.UTC()
	iface := fmt.Sprintf("GigabitEthernet1/0/%d", i%48)
	facility, mnemonic, text := "LINEPROTO", "UPDOWN", "Line protocol on Interface "+iface+", changed state to "+[]string{"down", "up"}[i/len(Layouts())%2]
	if wanted {
		facility, mnemonic, text = "FACILITY8", Wish, fmt.Sprintf("module %d failed its self test, code %d", i%9, i)
	}
	core := fmt.Sprintf("%%%s-5-%s: %s", facility, mnemonic, text)
	out := Line{Layout: l, Wanted: wanted, Host: host, Mnemonic: mnemonic, Severity: 5}
	switch l {
	case IOS:
		out.Text = fmt.Sprintf("<189>%d: %s: %06d: %s UTC: %s", i, host, i, at.Format("Jan _2 15:04:05.000"), core)
	case IOSXR:
		out.Text = fmt.Sprintf("<189>%d: %s RP/0/RSP0/CPU0:%s UTC: ifmgr[214]: %s", i, host, at.Format("Jan _2 15:04:05.000"), strings.Replace(core, ": ", " : ", 1))
	case NXOS:
		out.Text = fmt.Sprintf("<189>%s: %s UTC: %s", host, at.Format("2006 Jan _2 15:04:05.000"), core)
	case ASA:
		out.Mnemonic, out.Severity = "106023", 4
		deny := fmt.Sprintf("Deny tcp src outside:192.0.2.%d/%d dst inside:198.51.100.7/23 by access-group \"out\" [0x0, 0x0]", i%250, 1024+i%60_000)
		if wanted {
			deny += " " + Wish
		}
		out.Text = fmt.Sprintf("<164>%s %s : %%ASA-4-106023: %s", at.Format("Jan _2 2006 15:04:05"), host, deny)
	case RFC5424:
		out.Mnemonic = mnemonic
		out.Text = fmt.Sprintf("<189>1 %s %s ifmgr %d %s [origin ip=\"192.0.2.%d\"] %s", at.Format("2006-01-02T15:04:05.000000Z"), host, 100+i%900, mnemonic, i%250, text)
	}
	return out
}

// Subscriptions are n patterns of the kinds that people write; the ninth takes the wanted lines.
func Subscriptions(n int) []string {
	out := make([]string, n)
	for i := range out {
		switch i % 4 {
		case 0:
			out[i] = fmt.Sprintf("EVENT_%04d", i)
		case 1:
			out[i] = fmt.Sprintf(`neighbor 192\.0\.2\.%d .*Down`, i)
		case 2:
			out[i] = fmt.Sprintf(`Interface TenGigabitEthernet%d/0/%d, changed state`, i%9, i)
		default:
			out[i] = fmt.Sprintf(`(SLOT|MODULE)%d failed`, i)
		}
	}
	return out
}

// Stream is lines framed for a stream, each with a line feed, ready to be sent again and again.
type Stream struct {
	Bytes []byte
	Lines int
}

// Frame joins lines into a stream.
func Frame(lines []Line) Stream {
	var b []byte
	for i := range lines {
		b = append(append(b, lines[i].Text...), '\n')
	}
	return Stream{b, len(lines)}
}
