package aml

import "strings"

// Words of ch:Data's encoding attribute.
const (
	encodingPlain  = "plain"
	encodingText   = "text"
	encodingBase64 = "base64"
)

// Constants of the session header that the platforms send whatever the destination (CSR 1000V Software Configuration
// Guide, XML sample). Receivers compare them; we ignore them on receipt.
const (
	CompatTo   = "http://tools.cisco.com/neddce/services/DDCEService"
	CompatVia  = "http://www.cisco.com/appliance/uri"
	CompatFrom = "http://www.cisco.com/appliance/uri"
)

// Variant is how one platform writes the message. Take one from VariantFor and change what should differ.
type Variant struct {
	Name           string // ios, iosxr, nxos, asa
	MessagePrefix  string // before the counter of a message ID: M, or nothing on NX-OS
	GroupPrefix    string // before the counter of a group ID: G, or nothing on NX-OS
	OffsetColon    bool   // GMT+00:00 rather than GMT+0000
	OmitEmpty      bool   // leave optional elements out when they are empty
	NamePrefix     bool   // the description begins with the event's name
	Builder        string // where the message names none
	BuilderVersion string
	Brand          string // where the message names none
	To, Via, From  string
	Encoding       string // of attachments: plain or text
}

// variants are the four that are written.
var variants = [...]Variant{
	{
		Name: "ios", MessagePrefix: "M", GroupPrefix: "G", OffsetColon: true, Builder: "IOS", BuilderVersion: "2.0",
		Brand: "Cisco Systems", To: CompatTo, Via: CompatVia, From: CompatFrom, Encoding: encodingPlain,
	},
	{
		Name: "iosxr", MessagePrefix: "M", GroupPrefix: "G", OffsetColon: true, Builder: "IOS-XR", BuilderVersion: "2.0",
		Brand: "Cisco Systems", To: CompatTo, Via: CompatVia, From: CompatFrom, Encoding: encodingPlain,
	},
	{
		Name: "nxos", OmitEmpty: true, NamePrefix: true, Builder: "DC3", BuilderVersion: "4.1",
		Brand: "Cisco", To: CompatTo, Via: CompatVia, From: CompatFrom, Encoding: encodingPlain,
	},
	{
		Name: "asa", MessagePrefix: "M", GroupPrefix: "G", OffsetColon: true, Builder: "ASA", BuilderVersion: "2.0",
		Brand: "Cisco Systems", To: CompatTo, Via: CompatVia, From: CompatFrom, Encoding: encodingPlain,
	},
}

// VariantFor is the variant of a dialect or personality, by name in any case; ok is false when there is none, and the
// variant is then that of ios, which every receiver knows.
func VariantFor(name string) (v Variant, ok bool) {
	for _, v := range variants {
		if strings.EqualFold(v.Name, name) {
			return v, true
		}
	}
	return variants[0], false
}

// Variants lists all of them.
func Variants() []Variant { return append([]Variant(nil), variants[:]...) }
