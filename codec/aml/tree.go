package aml

import (
	"strings"

	"callhome"
)

// node is an element that the decoder knows at one place of the tree.
type node struct {
	name  string
	space space
	attrs []string // attributes that are understood or passed over
	kids  []*node

	begin func(d *decoder, f *frame)              // at the start tag
	field func(d *decoder) *string                // where the text goes
	take  func(d *decoder, value string) bool     // or who takes it; false keeps it as unknown
	end   func(d *decoder, f *frame, text string) // or who takes it as it is, blanks and all
	skip  bool                                    // the text is passed over: constants that mean nothing on receipt
}

// child finds an element below n; hint is where the search begins, since elements mostly come in order.
func (n *node) child(local string, hint int) (*node, int) {
	for i := hint; i < len(n.kids); i++ {
		if n.kids[i].name == local {
			return n.kids[i], i
		}
	}
	for i := range min(hint, len(n.kids)) {
		if n.kids[i].name == local {
			return n.kids[i], i
		}
	}
	plain := squeeze(local)
	for i, k := range n.kids {
		if strings.EqualFold(k.name, plain) {
			return k, i
		}
	}
	return nil, hint
}

// also gives n a second name.
func (n *node) also(name string) *node {
	twin := *n
	twin.name = name
	return &twin
}

func box(s space, name string, kids ...*node) *node { return &node{name: name, space: s, kids: kids} }

func text(s space, name string, field func(m *callhome.Message) *string) *node {
	return &node{name: name, space: s, field: func(d *decoder) *string { return field(d.m) }}
}

func unit(s space, name string, field func(u *callhome.FRU) *string) *node {
	return &node{name: name, space: s, field: func(d *decoder) *string { return field(d.unit()) }}
}

func takes(s space, name string, take func(d *decoder, value string) bool) *node {
	return &node{name: name, space: s, take: take}
}

func passed(s space, name string) *node { return &node{name: name, space: s, skip: true} }

// root holds the elements that a document may begin with. A block or its content without an envelope is taken too.
var root = box(spaceOther, "",
	envelope(), block(), callHome(), mml("mml"), mml("aml"))

func envelope() *node {
	session := box(spaceSession, "Session",
		passed(spaceSession, "To"),
		box(spaceSession, "Path", passed(spaceSession, "Via")),
		passed(spaceSession, "From"),
		&node{name: "MessageId", space: spaceSession, field: func(d *decoder) *string { return &d.messageID }})
	session.attrs = []string{"mustUnderstand", "role", "actor"}
	fault := takes(spaceSOAP, "Fault", func(*decoder, string) bool { return false })
	fault.begin = func(d *decoder, _ *frame) { d.soapFault = true }
	return box(spaceSOAP, "Envelope",
		box(spaceSOAP, "Header", session),
		box(spaceSOAP, "Body", block(), callHome(), fault))
}

func block() *node {
	n := box(spaceBlock, "Block",
		box(spaceBlock, "Header",
			takes(spaceBlock, "Type", (*decoder).takeTypeURI),
			takes(spaceBlock, "CreationDate", func(d *decoder, v string) bool { return d.takeTime(&d.m.CreationTime, v) }),
			box(spaceBlock, "Builder",
				text(spaceBlock, "Name", func(m *callhome.Message) *string { return &m.Builder }),
				text(spaceBlock, "Version", func(m *callhome.Message) *string { return &m.BuilderVersion })),
			box(spaceBlock, "BlockGroup",
				text(spaceBlock, "GroupId", func(m *callhome.Message) *string { return &m.GroupID }),
				takes(spaceBlock, "Number", (*decoder).takeNumber),
				takes(spaceBlock, "IsLast", flagOf(func(b *callhome.Block) *bool { return &b.IsLast })),
				takes(spaceBlock, "IsPrimary", flagOf(func(b *callhome.Block) *bool { return &b.IsPrimary })),
				takes(spaceBlock, "WaitForPrimary", flagOf(func(b *callhome.Block) *bool { return &b.WaitForPrimary }))),
			takes(spaceBlock, "Severity", (*decoder).takeSeverity)),
		box(spaceBlock, "Content", callHome()),
		box(spaceBlock, "Attachments", attachment(spaceBlock, "Attachment", "Name", "Data")))
	n.begin = func(d *decoder, _ *frame) { d.newMessage() }
	return n
}

func callHome() *node {
	n := box(spaceCH, "CallHome",
		takes(spaceCH, "EventTime", func(d *decoder, v string) bool { return d.takeTime(&d.m.EventTime, v) }),
		text(spaceCH, "MessageDescription", func(m *callhome.Message) *string { return &m.Description }),
		box(spaceCH, "Event",
			text(spaceCH, "Type", func(m *callhome.Message) *string { return &m.Type }),
			text(spaceCH, "SubType", func(m *callhome.Message) *string { return &m.Subtype }),
			text(spaceCH, "Brand", func(m *callhome.Message) *string { return &m.Brand }),
			text(spaceCH, "Series", func(m *callhome.Message) *string { return &m.SourceID })),
		customerData(),
		device(),
		process(),
		pair("Pair"))
	n.attrs = []string{"version"}
	n.begin = func(d *decoder, _ *frame) { d.needMessage() }
	return n
}

