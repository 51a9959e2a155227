package aml

import (
	"errors"
	"fmt"
	"strings"
	"sync"

	"callhome"
)

// Flags that a decoded message may carry in Message.Flags.
const (
	FlagNoZone        = "tz_missing"         // the event time names no zone
	FlagNoEventTime   = "event_time_missing" // the creation time stands for it
	FlagBadTime       = "bad_time"           // a time was not understood; it is among the unknown elements
	FlagBadValue      = "bad_value"          // a number or truth value was not understood; likewise
	FlagBadChars      = "invalid_characters" // bytes that XML forbids became U+FFFD
	FlagMalformed     = "malformed"          // names with blanks or stray & were repaired
	FlagTrailing      = "trailing_data"      // something follows the root element
	FlagBadBase64     = "bad_base64"         // an attachment's base64 could not be read; its text is as it came
	FlagSkew          = "message_id_skew"    // the time in the message ID is more than a day off the creation time
	FlagMoreBlocks    = "more_blocks"        // Decode gave the first of several blocks; use DecodeAll
	FlagUnknownCapped = "unknown_truncated"  // there were more unknown elements than are kept
)

// Options chooses how a document is read. The zero value is right for strangers' input.
type Options struct {
	MaxBytes int  // the longest document that is read; 0 means DefaultMaxBytes
	Strict   bool // refuse what is not well formed instead of reading it leniently
}

// Decode reads the first block of a document, AML or MML. The message keeps a copy of the document in memory as long as
// one of its fields is in use; b may be reused at once. The error is a callhome.Error of kind invalid that names line
// and column.
func Decode(b []byte, opts Options) (*callhome.Message, error) {
	all, err := DecodeAll(b, opts)
	if err != nil {
		return nil, err
	}
	if len(all) > 1 {
		all[0].Flags = append(all[0].Flags, FlagMoreBlocks)
	}
	return &all[0], nil
}

// DecodeAll reads every block of a document, at least one, in document order. Blocks are not joined.
func DecodeAll(b []byte, opts Options) ([]callhome.Message, error) {
	limit := opts.MaxBytes
	if limit == 0 {
		limit = DefaultMaxBytes
	}
	switch {
	case len(b) > limit:
		return nil, callhome.Errorf(callhome.KindInvalid, "the document has %d bytes, more than the limit of %d", len(b), limit)
	case utf16(b):
		return nil, callhome.Errorf(callhome.KindInvalid, "the document is UTF-16; send UTF-8")
	}
	src, recoded := recode(strings.TrimPrefix(string(b), "\uFEFF"))
	d := decoders.Get().(*decoder)
	defer decoders.Put(d)
	defer d.reset("", false, false)
	d.reset(src, false, recoded)
	f := d.run()
	if f != nil && !f.hard && !opts.Strict {
		first := f
		d.reset(src, true, recoded)
		if f = d.run(); f != nil && !f.hard {
			f = first
		}
	}
	if f != nil {
		return nil, located(src, f)
	}
	return d.finish(), nil
}

// located turns a fault into an error that a person can act on.
func located(src string, f *fault) error {
	before := src[:min(f.offset, len(src))]
	line := strings.Count(before, "\n") + 1
	column := len(before) - strings.LastIndexByte(before, '\n')
	return &callhome.Error{
		Kind: callhome.KindInvalid,
		Path: fmt.Sprintf("line %d, column %d", line, column),
		Err:  errors.New(f.reason),
	}
}

// decoder builds messages from the tokens of a scanner.
type decoder struct {
	scanner
	frames   []frame
	bindings []binding

	msgs      []callhome.Message
	m         *callhome.Message // the last of msgs; nil before the first
	messageID string            // of the session, for all blocks
	soapFault bool
	refusal   *fault // raised while an element began
	substance bool   // there was content, an attachment or the type of a message

	userEmail string       // of ch:UserData; stands in for a missing contact e-mail
	typeWord  string       // what aml-block:Type ends in
	block     blockParts   // of the current block
	chassis   callhome.FRU // the current chassis
	chassisNo int          // how many there were in this block
	card      int          // index in FRUs of the current card, -1 for the chassis itself

	weak         []*string          // fields that an element of a foreign namespace has set
	early        []callhome.Unknown // unknown elements ahead of the first message
	unknownBytes int
	capped       bool // there were more
}

// frame is an open element.
type frame struct {
	node     *node // nil when it is not understood
	text     string
	joined   *strings.Builder // takes the place of text when it came in parts
	outer    int              // the card around a card
	hint     uint8
	weak     bool // its namespace is not the one expected
	kids     bool // it has child elements
	cdata    bool // a part of text came from a CDATA section
	bindings int  // how many were in force outside
}

var decoders = sync.Pool{New: func() any { return new(decoder) }}

// reset readies d for a document and lets go of the last one.
func (d *decoder) reset(src string, lenient, recoded bool) {
	d.scanner.reset(src, lenient, recoded)
	clear(d.frames[:cap(d.frames)])
	clear(d.bindings[:cap(d.bindings)])
	clear(d.weak[:cap(d.weak)])
	*d = decoder{scanner: d.scanner, frames: d.frames[:0], bindings: d.bindings[:0], weak: d.weak[:0], card: -1}
}

