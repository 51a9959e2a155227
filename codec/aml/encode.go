package aml

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"callhome"
)

const declaration = `<?xml version="1.0" encoding="UTF-8"?>` + "\n"

// Append writes m as one AML document of a single block, in the elements and the order of variant v, behind dst. The
// result is well-formed XML 1.0 whatever bytes the device printed: what XML forbids becomes U+FFFD. Not written, because
// the form has no place for them: MessageGroup, ServerID, SwitchPriority, Unknown and Flags.
//
// The error is of kind invalid and names every field that is missing or wrong; dst is then given back as it was.
func Append(dst []byte, m *callhome.Message, v Variant) ([]byte, error) {
	if err := check(m); err != nil {
		return dst, err
	}
	e := encoder{dst: dst, m: m, v: &v}
	e.envelope()
	return e.dst, nil
}

// check names what a message cannot be written without.
func check(m *callhome.Message) error {
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	if !isID(string(m.MessageID), 'M') {
		fault("message_id %q has not the form M<n>:<serial>:<8 hexadecimal digits>, M may be missing", m.MessageID)
	}
	if m.GroupID != "" && !isID(m.GroupID, 'G') {
		fault("group_id %q has not the form G<n>:<serial>:<8 hexadecimal digits>, G may be missing", m.GroupID)
	}
	if m.EventTime.IsZero() {
		fault("event_time is missing")
	}
	for _, t := range [...]callhome.Timestamp{m.EventTime, m.CreationTime} {
		if y := t.Year(); y < 1 || y > 9999 {
			fault("event_time or creation_time is in the year %d; four digits can be written", y)
		}
	}
	if m.Severity == nil {
		fault("severity is missing")
	} else if !m.Severity.Valid() {
		fault("severity %d is not 0 to 9", int(*m.Severity))
	}
	if typeWord(m) == "" {
		fault("alert_group is missing, and message_type %q does not tell it", m.Type)
	}
	if len(faults) == 0 {
		return nil
	}
	return &callhome.Error{Kind: callhome.KindInvalid, Msg: "write message as XML", Err: errors.Join(faults...)}
}

// isID reports whether id is a counter with or without its letter, a serial, and eight upper-case hexadecimal digits.
func isID(id string, letter byte) bool {
	if id != "" && id[0] == letter {
		id = id[1:]
	}
	first, last := strings.IndexByte(id, ':'), strings.LastIndexByte(id, ':')
	if first < 1 || last == first || len(id)-last != 9 {
		return false
	}
	for _, c := range []byte(id[:first]) {
		if c < '0' || c > '9' {
			return false
		}
	}
	for _, c := range []byte(id[last+1:]) {
		if (c < '0' || c > '9') && (c < 'A' || c > 'F') {
			return false
		}
	}
	return true
}

// typeWord is the word of aml-block:Type and ch:Type: the message's type where it is such a word, else its group.
func typeWord(m *callhome.Message) string {
	if isTypeWord(m.Type) && (m.Group == "" || groupOf(m.Type) == m.Group) {
		return m.Type
	}
	return string(m.Group)
}

// isTypeWord reports whether s is lower-case letters, digits and dashes, and begins with a letter.
func isTypeWord(s string) bool {
	for i := range len(s) {
		c := s[i]
		if (c < 'a' || c > 'z') && (i == 0 || (c < '0' || c > '9') && c != '-') {
			return false
		}
	}
	return s != ""
}

// encoder writes one message.
type encoder struct {
	dst []byte
	m   *callhome.Message
	v   *Variant
}

func (e *encoder) raw(s string) { e.dst = append(e.dst, s...) }

// leaf writes an element with text.
func (e *encoder) leaf(name, value string) {
	e.dst = append(append(append(e.dst, '<'), name...), '>')
	e.dst = appendText(e.dst, value, false)
	e.dst = append(append(append(e.dst, '<', '/'), name...), '>', '\n')
}

// optional writes an element that the variant may leave out when it is empty.
func (e *encoder) optional(name, value string) {
	if value != "" || !e.v.OmitEmpty {
		e.leaf(name, value)
	}
}

