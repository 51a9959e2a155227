package api

import (
	"bytes"

	"callhome"
	"callhome/codec/aml"
	"callhome/codec/mimemail"
	"callhome/server/archive"
)

// Decode reads an archived message.
type Decode func(r *archive.Record, body []byte) (*callhome.Message, error)

// decodeXML reads XML, or a mail that holds it: what the back end takes.
func decodeXML(_ *archive.Record, body []byte) (*callhome.Message, error) {
	if text := bytes.TrimLeft(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")), " \t\r\n"); bytes.HasPrefix(text, []byte("<")) {
		return aml.Decode(body, aml.Options{})
	}
	mail, err := mimemail.Decode(body)
	if err != nil {
		return nil, err
	}
	return aml.Decode(mail.Payload, aml.Options{})
}
