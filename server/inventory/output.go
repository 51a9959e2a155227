package inventory

import (
	"regexp"
	"strings"

	"callhome"
)

// Bounds on what one output is read for.
const (
	maxOutput = 4 << 20 // bytes of one output; `show inventory` of the largest chassis is below 1 MiB
	maxLine   = 1024    // bytes of one line; the rest of a longer one tells nothing about units
)

// output gathers what the outputs of a message say.
type output struct {
	units  []Unit
	device Inventory // the device's own fields
	cut    bool      // an output that lists units was cut
}

// commands are the outputs that are read, by the end of the command; the first that fits counts.
var commands = []struct {
	command string
	read    func(o *output, text, platform string)
}{
	{"show inventory", (*output).readInventory}, {"show inventory oid", (*output).readInventory}, {"show inventory all", (*output).readInventory},
	{"show inventory raw", (*output).readInventory}, {"show module", (*output).readTables}, {"show module all", (*output).readTables},
	{"show chassis hardware", (*output).readChassisHardware}, {"show chassis hardware detail", (*output).readChassisHardware},
	{"show version", (*output).readVersion}, {"show version detail", (*output).readVersion},
	{"cat /etc/os-release", (*output).readRelease}, {"lsblk -o name,model,serial,size,type", (*output).readDisks},
}

// commandOf is a command in one spelling: lower case, single blanks, without "admin" in front and pipes behind.
func commandOf(name string) string {
	name, _, _ = strings.Cut(name, "|")
	return strings.TrimPrefix(strings.Join(strings.Fields(strings.ToLower(name)), " "), "admin ")
}

// cutMarks are what shortens an output: our agent's notice, and what platforms print.
var cutMarks = []string{"[truncated", "output truncated", "--more--", "... truncated"}

func (o *output) read(a *callhome.Attachment, platform string) {
	if len(a.Name) > 200 || a.Text == "" {
		return
	}
	name := commandOf(a.Name)
	for _, c := range commands {
		if name != c.command {
			continue
		}
		text := a.Text
		if len(text) > maxOutput {
			text, o.cut = text[:maxOutput], true
		}
		tail := strings.ToLower(text[max(0, len(text)-200):])
		for _, mark := range cutMarks {
			o.cut = o.cut || strings.Contains(tail, mark)
		}
		c.read(o, text, platform)
		return
	}
}

// join adds what outputs say to the units that the message itself names: by serial number, then by slot. Outputs fill
// fields, they overrule none.
func (o *output) join(units []Unit, device *Inventory) []Unit {
	fillDevice(device, &o.device)
	named := make(map[string]int, len(units))
	slots := make(map[string]int, len(units))
	for i, u := range units {
		if u.Serial != "" {
			named[u.Serial] = i
		}
		if u.Slot != "" {
			slots[u.Slot] = i
		}
	}
	for _, u := range o.units {
		if u.Serial != "" && u.Serial == device.Serial && (u.Kind == KindChassis || u.Product == device.Model) || u.Serial == "" && u.Product == device.Model {
			fillChassis(device, u)
			continue
		}
		i, ok := named[u.Serial]
		if u.Serial == "" || !ok {
			i, ok = slots[u.Slot]
			ok = ok && u.Slot != "" && (u.Serial == "" || units[i].Serial == "")
		}
		if ok {
			fillUnit(&units[i], u)
			continue
		}
		if u.Serial != "" {
			named[u.Serial] = len(units)
		}
		if u.Slot != "" {
			slots[u.Slot] = len(units)
		}
		if units = addUnit(units, u); len(units) > maxUnits {
			break
		}
	}
	return units
}

func fill(to *string, with string) {
	if *to == "" {
		*to = with
	}
}

func fillUnit(to *Unit, u Unit) {
	fill(&to.Slot, u.Slot)
	fill(&to.Product, u.Product)
	fill(&to.Serial, u.Serial)
	fill(&to.PartNo, u.PartNo)
	fill(&to.HWVersion, u.HWVersion)
	fill(&to.SWVersion, u.SWVersion)
	fill(&to.Descr, u.Descr)
	if to.Kind == KindOther {
		to.Kind = u.Kind
	}
}

func fillDevice(to, from *Inventory) {
	fill(&to.Platform, from.Platform)
	fill(&to.Model, from.Model)
	fill(&to.Serial, from.Serial)
	fill(&to.SWVersion, from.SWVersion)
	fill(&to.HWVersion, from.HWVersion)
	for _, t := range from.Further {
		if !hasKey(to.Further, t.Key) {
			to.Further = append(to.Further, t)
		}
	}
}

func fillChassis(to *Inventory, u Unit) {
	fill(&to.Serial, u.Serial)
	fill(&to.PartNo, u.PartNo)
	fill(&to.HWVersion, u.HWVersion)
}

func hasKey(tags []callhome.Tag, key string) bool {
	for _, t := range tags {
		if strings.EqualFold(t.Key, key) {
			return true
		}
	}
	return false
}

// lines calls f for every line of text, without its end and no longer than maxLine.
func lines(text string, f func(line string)) {
	for text != "" {
		line, rest, _ := strings.Cut(text, "\n")
		line = strings.TrimRight(line, "\r ")
		f(line[:min(len(line), maxLine)])
		text = rest
	}
}

var (
	formName = regexp.MustCompile(`(?i)^\s*NAME:\s*"?([^"]*?)"?\s*,\s*DESCR:\s*"?(.*?)"?\s*$`)
	formPID  = regexp.MustCompile(`(?i)^\s*PID:\s*([^,]*?)\s*,\s*VID:\s*([^,]*?)\s*,\s*SN:\s*(.*?)\s*$`)
)