func customerData() *node {
	return box(spaceCH, "CustomerData",
		box(spaceCH, "UserData", &node{name: "Email", space: spaceCH, field: func(d *decoder) *string { return &d.userEmail }}),
		box(spaceCH, "ContractData",
			text(spaceCH, "CustomerId", func(m *callhome.Message) *string { return &m.CustomerID }),
			text(spaceCH, "SiteId", func(m *callhome.Message) *string { return &m.SiteID }),
			text(spaceCH, "ContractId", func(m *callhome.Message) *string { return &m.ContractID }),
			text(spaceCH, "DeviceId", func(m *callhome.Message) *string { return (*string)(&m.DeviceID) })),
		box(spaceCH, "SystemInfo",
			text(spaceCH, "Name", func(m *callhome.Message) *string { return &m.SystemName }),
			text(spaceCH, "Contact", func(m *callhome.Message) *string { return &m.ContactName }),
			text(spaceCH, "ContactEmail", func(m *callhome.Message) *string { return &m.ContactEmail }),
			text(spaceCH, "ContactPhoneNumber", func(m *callhome.Message) *string { return &m.ContactPhone }),
			text(spaceCH, "StreetAddress", func(m *callhome.Message) *string { return &m.StreetAddress })),
		text(spaceCH, "CCOID", func(m *callhome.Message) *string { return &m.CCOID }))
}

func device() *node {
	unitCard := card()
	chassis := box(spaceRME, "Chassis",
		unit(spaceRME, "Model", func(u *callhome.FRU) *string { return &u.Name }),
		unit(spaceRME, "HardwareVersion", func(u *callhome.FRU) *string { return &u.HWVersion }),
		unit(spaceRME, "SerialNumber", func(u *callhome.FRU) *string { return &u.Serial }),
		additional(),
		unitCard,
		unitCard.also("Cisco_Card"),
		unit(spaceRME, "PartNumber", func(u *callhome.FRU) *string { return &u.PartNo }),
		software())
	chassis.begin = (*decoder).beginChassis
	chassis.end = func(d *decoder, f *frame, _ string) { d.endChassis(f) }
	return box(spaceCH, "Device", chassis, chassis.also("Cisco_Chassis"))
}

// card is a field-replaceable unit; one may hold others.
func card() *node {
	n := box(spaceRME, "Card",
		unit(spaceRME, "Model", func(u *callhome.FRU) *string { return &u.Name }),
		unit(spaceRME, "HardwareVersion", func(u *callhome.FRU) *string { return &u.HWVersion }),
		unit(spaceRME, "SerialNumber", func(u *callhome.FRU) *string { return &u.Serial }),
		unit(spaceRME, "PartNumber", func(u *callhome.FRU) *string { return &u.PartNo }),
		unit(spaceRME, "LocationWithinContainer", func(u *callhome.FRU) *string { return &u.Slot }),
		software(),
		additional())
	n.begin = (*decoder).beginCard
	n.end = func(d *decoder, f *frame, _ string) { d.endCard(f) }
	twin := n.also("Cisco_Card")
	n.kids = append(n.kids, n, twin)
	twin.kids = n.kids
	return n
}

func software() *node {
	n := unit(spaceRME, "SoftwareIdentity", func(u *callhome.FRU) *string { return &u.SWVersion })
	n.kids = []*node{unit(spaceRME, "VersionString", func(u *callhome.FRU) *string { return &u.SWVersion })}
	return n
}

func additional() *node {
	ad := &node{name: "AD", space: spaceRME, attrs: []string{"name", "value"}, begin: func(d *decoder, _ *frame) { d.takeAD() }}
	return box(spaceRME, "AdditionalInformation", ad)
}

// process tells of a program; the names of its parts are those of the older path /aml/body/process.
func process() *node {
	part := func(name string, field func(p *callhome.Process) *string) *node {
		return &node{name: name, space: spaceExt, field: func(d *decoder) *string {
			return field(&d.m.Processes[len(d.m.Processes)-1])
		}}
	}
	n := box(spaceExt, "process",
		part("name", func(p *callhome.Process) *string { return &p.Name }),
		part("id", func(p *callhome.Process) *string { return &p.ID }),
		part("processState", func(p *callhome.Process) *string { return &p.State }),
		part("exception", func(p *callhome.Process) *string { return &p.Exception }))
	n.begin = func(d *decoder, _ *frame) { d.m.Processes = append(d.m.Processes, callhome.Process{}) }
	return n
}

// pair is a free name and value, as elements or as attributes.
func pair(name string) *node {
	part := func(name string, field func(t *callhome.Tag) *string) *node {
		return &node{name: name, space: spaceExt, field: func(d *decoder) *string {
			return field(&d.m.Pairs[len(d.m.Pairs)-1])
		}}
	}
	n := box(spaceExt, name,
		part("name", func(t *callhome.Tag) *string { return &t.Key }),
		part("value", func(t *callhome.Tag) *string { return &t.Value }))
	n.attrs = []string{"name", "value"}
	n.begin = func(d *decoder, _ *frame) {
		d.m.Pairs = append(d.m.Pairs, callhome.Tag{Key: d.attr("name"), Value: d.attr("value")})
	}
	return n
}

// attachment is a command and its output.
func attachment(s space, name, title, data string) *node {
	n := box(s, name,
		&node{name: title, space: s, field: func(d *decoder) *string { return &d.att().Name }},
		&node{
			name: data, space: s, attrs: []string{"encoding"},
			begin: func(d *decoder, _ *frame) { d.att().Encoding = d.attr("encoding") },
			end:   func(d *decoder, f *frame, text string) { d.takeData(f, text) },
		})
	n.attrs = []string{"type"}
	n.begin = func(d *decoder, _ *frame) {
		d.substance = true
		d.m.Attachments = append(d.m.Attachments, callhome.Attachment{Type: d.attr("type")})
	}
	return n
}
