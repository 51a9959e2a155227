package plaintext

import (
	"bytes"
	"strconv"
	"strings"

	"callhome"
)

// endValue gives the value that was being read to its field.
func (d *decoder) endValue() error {
	if !d.pending {
		return nil
	}
	d.pending = false
	d.count++
	if d.count > maxLabels {
		return callhome.Errorf(callhome.KindInvalid, "text message: more than %d label lines", maxLabels)
	}
	value := string(bytes.TrimSpace(d.value))
	if d.free {
		d.pair(d.label, value)
		return nil
	}
	if section, start, ok := sectionMark(d.label); ok && value == "" {
		return d.mark(section, start)
	}
	f := lookup(d.label)
	if f == fieldNone {
		d.pair(d.label, value)
		return nil
	}
	d.known[strings.ToLower(d.label)]++
	d.assign(f, value)
	return nil
}

// pair keeps a name and value that no field is meant for.
func (d *decoder) pair(name, value string) {
	switch {
	case d.output != nil:
		d.unknown("Command Output/"+name, value)
	case len(d.section) > 0:
		d.unknown(name, value)
	default:
		d.msg.Pairs = append(d.msg.Pairs, callhome.Tag{Key: name, Value: value})
	}
}

// mark enters or leaves a section. Either way the next field belongs to a new block.
func (d *decoder) mark(section string, start bool) error {
	d.have &^= blockBits
	switch {
	case start && len(d.section) >= maxDepth:
		return callhome.Errorf(callhome.KindInvalid, "text message: sections within sections, more than %d deep", maxDepth)
	case start:
		d.section = append(d.section, section)
	default:
		for i := len(d.section) - 1; i >= 0; i-- {
			if d.section[i] == section {
				d.section = d.section[:i]
				break
			}
		}
	}
	return nil
}

// The fields of each kind of block, as bits.
const (
	chassisBits uint64 = 1<<(fieldChassisSoftware+1) - 1<<fieldChassisName
	unitBits    uint64 = 1<<(fieldUnitSoftware+1) - 1<<fieldUnitName
	processBits uint64 = 1<<(fieldProcessException+1) - 1<<fieldProcessName
	blockBits          = chassisBits | unitBits | processBits
)

// opens reports whether f, of a block with the given bits, begins a new one; f counts as read afterwards.
func (d *decoder) opens(f, first field, bits uint64) bool {
	fresh := f == first || d.have&bits == 0 || d.have&(1<<f) != 0
	if fresh {
		d.have &^= bits
	}
	d.have |= 1 << f
	return fresh
}

func (d *decoder) assign(f field, value string) {
	switch {
	case f >= fieldOutputName:
		d.assignOutput(f, value)
	case f >= fieldProcessName:
		if d.opens(f, fieldProcessName, processBits) {
			d.msg.Processes = append(d.msg.Processes, callhome.Process{})
		}
		*processField(&d.msg.Processes[len(d.msg.Processes)-1], f) = value
	case f >= fieldUnitName:
		if d.opens(f, fieldUnitName, unitBits) {
			d.msg.FRUs = append(d.msg.FRUs, callhome.FRU{})
		}
		*unitField(&d.msg.FRUs[len(d.msg.FRUs)-1], f) = value
	case f >= fieldChassisName:
		if d.opens(f, fieldChassisName, chassisBits) {
			d.chassis = append(d.chassis, callhome.FRU{})
		}
		*unitField(&d.chassis[len(d.chassis)-1], f) = value
	case value == "":
	case d.have&(1<<f) != 0:
		d.unknown(d.label, value)
	default:
		d.have |= 1 << f
		d.assignHead(f, value)
	}
}

func (d *decoder) assignOutput(f field, value string) {
	switch f {
	case fieldOutput:
		switch {
		case d.unnamed:
			d.output.Name = value
		case value != "" && value != d.output.Name: // the name again says nothing new
			d.text = append(append(d.text, value...), '\n')
		}
	case fieldOutputName:
		d.output.Name = value
	case fieldOutputType:
		d.output.Type = value
	case fieldOutputText:
		if value != "" {
			d.text = append(append(d.text, value...), '\n')
		}
	case fieldOutputMIME:
		if !strings.EqualFold(value, attachmentMIME) {
			d.unknown("Command Output/"+d.label, value)
		}
	}
}

