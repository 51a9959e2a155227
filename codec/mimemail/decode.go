package mimemail

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"callhome"

	"github.com/emersion/go-message"
	_ "github.com/emersion/go-message/charset" // old mail systems still write ISO 8859-1 and its kin
)

// Limits on strangers' mail. Its size the listener limits.
const (
	maxDepth  = 8       // parts within parts: a forwarded bounce has five
	maxParts  = 100     // parts of a mail
	maxHeader = 1 << 18 // bytes of one header
	maxGrowth = 4       // a payload may not be longer than the mail times this; charsets grow text threefold
)

// Received is a mail's call-home payload, and the headers that say where it came from.
type Received struct {
	Subject   string // decoded
	From      string // as written, decoded
	To        string
	Date      time.Time // zero when missing or unreadable
	MailID    string    // Message-ID, with its angle brackets
	MessageID callhome.MessageID

	ContentType string // of the part, without parameters: text/xml, text/plain, application/octet-stream …
	Name        string // the attachment's file name
	Payload     []byte // transfer encoding and charset undone: text is UTF-8 with the line ends it was written with
}

// Decode finds the call-home message in a mail: the body itself, a part, an attachment, or one in a forwarded mail. XML
// is preferred to text, and text to the rest; text of other kinds, such as HTML, is never taken. The error is of kind
// invalid when b is no mail or holds nothing that could be a message.
func Decode(b []byte) (*Received, error) {
	b = headerStart(b)
	root, err := message.ReadWithOptions(bytes.NewReader(b), &message.ReadOptions{MaxHeaderBytes: maxHeader})
	if err != nil && !readable(err) {
		return nil, callhome.Errorf(callhome.KindInvalid, "mail: the header cannot be read: %w", err)
	}
	s := search{limit: int64(len(b))*maxGrowth + 1<<12}
	if err := s.visit(root, 0, err == nil); err != nil {
		return nil, callhome.Errorf(callhome.KindInvalid, "mail: %w", err)
	}
	if s.best == nil {
		return nil, callhome.Errorf(callhome.KindInvalid, "mail: no part holds XML or plain text")
	}
	out := s.best
	h := root.Header
	out.Subject, out.From, out.To = text(h, "Subject"), text(h, "From"), text(h, "To")
	out.MailID = strings.TrimSpace(h.Get("Message-Id"))
	out.MessageID = callhome.MessageID(text(h, HeaderMessageID))
	out.Date = date(h.Get("Date"))
	return out, nil
}

// headerStart skips what a mail store or a pipe puts before the header: empty lines and the line "From sender date".
func headerStart(b []byte) []byte {
	b = bytes.TrimLeft(b, "\r\n")
	if bytes.HasPrefix(b, []byte("From ")) {
		if i := bytes.IndexByte(b, '\n'); i >= 0 {
			return b[i+1:]
		}
	}
	return b
}

// readable reports whether an entity came with the error: its charset or encoding is unknown, its bytes are there.
func readable(err error) bool { return message.IsUnknownCharset(err) || message.IsUnknownEncoding(err) }

// text is a header field, decoded where that is possible.
func text(h message.Header, name string) string {
	s, err := h.Text(name)
	if err != nil {
		s = h.Get(name)
	}
	return strings.TrimSpace(s)
}

// search walks the parts of a mail and keeps the best payload.
type search struct {
	limit int64
	parts int
	best  *Received
	rank  int
}

var (
	errDepth = errors.New("parts within parts, deeper than any call-home mail")
	errParts = errors.New("more parts than any call-home mail")
	errSize  = errors.New("a part unpacks to more than its mail could hold")
)

// visit looks at one entity; undone says that its charset and encoding are known and were undone.
func (s *search) visit(e *message.Entity, depth int, undone bool) error {
	if depth > maxDepth {
		return errDepth
	}
	if s.parts++; s.parts > maxParts {
		return errParts
	}
	kind, params, err := e.Header.ContentType()
	if err != nil || kind == "" {
		kind = TypeText
	}
	if mr := e.MultipartReader(); mr != nil && params["boundary"] != "" {
		return s.visitParts(mr, depth)
	}
	if kind == "message/rfc822" {
		inner, err := message.ReadWithOptions(e.Body, &message.ReadOptions{MaxHeaderBytes: maxHeader})
		if err != nil && !readable(err) {
			return nil
		}
		return s.visit(inner, depth+1, err == nil)
	}
	if !undone {
		delete(params, "charset") // the bytes are still in it
	}
	return s.judge(e, kind, params)
}

