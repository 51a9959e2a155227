package e2e

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"callhome/codec/aml"
	"callhome/receive/httprecv"
)

// hostileRow is a row of the table in docs/security.md, and the proof that it is so.
type hostileRow struct {
	class, what, gets string
	try               func(*target) error
}

const (
	onXML      = "XML"
	onHTTP     = "HTTP"
	onContent  = "Content"
	onIdentity = "Identity"
	onMail     = "Mail"
)

func text(parts ...string) func() []byte {
	return func() []byte { return []byte(strings.Join(parts, "")) }
}

const postHead = "POST " + httprecv.PathDDCE + " HTTP/1.1\r\nHost: x\r\nContent-Type: text/xml\r\n"

var hostileRows = slices.Concat(xmlRows, httpRows, contentRows, mailRows)

var xmlRows = []hostileRow{
	{onXML, "Entities that multiply (a billion laughs)", "400: a document type with declarations is refused before anything is expanded", refused(400, text(
		`<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]><a>&c;&c;&c;&c;</a>`))},
	{onXML, "An external entity (`file:///etc/passwd`, `http://…`)", "400: nothing is read or fetched", refused(400, text(
		`<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>`))},
	{onXML, "An external document type", "400, but for the name of MML's, which is never fetched", refused(400, text(
		`<!DOCTYPE a SYSTEM "http://127.0.0.1:1/a.dtd"><a/>`))},
	{onXML, "100,000 elements within each other", "400: 64 levels are read", refused(400, text(strings.Repeat("<a>", 100_000), strings.Repeat("</a>", 100_000)))},
	{onXML, "An attribute of 1 MiB", "400: 64 KiB are read", refused(400, text(`<a b="`, strings.Repeat("x", 1<<20), `"/>`))},
	{onXML, "10,000 attributes of one element", "400: 64 are read", refused(400, func() []byte {
		var b bytes.Buffer
		b.WriteString("<a")
		for i := range 10_000 {
			fmt.Fprintf(&b, " a%d=''", i)
		}
		b.WriteString("/>")
		return b.Bytes()
	})},
	{onXML, "300,000 elements beside each other", "400: 100,000 are read", refused(400, text("<a>", strings.Repeat("<b/>", 300_000), "</a>"))},
	{onXML, "A name of 1 MiB", "400: 256 bytes are read", refused(400, text("<", strings.Repeat("n", 1<<20), "/>"))},
	{onXML, "A message with 100,000 attachments", "400: it has more than 100,000 elements", func(h *target) error {
		_, b := h.message("</aml-block:Attachments>", strings.Repeat(`<aml-block:Attachment type="inline"><aml-block:Name>a</aml-block:Name><aml-block:Data>b</aml-block:Data></aml-block:Attachment>`, 60_000)+"</aml-block:Attachments>")
		return refused(400, func() []byte { return b })(h)
	}},
	{onXML, "UTF-16, and an encoding nobody knows", "400", func(h *target) error {
		if err := refused(400, text("\xff\xfe<\x00a\x00/\x00>\x00"))(h); err != nil {
			return err
		}
		return refused(400, text(`<?xml version="1.0" encoding="x-unheard-of"?><a/>`))(h)
	}},
	{onXML, "10 MiB of `<`", "413: a message has at most 10 MiB (`max_message_size`)", refused(413, text(strings.Repeat("<", 10<<20+1)))},
}

