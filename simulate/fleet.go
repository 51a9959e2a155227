package simulate

import (
	"fmt"
	"net/netip"
	"time"
)

// Platform is how a device talks; the names are those of personalities.
type Platform string

// The platforms of the fleet.
const (
	IOS   Platform = "ios"
	IOSXR Platform = "iosxr"
	NXOS  Platform = "nxos"
	ASA   Platform = "asa"
	UCM   Platform = "ucm"
	EOS   Platform = "eos"
	Junos Platform = "junos"
	Linux Platform = "linux"
)

// Device is one member of a fleet. Not safe for concurrent use.
type Device struct {
	Hostname string
	Platform Platform
	Model    string
	Serial   string
	Version  string
	Address  netip.Addr // it logs from here: a loopback address of its own

	seq        uint64 // lines sent
	introduced bool   // its inventory was acknowledged
}

// module is the serial number of the one module in the device.
func (d *Device) module() string { return "M" + d.Serial }

// models are the invented products of the fleet.
var models = []struct {
	platform                 Platform
	name, model, sw, letters string
}{
	{IOS, "edge-rtr", "QX9006", "17.12.4", "QXA"},
	{IOSXR, "core-rtr", "QXR-9912", "7.9.2", "QXB"},
	{NXOS, "dc-leaf", "QX-N9336", "10.3(5)", "QXN"},
	{ASA, "fw", "QXF-5525", "9.18(4)", "QXF"},
	{UCM, "cucm", "QX-UC240", "14.0.1", "QXU"},
	{Linux, "host", "QXL-200", "12.11", "QXL"},
	{EOS, "spine", "QXE-7280", "4.31.2F", "QXE"},
	{Junos, "pe", "QXJ-480", "22.4R3", "QXJ"},
}

// NewFleet makes n devices, the platforms in turn. The same n gives the same fleet.
func NewFleet(n int) []*Device {
	out := make([]*Device, n)
	for i := range out {
		m := models[i%len(models)]
		k := i/len(models) + 1
		// 127.16.0.0/12 is loopback as well and collides with no service of the host.
		out[i] = &Device{
			Hostname: fmt.Sprintf("%s-%d", m.name, k), Platform: m.platform, Model: m.model, Version: m.sw,
			Serial:  fmt.Sprintf("%s26%02dK%03X", m.letters, k%53, i),
			Address: netip.AddrFrom4([4]byte{127, byte(16 + (i>>16)&15), byte(i >> 8), byte(i + 1)}),
		}
	}
	return out
}

// Line is what the device logs when it says text with a syslog severity and a mnemonic, at a moment.
func (d *Device) Line(now time.Time, severity int, mnemonic, text string) []byte {
	d.seq++
	now = now.UTC()
	pri := 23*8 + severity
	switch d.Platform {
	case IOSXR:
		return fmt.Appendf(nil, "<%d>%d: %s RP/0/RSP0/CPU0:%s UTC: sysmgr[1101]: %%%s : %s", pri, d.seq, d.Hostname, now.Format("Jan _2 15:04:05.000"), mnemonic, text)
	case NXOS:
		return fmt.Appendf(nil, "<%d>%s: %s UTC: %%%s: %s", pri, d.Hostname, now.Format("2006 Jan _2 15:04:05"), mnemonic, text)
	case ASA:
		return fmt.Appendf(nil, "<%d>%s %s : %%%s: %s", 20*8+severity, now.Format("Jan _2 2006 15:04:05"), d.Hostname, mnemonic, text)
	case UCM:
		return fmt.Appendf(nil, "<%d>%d: %s: %s UTC :  %%%s: %s", pri, d.seq, d.Hostname, now.Format("Jan 02 2006 15:04:05.000"), mnemonic, text)
	case EOS:
		return fmt.Appendf(nil, "<%d>%s %s Ebra: %%%s: %s", 20*8+severity, now.Format("Jan _2 15:04:05"), d.Hostname, mnemonic, text)
	case Junos:
		return fmt.Appendf(nil, "<%d>%s %s %s: %s", 3*8+severity, now.Format("Jan _2 15:04:05"), d.Hostname, mnemonic, text)
	case Linux:
		return fmt.Appendf(nil, "<%d>%s %s %s: %s", severity, now.Format("Jan _2 15:04:05"), d.Hostname, mnemonic, text)
	}
	return fmt.Appendf(nil, "<%d>%d: %s: %s UTC: %%%s: %s", pri, d.seq, d.Hostname, now.Format("Jan _2 2006 15:04:05.000"), mnemonic, text)
}
