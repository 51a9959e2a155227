package aml

import (
	"encoding/base64"
	"strconv"
	"strings"

	"callhome"
)

// blockParts are the values of aml-block:BlockGroup.
type blockParts struct {
	callhome.Block
	given bool
}

// newMessage begins a message: the one of a block.
func (d *decoder) newMessage() {
	if d.msgs == nil {
		d.msgs = make([]callhome.Message, 0, 1)
	}
	d.closeMessage()
	if len(d.msgs) == maxBlocks {
		d.refusal = hard(d.pos, "the document has more than 256 blocks")
	}
	d.msgs = append(d.msgs, callhome.Message{Format: callhome.FormatXML})
	d.m = &d.msgs[len(d.msgs)-1]
	d.weak = d.weak[:0]
	d.userEmail, d.typeWord, d.chassisNo, d.card = "", "", 0, -1
	d.block = blockParts{Block: callhome.Block{IsLast: true, IsPrimary: true}}
}

// needMessage begins a message where the content stands outside a block.
func (d *decoder) needMessage() {
	if d.m == nil {
		d.newMessage()
	}
	d.substance = true
}

// closeMessage fills in what follows from the parts of the current message.
func (d *decoder) closeMessage() {
	m := d.m
	if m == nil {
		return
	}
	if m.ContactEmail == "" {
		m.ContactEmail = d.userEmail
	}
	if d.block.given && d.block.Block != (callhome.Block{IsLast: true, IsPrimary: true}) {
		b := d.block.Block
		m.Block = &b
	}
	if m.Type == "" {
		m.Type = d.typeWord
	}
	if m.Group = groupOf(m.Type); m.Group == "" {
		m.Group = groupOf(d.typeWord)
	}
	if m.Format == callhome.FormatMML && m.Group == "" {
		m.Group = groupOf(m.Name)
	}
}

// finish gives the messages, with what the whole document says about them.
func (d *decoder) finish() []callhome.Message {
	d.closeMessage()
	for i := range d.msgs {
		m := &d.msgs[i]
		m.MessageID = callhome.MessageID(d.messageID)
		m.Dialect = dialectOf(m)
		if m.Name == "" {
			m.Name = nameOf(m)
		}
		d.flagTimes(m)
		for _, f := range [...]struct {
			on   bool
			flag string
		}{{d.badChars, FlagBadChars}, {d.malformed, FlagMalformed}, {d.capped, FlagUnknownCapped}, {!isBlank(d.src[d.pos:]), FlagTrailing}} {
			if f.on {
				mark(m, f.flag)
			}
		}
	}
	if len(d.early) > 0 {
		d.msgs[0].Unknown = append(d.early, d.msgs[0].Unknown...)
	}
	return d.msgs
}

// maxSkew is how far the time in a message ID may be off the creation time before it is told.
const maxSkew = 24 * 60 * 60

func (d *decoder) flagTimes(m *callhome.Message) {
	if m.EventTime.IsZero() && !m.CreationTime.IsZero() {
		m.EventTime = m.CreationTime
		mark(m, FlagNoEventTime)
	}
	if m.CreationTime.IsZero() {
		m.CreationTime = m.EventTime
	}
	if m.EventTime.NoZone {
		mark(m, FlagNoZone)
	}
	if created, ok := m.MessageID.Created(); ok && !m.CreationTime.IsZero() {
		if skew := created.Unix() - m.CreationTime.Unix(); skew > maxSkew || skew < -maxSkew {
			mark(m, FlagSkew)
		}
	}
}

// mark puts a flag on a message once.
func mark(m *callhome.Message, word string) {
	for _, f := range m.Flags {
		if f == word {
			return
		}
	}
	m.Flags = append(m.Flags, word)
}

// attr is the value of an attribute of the current start tag, whatever its prefix.
func (d *decoder) attr(local string) string {
	for i := range d.attrs {
		if d.attrs[i].local == local && d.attrs[i].prefix != "xmlns" {
			return d.attrs[i].value
		}
	}
	return ""
}