// run reads up to the end of the root element.
func (d *decoder) run() *fault {
	for {
		tok, f := d.next()
		if f != nil {
			return f
		}
		switch tok {
		case tokenStart:
			f = d.start()
		case tokenText:
			f = d.addText()
		case tokenEnd:
			if d.endElement(); len(d.frames) == 0 {
				return d.verdict()
			}
		case tokenEOF:
			return hard(d.pos, "the document is empty")
		}
		if f != nil {
			return f
		}
	}
}

// verdict says whether the root element held a message.
func (d *decoder) verdict() *fault {
	switch {
	case len(d.msgs) > 0 && d.substance:
		return nil
	case d.soapFault:
		return hard(0, "the document is a SOAP fault, not a message")
	}
	return hard(0, "the document holds no call-home message")
}

// start opens an element.
func (d *decoder) start() *fault {
	f := frame{bindings: len(d.bindings)}
	if len(d.attrs) > 0 {
		if d.bindings = bind(d.bindings, d.attrs); len(d.bindings) > maxBindings {
			return hard(d.pos, "more than 256 namespace declarations are in force at once")
		}
	}
	d.recognise(&f)
	if len(d.frames) == 0 && (f.node == nil || d.doctype != "" && d.name != d.doctype) {
		return hard(d.pos, "the root element <"+clip(d.name)+"> is not that of a call-home message")
	}
	d.frames = append(d.frames, f)
	top := &d.frames[len(d.frames)-1]
	if f.node != nil && f.node.begin != nil {
		f.node.begin(d, top)
	}
	if d.refusal != nil {
		return d.refusal
	}
	d.layout = top.holdsElements()
	if len(d.attrs) > 0 {
		d.keepAttrs(f.node)
	}
	return nil
}

// recognise finds what the tree knows of an element: by its local name where it stands, unless its namespace is another
// one of ours.
func (d *decoder) recognise(f *frame) {
	if n := len(d.frames); n == 0 {
		f.node, _ = root.child(d.local(), 0)
	} else {
		parent := &d.frames[n-1]
		parent.kids = true
		if parent.node != nil {
			var hint int
			f.node, hint = parent.node.child(d.local(), int(parent.hint))
			parent.hint = uint8(hint)
		}
	}
	if f.node == nil {
		return
	}
	switch got := resolve(d.bindings, d.prefix()); {
	case got == f.node.space:
	case got == spaceOther || f.node.space == spaceOther:
		f.weak = true
	default:
		f.node = nil
	}
}

// holdsElements reports whether blanks in the element are layout.
func (f *frame) holdsElements() bool { return f.kids || f.node != nil && len(f.node.kids) > 0 }

// addText adds character data to the open element. Blanks around a CDATA section are layout, not text.
func (d *decoder) addText() *fault {
	if len(d.frames) == 0 {
		if isBlank(d.text) && !d.cdata {
			return nil
		}
		return hard(d.at, "text stands before the root element; this is not an XML message")
	}
	f := &d.frames[len(d.frames)-1]
	switch {
	case d.text == "" || f.node != nil && f.node.skip:
	case !d.cdata && f.holdsElements() && isBlank(d.text):
	case f.cdata && !d.cdata && isBlank(d.text):
	case f.joined == nil && (f.text == "" || d.cdata && !f.cdata && isBlank(f.text)):
		f.text = d.text
	default:
		if f.joined == nil {
			f.joined = new(strings.Builder)
			f.joined.WriteString(f.text)
		}
		f.joined.WriteString(d.text)
	}
	f.cdata = f.cdata || d.cdata
	return nil
}

// endElement closes the innermost element and gives its text to the field that is meant for it.
func (d *decoder) endElement() {
	f := &d.frames[len(d.frames)-1]
	n := f.node
	if f.joined != nil {
		f.text = f.joined.String()
	}
	switch {
	case n == nil:
		if value := trim(f.text); value != "" || !f.kids {
			d.keepUnknown("", value)
		}
	case n.end != nil:
		n.end(d, f, f.text)
	case n.skip:
	default:
		d.give(f, trim(f.text))
	}
	d.bindings = d.bindings[:f.bindings]
	d.frames = d.frames[:len(d.frames)-1]
	d.layout = true // around here stands an element at least, the one that has ended
}

// give stores a value; what has no place, or whose place is taken, is kept as unknown.
func (d *decoder) give(f *frame, value string) {
	n := f.node
	switch {
	case value == "":
	case n.take != nil:
		if !n.take(d, value) {
			d.keepUnknown("", value)
		}
	case n.field != nil:
		d.put(n.field(d), value, f.weak)
	default:
		d.keepUnknown("", value)
	}
}

// put sets a field once; an element of the right namespace takes the place of a weak one.
func (d *decoder) put(field *string, value string, weak bool) {
	if *field == "" {
		*field = value
		if weak {
			d.weak = append(d.weak, field)
		}
		return
	}
	if *field == value {
		return
	}
	if !weak {
		for i, w := range d.weak {
			if w == field {
				d.weak[i] = nil
				*field, value = value, *field
				break
			}
		}
	}
	d.keepUnknown("", value)
}