// visitParts takes what it can of a multipart body; one that breaks off keeps the parts before.
func (s *search) visitParts(mr message.MultipartReader, depth int) error {
	for {
		part, err := mr.NextPart()
		if err != nil && !readable(err) {
			return nil
		}
		if err := s.visit(part, depth+1, err == nil); err != nil {
			return err
		}
	}
}

// The ranks of a payload, best last.
const (
	rankNone  = iota
	rankBytes // a file of unnamed kind that is text
	rankText
	rankXML
)

// judge reads one leaf and keeps it if it is better than what there was.
func (s *search) judge(e *message.Entity, kind string, params map[string]string) error {
	body, err := io.ReadAll(io.LimitReader(e.Body, s.limit+1))
	if int64(len(body)) > s.limit {
		return errSize
	}
	if err != nil && len(body) == 0 {
		return nil
	}
	rank := rankOf(kind, body)
	if rank <= s.rank {
		return nil
	}
	name := ""
	if _, disposition, err := e.Header.ContentDisposition(); err == nil {
		name = disposition["filename"]
	}
	if name == "" {
		name = params["name"]
	}
	if !strings.EqualFold(strings.TrimSpace(e.Header.Get("Content-Transfer-Encoding")), "base64") {
		body = bytes.ReplaceAll(body, []byte("\r\n"), []byte("\n")) // the CRs are the mail's
	}
	s.rank = rank
	s.best = &Received{ContentType: kind, Name: name, Payload: declareUTF8(kind, params["charset"], body)}
	return nil
}

func rankOf(kind string, body []byte) int {
	trimmed := bytes.TrimLeft(bytes.TrimPrefix(body, []byte("\xEF\xBB\xBF")), " \t\r\n")
	switch {
	case kind == "text/html" || strings.HasPrefix(kind, "image/") || strings.HasPrefix(kind, "message/"):
		return rankNone
	case looksXML(trimmed):
		return rankXML
	case len(trimmed) == 0:
		return rankNone
	case strings.HasPrefix(kind, "text/"):
		return rankText
	case kind == "application/octet-stream" && utf8.Valid(body) && bytes.IndexByte(body, 0) < 0:
		return rankBytes
	}
	return rankNone
}

// looksXML reports whether a body begins as XML does and not as a web page.
func looksXML(b []byte) bool {
	head := strings.ToLower(string(b[:min(len(b), 64)]))
	return len(head) > 1 && head[0] == '<' && !strings.HasPrefix(head, "<html") && !strings.HasPrefix(head, "<!doctype html")
}

var xmlEncoding = late(`^(\s*<\?xml[^>]*?encoding\s*=\s*["'])([^"']*)(["'])`)

// declareUTF8 corrects an XML declaration that still names the charset which was undone.
func declareUTF8(kind, charset string, body []byte) []byte {
	lower := strings.ToLower(charset)
	if !strings.HasPrefix(kind, "text/") || lower == "" || lower == "utf-8" || lower == "us-ascii" {
		return body
	}
	head := body[:min(len(body), 256)]
	at := xmlEncoding().FindSubmatchIndex(head)
	if at == nil || strings.EqualFold(string(head[at[4]:at[5]]), "utf-8") {
		return body
	}
	return append(append(append([]byte(nil), body[:at[4]]...), "UTF-8"...), body[at[5]:]...)
}

// dateForms are the forms of a Date header, RFC 5322 section 3.3 and what is sent instead.
var dateForms = []string{
	"Mon, 2 Jan 2006 15:04:05 -0700", "2 Jan 2006 15:04:05 -0700", "Mon, 2 Jan 2006 15:04:05 MST",
	"2 Jan 2006 15:04:05 MST", "Mon, 2 Jan 2006 15:04 -0700", "Mon Jan _2 15:04:05 2006",
}

func date(s string) time.Time {
	if i := strings.IndexByte(s, '('); i > 0 { // a comment: "(UTC)"
		s = s[:i]
	}
	s = strings.Join(strings.Fields(s), " ")
	for _, form := range dateForms {
		if t, err := time.Parse(form, s); err == nil {
			return t
		}
	}
	return time.Time{}
}