var httpRows = []hostileRow{
	{onHTTP, "Content-Encoding: gzip (a zip bomb)", "415: nothing is unpacked", refused(415, text("\x1f\x8b\x08bomb"), "Content-Encoding", "gzip")},
	{onHTTP, "Both Content-Length and Transfer-Encoding", "one answer, and the connection is closed: what follows is no second request", func(h *target) error {
		return h.single(postHead + "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET " + httprecv.PathDDCE + " HTTP/1.1\r\nHost: x\r\n\r\n")
	}},
	{onHTTP, "Two Content-Lengths", "400, and the connection is closed", func(h *target) error {
		return h.single(postHead+"Content-Length: 4\r\nContent-Length: 40\r\n\r\n<a/>GET "+httprecv.PathDDCE+" HTTP/1.1\r\nHost: x\r\n\r\n", "400")
	}},
	{onHTTP, "A Transfer-Encoding that is not `chunked`", "501 or 400, and the connection is closed", func(h *target) error {
		return h.single(postHead+"Transfer-Encoding: xchunked\r\n\r\n<a/>", "501", "400")
	}},
	{onHTTP, "A bare line feed, a blank before the colon, a NUL in a header", "400", func(h *target) error {
		for _, field := range []string{"X : y\r\n", "X: a\x00b\r\n", "X\ry: z\r\n"} {
			if err := h.single(postHead+field+"Content-Length: 4\r\n\r\n<a/>", "400"); err != nil {
				return fmt.Errorf("%q: %w", field, err)
			}
		}
		return nil
	}},
	{onHTTP, "A folded header field that hides a Content-Length", "one answer: the fold is part of the value before it", func(h *target) error {
		return h.single(postHead + "X: y\r\n Content-Length: 4\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
	}},
	{onHTTP, "A header of 1 MiB", "431: 16 KiB are read", func(h *target) error {
		return h.single(postHead+"X: "+strings.Repeat("y", 1<<20)+"\r\n\r\n", "431")
	}},
	{onHTTP, "A length that is negative, or has 30 digits", "400", func(h *target) error {
		for _, n := range []string{"-1", "999999999999999999999999999999", "0x10", "+4"} {
			if err := h.single(postHead+"Content-Length: "+n+"\r\n\r\n<a/>", "400"); err != nil {
				return fmt.Errorf("%s: %w", n, err)
			}
		}
		return nil
	}},
	{onHTTP, "A body announced as larger than is taken", "413 at once; the body is not read", func(h *target) error {
		return h.single(postHead+"Content-Length: 99999999999\r\n\r\n<", "413")
	}},
	{onHTTP, "Chunks without end", "413 when the limit is reached", func(h *target) error {
		return h.single(postHead+"Transfer-Encoding: chunked\r\n\r\n"+strings.Repeat("100000\r\n"+strings.Repeat("<", 1<<20)+"\r\n", 12), "413")
	}},
	{onHTTP, "A header that does not end (slowloris)", "the connection is closed after `header_timeout`", func(h *target) error { return h.closes(postHead + "X: ") }},
	{onHTTP, "A body that does not end", "the connection is closed after `body_timeout`", func(h *target) error { return h.closes(postHead + "Content-Length: 1000\r\n\r\n<") }},
	{onHTTP, "10,000 connections that say nothing", "512 of an address are kept (`max_connections_per_peer`) until `header_timeout`, the others closed at once; other addresses are served", manyIdle},
	{onHTTP, "Wrong type: an image, JSON, a form", "415", func(h *target) error {
		for typ, body := range map[string]string{"image/png": "\x89PNG\r\n", "application/json": `{"a":1}`, "application/x-www-form-urlencoded": "a=b"} {
			if err := refused(415, text(body), "Content-Type", typ)(h); err != nil {
				return fmt.Errorf("%s: %w", typ, err)
			}
		}
		return nil
	}},
	{onHTTP, "Paths with `..`, `..%2f`, `//`, `%00`, `;`", "404, never a redirect; no path names a file", func(h *target) error {
		for _, path := range []string{"/../../etc/passwd", "/its/..%2f..%2fetc%2fpasswd", "/" + httprecv.PathDDCE, httprecv.PathDDCE + "%00", httprecv.PathDDCE + "/../x", "/.%2e/x",
			httprecv.PathDDCE + ";a=b", "/%2e%2e/%2e%2e/etc/passwd", "/enrol/../" + httprecv.PathDDCE[1:]} {
			answer, err := h.raw(h.address(), "POST "+path+" HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 4\r\n\r\n<a/>")
			if err != nil || !strings.HasPrefix(answer, "HTTP/1.1 404 ") && !strings.HasPrefix(answer, "HTTP/1.1 400 ") {
				return fmt.Errorf("%s gets %.60q, %w", path, answer, err)
			}
		}
		return nil
	}},
}

// single wants one answer at most, of one of the statuses if any are given, and that the connection is closed then.
func (h *target) single(request string, statuses ...string) error {
	answer, err := h.raw(h.address(), request)
	if n := strings.Count(answer, "HTTP/1.1 "); n > 1 {
		return fmt.Errorf("it gets %d answers: %q", n, answer)
	}
	if err != nil {
		return err
	}
	if len(statuses) > 0 && !slices.ContainsFunc(statuses, func(s string) bool { return strings.HasPrefix(answer, "HTTP/1.1 "+s) }) {
		return fmt.Errorf("it gets %.80q", answer)
	}
	return nil
}

func (h *target) closes(request string) error {
	_, err := h.raw(h.address(), request)
	return err
}

// idleConnections are many more than the devices of a large site.
const idleConnections = 10_000

func manyIdle(h *target) error {
	from := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}, Timeout: 5 * time.Second}
	var open []net.Conn
	defer func() {
		for _, c := range open {
			_ = c.Close()
		}
	}()
	for range idleConnections {
		c, err := from.Dial("tcp", h.address())
		if err != nil {
			break // the limit of this process, or of the host
		}
		open = append(open, c)
	}
	if len(open) < 2000 {
		return fmt.Errorf("only %d connections could be made", len(open))
	}
	return h.serves()
}

