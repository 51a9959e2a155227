package syslog

import "iter"

// ParamForm says how the parameters of a line are written.
type ParamForm uint8

// The forms.
const (
	ParamsNone     ParamForm = iota
	ParamsSD                 // RFC 5424 structured data: [id name="value"]
	ParamsCiscoLog           // CiscoLog tags: [key=value][key=value]
	ParamsBrackets           // UCS, FXOS, APIC: [F0461][info][cause][dn], keys "1", "2", …
	ParamsEquals             // key=value or key="value", separated by spaces: Meraki, Fortinet
	ParamsComma              // key=value separated by ", ": ISE
	ParamsColon              // Key: value separated by ", ": FTD
)

// Params walks the parameters in order; keys may repeat. Structured data has keys "id.name". Escapes are undone.
func (l *Line) Params() iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		_ = yield
	}
}