// given writes an element unless it is empty.
func (e *encoder) given(name, value string) {
	if value != "" {
		e.leaf(name, value)
	}
}

func (e *encoder) time(name string, t callhome.Timestamp) {
	e.dst = append(append(append(e.dst, '<'), name...), '>')
	e.dst = appendTime(e.dst, t, e.v.OffsetColon)
	e.dst = append(append(append(e.dst, '<', '/'), name...), '>', '\n')
}

func (e *encoder) envelope() {
	e.raw(declaration + `<soap-env:Envelope xmlns:soap-env="` + nsSOAP + `">` + "\n<soap-env:Header>\n")
	e.raw(`<aml-session:Session xmlns:aml-session="` + nsSession + `" soap-env:mustUnderstand="true" soap-env:role="` +
		nsSOAP + `/role/next">` + "\n")
	e.leaf("aml-session:To", e.v.To)
	e.raw("<aml-session:Path>\n")
	e.leaf("aml-session:Via", e.v.Via)
	e.raw("</aml-session:Path>\n")
	e.leaf("aml-session:From", e.v.From)
	e.leaf("aml-session:MessageId", string(e.m.MessageID))
	e.raw("</aml-session:Session>\n</soap-env:Header>\n<soap-env:Body>\n")
	e.raw(`<aml-block:Block xmlns:aml-block="` + nsBlock + `">` + "\n")
	e.header()
	e.content()
	e.attachments()
	e.raw("</aml-block:Block>\n</soap-env:Body>\n</soap-env:Envelope>\n")
}

func (e *encoder) header() {
	created := e.m.CreationTime
	if created.IsZero() {
		created = e.m.EventTime
	}
	e.raw("<aml-block:Header>\n")
	e.leaf("aml-block:Type", nsCH+"/"+typeWord(e.m))
	e.time("aml-block:CreationDate", created)
	e.raw("<aml-block:Builder>\n")
	e.leaf("aml-block:Name", or(e.m.Builder, e.v.Builder))
	e.leaf("aml-block:Version", or(e.m.BuilderVersion, e.v.BuilderVersion))
	e.raw("</aml-block:Builder>\n<aml-block:BlockGroup>\n")
	e.blockGroup()
	e.raw("</aml-block:BlockGroup>\n")
	e.leaf("aml-block:Severity", strconv.Itoa(int(*e.m.Severity)))
	e.raw("</aml-block:Header>\n")
}

func (e *encoder) blockGroup() {
	b := callhome.Block{IsLast: true, IsPrimary: true}
	if e.m.Block != nil {
		b = *e.m.Block
	}
	e.leaf("aml-block:GroupId", or(e.m.GroupID, nextID(e.m.MessageID, e.v.GroupPrefix)))
	e.leaf("aml-block:Number", strconv.Itoa(b.Number))
	e.leaf("aml-block:IsLast", strconv.FormatBool(b.IsLast))
	e.leaf("aml-block:IsPrimary", strconv.FormatBool(b.IsPrimary))
	e.leaf("aml-block:WaitForPrimary", strconv.FormatBool(b.WaitForPrimary))
}