var contentRows = []hostileRow{
	{onContent, "SQL in every field", "200: stored as it is; every statement binds its values", func(h *target) error {
		const sql = `'); DROP TABLE messages; --`
		name, description, _, _, _, _, err := h.stored("edge-rtr-7", sql, "uncorrectable parity error", sql, "C-20417", sql, "K-7781-22", sql, "Lisbon-DC2 row 4", sql, "noc@ops.example", sql)
		if err == nil && (name != sql || !strings.Contains(description, sql)) {
			err = fmt.Errorf("it is stored as %q and %q", name, description)
		}
		return err
	}},
	{onContent, "HTML and scripts in every field", "200: stored as it is, and escaped wherever it is shown", func(h *target) error {
		const script = `&lt;script&gt;alert(1)&lt;/script&gt;&lt;img src=x onerror=alert(1)&gt;`
		name, _, _, _, _, _, err := h.stored("edge-rtr-7", script, "uncorrectable parity error", script, "Rua das Flores", script, "noc@ops.example", script)
		if err == nil && name != `<script>alert(1)</script><img src=x onerror=alert(1)>` {
			err = fmt.Errorf("it is stored as %q", name)
		}
		return err
	}},
	{onContent, "NULs, control characters and invalid UTF-8", "200: U+FFFD takes their place in fields; the message is kept as it came", func(h *target) error {
		name, description, _, _, _, _, err := h.stored("edge-rtr-7", "edge\x00rtr\xff\x01", "uncorrectable parity error", "a\x00b\xc3\x28\x1b[31m")
		if err == nil && (strings.ContainsFunc(name+description, unicode.IsControl) || !utf8.ValidString(name+description) || !strings.Contains(name, "edge")) {
			err = fmt.Errorf("it is stored as %q and %q", name, description)
		}
		return err
	}},
	{onContent, "References to characters that XML forbids (`&#0;`, `&#xD800;`)", "200 with U+FFFD, or 400", func(h *target) error {
		_, b := h.message("edge-rtr-7", "edge&#0;&#xD800;&#x110000;", "uncorrectable parity error", "a&#0;b")
		status, answer, err := h.post(b)
		if err == nil && status != http.StatusOK && status != http.StatusBadRequest {
			err = fmt.Errorf("it gets %d %.200s", status, answer)
		}
		return err
	}},
	{onContent, "Characters that turn the direction of text", "200: stored as they are", func(h *target) error {
		name, _, _, _, _, _, err := h.stored("edge-rtr-7", "edge\u202egpj.exe\u2066")
		if err == nil && name != "edge\u202egpj.exe\u2066" {
			err = fmt.Errorf("it is stored as %q", name)
		}
		return err
	}},
	{onContent, "A description of 4 MiB, twice", "200: 1,024 bytes of it are shown in lists, the message is kept whole", func(h *target) error {
		_, description, _, _, _, _, err := h.stored("uncorrectable parity error", strings.Repeat("long ", 4<<20/5))
		if err == nil && len(description) > 1024 {
			err = fmt.Errorf("%d bytes are in the record", len(description))
		}
		return err
	}},
	{onContent, "A severity of -1, 10 or 99999999999999999999", "200: the message has no severity", func(h *target) error {
		for _, level := range []string{"-1", "10", "99999999999999999999", "five", "5.5"} {
			if _, _, _, _, got, _, err := h.stored("<aml-block:Severity>5<", "<aml-block:Severity>"+level+"<"); err != nil || got != -1 {
				return fmt.Errorf("%s becomes %d, %w", level, got, err)
			}
		}
		return nil
	}},
	{onContent, "Block numbers that are negative or immense", "200: the message is kept, and shown as unreadable", func(h *target) error {
		for _, n := range []string{"-1", "99999999999999999999", "4294967296"} {
			_, b := h.message("<aml-block:Number>0<", "<aml-block:Number>"+n+"<", "<aml-block:IsLast>true<", "<aml-block:IsLast>false<")
			status, answer, err := h.post(b)
			if err != nil || status != http.StatusOK {
				return fmt.Errorf("%s gets %d %.200s, %w", n, status, answer, err)
			}
		}
		return nil
	}},
	{onContent, "Times in the years 0, 9999 and 292277", "200: marked `clock_skew`, or without a time", func(h *target) error {
		for _, at := range []string{"0000-01-01 00:00:00 GMT+00:00", "9999-12-31 23:59:59 GMT-23:59", "292277-01-01 00:00:00 GMT+00:00", "2026-13-45 99:99:99 GMT+99:99"} {
			if _, _, status, _, _, _, err := h.stored(usualStamp, at); err != nil || status != "marked" {
				return fmt.Errorf("%s becomes %s, %w", at, status, err)
			}
		}
		return nil
	}},
	{onContent, "A zip bomb as a base64 attachment", "200: kept as it came; nothing is unpacked", func(h *target) error {
		bomb := base64Of(zipBomb())
		_, _, _, _, _, _, err := h.stored(`<aml-block:Data encoding="plain">`, `<aml-block:Data encoding="base64">`+bomb+`</aml-block:Data><aml-block:Data encoding="plain">`)
		return err
	}},
	{onContent, "A serial number of 1 MiB, or of blanks and controls", "200: kept as `unidentified`; no device is made of it", func(h *target) error {
		before := h.l.number("SELECT count(id) FROM devices")
		for _, serial := range []string{strings.Repeat("S", 1<<20), "  ", "a\x01b"} {
			b := bytes.ReplaceAll(shapes[0].text(h.t), []byte(shapes[0].serial), []byte(serial))
			b = bytes.ReplaceAll(b, []byte("M41:"), fmt.Appendf(nil, "M%d:", 100+h.next()))
			if status, answer, err := h.post(b); err != nil || status != http.StatusOK {
				return fmt.Errorf("a serial number of %d bytes gets %d %.200s, %w", len(serial), status, answer, err)
			}
		}
		if err := h.serves(); err != nil { // all before it are worked, but for those of other lanes
			return err
		}
		if n := h.l.number("SELECT count(id) FROM devices"); n != before+1 {
			return fmt.Errorf("%d devices were made", n-before-1)
		}
		return nil
	}},
	{onIdentity, "A known serial number with another product model", "200: stored, marked `conflict`, changes nothing; an operator decides", func(h *target) error {
		sh, b := h.message()
		if status, answer, err := h.post(b); acknowledged(status, answer, err, aml.ResultAccepted) != nil {
			return fmt.Errorf("the true device gets %d, %w", status, err)
		}
		forged := bytes.ReplaceAll(bytes.ReplaceAll(b, []byte("QX9006"), []byte("QX1234")), []byte("M41:"), []byte("M942:"))
		status, answer, err := h.post(forged)
		if err := acknowledged(status, answer, err, aml.ResultAccepted); err != nil {
			return err
		}
		for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
			if h.l.number("SELECT count(id) FROM conflicts WHERE serial = '"+sh.serial+"' AND kind = 'model' AND state = 'open'") == 1 {
				return nil
			}
		}
		return fmt.Errorf("no conflict was opened")
	}},
	{onIdentity, "A message that was sent before (replay)", "200, `duplicate`: nothing is worked twice within 45 days; an older one is marked `clock_skew`", func(h *target) error {
		_, b := h.message()
		for _, want := range []aml.Result{aml.ResultAccepted, aml.ResultDuplicate, aml.ResultDuplicate} {
			status, answer, err := h.post(b)
			if err := acknowledged(status, answer, err, want); err != nil {
				return err
			}
		}
		_, _, status, reasons, _, _, err := h.stored(usualStamp, time.Now().AddDate(0, 0, -46).UTC().Format("2006-01-02 15:04:05")+" GMT+00:00")
		if err == nil && (status != "marked" || !strings.Contains(reasons, "clock_skew")) {
			err = fmt.Errorf("an old message is %s, %s", status, reasons)
		}
		return err
	}},
}

