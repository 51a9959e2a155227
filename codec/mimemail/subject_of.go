package mimemail

import (
	"bytes"

	"github.com/emersion/go-message"
)

// SubjectOf is the decoded subject in a mail's header; what follows the header may be missing. ok is false when the header
// cannot be read or has no subject.
func SubjectOf(b []byte) (subject string, ok bool) {
	b = headerStart(b)
	if !bytes.Contains(b, []byte("\r\n\r\n")) && !bytes.Contains(b, []byte("\n\n")) {
		b = append(bytes.Clone(b), "\r\n\r\n"...)
	}
	root, err := message.ReadWithOptions(bytes.NewReader(b), &message.ReadOptions{MaxHeaderBytes: maxHeader})
	if err != nil && !readable(err) {
		return "", false
	}
	subject = text(root.Header, "Subject")
	return subject, subject != ""
}
