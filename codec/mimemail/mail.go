package mimemail

import (
	"crypto/sha256"
	"encoding/hex"
	"mime"
	"net/mail"
	"strings"
	"time"

	"callhome"
)

// Header fields of our own.
const (
	// HeaderMessageID carries the call-home message's own ID, which text formats have no place for.
	HeaderMessageID = "X-Callhome-Message-Id"
	// HeaderFormat carries the format, in the words of the configuration.
	HeaderFormat = "X-Callhome-Format"
)

// Content types of the two kinds of body.
const (
	TypeXML  = "text/xml"
	TypeText = "text/plain"
)

// Mail is one call-home message as a mail. From and To hold addresses, with or without a name: "NOC <noc@ops.example>".
type Mail struct {
	From      string
	To        []string
	ReplyTo   string // "": no such header
	Date      time.Time
	Subject   string // any characters; see [Subject]
	MessageID callhome.MessageID
	Copy      string // tells several mails of one message apart, such as the profile's name; part of the Message-ID
	Format    callhome.Format
	Body      []byte // UTF-8
	HTML      []byte // the same as HTML, for readers that show it; nil: none
	Files     []File // attached
	Thread    string // mails of one thread stand together in a reader; "": none
}

// File is something attached to a mail.
type File struct {
	Name string // any characters; what a file system would stumble over is replaced
	Type string // content type without parameters; "": text/plain
	Body []byte
}

// Limits of a header line, RFC 5322 section 2.1.1.
const (
	softLine = 78  // characters a line should not exceed
	hardLine = 998 // and must not, without CRLF
)

// Append appends the mail with CRLF line ends. A repeat of the same mail has the same Message-ID. The error, of kind
// invalid, names the address that is none.
func Append(dst []byte, m *Mail) ([]byte, error) {
	from, err := address("sender", m.From)
	if err != nil {
		return dst, err
	}
	to, err := addresses(m.To)
	if err != nil {
		return dst, err
	}
	dst = appendField(dst, "From", from.String())
	dst = appendField(dst, "To", to)
	if m.ReplyTo != "" {
		reply, err := address("reply-to", m.ReplyTo)
		if err != nil {
			return dst, err
		}
		dst = appendField(dst, "Reply-To", reply.String())
	}
	dst = appendField(dst, "Subject", mime.QEncoding.Encode("utf-8", plain(m.Subject)))
	dst = appendField(dst, "Date", m.Date.Format(time.RFC1123Z))
	dst = appendField(dst, "Message-ID", mailID(m, from.Address))
	dst = appendField(dst, "Auto-Submitted", "auto-generated") // RFC 3834: nobody's vacation notice answers
	if m.Thread != "" {
		dst = appendField(dst, "References", threadID(m.Thread, from.Address))
	}
	if m.MessageID != "" {
		dst = appendField(dst, HeaderMessageID, mime.QEncoding.Encode("utf-8", plain(string(m.MessageID))))
	}
	if m.Format != "" {
		dst = appendField(dst, HeaderFormat, plain(string(m.Format)))
	}
	dst = appendField(dst, "MIME-Version", "1.0")
	kind := TypeText
	if m.Format == callhome.FormatXML || m.Format == callhome.FormatMML {
		kind = TypeXML
	}
	return appendContent(dst, kind, m), nil
}

// plain makes s fit for one header line: control characters, line ends among them, become blanks, what a reader would
// take for an encoded word is broken up, and what is longer than any real value is cut.
func plain(s string) string {
	const longest = hardLine - 100 // bytes; the field's name comes before
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r <= 0x9f || r == 0x2028 || r == 0x2029 {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	s = strings.ReplaceAll(s, "=?", "= ?")
	if len(s) > longest {
		s = strings.ToValidUTF8(s[:longest], "")
	}
	return strings.TrimSpace(s)
}

// address reads one address and refuses what cannot stand in a header as it is.
func address(role, s string) (*mail.Address, error) {
	a, err := mail.ParseAddress(s)
	if err != nil {
		return nil, callhome.Errorf(callhome.KindInvalid, "mail %s %q is not an address; write it as user@host.example", role, s)
	}
	for _, r := range a.Address {
		if r <= ' ' || r >= 0x7f {
			return nil, callhome.Errorf(callhome.KindInvalid, "mail %s %q has characters that only internationalised mail carries; use an ASCII address (punycode for the domain)", role, s)
		}
	}
	a.Name = plain(a.Name)
	return a, nil
}

func addresses(list []string) (string, error) {
	if len(list) == 0 {
		return "", callhome.Errorf(callhome.KindInvalid, "mail has no recipient")
	}
	out := make([]string, len(list))
	for i, s := range list {
		a, err := address("recipient", s)
		if err != nil {
			return "", err
		}
		out[i] = a.String()
	}
	return strings.Join(out, ", "), nil
}

// mailID derives the Message-ID from the call-home message's ID, so that a repeat has the same one, and from Copy and
// format, so that two mails of one message differ.
func mailID(m *Mail, from string) string {
	domain := domainOf(from)
	key := string(m.MessageID)
	if key == "" { // nothing to derive from: the mail's own content has to do
		key = m.Date.UTC().String() + "\x00" + m.Subject + "\x00" + string(m.Body)
	}
	sum := sha256.Sum256([]byte(key + "\x00" + m.Copy + "\x00" + string(m.Format)))
	return "<" + atom(string(m.MessageID)) + hex.EncodeToString(sum[:8]) + "@" + domain + ">"
}

func domainOf(from string) string {
	_, domain, ok := strings.Cut(from, "@")
	if !ok || domain == "" || strings.ContainsAny(domain, "[]<> ") {
		return "callhome.invalid"
	}
	return domain
}

// threadID is the Message-ID of a mail that never was: what all mails of a thread refer to.
func threadID(thread, from string) string {
	sum := sha256.Sum256([]byte("thread\x00" + thread))
	return "<" + atom(thread) + hex.EncodeToString(sum[:8]) + "@" + domainOf(from) + ">"
}

// atom keeps of s what may stand left of the "@" of a Message-ID, so that a person finds the message by it.
func atom(s string) string {
	const longest = 64
	s = strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-', r == '_':
			return r
		case r == ':':
			return '.'
		}
		return -1
	}, s)
	if s = strings.Trim(s[:min(len(s), longest)], "."); s == "" {
		return ""
	}
	return strings.ReplaceAll(s, "..", ".") + "."
}

// appendField writes one header field; value is ASCII without line ends. Encoded words must not stand in long lines
// (RFC 2047 section 2) and are folded at softLine; a plain subject stays on one line, where filters look for it.
func appendField(dst []byte, name, value string) []byte {
	limit := hardLine
	if strings.Contains(value, "=?") {
		limit = softLine
	}
	dst = append(append(dst, name...), ':')
	column := len(name) + 1
	for _, word := range strings.Split(value, " ") {
		if column+1+len(word) > limit && column > len(name)+1 && word != "" {
			dst = append(dst, "\r\n"...)
			column = 0
		}
		dst = append(append(dst, ' '), word...)
		column += 1 + len(word)
	}
	return append(dst, "\r\n"...)
}