// nextID makes a group ID of a message ID: devices take the next number of the same counter.
func nextID(id callhome.MessageID, prefix string) string {
	counter, rest, _ := strings.Cut(string(id), ":")
	n, err := strconv.ParseUint(strings.TrimLeft(counter, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"), 10, 64)
	if err != nil {
		return string(id)
	}
	return prefix + strconv.FormatUint(n+1, 10) + ":" + rest
}

func (e *encoder) content() {
	m := e.m
	e.raw("<aml-block:Content>\n" + `<ch:CallHome xmlns:ch="` + nsCH + `" version="1.0">` + "\n")
	e.time("ch:EventTime", m.EventTime)
	e.leaf("ch:MessageDescription", e.description())
	e.raw("<ch:Event>\n")
	e.leaf("ch:Type", typeWord(m))
	e.leaf("ch:SubType", m.Subtype)
	e.leaf("ch:Brand", or(m.Brand, e.v.Brand))
	e.leaf("ch:Series", m.SourceID)
	e.raw("</ch:Event>\n")
	e.customer()
	e.raw("<ch:Device>\n")
	e.chassis(callhome.FRU{
		Name: m.Model, Serial: m.Serial, PartNo: m.PartNo, HWVersion: m.HWVersion, SWVersion: m.SWVersion, Additional: m.Additional,
	}, true)
	for _, c := range m.Chassis {
		e.chassis(c, false)
	}
	e.raw("</ch:Device>\n")
	e.extension()
	e.raw("</ch:CallHome>\n</aml-block:Content>\n")
}

// description puts the event's name first where the variant has it there.
func (e *encoder) description() string {
	d, name := e.m.Description, e.m.Name
	if !e.v.NamePrefix || !isEventName(name) || d == name || strings.HasPrefix(d, name+" ") {
		return d
	}
	return name + " " + d
}

func (e *encoder) customer() {
	m := e.m
	e.raw("<ch:CustomerData>\n")
	if m.ContactEmail != "" || !e.v.OmitEmpty {
		e.raw("<ch:UserData>\n")
		e.leaf("ch:Email", m.ContactEmail)
		e.raw("</ch:UserData>\n")
	}
	e.raw("<ch:ContractData>\n")
	e.optional("ch:CustomerId", m.CustomerID)
	e.optional("ch:SiteId", m.SiteID)
	e.optional("ch:ContractId", m.ContractID)
	e.leaf("ch:DeviceId", string(m.DeviceID))
	e.raw("</ch:ContractData>\n<ch:SystemInfo>\n")
	e.leaf("ch:Name", m.SystemName)
	e.optional("ch:Contact", m.ContactName)
	e.optional("ch:ContactEmail", m.ContactEmail)
	e.optional("ch:ContactPhoneNumber", m.ContactPhone)
	e.optional("ch:StreetAddress", m.StreetAddress)
	e.raw("</ch:SystemInfo>\n")
	e.optional("ch:CCOID", m.CCOID)
	e.raw("</ch:CustomerData>\n")
}

// extension writes what the tree of the field has no element for.
func (e *encoder) extension() {
	for _, p := range e.m.Processes {
		e.raw(`<ext:process xmlns:ext="` + nsExt + `">` + "\n")
		e.given("ext:name", p.Name)
		e.given("ext:id", p.ID)
		e.given("ext:processState", p.State)
		e.given("ext:exception", p.Exception)
		e.raw("</ext:process>\n")
	}
	for _, p := range e.m.Pairs {
		e.raw(`<ext:pair xmlns:ext="` + nsExt + `" name="`)
		e.dst = appendText(e.dst, p.Key, true)
		e.raw(`" value="`)
		e.dst = appendText(e.dst, p.Value, true)
		e.raw("\"/>\n")
	}
}

func (e *encoder) attachments() {
	if len(e.m.Attachments) == 0 {
		return
	}
	e.raw(attachmentsOpen)
	for i := range e.m.Attachments {
		e.attachment(&e.m.Attachments[i])
	}
	e.raw(attachmentsClose)
}

const (
	attachmentsOpen  = "<aml-block:Attachments>\n"
	attachmentsClose = "</aml-block:Attachments>\n"
)

func (e *encoder) attachment(a *callhome.Attachment) {
	e.raw(`<aml-block:Attachment type="inline">` + "\n")
	e.leaf("aml-block:Name", a.Name)
	if a.Encoding == encodingBase64 {
		e.raw(`<aml-block:Data encoding="base64">`)
		e.dst = appendBase64(e.dst, a.Text)
	} else {
		e.raw(`<aml-block:Data encoding="` + plainWord(a.Encoding, e.v) + `">`)
		e.dst = appendCDATA(e.dst, a.Text)
	}
	e.raw("</aml-block:Data>\n</aml-block:Attachment>\n")
}

// plainWord keeps the word of an attachment that was plain or text, and takes the variant's for any other.
func plainWord(given string, v *Variant) string {
	if given == encodingPlain || given == encodingText {
		return given
	}
	return or(v.Encoding, encodingPlain)
}

// or gives otherwise where s is blank.
func or(s, otherwise string) string {
	if !isBlank(s) {
		return s
	}
	return otherwise
}