func (d *decoder) assignHead(f field, value string) {
	m := d.msg
	switch f {
	case fieldSubject:
		d.readSubject(value)
	case fieldTime:
		d.readTime(value)
	case fieldName:
		m.Name = value
	case fieldType:
		m.Type = value
	case fieldSeverity:
		if level, err := callhome.ParseLevel(value); err == nil {
			m.Severity = &level
		} else {
			d.unknown(d.label, value)
			m.Flags = append(m.Flags, flagSeverityInvalid)
		}
	case fieldPriority:
		if n, err := strconv.Atoi(value); err == nil {
			m.SwitchPriority = &n
		} else {
			d.unknown(d.label, value)
		}
	case fieldDevice:
		m.DeviceID = callhome.DeviceID(value)
	default:
		if *headField(m, f) != "" { // description and error message share theirs
			d.unknown(d.label, value)
			return
		}
		*headField(m, f) = value
	}
}

func (d *decoder) readTime(value string) {
	t, err := callhome.ParseEventTime(value)
	if err != nil {
		d.unknown(d.label, value)
		d.msg.Flags = append(d.msg.Flags, flagTimeInvalid)
		return
	}
	d.msg.EventTime = t
	if t.NoZone {
		d.msg.Flags = append(d.msg.Flags, flagTZMissing)
	}
}

// readSubject takes the host out of "System Notification from edge-rtr-7".
func (d *decoder) readSubject(value string) {
	if len(value) < len(subjectPrefix) || !strings.EqualFold(value[:len(subjectPrefix)], subjectPrefix) {
		d.unknown(d.label, value)
		return
	}
	d.subject = strings.TrimSpace(value[len(subjectPrefix):])
}

// finish judges what was read: the dialect, the alert group, the chassis.
func (d *decoder) finish() (*callhome.Message, error) {
	m := d.msg
	telling := uint64(1<<fieldTime | 1<<fieldDescription | 1<<fieldError)
	if len(d.known) < minLabels || d.have&telling == 0 {
		return nil, callhome.Errorf(callhome.KindInvalid, "no call-home text: neither two lines of short text nor labels such as TimeStamp and Event Description were found")
	}
	if len(d.chassis) > 0 {
		c := d.chassis[0]
		m.Model, m.Serial, m.PartNo, m.HWVersion, m.SWVersion = c.Name, c.Serial, c.PartNo, c.HWVersion, c.SWVersion
		m.Chassis = d.chassis[1:len(d.chassis):len(d.chassis)]
	}
	if len(m.Chassis) == 0 {
		m.Chassis = nil
	}
	m.Format, m.Dialect = callhome.FormatFull, d.dialect()
	if d.have&(1<<fieldError) != 0 {
		m.Format, m.Dialect = callhome.FormatShort, Labels.Name
		if m.SystemName == "" {
			m.SystemName, m.DeviceID = string(m.DeviceID), ""
		}
	}
	if m.SystemName == "" {
		m.SystemName = d.subject
	}
	m.Group = groupOf(m.Type, m.Name)
	return m, nil
}

// dialect is the one that knows most of the labels that came.
func (d *decoder) dialect() string {
	best, name := -1, ""
	for _, c := range []struct {
		mask dialectMask
		name string
	}{{inA, A.Name}, {inB, B.Name}, {inC, C.Name}} {
		score := 0
		for label := range d.known {
			if labels()[label].dialects&c.mask != 0 {
				score++
			}
		}
		if score > best {
			best, name = score, c.name
		}
	}
	return name
}

// groupOf derives the alert group from message type and name: "Syslog", "Inventory Update", "SYSLOG_ALERT". It is ""
// where neither tells.
func groupOf(words ...string) callhome.AlertGroup {
	for _, w := range words {
		w = strings.ReplaceAll(strings.TrimSuffix(strings.ToLower(w), strings.ToLower(alertSuffix)), "_", "-")
		first, _, _ := strings.Cut(w, " ")
		for _, candidate := range []string{w, first} {
			if g, err := callhome.ParseAlertGroup(candidate); err == nil && g != callhome.GroupAll && candidate != "" {
				return g
			}
		}
	}
	return ""
}