// keepAttrs keeps the attributes that n is not known to have.
func (d *decoder) keepAttrs(n *node) {
next:
	for i := range d.attrs {
		a := &d.attrs[i]
		if a.prefix == "xmlns" || a.prefix == "xml" || a.prefix == "" && a.local == "xmlns" || a.value == "" {
			continue
		}
		if n != nil {
			for _, known := range n.attrs {
				if a.local == known {
					continue next
				}
			}
		}
		d.keepUnknown("@"+a.local, a.value)
	}
}

// keepUnknown keeps a value of the current element, or of its attribute leaf.
func (d *decoder) keepUnknown(leaf, value string) {
	kept := &d.early
	if d.m != nil {
		kept = &d.m.Unknown
	}
	var path strings.Builder
	for i, name := range d.open[:len(d.frames)] {
		if i > 0 {
			path.WriteByte('/')
		}
		path.WriteString(localName(name))
	}
	if leaf != "" {
		path.WriteByte('/')
		path.WriteString(leaf)
	}
	d.unknownBytes += path.Len()
	if len(*kept) >= maxUnknown || d.unknownBytes > maxUnknownBytes {
		d.capped = true
		return
	}
	*kept = append(*kept, callhome.Unknown{Path: path.String(), Value: value})
}

// localName is what follows the prefix of a qualified name.
func localName(name string) string {
	if i := strings.IndexByte(name, ':'); i > 0 && i < len(name)-1 {
		return name[i+1:]
	}
	return name
}

func (d *decoder) takeTime(field *callhome.Timestamp, value string) bool {
	t, ok := ParseTime(value)
	if !ok {
		mark(d.m, FlagBadTime)
		return false
	}
	if !field.IsZero() {
		return field.Equal(t.Time)
	}
	*field = t
	return true
}

// typeAck is the last word of the type of an endpoint's answer.
const typeAck = "ack"

// takeTypeURI keeps the last word of the block's type, such as syslog.
func (d *decoder) takeTypeURI(value string) bool {
	d.typeWord = value[strings.LastIndexAny(value, "/#")+1:]
	d.substance = d.substance || d.typeWord != typeAck
	return true
}

func (d *decoder) takeSeverity(value string) bool {
	level, err := callhome.ParseLevel(value)
	if err != nil {
		mark(d.m, FlagBadValue)
		return false
	}
	if d.m.Severity != nil {
		return *d.m.Severity == level
	}
	d.m.Severity = &level
	return true
}

// takePriority reads the switch priority, 0 to 7.
func (d *decoder) takePriority(value string) bool {
	n, err := strconv.Atoi(value)
	if err != nil || n < 0 || n > 7 {
		mark(d.m, FlagBadValue)
		return false
	}
	d.m.SwitchPriority = &n
	return true
}

func (d *decoder) takeNumber(value string) bool {
	n, err := strconv.Atoi(value)
	if err != nil || n < 0 {
		mark(d.m, FlagBadValue)
		return false
	}
	d.block.Number, d.block.given = n, true
	return true
}

// flagOf reads a truth value of a block.
func flagOf(field func(b *callhome.Block) *bool) func(d *decoder, value string) bool {
	return func(d *decoder, value string) bool {
		switch {
		case strings.EqualFold(value, "true"), value == "1":
			*field(&d.block.Block) = true
		case strings.EqualFold(value, "false"), value == "0":
			*field(&d.block.Block) = false
		default:
			mark(d.m, FlagBadValue)
			return false
		}
		d.block.given = true
		return true
	}
}

// unit is the card or chassis whose parts are being read.
func (d *decoder) unit() *callhome.FRU {
	if d.card >= 0 {
		return &d.m.FRUs[d.card]
	}
	return &d.chassis
}

func (d *decoder) beginChassis(*frame) {
	d.chassisNo++
	d.chassis = callhome.FRU{}
}

