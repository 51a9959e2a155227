package plaintext

import (
	"bytes"
	"strings"

	"callhome"
)

// Limits on what strangers send.
const (
	maxSize   = 64 << 20 // bytes of a message: ten times the largest size limit of any platform, and attachments are most of it
	maxLabels = 20_000   // label lines: a chassis with a thousand FRUs has some 6 000
	maxDepth  = 8        // sections within sections; real messages have one
	minLabels = 2        // known labels that make a text a call-home message
)

// Flags of a decoded message, the same words as in the other codecs.
const (
	flagTZMissing       = "tz_missing"
	flagTimeInvalid     = "time_invalid"
	flagSeverityInvalid = "severity_invalid"
)

// Decode reads a message in any dialect of long or short text and names it in Format and Dialect. Lines may end with LF
// or CRLF. Unknown labels become Pairs, within a section Unknown; a label that comes twice and a value that cannot be
// read become Unknown. The error is of kind invalid when b is no call-home text at all.
func Decode(b []byte) (*callhome.Message, error) {
	if len(b) > maxSize {
		return nil, callhome.Errorf(callhome.KindInvalid, "text message: %d bytes are more than the %d that are read", len(b), maxSize)
	}
	b = bytes.TrimLeft(bytes.TrimPrefix(b, []byte("\xEF\xBB\xBF")), "\r\n")
	if m, ok := decodePager(b); ok {
		return m, nil
	}
	d := decoder{msg: &callhome.Message{}, known: map[string]int{}}
	if err := d.read(b); err != nil {
		return nil, err
	}
	return d.finish()
}

// decoder holds what has been read so far.
type decoder struct {
	msg *callhome.Message

	pending bool // a label was read; its value may continue on further lines
	label   string
	value   []byte
	free    bool // the label is a pair's name for certain
	blank   int  // empty lines, which belong to the value if a continuation follows
	count   int  // label lines

	section []string
	chassis []callhome.FRU
	have    uint64         // fields that were read: of the head for good, of a block until the next block
	known   map[string]int // how often each known label came, for telling the dialect
	subject string         // the host that a subject names

	crlf    bool // the message's own lines end with CRLF
	output  *callhome.Attachment
	unnamed bool // output began with "Command Output", without "Name"
	inText  bool
	text    []byte
}

func (d *decoder) read(b []byte) error {
	if i := bytes.IndexByte(b, '\n'); i > 0 {
		d.crlf = b[i-1] == '\r'
	}
	for len(b) > 0 {
		line := b
		if i := bytes.IndexByte(b, '\n'); i >= 0 {
			line = b[:i+1]
		}
		b = b[len(line):]
		if err := d.readLine(line); err != nil {
			return err
		}
	}
	err := d.endValue()
	d.endOutput()
	return err
}

// readLine takes one line with its end.
func (d *decoder) readLine(full []byte) error {
	if d.inText {
		if !d.outputEnds(full) {
			d.addText(full)
			return nil
		}
		d.endOutput()
	}
	line := bytes.TrimRight(full, "\r\n")
	switch {
	case len(line) == 0, !d.pending && len(bytes.TrimSpace(line)) == 0:
		d.blank++
		return nil
	case line[0] == ' ' || line[0] == '\t':
		d.continueValue(line[1:])
		return nil
	}
	label, value, free, ok := splitLabel(line)
	switch {
	case !ok && d.output != nil: // output that no label announced
		err := d.endValue()
		d.inText = true
		d.addText(full)
		return err
	case !ok:
		d.continueValue(line)
		return nil
	}
	if err := d.endValue(); err != nil {
		return err
	}
	d.pending, d.label, d.free, d.blank = true, label, free, 0
	d.value = append(d.value[:0], value...)
	if !free {
		return d.openOutput(lookup(label))
	}
	return nil
}

func lookup(label string) field { return labels()[strings.ToLower(label)].field }

// outputEnds reports whether a line within an output begins the next one. An output with a name ends where the next name
// stands; one that began with "Command Output" ends at either label.
func (d *decoder) outputEnds(line []byte) bool {
	named, ok := outputStart(line)
	return ok && (named || d.unnamed)
}

func (d *decoder) continueValue(rest []byte) {
	if !d.pending {
		d.unknown("", string(rest))
		return
	}
	for ; d.blank > 0; d.blank-- {
		d.value = append(d.value, '\n')
	}
	d.value = append(append(d.value, '\n'), rest...)
}

// addText adds a line of device output, without the blank that was put in front of what reads as a label.
func (d *decoder) addText(line []byte) {
	if line[0] == ' ' && looksLikeOutput(line) {
		line = line[1:]
	}
	if body, ok := bytes.CutSuffix(line, []byte("\r\n")); ok && d.crlf {
		d.text = append(append(d.text, body...), '\n')
		return
	}
	d.text = append(d.text, line...)
}

// openOutput goes over to device output where the label just read says so. "Command Output" behind the name of an output
// that has no text yet begins that text.
func (d *decoder) openOutput(f field) error {
	if f < fieldOutputName {
		return nil
	}
	named := d.output != nil && f == fieldOutput
	if f == fieldOutputName || f == fieldOutput && !named {
		d.endOutput()
	}
	if d.output == nil {
		d.output = &callhome.Attachment{}
	}
	d.unnamed = f == fieldOutput && !named
	if f != fieldOutputText && f != fieldOutput {
		return nil
	}
	err := d.endValue()
	d.inText = true
	return err
}

// endOutput keeps the attachment being read. The newline that ends its last line is the message's, not the output's.
func (d *decoder) endOutput() {
	if d.output == nil {
		return
	}
	d.output.Text = string(bytes.TrimSuffix(d.text, []byte("\n")))
	d.msg.Attachments = append(d.msg.Attachments, *d.output)
	d.output, d.text, d.inText = nil, d.text[:0], false
}

func (d *decoder) unknown(path, value string) {
	if len(d.section) > 0 {
		path = strings.Join(d.section, "/") + "/" + path
	}
	d.msg.Unknown = append(d.msg.Unknown, callhome.Unknown{Path: path, Value: value})
}
