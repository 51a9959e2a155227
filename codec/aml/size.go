package aml

import (
	"encoding/base64"

	"callhome"
)

// Size is the exact length of what Append writes for m, without writing the attachments.
func Size(m *callhome.Message, v Variant) (int, error) {
	bare := *m
	bare.Attachments = nil
	b, err := Append(nil, &bare, v)
	if err != nil {
		return 0, err
	}
	n := len(b)
	if len(m.Attachments) > 0 {
		n += len(attachmentsOpen) + len(attachmentsClose)
	}
	for i := range m.Attachments {
		n += AttachmentSize(m.Attachments[i], v)
	}
	return n, nil
}

// AttachmentSize is the exact number of bytes that an attachment adds to what Append writes, beside others.
func AttachmentSize(a callhome.Attachment, v Variant) int {
	e := encoder{v: &v}
	e.attachment(&callhome.Attachment{Name: a.Name, Encoding: a.Encoding})
	if a.Encoding == encodingBase64 {
		return len(e.dst) + base64.StdEncoding.EncodedLen(len(a.Text))
	}
	return len(e.dst) + cdataSize(a.Text) - cdataSize("")
}

// DescriptionSize is the exact number of bytes that a description takes in what Append writes.
func DescriptionSize(s string) int { return len(appendText(nil, s, false)) }