// readInventory reads the two lines of each unit that IOS, IOS XE, IOS XR, NX-OS and ASA print; EOS prints tables.
func (o *output) readInventory(text, platform string) {
	if !strings.Contains(text, "PID:") {
		o.readTables(text, platform)
		return
	}
	var u Unit
	lines(text, func(line string) {
		if m := formName.FindStringSubmatch(line); m != nil {
			u = Unit{Slot: normalSlot(m[1]), Descr: own(m[2])}
			u.Kind = kindOf(u.Slot + " " + u.Descr)
			return
		}
		if m := formPID.FindStringSubmatch(line); m != nil && u.Slot+u.Descr != "" {
			u.Product, u.Serial = own(m[1]), own(RealSerial(m[3]))
			if vid := strings.TrimSpace(m[2]); RealSerial(vid) != "" {
				u.Further = []callhome.Tag{{Key: "VID", Value: own(vid)}}
			}
			if strings.EqualFold(u.Product, "Unspecified") || strings.EqualFold(u.Product, "N/A") {
				u.Product = ""
			}
			o.units = addUnit(o.units, u)
			u = Unit{}
		}
	})
}

var formRuler = regexp.MustCompile(`^\s*-{2,}(?:\s+-+)*\s*$`)

// columns are what the headers of tables mean; matched whole, in lower case.
var columns = map[string]string{
	"mod": "slot", "module": "slot", "xbar": "slot", "slot": "slot", "port": "slot",
	"model": "product", "part number": "product", "module-type": "descr", "card type": "descr", "description": "descr",
	"serial-num": "serial", "serial no.": "serial", "serial number": "serial", "sw": "sw", "sw version": "sw", "hw": "hw", "hw version": "hw", "rev": "hw",
}

// sections are the titles above tables whose slots are numbered apart, and what goes before the number.
var sections = []struct {
	word, prefix string
	kind         Kind
}{
	{"power supply", "Power supply ", KindPower}, {"fan", "Fan ", KindFan}, {"transceiver", "Transceiver ", KindOptic}, {"xbar", "Xbar ", KindModule},
	{"storage", "Storage ", KindDisk},
}

// tableReader reads tables whose header stands above a ruler of dashes: `show module` of IOS, NX-OS, ASA and EOS, and
// `show inventory` of EOS. Several tables tell about the same slot.
type tableReader struct {
	out           *output
	title, header string
	bounds        [][2]int
	fields        []string
	slots         map[string]int // by slot, the unit of this output
}

func (o *output) readTables(text, _ string) {
	t := tableReader{out: o, slots: map[string]int{}}
	lines(text, t.line)
}

func (t *tableReader) line(line string) {
	switch {
	case strings.TrimSpace(line) == "":
		t.bounds = nil
	case formRuler.MatchString(line) && t.header != "":
		t.rule(line)
	case t.bounds != nil && !strings.HasPrefix(strings.TrimSpace(line), "System has"):
		t.row(line)
	default:
		if t.bounds = nil; strings.Contains(line, "System ") {
			t.title = strings.ToLower(line)
		}
		t.header = line
	}
}

// rule takes the columns' bounds from the dashes and their meaning from the header.
func (t *tableReader) rule(line string) {
	t.bounds, t.fields = nil, nil
	for i := 0; i < len(line); {
		if line[i] != '-' {
			i++
			continue
		}
		from := i
		for i < len(line) && line[i] == '-' {
			i++
		}
		t.bounds = append(t.bounds, [2]int{from, i})
	}
	for n := range t.bounds {
		t.fields = append(t.fields, columns[strings.ToLower(t.cell(t.header, n))])
	}
	if strings.HasPrefix(strings.ToLower(strings.TrimSpace(t.header)), "xbar") {
		t.title = "xbar"
	}
	t.header = ""
}

// cell is the text of a column: from its dashes to those of the next one.
func (t *tableReader) cell(line string, n int) string {
	from, to := t.bounds[n][0], len(line)
	if n == 0 {
		from = 0
	}
	if n+1 < len(t.bounds) {
		to = min(to, t.bounds[n+1][0])
	}
	if from >= to {
		return ""
	}
	return strings.TrimSpace(line[from:to])
}

func (t *tableReader) row(line string) {
	var u Unit
	for n, field := range t.fields {
		v := t.cell(line, n)
		switch field {
		case "slot":
			u.Slot = own(v)
		case "product":
			u.Product = own(v)
		case "serial":
			u.Serial = own(RealSerial(v))
		case "descr":
			u.Descr = own(v)
		case "hw":
			u.HWVersion = own(v)
		case "sw":
			u.SWVersion = own(v)
		}
	}
	if u.Slot == "" {
		t.chassis(u)
		return
	}
	if u.Slot[0] < '0' || u.Slot[0] > '9' {
		return
	}
	u.Kind = KindModule
	for _, s := range sections {
		if strings.Contains(t.title, s.word) {
			u.Slot, u.Kind = s.prefix+u.Slot, s.kind
		}
	}
	if i, ok := t.slots[u.Slot]; ok {
		fillUnit(&t.out.units[i], u)
		return
	}
	if u.Product+u.Serial+u.Descr != "" {
		t.slots[u.Slot] = len(t.out.units)
		t.out.units = append(t.out.units, u)
	}
}

// chassis takes a row of a table without slots: of the system itself.
func (t *tableReader) chassis(u Unit) {
	if !strings.Contains(t.title, "system information") {
		return
	}
	fill(&t.out.device.Model, u.Product)
	fill(&t.out.device.Serial, u.Serial)
	fill(&t.out.device.HWVersion, u.HWVersion)
}
