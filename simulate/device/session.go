package device

import (
	"bufio"
	"bytes"
	"crypto/subtle"
	"strings"

	"github.com/gliderlabs/ssh"
)

// maxLine is the longest command line taken; IOS stops at 254, NX-OS takes more.
const maxLine = 4096

// enableTries is how often IOS asks for the secret before it gives up.
const enableTries = 3

// line is one command line session.
type line struct {
	d          *Device
	m          manner
	in         *bufio.Reader
	out        *bufio.Writer
	user       string
	privileged bool
	paging     bool
	context    string // ASA: the context; "" is the system space
}

// session serves one login.
func (d *Device) session(s ssh.Session) {
	d.entered()
	defer d.left()
	m := manners[d.cfg.Style]
	l := &line{
		d: d, m: m, in: bufio.NewReader(s), out: bufio.NewWriter(s), user: s.User(),
		privileged: d.cfg.Enable == "" || m.user == "", paging: m.pager != "",
	}
	defer func() { _ = l.out.Flush() }()
	if cmd := strings.TrimSpace(s.RawCommand()); cmd != "" {
		l.paging = false
		l.run(cmd)
		return
	}
	for {
		l.print(l.prompt())
		cmd, err := l.readLine(true)
		if err != nil {
			return
		}
		if cmd = strings.Join(strings.Fields(cmd), " "); cmd == "" {
			continue
		}
		if cmd == "exit" || cmd == "logout" || cmd == "quit" {
			return
		}
		l.run(cmd)
	}
}

func (l *line) prompt() string {
	p := l.m.privileged
	if !l.privileged {
		p = l.m.user
	}
	host := l.d.cfg.Hostname
	if l.context != "" {
		host += "/" + l.context
	}
	return strings.NewReplacer("{host}", host, "{user}", l.user).Replace(p)
}

func (l *line) print(s string) { _, _ = l.out.WriteString(s) }

// readByte lets the other side see all that was printed before it waits.
func (l *line) readByte() (byte, error) {
	if l.in.Buffered() == 0 {
		if err := l.out.Flush(); err != nil {
			return 0, err
		}
	}
	return l.in.ReadByte()
}

// readLine reads up to CR or LF. It echoes as terminals do, but no secrets.
func (l *line) readLine(echo bool) (string, error) {
	var b []byte
	for {
		c, err := l.readByte()
		switch {
		case err != nil:
			return "", err
		case c == '\r' || c == '\n':
			l.print("\r\n")
			return string(b), nil
		case c == 3: // Ctrl-C gives the line up
			l.print("^C\r\n")
			return "", nil
		case c == 8 || c == 127:
			if len(b) > 0 {
				b = b[:len(b)-1]
				l.print("\b \b")
			}
		case c >= ' ' && len(b) < maxLine:
			b = append(b, c)
			if echo {
				l.print(string(rune(c)))
			}
		}
	}
}

// run answers one command.
func (l *line) run(cmd string) {
	l.d.took(cmd)
	for _, off := range l.m.pagerOff {
		if cmd == off {
			l.paging = false
		}
	}
	switch {
	case cmd == "enable" && l.m.user != "":
		l.enable()
	case l.d.cfg.Style == ASA && strings.HasPrefix(cmd, "changeto "):
		l.changeTo(strings.TrimPrefix(cmd, "changeto "))
	case isQuiet(cmd):
	default:
		l.answer(cmd)
	}
}

func (l *line) enable() {
	for range enableTries {
		if l.privileged || l.d.cfg.Enable == "" {
			l.privileged = true
			return
		}
		l.print("Password: ")
		secret, err := l.readLine(false)
		if err != nil {
			return
		}
		l.privileged = subtle.ConstantTimeCompare([]byte(secret), []byte(l.d.cfg.Enable)) == 1
	}
	if !l.privileged {
		l.print("% Bad secrets\r\n\r\n")
	}
}

func (l *line) changeTo(where string) {
	name, isContext := strings.CutPrefix(where, "context ")
	if where == "system" {
		l.context = ""
		return
	}
	if _, ok := l.d.cfg.Contexts[name]; !isContext || !ok {
		l.print("ERROR: Context " + name + " does not exist\r\n")
		return
	}
	l.context = name
}

func (l *line) answer(cmd string) {
	var out []byte
	if l.context != "" {
		if text, ok := l.d.cfg.Contexts[l.context][cmd]; ok {
			out = []byte(text)
		}
	} else if l.d.cfg.Answer != nil {
		out = l.d.cfg.Answer(cmd)
	}
	if out == nil {
		l.print(l.m.invalid)
		return
	}
	l.page(out)
}

// page prints text with CR LF, a page at a time while paging is on.
func (l *line) page(text []byte) {
	rest := bytes.TrimSuffix(text, []byte("\n"))
	for n := 1; len(rest) > 0 || n == 1; n++ {
		var row []byte
		row, rest, _ = bytes.Cut(rest, []byte("\n"))
		l.print(string(row) + "\r\n")
		if !l.paging || len(rest) == 0 || n%l.d.cfg.PageLines != 0 {
			continue
		}
		l.print(l.m.pager)
		c, err := l.readByte()
		if err != nil || c == 'q' || c == 3 {
			l.print("\r\n")
			return
		}
		w := len(l.m.pager)
		l.print(strings.Repeat("\b", w) + strings.Repeat(" ", w) + strings.Repeat("\b", w))
	}
}
