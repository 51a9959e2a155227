package syslog

import "fmt"

// Dialect names the grammar that took a line.
type Dialect string

// The dialects. APIC shares nxos; what has a header but no dialect of its own counts by its header.
const (
	RFC3164  Dialect = "rfc3164"
	RFC5424  Dialect = "rfc5424"
	CiscoLog Dialect = "ciscolog" // conforms to the CiscoLog chapter
	UCM      Dialect = "ucm"      // CiscoLog as Unified CM and its kin really send it
	IOS      Dialect = "ios"
	IOSXR    Dialect = "iosxr"
	NXOS     Dialect = "nxos"
	ASA      Dialect = "asa" // also FTD, PIX, FWSM, ACE
	FXOS     Dialect = "fxos"
	UCS      Dialect = "ucs"
	AireOS   Dialect = "aireos"
	Meraki   Dialect = "meraki"
	ISE      Dialect = "ise" // also ACS
	Junos    Dialect = "junos"
	EOS      Dialect = "eos"
	Unknown  Dialect = "unknown"
)

var dialects = []Dialect{
	RFC3164, RFC5424, CiscoLog, UCM, IOS, IOSXR, NXOS, ASA, FXOS, UCS, AireOS, Meraki, ISE, Junos, EOS, Unknown,
}

// Dialects lists every dialect in a fixed order.
func Dialects() []Dialect { return append([]Dialect(nil), dialects...) }

// ParseDialect reads a dialect's name as the constants spell it.
func ParseDialect(s string) (Dialect, error) {
	for _, d := range dialects {
		if string(d) == s {
			return d, nil
		}
	}
	return "", fmt.Errorf("dialect %q is not known; use one of %v", s, dialects)
}

// Vendor names the maker or product whose shape a line has, where that is narrower than its dialect.
type Vendor string

// The vendors that lines of dialects rfc3164, rfc5424 and unknown are known by.
const (
	VendorCiscoAPIC   Vendor = "apic"
	VendorViptela     Vendor = "viptela"
	VendorExpressway  Vendor = "expressway"
	VendorFirepower   Vendor = "firepower" // management centre: SFIMS
	VendorSmallSwitch Vendor = "small-business"
	VendorJunos       Vendor = "junos"
	VendorHuawei      Vendor = "huawei"
	VendorComware     Vendor = "comware"
	VendorProCurve    Vendor = "procurve"
	VendorArubaOS     Vendor = "arubaos"
	VendorExtreme     Vendor = "extreme"
	VendorFortinet    Vendor = "fortinet"
	VendorPaloAlto    Vendor = "paloalto"
	VendorF5          Vendor = "f5"
	VendorCEF         Vendor = "cef"
	VendorLEEF        Vendor = "leef"
	VendorNetScreen   Vendor = "netscreen"
	VendorDell        Vendor = "dell"
	VendorONTAP       Vendor = "ontap"
)