const usualStamp = "2026-03-14 09:26:53 GMT+00:00"

const (
	mailStart = "EHLO x\r\n"
	mailFrom  = "MAIL FROM:<a@ops.example>\r\n"
	mailTo    = "RCPT TO:<callhome@support.example>\r\n"
	mailData  = "DATA\r\n"
)

var mailRows = []hostileRow{
	{onMail, "An end of mail with bare line feeds (SMTP smuggling)", "one mail: what follows is its text, or it is refused", func(h *target) error {
		for _, end := range []string{"\n.\n", "\n.\r\n", "\r\n.\n", "\r.\r", "\r\n\x00.\r\n"} {
			_, b := h.message()
			_, second := h.message()
			before := h.l.number("SELECT count(id) FROM messages")
			replies, err := h.talk(mailStart, mailFrom, mailTo, mailData,
				"Subject: a\r\n\r\n"+string(b)+end+"MAIL FROM:<evil@ops.example>\r\nRCPT TO:<callhome@support.example>\r\nDATA\r\nSubject: b\r\n\r\n"+string(second)+"\r\n.\r\n", "QUIT\r\n")
			if last := replies[len(replies)-1]; err != nil || !strings.HasPrefix(last, "221") && !strings.HasPrefix(last, "5") {
				return fmt.Errorf("%q: the replies are %q, %w", end, replies, err)
			}
			if err := h.serves(); err != nil {
				return err
			}
			if n := h.l.number("SELECT count(id) FROM messages") - before; n > 2 {
				return fmt.Errorf("%q became %d mails", end, n-1)
			}
		}
		return nil
	}},
	{onMail, "1,000 recipients", "452 beyond 50 (`max_recipients`)", func(h *target) error {
		steps := []string{mailStart, mailFrom}
		for i := range 1000 {
			steps = append(steps, fmt.Sprintf("RCPT TO:<callhome%d@support.example>\r\n", i))
		}
		replies, _ := h.talk(steps...)
		if i := slices.IndexFunc(replies, func(r string) bool { return strings.HasPrefix(r, "452") }); i != 52 {
			return fmt.Errorf("it is refused at reply %d: %q", i, replies[len(replies)-1])
		}
		return nil
	}},
	{onMail, "A mail that is announced as larger than is taken, and one that is", "552", func(h *target) error {
		if replies, err := h.talk(mailStart, "MAIL FROM:<a@ops.example> SIZE=99999999\r\n"); err != nil || !strings.HasPrefix(replies[1], "552") {
			return fmt.Errorf("announced: %q, %w", replies, err)
		}
		replies, err := h.talk(mailStart, mailFrom, mailTo, mailData, strings.Repeat(strings.Repeat("x", 1000)+"\r\n", 11<<10)+".\r\n")
		if last := replies[len(replies)-1]; !strings.HasPrefix(last, "552") {
			return fmt.Errorf("sent: %q, %w", last, err)
		}
		return nil
	}},
	{onMail, "A command, or a line of text, without end", "500, or the connection is closed", func(h *target) error {
		for _, steps := range [][]string{{strings.Repeat("X", 1<<20) + "\r\n"}, {mailStart, mailFrom, mailTo, mailData, strings.Repeat("x", 2<<20) + "\r\n.\r\n"}} {
			replies, err := h.talk(steps...)
			if n := len(replies); err == nil && n > 0 && !strings.HasPrefix(replies[n-1], "5") {
				return fmt.Errorf("it gets %q", replies[n-1])
			}
		}
		return nil
	}},
	{onMail, "Parts within parts, 1,000 deep", "250: kept, and shown as unreadable", func(h *target) error {
		var b strings.Builder
		b.WriteString("Subject: x\r\nMIME-Version: 1.0\r\n")
		for i := range 1000 {
			fmt.Fprintf(&b, "Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n", i, i)
		}
		return h.mailed(b.String())
	}},
	{onMail, "10,000 parts, a header of 200 KiB, a zip bomb attached, HTML, no message at all", "250: kept, and shown as unreadable; nothing is unpacked", func(h *target) error {
		for _, m := range []string{
			"Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n" + strings.Repeat("--b\r\nContent-Type: text/xml\r\n\r\n<a/>\r\n", 10_000) + "--b--",
			"Subject: x\r\nX: " + strings.Repeat("y", 200<<10) + "\r\n\r\nhello",
			"Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: application/zip\r\nContent-Transfer-Encoding: base64\r\n\r\n" + base64Lines(zipBomb()),
			"Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: text/html\r\n\r\n<html><script>alert(1)</script></html>",
			"hello",
		} {
			if err := h.mailed(m); err != nil {
				return err
			}
		}
		return nil
	}},
}

// mailed wants that a mail is taken, or refused for good.
func (h *target) mailed(m string) error {
	replies, err := h.talk(mailStart, mailFrom, mailTo, mailData, m+"\r\n.\r\n")
	if err != nil {
		return fmt.Errorf("%q, %w", replies, err)
	}
	if last := replies[len(replies)-1]; !strings.HasPrefix(last, "250") && !strings.HasPrefix(last, "55") {
		return fmt.Errorf("it gets %q", last)
	}
	return nil
}
