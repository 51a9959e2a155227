package aml

import "callhome"

// mml is the older document without namespaces (MDS 9000 Fabric Manager Guide, tables of message fields).
func mml(name string) *node {
	n := box(spaceOther, name,
		box(spaceOther, "header",
			takes(spaceOther, "time", func(d *decoder, v string) bool { return d.takeTime(&d.m.EventTime, v) }),
			text(spaceOther, "name", func(m *callhome.Message) *string { return &m.Name }),
			text(spaceOther, "type", func(m *callhome.Message) *string { return &m.Type }),
			text(spaceOther, "group", func(m *callhome.Message) *string { return &m.MessageGroup }),
			takes(spaceOther, "level", (*decoder).takeSeverity),
			text(spaceOther, "source", func(m *callhome.Message) *string { return &m.SourceID }),
			takes(spaceOther, "priority", (*decoder).takePriority),
			text(spaceOther, "deviceId", func(m *callhome.Message) *string { return (*string)(&m.DeviceID) }),
			text(spaceOther, "customerID", func(m *callhome.Message) *string { return &m.CustomerID }),
			text(spaceOther, "custId", func(m *callhome.Message) *string { return &m.CustomerID }),
			text(spaceOther, "contractId", func(m *callhome.Message) *string { return &m.ContractID }),
			text(spaceOther, "siteId", func(m *callhome.Message) *string { return &m.SiteID }),
			text(spaceOther, "serverId", func(m *callhome.Message) *string { return &m.ServerID })),
		mmlBody(),
		box(spaceOther, "attachments", mmlAttachment()))
	n.begin = func(d *decoder, _ *frame) {
		d.newMessage()
		d.substance = true
		d.m.Format = callhome.FormatMML
	}
	return n
}

func mmlBody() *node {
	return box(spaceOther, "body",
		text(spaceOther, "msgDesc", func(m *callhome.Message) *string { return &m.Description }),
		text(spaceOther, "sysName", func(m *callhome.Message) *string { return &m.SystemName }),
		text(spaceOther, "sysContact", func(m *callhome.Message) *string { return &m.ContactName }),
		text(spaceOther, "sysContactEmail", func(m *callhome.Message) *string { return &m.ContactEmail }),
		text(spaceOther, "sysContactPhoneNumber", func(m *callhome.Message) *string { return &m.ContactPhone }),
		text(spaceOther, "sysStreetAddress", func(m *callhome.Message) *string { return &m.StreetAddress }),
		mmlUnit("chassis", (*decoder).beginChassis, (*decoder).endChassis),
		mmlUnit("fru", (*decoder).beginCard, (*decoder).endCard),
		process(),
		pair("nvp"))
}

func mmlUnit(name string, begin, end func(*decoder, *frame)) *node {
	n := box(spaceOther, name,
		unit(spaceOther, "name", func(u *callhome.FRU) *string { return &u.Name }),
		unit(spaceOther, "serialNo", func(u *callhome.FRU) *string { return &u.Serial }),
		unit(spaceOther, "partNo", func(u *callhome.FRU) *string { return &u.PartNo }),
		unit(spaceOther, "slot", func(u *callhome.FRU) *string { return &u.Slot }),
		unit(spaceOther, "hwVersion", func(u *callhome.FRU) *string { return &u.HWVersion }),
		unit(spaceOther, "swVersion", func(u *callhome.FRU) *string { return &u.SWVersion }))
	n.begin = begin
	n.end = func(d *decoder, f *frame, _ string) { end(d, f) }
	return n
}

// mmlAttachment takes the output under each of the names that tables and documents give it.
func mmlAttachment() *node {
	n := attachment(spaceOther, "attachment", "name", "data")
	data := n.kids[1]
	n.kids = append(n.kids, data.also("atdata"), data.also("text"), data.also("output"),
		&node{name: "type", field: func(d *decoder) *string { return &d.att().Type }},
		takes(spaceOther, "mime", func(_ *decoder, v string) bool { return v == "text/plain" }))
	return n
}
