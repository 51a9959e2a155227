package redact

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"slices"
	"strings"

	"callhome"
	"callhome/secrets"
)

// pseudonymLength is what stays of the digest, in characters of 5 bits: 70 bits, no two devices of a site share one.
const pseudonymLength = 14

// Pseudonym stands for a serial number: the same for the same number and key, and of no use to anyone without the key.
// It has the letters and digits a serial number may have, begins with "AN", and stays as it is when it is given again.
func Pseudonym(key []byte, serial string) string {
	if serial == "" || isPseudonym(serial) {
		return serial
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte("callhome serial\x00" + serial))
	return "AN" + base32.StdEncoding.EncodeToString(mac.Sum(nil))[:pseudonymLength]
}

var pseudonymForm = exact(`^AN[A-Z2-7]{14}$`)

func isPseudonym(s string) bool { return pseudonymForm.Get().MatchString(s) }

// What stays of free pairs in an anonymous message: they tell of the kind of device and event, not of the device.
var (
	anonymousPairs      = secrets.WordSet("syslog_facility")
	anonymousAdditional = secrets.WordSet("pid vid flashsize dramsize")
)

// strip empties the identity fields and puts pseudonyms in the place of serial numbers.
func (w *worker) strip(m *callhome.Message) {
	m.CustomerID, m.ContractID, m.SiteID, m.CCOID = "", "", "", ""
	m.SystemName, m.ContactName, m.ContactEmail, m.ContactPhone, m.StreetAddress = "", "", "", "", ""
	m.Unknown = nil
	m.Serial = Pseudonym(w.key, m.Serial)
	m.DeviceID = w.deviceID(m.DeviceID)
	m.ServerID = string(w.deviceID(callhome.DeviceID(m.ServerID)))
	m.MessageID = callhome.MessageID(w.messageID(string(m.MessageID)))
	m.GroupID = w.messageID(m.GroupID)
	m.FRUs, m.Chassis = w.units(m.FRUs), w.units(m.Chassis)
	m.Pairs = only(m.Pairs, anonymousPairs)
	m.Additional = only(m.Additional, anonymousAdditional)
}

// deviceID keeps the model; an ID without the usual form goes as a whole.
func (w *worker) deviceID(id callhome.DeviceID) callhome.DeviceID {
	model, sid, serial, ok := id.Parts()
	if !ok {
		return ""
	}
	return callhome.DeviceID(model + "@" + sid + "@" + Pseudonym(w.key, serial))
}

// messageID replaces what stands between counter and time.
func (w *worker) messageID(id string) string {
	first, last := strings.IndexByte(id, ':'), strings.LastIndexByte(id, ':')
	if first < 0 || first == last {
		return Pseudonym(w.key, id)
	}
	return id[:first+1] + Pseudonym(w.key, id[first+1:last]) + id[last:]
}

func (w *worker) units(list []callhome.FRU) []callhome.FRU {
	out := slices.Clone(list)
	for i := range out {
		out[i].Serial = Pseudonym(w.key, out[i].Serial)
		out[i].Additional = nil
	}
	return out
}

func only(list []callhome.Tag, keys map[string]bool) []callhome.Tag {
	var out []callhome.Tag
	for _, t := range list {
		if keys[strings.ToLower(t.Key)] {
			out = append(out, t)
		}
	}
	return out
}

// minKnown is the shortest identity string that is looked for in texts; shorter ones would hit anything. Host names
// count from any length.
const minKnown = 4

// identity lists what the message says of its own identity, to be found again in its texts: serial numbers, which get
// their pseudonyms, then names, contacts and numbers. The longest come first.
func (w *worker) identity(m *callhome.Message) []literal {
	var list []literal
	add := func(s, with string, shortest int) {
		s = strings.TrimSpace(s)
		if len(s) >= shortest && s != "" && !isPseudonym(s) && s != removed {
			list = append(list, literal{lowerASCII(s), with})
		}
	}
	serial := func(s string) { add(s, Pseudonym(w.key, strings.TrimSpace(s)), minKnown) }
	serial(m.Serial)
	serial(m.DeviceID.Serial())
	serial(callhome.DeviceID(m.ServerID).Serial())
	for _, u := range slices.Concat(m.FRUs, m.Chassis) {
		serial(u.Serial)
	}
	for _, s := range []string{m.CustomerID, m.ContractID, m.SiteID, m.CCOID, m.ContactName, m.ContactEmail, m.ContactPhone, m.StreetAddress} {
		add(s, removed, minKnown)
	}
	for _, h := range w.hosts {
		add(h, removed, 1)
		if _, domain, ok := strings.Cut(h, "."); ok && strings.Contains(domain, ".") {
			add(domain, removed, minKnown)
		}
	}
	slices.SortStableFunc(list, func(a, b literal) int { return len(b.text) - len(a.text) })
	return list
}

