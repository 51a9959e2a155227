package agent

import (
	"strings"
	"time"

	"callhome"
)

// describe joins identity, contact and alert into a message. number comes from the outbox and is the same after a
// crash, as is accepted, the moment the alert became durable.
func (p *plan) describe(t *target, a *callhome.Alert, number uint64, accepted time.Time) *callhome.Message {
	ch, d, pers := &p.cfg.CallHome, &t.device, t.personality
	level := a.Level
	m := &callhome.Message{
		MessageID:    callhome.MakeMessageID(pers.AML.MessagePrefix, 2*number, t.serial(), accepted),
		GroupID:      string(callhome.MakeMessageID(pers.AML.GroupPrefix, 2*number+1, t.serial(), accepted)),
		EventTime:    callhome.At(a.Time.In(t.parser.Zone)),
		CreationTime: callhome.At(accepted.UTC().Truncate(time.Second)),
		Name:         t.messageName(a), Type: string(a.Group), Subtype: subtype(a), MessageGroup: "reactive", Group: a.Group, Severity: &level,
		SourceID: first(d.Series, pers.AML.Series), Brand: first(d.Brand, pers.AML.Brand),
		Builder: first(pers.AML.Builder, d.Model, "callhome"), BuilderVersion: pers.AML.Version,
		DeviceID: t.deviceID(), ServerID: string(t.deviceID()),
		CustomerID: ch.CustomerID, ContractID: ch.ContractID, SiteID: first(d.SiteID, ch.SiteID),
		Description: a.Text, Fault: fault(a), SystemName: d.Hostname,
		ContactName: ch.Contact.Name, ContactEmail: ch.Contact.Email, ContactPhone: ch.Contact.Phone, StreetAddress: ch.Contact.StreetAddress,
		Model: d.Model, Serial: d.Serial, PartNo: d.PartNo, HWVersion: d.HWVersion, SWVersion: d.SWVersion,
		SysObjectID: d.SysObjectID, SysDescr: d.SysDescr, SwitchPriority: ch.SwitchPriority,
	}
	if a.Source == callhome.SourcePeriodic {
		m.MessageGroup = "proactive"
	}
	if a.Facility != "" {
		m.Pairs = append(m.Pairs, callhome.Tag{Key: "syslog_facility", Value: a.Facility})
	}
	if r := a.Request; r != nil {
		m.CCOID = r.CCOID
		m.Additional = append(m.Additional,
			callhome.Tag{Key: "ServiceNumber", Value: r.ServiceRequest}, callhome.Tag{Key: "ForwardAddress", Value: r.ForwardAddress})
	}
	return m
}

// fault is what an alert says in words; the end of trouble begins with saying so.
func fault(a *callhome.Alert) string {
	if a.State == callhome.StateClear && a.Words != "" {
		return "Cleared: " + a.Words
	}
	return a.Words
}

// wordsOf is the text behind a line's header. An alert of Unified CM says what it is about in its tags.
func wordsOf(a *callhome.Alert, text string) string {
	var name, detail string
	for _, t := range a.Tags {
		switch strings.ToLower(t.Key) {
		case "alertname":
			name = t.Value
		case "alertdetail":
			detail = t.Value
		}
	}
	if name != "" {
		return strings.TrimSpace(name + ": " + strings.TrimSpace(detail))
	}
	return strings.TrimSpace(text)
}

// messageName is the event's own name on platforms whose messages have one (those of long text B), else the group's.
func (t *target) messageName(a *callhome.Alert) string {
	if t.personality.LongText == "B" && a.Type != "" && a.Group != callhome.GroupSyslog {
		return a.Type
	}
	return string(a.Group)
}

func subtype(a *callhome.Alert) string {
	switch {
	case a.Subtype != "":
		return a.Subtype
	case a.Group == callhome.GroupTest:
		return "test"
	case a.Group == callhome.GroupInventory:
		return "full"
	}
	return ""
}

func first(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}

// describedText is what the description of a log line says: the line as the device stamped it, without PRI and without
// what a transport put before it.
func describedText(raw []byte) string {
	s := strings.TrimRight(string(raw), "\r\n\x00")
	if strings.HasPrefix(s, "<") {
		if i := strings.IndexByte(s, '>'); i > 0 && i <= 5 {
			s = s[i+1:]
		}
	}
	return strings.TrimSpace(s)
}
