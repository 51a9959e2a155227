package ingest

import (
	"bytes"
	"fmt"
	"strings"

	"callhome"
	"callhome/codec/aml"
	"callhome/codec/mimemail"
	"callhome/codec/plaintext"
	"callhome/server/archive"
)

// Fault says why a message was not worked. The words are those of the exceptions.
type Fault string

// The faults.
const (
	FaultUnparsable  Fault = "unparsable"       // not a call-home message at all
	FaultUnsupported Fault = "unsupported_type" // a text form, or a type that nobody knows
)

// Accepted is an arrival that was read.
type Accepted struct {
	Record  archive.Record   // without status, company and device
	Message callhome.Message // as far as it could be read
	Fault   Fault
	Why     string // the fault in words
	Body    []byte // as received
}

// Decode reads an arrival. The message shares memory with a copy of the body.
func Decode(a *archive.Arrival) *Accepted {
	acc := &Accepted{Body: a.Body, Record: archive.Record{ID: a.ID, ReceivedAt: a.ReceivedAt, Origin: a.Origin, Size: len(a.Body), Severity: -1}}
	m, err := read(a.Body, a.Origin.Transport)
	switch {
	case err != nil:
		acc.Fault, acc.Why = FaultUnparsable, err.Error()
		acc.Record.Description = acc.Why
		return acc
	case !isXML(m.Format):
		acc.Fault, acc.Why = FaultUnsupported, "only XML is worked"
	}
	acc.Message = *m
	acc.describe()
	if b := m.Block; b != nil && acc.Fault == "" && (b.Number < 0 || b.Number >= maxBlocks) {
		acc.Fault, acc.Why = FaultUnparsable, fmt.Sprintf("block %d: a message has at most %d blocks", b.Number, maxBlocks)
	}
	return acc
}

func isXML(f callhome.Format) bool { return f == callhome.FormatXML || f == callhome.FormatMML }

// describe fills the record from the message.
func (acc *Accepted) describe() {
	m, r := &acc.Message, &acc.Record
	r.EventTime = m.EventTime.Time
	r.DeviceID, r.SystemName, r.MessageID = callhome.DeviceID(word(string(m.DeviceID))), word(m.SystemName), callhome.MessageID(word(string(m.MessageID)))
	if r.DeviceID == "" && m.Model != "" && m.Serial != "" {
		r.DeviceID = callhome.DeviceID(word(string(callhome.MakeDeviceID(m.Model, m.Serial))))
	}
	r.Type, r.Subtype, r.Group = word(m.Type), word(m.Subtype), m.Group
	r.Description, r.Format, r.Dialect = m.Description, m.Format, m.Dialect
	if m.Severity != nil {
		r.Severity = int(*m.Severity)
	}
}

// maxWord bounds what a record holds of a name or an ID, in bytes: records are found by them, and PostgreSQL refuses long
// keys. The longest published ones are below 100.
const maxWord = 512

func word(s string) string {
	if len(s) > maxWord {
		s = s[:maxWord]
	}
	return strings.ToValidUTF8(s, "")
}

// read takes a message out of what came: of mails any part that holds one, of posts the body.
func read(body []byte, transport callhome.Transport) (*callhome.Message, error) {
	if transport == callhome.TransportEmail {
		mail, err := mimemail.Decode(body)
		if err != nil {
			return nil, err
		}
		m, err := readPayload(mail.Payload)
		if err == nil && m.MessageID == "" {
			m.MessageID = mail.MessageID
		}
		return m, err
	}
	return readPayload(body)
}

// readPayload reads XML where it is XML, and text where not. Several blocks in one document are joined at once.
func readPayload(b []byte) (*callhome.Message, error) {
	if t := bytes.TrimLeft(bytes.TrimPrefix(b, []byte("\xef\xbb\xbf")), " \t\r\n"); len(t) == 0 || t[0] != '<' {
		return plaintext.Decode(b)
	}
	blocks, err := aml.DecodeAll(b, aml.Options{})
	if err != nil {
		return nil, err
	}
	if len(blocks) == 1 {
		return &blocks[0], nil
	}
	return merge(blocks), nil
}

// Peeked is what an arrival needs to know before it is kept.
type Peeked struct {
	MessageID callhome.MessageID
	DeviceID  callhome.DeviceID
	Key       archive.Key
	Lane      uint8
	Text      bool // a text form
}

// Peek reads a body as far as it takes to keep it. The error says that it is no call-home message; it is kept all the
// same, under a key of its bytes.
func Peek(body []byte, transport callhome.Transport, peer string) (Peeked, error) {
	m, err := read(body, transport)
	if err != nil {
		return Peeked{Key: archive.KeyOfBody(body), Lane: archive.LaneOf(peer)}, err
	}
	p := Peeked{MessageID: m.MessageID, DeviceID: m.DeviceID, Text: !isXML(m.Format)}
	device := string(m.DeviceID)
	if device == "" {
		device = m.Model + "@" + m.Serial
	}
	if m.MessageID != "" {
		id := m.MessageID
		if m.Block != nil { // blocks of a message share its ID on some platforms
			id += callhome.MessageID("#" + blockName(m.Block))
		}
		p.Key = archive.KeyOf(callhome.DeviceID(device), id)
	} else {
		p.Key = archive.KeyOfBody(body)
	}
	p.Lane = archive.LaneOf(laneWord(m, device))
	return p, nil
}

// laneWord is what all messages about one serial number have in common, whatever its case and the product model they claim: worked one
// after the other, none of two that contradict each other is overlooked.
func laneWord(m *callhome.Message, device string) string {
	if _, _, serial, whole := m.DeviceID.Parts(); whole && serial != "" {
		return strings.ToUpper(strings.TrimSpace(serial))
	}
	if serial := strings.TrimSpace(m.Serial); serial != "" {
		return strings.ToUpper(serial)
	}
	return device
}
