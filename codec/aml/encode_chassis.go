package aml

import "callhome"

// chassis writes a chassis with its cards; own is the one that the message's fields describe.
func (e *encoder) chassis(c callhome.FRU, own bool) {
	e.raw(`<rme:Chassis xmlns:rme="` + nsRME + `">` + "\n")
	e.leaf("rme:Model", c.Name)
	e.optional("rme:HardwareVersion", c.HWVersion)
	e.leaf("rme:SerialNumber", c.Serial)
	fixed := []callhome.Tag{{Key: adPartNumber, Value: c.PartNo}, {Key: adSoftware, Value: c.SWVersion}}
	if own {
		fixed = append(fixed, callhome.Tag{Key: adObjectID, Value: e.m.SysObjectID}, callhome.Tag{Key: adDescr, Value: e.m.SysDescr})
	}
	e.additional(fixed, c.Additional, own && !e.v.OmitEmpty)
	for i := range e.m.FRUs {
		if u := &e.m.FRUs[i]; e.holds(u, c.Serial, own) {
			e.card(u, !own)
		}
	}
	e.raw("</rme:Chassis>\n")
}

// holds reports whether a card belongs into the chassis with that serial. Cards that name no further chassis are in the
// first.
func (e *encoder) holds(u *callhome.FRU, serial string, own bool) bool {
	named := chassisSerial(u)
	if !own {
		return named != "" && named == serial
	}
	if named != "" {
		for i := range e.m.Chassis {
			if e.m.Chassis[i].Serial == named {
				return false
			}
		}
	}
	return true
}

// chassisSerial is the chassis that a card of a further chassis names last.
func chassisSerial(u *callhome.FRU) string {
	if n := len(u.Additional); n > 0 && u.Additional[n-1].Key == adChassisSerial {
		return u.Additional[n-1].Value
	}
	return ""
}

// additional writes AD pairs: the fixed ones (with empty values too when all is set, as devices do), then the rest.
func (e *encoder) additional(fixed, more []callhome.Tag, all bool) {
	pairs := make([]callhome.Tag, 0, len(fixed)+len(more)+2)
	for _, p := range fixed {
		if all || p.Value != "" {
			pairs = append(pairs, p)
		}
	}
	if all {
		for _, name := range [...]string{"ServiceNumber", "ForwardAddress"} {
			if !hasKey(more, name) {
				pairs = append(pairs, callhome.Tag{Key: name})
			}
		}
	}
	pairs = append(pairs, more...)
	if len(pairs) == 0 {
		return
	}
	e.raw("<rme:AdditionalInformation>\n")
	for _, p := range pairs {
		e.raw(`<rme:AD name="`)
		e.dst = appendText(e.dst, p.Key, true)
		e.raw(`" value="`)
		e.dst = appendText(e.dst, p.Value, true)
		e.raw("\" />\n")
	}
	e.raw("</rme:AdditionalInformation>\n")
}

func hasKey(tags []callhome.Tag, key string) bool {
	for _, t := range tags {
		if t.Key == key {
			return true
		}
	}
	return false
}

// card writes a field-replaceable unit; placed leaves out the pair that says where it belongs.
func (e *encoder) card(u *callhome.FRU, placed bool) {
	e.raw("<rme:Card>\n")
	e.given("rme:Model", u.Name)
	e.given("rme:HardwareVersion", u.HWVersion)
	e.given("rme:SerialNumber", u.Serial)
	e.given("rme:PartNumber", u.PartNo)
	e.given("rme:LocationWithinContainer", u.Slot)
	if u.SWVersion != "" {
		e.raw("<rme:SoftwareIdentity>\n")
		e.leaf("rme:VersionString", u.SWVersion)
		e.raw("</rme:SoftwareIdentity>\n")
	}
	more := u.Additional
	if placed {
		more = more[:len(more)-1]
	}
	e.additional(nil, more, false)
	e.raw("</rme:Card>\n")
}
