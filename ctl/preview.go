package ctl

import (
	"callhome"
)

// PreviewEnvelope is an envelope with its body, as JSON carries it.
type PreviewEnvelope struct {
	callhome.Envelope
	Body []byte `json:"body"`
}

// Envelopes are the envelopes themselves.
func Envelopes(previews []PreviewEnvelope) []callhome.Envelope {
	out := make([]callhome.Envelope, len(previews))
	for i := range previews {
		out[i] = previews[i].Envelope
		out[i].Body = previews[i].Body
	}
	return out
}