// endChassis gives the first chassis to the message's own fields and the others to the list.
func (d *decoder) endChassis(*frame) {
	c := &d.chassis
	if d.chassisNo > 1 {
		d.m.Chassis = append(d.m.Chassis, *c)
		return
	}
	m := d.m
	m.Model, m.Serial, m.PartNo, m.HWVersion, m.SWVersion = c.Name, c.Serial, c.PartNo, c.HWVersion, c.SWVersion
	m.Additional = c.Additional
}

func (d *decoder) beginCard(f *frame) {
	if d.m.FRUs == nil {
		d.m.FRUs = make([]callhome.FRU, 0, 4)
	}
	d.m.FRUs = append(d.m.FRUs, callhome.FRU{})
	f.outer, d.card = d.card, len(d.m.FRUs)-1
}

// adChassisSerial marks a card of a further chassis, since the list of cards is one for all.
const adChassisSerial = "ChassisSerial"

func (d *decoder) endCard(f *frame) {
	if d.chassisNo > 1 && d.chassis.Serial != "" {
		u := d.unit()
		u.Additional = append(u.Additional, callhome.Tag{Key: adChassisSerial, Value: d.chassis.Serial})
	}
	d.card = f.outer
}

// adNames are the names of additional information in one spelling, by their lower-case forms.
var adNames = map[string]string{
	"partnumber": adPartNumber, "partno": adPartNumber,
	"softwareversion": adSoftware, "swversion": adSoftware,
	"systemobjectid": adObjectID, "sysobjectid": adObjectID,
	"systemdescription": adDescr, "sysdescription": adDescr, "sysdescr": adDescr,
	"servicenumber": "ServiceNumber", "forwardaddress": "ForwardAddress", "pid": "PID", "vid": "VID",
	"flashsize": "FlashSize", "dramsize": "DRAMSize", "clei": "CLEI", "chassisname": "ChassisName",
}

// Names of additional information that have fields of their own.
const (
	adPartNumber = "PartNumber"
	adSoftware   = "SoftwareVersion"
	adObjectID   = "SystemObjectId"
	adDescr      = "SystemDescription"
)

// takeAD reads one pair of additional information.
func (d *decoder) takeAD() {
	name, value := d.attr("name"), d.attr("value")
	if value == "" {
		return
	}
	if known, ok := adNames[name]; ok {
		name = known
	} else if known, ok := adNames[strings.ToLower(name)]; ok {
		name = known
	}
	u := d.unit()
	var field *string
	switch own := d.card < 0 && d.chassisNo <= 1; {
	case name == adPartNumber:
		field = &u.PartNo
	case name == adSoftware:
		field = &u.SWVersion
	case name == adObjectID && own:
		field = &d.m.SysObjectID
	case name == adDescr && own:
		field = &d.m.SysDescr
	}
	if field != nil && *field == "" {
		*field = value
		return
	}
	if u.Additional == nil {
		u.Additional = make([]callhome.Tag, 0, 4)
	}
	u.Additional = append(u.Additional, callhome.Tag{Key: name, Value: value})
}

// att is the attachment whose parts are being read.
func (d *decoder) att() *callhome.Attachment { return &d.m.Attachments[len(d.m.Attachments)-1] }

// takeData takes the output of a command as it is, or out of base64.
func (d *decoder) takeData(f *frame, text string) {
	a := d.att()
	if a.Text != "" {
		if value := trim(text); value != "" {
			d.keepUnknown("", value)
		}
		return
	}
	a.Text = text
	if !f.cdata && isBlank(text) {
		a.Text = ""
	}
	if !strings.EqualFold(a.Encoding, encodingBase64) {
		return
	}
	b, err := base64.StdEncoding.DecodeString(strings.Map(dropBlank, text))
	if err != nil {
		a.Encoding = encodingPlain
		mark(d.m, FlagBadBase64)
		return
	}
	a.Text = string(b)
}

func dropBlank(r rune) rune {
	if r == ' ' || r == '\t' || r == '\n' || r == '\r' {
		return -1
	}
	return r
}
