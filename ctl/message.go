package ctl

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"callhome"
	"callhome/codec/aml"
	"callhome/codec/mimemail"
	"callhome/codec/plaintext"
	"callhome/personality"
)

// maxMessage bounds one message on input: three times the largest size limit of any platform, as base64 in a mail.
const maxMessage = 16 << 20

// DecodeMessage reads one call-home message in any form and prints its canonical fields as JSON.
func DecodeMessage(out io.Writer, in io.Reader) error {
	b, err := io.ReadAll(io.LimitReader(in, maxMessage+1))
	if err != nil {
		return fmt.Errorf("read input: %w", err)
	}
	if len(b) > maxMessage {
		return callhome.Errorf(callhome.KindInternal, "the message is larger than %d bytes", maxMessage)
	}
	m, err := decodeMessage(b)
	if err != nil {
		return &callhome.Error{Kind: callhome.KindInternal, Msg: "this is no call-home message that can be read", Err: err}
	}
	return printJSON(out, m)
}

// decodeMessage tells the forms apart by how they begin: XML by its angle bracket, a mail by its header, all else is
// text.
func decodeMessage(b []byte) (*callhome.Message, error) {
	body := bytes.TrimLeft(bytes.TrimPrefix(b, []byte("\xef\xbb\xbf")), " \t\r\n")
	switch {
	case bytes.HasPrefix(body, []byte("<")):
		return aml.Decode(b, aml.Options{})
	case looksLikeMail(b):
		mail, err := mimemail.Decode(b)
		if err != nil {
			return nil, err
		}
		m, err := decodeMessage(mail.Payload)
		if err == nil && m.MessageID == "" { // texts have no place for it; our mails do
			m.MessageID = mail.MessageID
		}
		return m, err
	}
	return plaintext.Decode(b)
}

// EncodeMessage reads the JSON that DecodeMessage prints and writes the message in a format, the way a platform does.
func EncodeMessage(out io.Writer, in io.Reader, format callhome.Format, platform string) error {
	p, ok := personality.ByName(platform)
	if !ok {
		return callhome.Errorf(callhome.KindInvalid, "personality %q is not one of %s", platform, platforms())
	}
	var m callhome.Message
	dec := json.NewDecoder(io.LimitReader(in, maxMessage))
	if err := dec.Decode(&m); err != nil {
		return callhome.Errorf(callhome.KindInternal, "the input is not the JSON of a message, as `callhome decode message` prints it: %w", err)
	}
	if m.EventTime.IsZero() && m.Severity == nil && m.Description == "" {
		return callhome.Errorf(callhome.KindInternal, "the input has neither event_time nor severity nor msg_desc; a message needs them")
	}
	if m.Severity != nil && !m.Severity.Valid() {
		return callhome.Errorf(callhome.KindInternal, "severity is %d; it must be 0 to 9", int(*m.Severity))
	}
	fillIDs(&m, p)
	b, err := appendMessage(&m, format, p)
	if err != nil {
		return callhome.Errorf(callhome.KindInternal, "the message cannot be written: %w", err)
	}
	_, err = out.Write(b)
	return err
}

// platforms lists the personalities for a person to read.
func platforms() string {
	var out []string
	for _, name := range personality.Names() {
		out = append(out, string(name))
	}
	return strings.Join(out, ", ")
}

// fillIDs gives a message that came from text, which carries no IDs, those of a device that has sent nothing before.
func fillIDs(m *callhome.Message, p *personality.Personality) {
	serial := m.Serial
	if serial == "" {
		serial = m.DeviceID.Serial()
	}
	if m.MessageID == "" {
		m.MessageID = callhome.MakeMessageID(p.AML.MessagePrefix, 0, serial, m.EventTime.Time)
	}
	if m.GroupID == "" {
		m.GroupID = string(callhome.MakeMessageID(p.AML.GroupPrefix, 1, serial, m.EventTime.Time))
	}
}

func printJSON(out io.Writer, v any) error {
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}
