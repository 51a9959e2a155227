package stanza

import (
	"fmt"
	"net/netip"

	"callhome/config"
	"callhome/personality"
)

const (
	ios   = personality.IOS
	iosxr = personality.IOSXR
	nxos  = personality.NXOS
	asa   = personality.ASA
)

// field is a setting that is one text on both sides.
type field struct {
	key   string // in our configuration
	at    func(*config.Agent) *string
	check func(*personality.Limits, string) error
	words map[personality.Name]string // the command; platforms that are missing have none
	note  string                      // to be told when it is imported
}

func limit(of func(*personality.Limits) personality.Field) func(*personality.Limits, string) error {
	return func(l *personality.Limits, value string) error { return of(l).Check(value) }
}

// maxName bounds names of interfaces and VRFs: 32 characters on the platforms, some more for long interface names.
const maxName = 64

func checkName(_ *personality.Limits, value string) error {
	return personality.Field{Min: 1, Max: maxName, Chars: personality.CharsName}.Check(value)
}

func checkAddress(_ *personality.Limits, value string) error {
	if _, err := netip.ParseAddr(value); err != nil {
		return fmt.Errorf("%q is not an IP address", value)
	}
	return nil
}

// Notes on what a device's configuration names and another host has not.
const (
	noteInterface = "names an interface of the device; put one of the agent's host in its place, or remove it"
	noteAddress   = "is an address of the device; put one of the agent's host in its place, or remove it"
	noteVRF       = "names a VRF of the device; put one of the agent's host in its place, or remove it"
)

// fields in the order in which the platforms print them, after the Call Home chapters of the IOS XE, IOS XR, Nexus 9000
// and ASA configuration guides.
var fields = []field{
	{key: "contact.name", at: func(c *config.Agent) *string { return &c.CallHome.Contact.Name },
		check: limit(func(l *personality.Limits) personality.Field { return l.ContactName }),
		words: map[personality.Name]string{asa: "contact-name", nxos: "snmp-server contact"}},
	{key: "contact.email", at: func(c *config.Agent) *string { return &c.CallHome.Contact.Email },
		check: limit(func(l *personality.Limits) personality.Field { return l.ContactEmail }),
		words: map[personality.Name]string{ios: "contact-email-addr", iosxr: "contact-email-addr", asa: "contact-email-addr", nxos: "email-contact"}},
	{key: "contact.phone", at: func(c *config.Agent) *string { return &c.CallHome.Contact.Phone },
		check: limit(func(l *personality.Limits) personality.Field { return l.Phone }),
		words: map[personality.Name]string{ios: "phone-number", iosxr: "phone-number", asa: "phone-number", nxos: "phone-contact"}},
	{key: "contact.street_address", at: func(c *config.Agent) *string { return &c.CallHome.Contact.StreetAddress },
		check: limit(func(l *personality.Limits) personality.Field { return l.StreetAddress }),
		words: map[personality.Name]string{ios: "street-address", iosxr: "street-address", asa: "street-address", nxos: "streetaddress"}},
	{key: "customer_id", at: func(c *config.Agent) *string { return &c.CallHome.CustomerID },
		check: limit(func(l *personality.Limits) personality.Field { return l.CustomerID }),
		words: map[personality.Name]string{ios: "customer-id", iosxr: "customer-id", asa: "customer-id", nxos: "customer-id"}},
	{key: "contract_id", at: func(c *config.Agent) *string { return &c.CallHome.ContractID },
		check: limit(func(l *personality.Limits) personality.Field { return l.ContractID }),
		words: map[personality.Name]string{ios: "contract-id", iosxr: "contract-id", asa: "contract-id", nxos: "contract-id"}},
	{key: "site_id", at: func(c *config.Agent) *string { return &c.CallHome.SiteID },
		check: limit(func(l *personality.Limits) personality.Field { return l.SiteID }),
		words: map[personality.Name]string{ios: "site-id", iosxr: "site-id", asa: "site-id", nxos: "site-id"}},
	{key: "sender.from", at: func(c *config.Agent) *string { return &c.CallHome.Sender.From },
		check: limit(func(l *personality.Limits) personality.Field { return l.Sender }),
		words: map[personality.Name]string{ios: "sender from", iosxr: "sender from", asa: "sender from", nxos: "transport email from"}},
	{key: "sender.reply_to", at: func(c *config.Agent) *string { return &c.CallHome.Sender.ReplyTo },
		check: limit(func(l *personality.Limits) personality.Field { return l.Sender }),
		words: map[personality.Name]string{ios: "sender reply-to", iosxr: "sender reply-to", asa: "sender reply-to", nxos: "transport email reply-to"}},
	{key: "source_interface", at: func(c *config.Agent) *string { return &c.Source.Interface }, check: checkName, note: noteInterface,
		words: map[personality.Name]string{ios: "source-interface", iosxr: "source-interface"}},
	{key: "source_address", at: func(c *config.Agent) *string { return &c.Source.Address }, check: checkAddress, note: noteAddress,
		words: map[personality.Name]string{ios: "source-ip-address"}},
	{key: "vrf", at: func(c *config.Agent) *string { return &c.Source.VRF }, check: checkName, note: noteVRF,
		words: map[personality.Name]string{ios: "vrf", iosxr: "vrf", nxos: "transport http use-vrf"}},
}

// title is a key as the whole configuration has it.
func (f *field) title() string {
	switch f.key {
	case "source_interface", "source_address", "vrf":
		return f.key
	}
	return "call_home." + f.key
}
