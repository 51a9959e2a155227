package inventory

import (
	"regexp"
	"strings"

	"callhome"
)

// versionForms find in the output of `show version` what the message itself may not say. The first form that hits counts.
var versionForms = []struct {
	field string
	form  *regexp.Regexp
}{
	{"version", regexp.MustCompile(`(?i)\bIOS[ -]X[ER] Software.*?\bVersion\s+([^\s,]+)`)},
	{"version", regexp.MustCompile(`(?im)^\s*(?:NXOS|system|kickstart):\s+version\s+(\S+)`)},
	{"version", regexp.MustCompile(`(?i)\bAdaptive Security Appliance Software Version\s+(\S+)`)},
	{"version", regexp.MustCompile(`(?im)^Junos:\s*(\S+)`)},
	{"version", regexp.MustCompile(`(?im)^Software image version:\s*(\S+)`)},
	{"version", regexp.MustCompile(`(?i)\bIOS\b.*?\bSoftware\b.*?\bVersion\s+([^\s,]+)`)},
	{"model", regexp.MustCompile(`(?im)^Model:\s*(\S+)`)},
	{"serial", regexp.MustCompile(`(?im)^(?:Serial number|Processor board ID):?\s+(\S+)`)},
	{"BootImage", regexp.MustCompile(`(?im)^\s*(?:System image file is|NXOS image file is:|System image file is:)\s+"?([^"\r\n]+?)"?\s*$`)},
	{"ConfigRegister", regexp.MustCompile(`(?im)^Configuration register is (0x[0-9A-Fa-f]+)`)},
	{"MemorySize", regexp.MustCompile(`(?im)\bwith (\d+[KM](?:/\d+[KM])?) bytes of (?:physical )?memory`)},
}

// maxVersionText is how much of `show version` is looked at; what is wanted stands at its beginning.
const maxVersionText = 32 << 10

func (o *output) readVersion(text, _ string) {
	text = text[:min(len(text), maxVersionText)]
	fill(&o.device.Platform, platformOfText(text[:min(len(text), 2048)]))
	for _, f := range versionForms {
		m := f.form.FindStringSubmatch(text)
		if m == nil {
			continue
		}
		v := own(m[1])
		switch f.field {
		case "version":
			fill(&o.device.SWVersion, v)
		case "model":
			fill(&o.device.Model, v)
		case "serial":
			fill(&o.device.Serial, RealSerial(v))
		default:
			if !hasKey(o.device.Further, f.field) {
				o.device.Further = append(o.device.Further, callhome.Tag{Key: f.field, Value: v})
			}
		}
	}
}

// readChassisHardware reads the table of Junos, in which indentation tells what sits in what.
func (o *output) readChassisHardware(text, _ string) {
	var at []int // where Version, Part number, Serial number and Description begin
	var path []string
	var depth []int
	lines(text, func(line string) {
		if strings.HasPrefix(line, "Item ") {
			at = at[:0]
			for _, h := range []string{"Version", "Part number", "Serial number", "Description"} {
				at = append(at, strings.Index(line, h))
			}
			path, depth = nil, nil
			return
		}
		if len(at) != 4 || at[0] < 0 || at[1] < at[0] || at[2] < at[1] || at[3] < at[2] || len(line) <= at[0] {
			return
		}
		indent := len(line) - len(strings.TrimLeft(line, " "))
		item := strings.TrimSpace(line[:at[0]])
		if item == "" {
			return
		}
		for len(depth) > 0 && depth[len(depth)-1] >= indent {
			path, depth = path[:len(path)-1], depth[:len(depth)-1]
		}
		path, depth = append(path, item), append(depth, indent)
		u := Unit{
			Slot: own(strings.Join(path, "/")), HWVersion: own(strings.TrimPrefix(column(line, at[0], at[1]), "REV ")), PartNo: own(RealSerial(column(line, at[1], at[2]))),
			Serial: own(RealSerial(column(line, at[2], at[3]))), Descr: own(column(line, at[3], len(line))),
		}
		if item == "Chassis" {
			fill(&o.device.Serial, u.Serial)
			fill(&o.device.Model, u.Descr)
			return
		}
		u.Kind = kindOf(item)
		if u.Kind == KindOptic {
			u.Product = u.Descr
		}
		o.units = addUnit(o.units, u)
	})
}

// column is a part of a line, "" beyond its end.
func column(line string, from, to int) string {
	from, to = min(from, len(line)), min(to, len(line))
	return strings.TrimSpace(line[from:to])
}

// readRelease reads os-release(5).
func (o *output) readRelease(text, _ string) {
	lines(text, func(line string) {
		key, value, ok := strings.Cut(line, "=")
		value = strings.Trim(value, `"' `)
		if !ok || value == "" {
			return
		}
		switch key {
		case "VERSION_ID":
			fill(&o.device.SWVersion, own(value))
		case "PRETTY_NAME":
			fill(&o.device.Platform, "linux")
			o.device.Further = append(o.device.Further, callhome.Tag{Key: "System", Value: own(value)})
		}
	})
}

// readDisks reads the table of lsblk: disks only, partitions are no units.
func (o *output) readDisks(text, _ string) {
	var at [5]int
	lines(text, func(line string) {
		if strings.HasPrefix(line, "NAME") {
			for i, h := range []string{"NAME", "MODEL", "SERIAL", "SIZE", "TYPE"} {
				at[i] = strings.Index(line, h)
			}
			return
		}
		if at[1] <= 0 || at[2] < at[1] || at[3] < at[2] || at[4] < at[3] || !strings.HasSuffix(line, " disk") {
			return
		}
		serial, _, _ := strings.Cut(column(line, at[2], at[3]), " ") // sizes are flush right and may begin below their header
		o.units = addUnit(o.units, Unit{
			Slot: own(column(line, 0, at[1])), Kind: KindDisk, Product: own(column(line, at[1], at[2])), Serial: own(RealSerial(serial)),
		})
	})
}
