package ctl

import (
	"strings"

	"callhome"
	"callhome/codec/mimemail"
)

// Summary is a message in a few words, for lists.
type Summary struct {
	Subject     string // of a mail, else what the message says
	To          string // of a mail, the addresses alone
	MessageID   callhome.MessageID
	Format      callhome.Format
	Attachments int
	Text        string // of short text, the whole message
}

// Summarise reads a message in any form; what cannot be read gives an empty summary.
func Summarise(b []byte) Summary {
	var s Summary
	body := b
	if mail, err := mimemail.Decode(b); err == nil && looksLikeMail(b) {
		s.Subject, s.MessageID, body = mail.Subject, mail.MessageID, mail.Payload
		s.To = strings.NewReplacer("<", "", ">", "").Replace(mail.To)
	}
	m, err := decodeMessage(body)
	if err != nil {
		return s
	}
	s.Format, s.Attachments = m.Format, len(m.Attachments)
	if s.MessageID == "" {
		s.MessageID = m.MessageID
	}
	if s.Subject == "" {
		s.Subject = m.Description
	}
	if m.Format == callhome.FormatShort {
		s.Text = string(body)
	}
	return s
}

// Readable is a mail as a person reads it: a few headers and the decoded body.
func Readable(b []byte) string {
	mail, err := mimemail.Decode(b)
	if err != nil {
		return string(b)
	}
	var w strings.Builder
	for _, h := range [][2]string{{"From", mail.From}, {"To", mail.To}, {"Subject", mail.Subject}, {"Message ID", string(mail.MessageID)}} {
		if h[1] != "" {
			w.WriteString(h[0] + ": " + h[1] + "\n")
		}
	}
	w.WriteString("\n")
	w.Write(mail.Payload)
	return w.String()
}

// mailHeaders begin the mails that may hold a message; RFC 5322 section 3.6 leaves their order open.
var mailHeaders = []string{
	"from:", "to:", "subject:", "date:", "received:", "return-path:", "message-id:", "mime-version:", "content-type:", "reply-to:",
	"delivered-to:", "x-", "dkim-signature:", "authentication-results:", "arc-", "from ",
}

// looksLikeMail tells a mail from long text, which has labels but these.
func looksLikeMail(b []byte) bool {
	const enough = 64 // longer than any of the headers
	head := strings.ToLower(strings.TrimLeft(string(b[:min(len(b), enough)]), "\r\n\ufeff "))
	for _, h := range mailHeaders {
		if strings.HasPrefix(head, h) {
			return true
		}
	}
	return false
}
