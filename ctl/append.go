package ctl

import (
	"callhome"
	"callhome/codec/aml"
	"callhome/codec/plaintext"
	"callhome/personality"
)

// appendMessage writes a message in a format, the way a platform does.
func appendMessage(m *callhome.Message, format callhome.Format, p *personality.Personality) ([]byte, error) {
	switch format {
	case callhome.FormatXML, "":
		v, _ := aml.VariantFor(string(p.Name))
		return aml.Append(nil, m, v)
	case callhome.FormatFull:
		d, err := plaintext.Lookup(p.LongText)
		if err != nil {
			return nil, err
		}
		return plaintext.Append(nil, m, d), nil
	case callhome.FormatShort:
		return plaintext.Append(nil, m, plaintext.Pager), nil
	}
	return nil, callhome.Errorf(callhome.KindInvalid, "messages are not written as %s; use xml, long-text or short-text", format)
}
