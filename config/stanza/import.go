package stanza

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"callhome"
	"callhome/config"
	"callhome/personality"
)

// Remark is something that the other side cannot say, or that a person should look at.
type Remark struct {
	Line   int    `json:"line,omitempty"` // from 1; 0: about no single line
	Text   string `json:"text,omitempty"` // the line, passwords taken out
	Reason string `json:"reason"`
}

// String is the remark as a sentence.
func (r Remark) String() string {
	if r.Line == 0 {
		return r.Reason
	}
	return fmt.Sprintf("line %d: %s: %s", r.Line, r.Text, r.Reason)
}

// Imported is what was read from a running configuration.
type Imported struct {
	Agent   config.Agent // only what the configuration says; what it leaves open is zero
	Remarks []Remark     // in the order of their lines
}

const (
	// maxInput bounds a running configuration; the largest of real chassis have some 20 MiB.
	maxInput = 64 << 20
	// maxRemarks bounds what is listed of input that is no such configuration.
	maxRemarks = 1000
	// maxRemarkText is where the text of a line is cut in a remark.
	maxRemarkText = 200
)

// errNotUnderstood is the reason of lines that no table has.
var errNotUnderstood = errors.New("not understood")

// importer reads one configuration.
type importer struct {
	pers    *personality.Personality
	limits  *personality.Limits
	cfg     config.Agent
	drafts  []*draft
	tables  tables
	scopes  []scope
	remarks []Remark
	periods inventoryPeriod
	proxyOn bool // NX-OS: the proxy is enabled
	seen    bool // the stanza, or a line that switches call home
	line    *line
}

// scope is a mode of the command line; lines below it are indented further.
type scope struct {
	commands []command
	indent   int
	profile  *draft
}

// Import reads the call-home part of a platform's running configuration. The error is of kind invalid: there is no such
// platform, the input is too large, or holds no call-home configuration at all.
func Import(platform personality.Name, running []byte) (*Imported, error) {
	t, ok := importTables[platform]
	if !ok {
		return nil, unknownPlatform(platform)
	}
	if len(running) > maxInput {
		return nil, callhome.Errorf(callhome.KindInvalid, "the running configuration has more than %d bytes", maxInput)
	}
	pers, _ := personality.ByName(string(platform))
	im := &importer{pers: pers, limits: &pers.Limits, tables: t, periods: inventoryPeriod{days: pers.Limits.InventoryDays.Default}}
	im.cfg.Device.Personality = string(platform)
	number := 0
	for raw := range strings.Lines(strings.ToValidUTF8(string(running), "\uFFFD")) {
		number++
		im.read(number, strings.TrimRight(raw, "\r\n"))
	}
	if !im.seen {
		return nil, callhome.Errorf(callhome.KindInvalid, "no call-home configuration of %s was found; give the output of `show running-config`", pers.Title)
	}
	im.finish()
	return &Imported{Agent: im.cfg, Remarks: im.remarks}, nil
}

func unknownPlatform(p personality.Name) error {
	return callhome.Errorf(callhome.KindInvalid, "%q has no call-home stanza; use ios, iosxr, nxos or asa", p)
}

// read takes one line: it closes the modes that the line is not indented into, and looks the command up in the rest.
func (im *importer) read(number int, raw string) {
	l := splitLine(number, raw, im.pers.Name)
	if len(l.words) == 0 || strings.HasPrefix(l.text, "!") {
		return
	}
	for len(im.scopes) > 0 && l.indent <= im.scopes[len(im.scopes)-1].indent {
		im.scopes = im.scopes[:len(im.scopes)-1]
	}
	im.line = &l
	if len(im.scopes) == 0 {
		if c, n := find(im.tables.top, l.words); c != nil {
			im.run(c, l.args(n))
		}
		return
	}
	in := im.scopes[len(im.scopes)-1]
	c, n := find(in.commands, l.words)
	if c == nil {
		if !begins(l.words, []string{"exit"}) {
			im.remark(errNotUnderstood)
		}
		return
	}
	a := l.args(n)
	a.profile = in.profile
	im.run(c, a)
}

func (im *importer) run(c *command, a args) {
	if err := c.do(im, a); err != nil {
		im.remark(err)
	}
}

// enter opens the mode that the current line begins.
func (im *importer) enter(commands []command, p *draft) {
	im.scopes = append(im.scopes, scope{commands, im.line.indent, p})
}

// command is a row of a mode's table.
type command struct {
	words string
	do    func(*importer, args) error
}

// find is the longest command that the words begin with, and how many of them are its own.
func find(table []command, words []string) (*command, int) {
	var best *command
	length := 0
	for i := range table {
		own := strings.Fields(table[i].words)
		if len(own) > length && begins(words, own) {
			best, length = &table[i], len(own)
		}
	}
	return best, length
}

// credentials are passwords in front of a host name, in a mail server's name or a URL.
var credentials = regexp.MustCompile(`[^\s"]*:[^\s"]*@`)

func (im *importer) remark(err error) {
	im.add(Remark{Line: im.line.number, Text: cut(im.line.text), Reason: cut(err.Error())})
}

// note is a remark on a value that was taken.
func (im *importer) note(format string, args ...any) { im.remark(fmt.Errorf(format, args...)) }

// conclude is a remark on the whole.
func (im *importer) conclude(format string, args ...any) {
	im.add(Remark{Reason: cut(fmt.Sprintf(format, args...))})
}

func (im *importer) add(r Remark) {
	switch {
	case len(im.remarks) < maxRemarks:
		im.remarks = append(im.remarks, r)
	case len(im.remarks) == maxRemarks:
		im.remarks = append(im.remarks, Remark{Reason: "there are further lines that were not understood"})
	}
}

// cut makes a text fit to be printed: one line, no control characters, no passwords, not too long.
func cut(s string) string {
	s = credentials.ReplaceAllString(s, "<removed>@")
	clean := strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 || r == '\u2028' || r == '\u2029' || r == '\ufeff' {
			return '\uFFFD'
		}
		return r
	}, s)
	if runes := []rune(clean); len(runes) > maxRemarkText {
		return string(runes[:maxRemarkText]) + "…"
	}
	return clean
}

// variable is what our configuration would take for an environment variable.
var variable = regexp.MustCompile(`\$\{[A-Za-z_][A-Za-z0-9_]*\}`)

// plain refuses text that our configuration would read as something else.
func plain(value string) error {
	if variable.MatchString(value) {
		return errors.New("has ${NAME} in it, which stands for an environment variable here")
	}
	return nil
}

// take checks a text and puts it in its place; nothing is put there when it is wrong.
func (im *importer) take(at *string, f personality.Field, value string) error {
	if err := errors.Join(f.Check(value), plain(value)); err != nil {
		return err
	}
	if value == "" {
		return errors.New("the value is missing")
	}
	*at = value
	return nil
}
