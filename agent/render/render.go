package render

import (
	"errors"
	"net/mail"
	"strings"
	"time"

	"callhome"
	"callhome/codec/aml"
	"callhome/codec/mimemail"
	"callhome/codec/plaintext"
)

// Content types of HTTP bodies. XML names its charset itself, as devices do it.
const (
	typeXML  = "text/xml"
	typeText = "text/plain; charset=utf-8"
)

// Options is what rendering needs beside message and profile. The zero value gives XML and text of IOS without a limit.
type Options struct {
	AlertID callhome.AlertID
	Device  string // the device entry's host name

	Variant  aml.Variant           // how the platform writes XML; zero: that of IOS
	LongText string                // the platform's long text, A, B or C, where the profile names none; "": A
	Subject  mimemail.SubjectStyle // of mails
	Limit    int                   // bytes of a rendered message, see SizeLimit; 0: no limit

	From    string    // sender of mails
	ReplyTo string    // "": no such header
	Date    time.Time // of mails: when the alert was accepted, so that a repeat is the same mail

	Anonymous bool                   // HTTPS only
	To        []callhome.Destination // in place of the profile's destinations
}

// Dropped says why a message is not rendered, and is meant to be counted, not repeated.
type Dropped struct {
	Reason callhome.Reason
	Detail string
}

func (d *Dropped) Error() string { return "not sent (" + string(d.Reason) + "): " + d.Detail }

// Render makes the envelopes of m for profile p, one for each destination, in their order; the message is built once.
// The error is a *Dropped when the message cannot be sent by this profile at all, and of kind invalid when the message
// lacks what its form needs. Destinations do not depend on each other: one whose address is none is left out and named by
// an error of kind invalid, beside which the other envelopes stand.
func Render(m *callhome.Message, p *callhome.Profile, o Options) ([]callhome.Envelope, error) {
	to, err := destinations(p, o)
	if err != nil || len(to) == 0 {
		return nil, err
	}
	f, err := formOf(p, o)
	if err != nil {
		return nil, err
	}
	body, truncated, err := fit(m, f, o.Limit)
	if err != nil {
		return nil, err
	}
	base := callhome.Envelope{
		MessageID: m.MessageID, AlertID: o.AlertID, Device: o.Device, Profile: p.Name, Group: m.Group, Format: f.format,
		Truncated: truncated, Anonymous: o.Anonymous,
	}
	out := make([]callhome.Envelope, 0, len(to))
	var faults []error
	for _, d := range to {
		e := base
		e.Destination = d
		if err := address(&e, m, p, &f, o, body); err != nil {
			faults = append(faults, err)
			continue
		}
		out = append(out, e)
	}
	return out, errors.Join(faults...)
}

// destinations are the profile's, or those given instead. Anonymous reports go by HTTPS only, whatever is configured.
func destinations(p *callhome.Profile, o Options) ([]callhome.Destination, error) {
	all := o.To
	if all == nil {
		all = p.Destinations()
	}
	if !o.Anonymous {
		return all, nil
	}
	var safe []callhome.Destination
	for _, d := range all {
		if d.Transport == callhome.TransportHTTP && len(d.Address) > len("https://") && strings.EqualFold(d.Address[:len("https://")], "https://") {
			safe = append(safe, d)
		}
	}
	if len(safe) == 0 && len(all) > 0 {
		return nil, &Dropped{Reason: callhome.ReasonPrivacy, Detail: "profile " + string(p.Name) + ": anonymous reports go over HTTPS only, and no destination is an https:// address"}
	}
	return safe, nil
}

// address puts the body on its way: as it is by HTTP, within a mail by mail.
func address(e *callhome.Envelope, m *callhome.Message, p *callhome.Profile, f *form, o Options, body []byte) error {
	if e.Destination.Transport != callhome.TransportEmail {
		e.ContentType, e.Body = f.contentType, body
		return nil
	}
	from, err := mail.ParseAddress(o.From)
	if err != nil {
		return callhome.Errorf(callhome.KindInvalid, "render for profile %s: the sender %q of mails is not an address; set call_home.sender.from", p.Name, o.From)
	}
	e.From = from.Address
	e.Body, err = mimemail.Append(make([]byte, 0, len(body)+len(body)/64+1024), &mimemail.Mail{
		From: o.From, To: []string{e.Destination.Address}, ReplyTo: o.ReplyTo, Date: o.Date, Subject: mimemail.Subject(m, o.Subject),
		MessageID: m.MessageID, Copy: string(p.Name), Format: f.format, Body: body,
	})
	return err
}

// form is one way to write messages.
type form struct {
	format      callhome.Format
	contentType string
	write       func(dst []byte, m *callhome.Message) ([]byte, error)
	// shorten writes m in at most so many characters, as far as it can; nil for forms that have attachments to lose.
	shorten func(m *callhome.Message, characters int) []byte
}

// formOf chooses the form that the profile asks for.
func formOf(p *callhome.Profile, o Options) (form, error) {
	switch p.Format {
	case callhome.FormatXML, "":
		return xmlForm(o.Variant), nil
	case callhome.FormatFull:
		name := p.LongTextDialect
		if name == "" {
			name = o.LongText
		}
		if name == "" {
			name = plaintext.A.Name
		}
		d, err := plaintext.Lookup(name)
		if err == nil && d.Format != callhome.FormatFull {
			err = callhome.Errorf(callhome.KindInvalid, "profile %s: %s is a dialect of short text; long text has A, B and C", p.Name, d.Name)
		}
		return textForm(d), err
	case callhome.FormatShort:
		if p.ShortTextLabels {
			return shortForm(plaintext.Labels), nil
		}
		return shortForm(plaintext.Pager), nil
	}
	return form{}, callhome.Errorf(callhome.KindInvalid, "profile %s: format %q is not written; use xml, long-text or short-text", p.Name, p.Format)
}

func xmlForm(v aml.Variant) form {
	if v.Name == "" {
		v, _ = aml.VariantFor("ios")
	}
	return form{format: callhome.FormatXML, contentType: typeXML, write: func(dst []byte, m *callhome.Message) ([]byte, error) {
		return aml.Append(dst, m, v)
	}}
}

func textForm(d plaintext.Dialect) form {
	return form{format: d.Format, contentType: typeText, write: func(dst []byte, m *callhome.Message) ([]byte, error) {
		return plaintext.Append(dst, m, d), nil
	}}
}

func shortForm(d plaintext.Dialect) form {
	f := textForm(d)
	f.shorten = func(m *callhome.Message, characters int) []byte {
		if d.Limit > 0 {
			characters = min(characters, d.Limit)
		}
		return plaintext.Append(nil, m, d.WithLimit(characters))
	}
	return f
}