// configurationCommand finds the commands whose output is a whole configuration.
var configurationCommand = exact(`(?i)\b(?:show|sh|more|display|cat)\b.*\b(?:run\w*|start\w*|conf\w*)\b`)

// identityRules take people, places and neighbours out of anonymous messages.
var identityRules = []rule{
	{Name: "serial number", Literal: []string{"serial", "sn", "s/n", "processor board"}, Serial: true, Keep: noSerial,
		Form: re(`\b(?:serial(?:[\s_-]*(?:number|num|no\.?|#))?|s/?n|processor board id)\s*[:=#]?\s*"?([A-Z0-9][A-Z0-9@-]{4,})`)},
	{Name: "login name", Literal: []string{"user", "uname", "login", "logname", "acct"},
		Form: re(`\b(?:username|user|uname|ruser|login|logname|acct|userid)\s*(?:[:=]\s*|\s)["'\[]*([\w.@\\$-]+)`), Keep: nobody},
	{Name: "actor", Literal: []string{" for ", " by "},
		Form: re(`(?:\b(?:password|publickey|\S*interactive\S*|user) for (?:invalid user |user )?|\bconfigured from \S+ by |\bby )["']?([\w.@\\$-]+)(?:\(uid=\d+\)| from | on (?:vty|con|pts|tty)|["']|,|$)`), Keep: nobody},
	{Name: "user count", Literal: []string{"user"},
		Form: re(`(?:\b(\d+)\s+users?\b|\b(?:users?\s+count|number\s+of\s+users?|(?:phone|registered|active|logged-in)\s+users?(?:\s+count)?)\s*[:=]?\s*(\d+))`)},
	{Name: "mail address", Literal: []string{"@"}, Form: re(`([\w.+%-]+@[\w-]+(?:\.[\w-]+)+)`)},
	{Name: "contact", Literal: []string{"contact", "phone-number", "street-address", "customer-id", "contract-id", "site-id", "location", "description ", "remark "},
		Form: re(`^\s*(?:contact-?(?:email-addr|name)?|phone-number|street-address|customer-id|contract-id|site-id|description|remark|location|(?:set\s+)?snmp(?:-server)?\s+(?:contact|location)|(?:sys)?(?:contact|location)\s*[:=]?)\s+(\S[^\r\n]*)`)},
	{Name: "neighbour", Literal: []string{"device id", "system name", "host name", "hostname", "node name", "sysname", "peer"},
		Form: re(`\b(?:device id|system name|host ?name|node name|sysname|peer name)\s*[:=]\s*"?([^\s",;]+)`)},
	{Name: "uptime line", Literal: []string{" uptime is"}, Form: re(`^\s*(\S+)\s+uptime is\b`)},
	{Name: "any prompt", Literal: []string{"#", ">"},
		Form: re(`^(?:[\w./-]*[@:])?([\w.-]+)(?:\([\w-]+\))?[#>]\s*(?:show|sh|more|display|dir|terminal|exit|configure|ping|traceroute)\b`)},
	{Name: "bare MAC address", Literal: []string{"mac"}, Form: re(`\bmac(?:[\s_-]*addr(?:ess)?)?\s*[:=]?\s*([0-9a-f]{12})\b`)},
}

// noSerial keeps words: a serial number has a digit.
func noSerial(_, v string) bool { return !strings.ContainsAny(v, "0123456789") || isPseudonym(v) }

// nobodyWords follow "user" and "by" where no person is meant.
var nobodyWords = secrets.WordSet(`a an the and or is was has at on of to in from for by not no count name names id mode exec interface system kernel agent
	process console snmp http https ssh telnet cli default timer timeout reload request command management session sessions access
	account accounts accounting authentication authorization login logout logged root-privileges space spaces mean this that`)

func nobody(_, v string) bool { return nobodyWords[strings.ToLower(v)] || secrets.Masked(v) }
