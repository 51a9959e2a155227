package redact

import (
	"net/netip"
	"regexp"
	"strings"
	"sync"
)

// scope is a set of policies a rule belongs to.
type scope uint8

const (
	scopeNormal scope = 1 << iota
	scopeHigh
	scopeHostname
	scopeAnonymous
)

// rule takes something out of a line. A line is looked at only when it holds one of the literals.
type rule struct {
	name    string
	scope   scope
	literal []string                                  // lower case; the fast filter
	form    *pattern                                  // its groups are what is taken out
	keep    func(before, v string) bool               // true for a value that is no secret; before is the text before the line
	block   func(text string, to int) (from, end int) // in place of form: the lines behind this one that go as a whole
	serial  bool                                      // a pseudonym takes the value's place
}

// Pieces of the expressions. A value may be quoted; the words before it say how it is written down.
const (
	value = `("[^"]*"|'[^']*'|\S*[^\s;])`
	words = `(?:\s+(?:level\s+\d+|\d{1,3}|sha-?(?:1|2?56|384|512)|md5|hmac-\S+|encrypted|unencrypted|clear|clear-?text|plain-?text|` +
		`nt-encrypted|pbkdf2|scrypt|ascii|ascii-text|hex|hexadecimal|text|hash|is|key|0x))*`
	hashes = `\$(?:1|2[abxy]?|5|6|7|8|9|14|y|gy|apr1|sha\w*|pbkdf2[\w-]*|argon2\w*|scrypt)\$`
	ip     = `(?:\d{1,3}(?:\.\d{1,3}){3}(?:/\d+)?|[0-9A-Fa-f]*:[0-9A-Fa-f:.]+(?:/\d+)?)`
)

// pattern is an expression that is compiled when a line first needs it: most never do, and no start waits for them.
type pattern struct {
	source string
	once   sync.Once
	form   *regexp.Regexp
}

// re is blind to case, exact is not.
func re(s string) *pattern { return exact(`(?i)` + s) }

func exact(s string) *pattern { return &pattern{source: s} }

func (p *pattern) get() *regexp.Regexp {
	p.once.Do(func() { p.form = regexp.MustCompile(p.source) })
	return p.form
}

// secretRules are the commands and notations that carry secrets, after the data privacy rules of the call-home guides
// and the configuration guides of IOS, IOS XR, NX-OS, ASA, EOS and Junos; the rest is what Unix hosts print.
var secretRules = []rule{
	{name: "element", literal: []string{"</"},
		form: re(`<(?:\w+:)?[\w.-]*(?:password|passwd|secret|passphrase|token|api-?key|community|psk|private-?key)[\w.-]*(?:\s[^<>]*)?>([^<]+)<`)},
	{name: "password", literal: []string{"password", "passwd", "passphrase", "pass-phrase", "secret", "common-pw"},
		form: re(`(?:\b|_)(?:password(?:-value)?|passwd|passphrase|pass-phrase|secret|secret-key|common-pw)` + words + `\s+` + value), keep: prose},
	{name: "assignment", literal: []string{"password", "passwd", "passphrase", "secret", "token", "key=", "key:", "key =", "key :", "key\"", "key'", "key_", "key.", "psk", "credential"},
		form: re(`["']?\b[\w.-]*(?:password|passwd|passphrase|secret|token|(?:api|access|account|private|secret|auth|client|encryption|pre-?_?shared)[_-]?key|psk|credential)(?:hash|value|text|digest)?(?:[_.-]\w+)*["']?\s*(?:[:=]{1,2}|=>)\s*(?:\d{1,2}\s+)?` +
			`("[^"]*"|'[^']*'|[^\s,;&}\]]+)`), keep: prose},
	{name: "pwd", literal: []string{"pwd"}, form: re(`\b\w*pwd["']?\s*[:=]\s*["']?([^\s,;&}\]"'/][^\s,;&}\]"']*)`), keep: prose}, // a path is a directory
	{name: "authorization", literal: []string{"authorization"},
		form: re(`\bauthorization["']?\s*[:=]\s*["']?(?:(?:bearer|basic|token|negotiate|ntlm)\s+)?([^\s"',][^"'\r\n]*)`), keep: prose},
	{name: "bearer", literal: []string{"bearer "}, form: re(`\bbearer\s+([A-Za-z0-9._~+/=-]{16,})`)},
	{name: "cookie", literal: []string{"cookie"}, form: re(`\b(?:set-)?cookie2?:\s*([^\r\n]+)`)},
	{name: "cloud key", literal: []string{"akia", "asia"}, form: exact(`\b((?:AKIA|ASIA)[A-Z0-9]{16})\b`)},
	{name: "token", literal: []string{"ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "xox", "sk_live_", "eyj"},
		form: exact(`\b(gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{20,}|glpat-[\w-]{20,}|xox[abeprs]-[\w-]{10,}|sk_live_\w{10,}|eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*)`)},
	{name: "URL", literal: []string{"://"}, form: re(`\b[a-z][a-z0-9+.-]*://[^\s/@:"'<>]*:([^\s/"'<>]+)@`)},
	{name: "signed URL", literal: []string{"sig="}, form: re(`[?&]sig=([^\s&"'<>]+)`)},
	{name: "mail server", literal: []string{"mail-server"}, form: re(`\bmail-server\s+[^\s:@]+:(\S+)@`)},
	{name: "hash", literal: []string{"$1$", "$2$", "$2a$", "$2b$", "$2x$", "$2y$", "$5$", "$6$", "$7$", "$8$", "$9$", "$14$", "$y$", "$gy$", "$apr1$", "$sha", "$pbkdf2", "$argon2", "$scrypt", "grub.pbkdf2"},
		form: exact(`(` + hashes + `[^\s"';,:]+|grub\.pbkdf2\.\S+)`)},
	{name: "secret-data mark", literal: []string{"secret-data"}, form: re(`("[^"]*"|\S+);\s*##\s*secret-data`)},
	{name: "quoted key", literal: []string{"ascii-text", "hexadecimal", "simple-password", "-key"},
		form: re(`\b(?:authentication-key|simple-password|ascii-text|hexadecimal)\s+("[^"]*")`)},

	{name: "community", literal: []string{"community"},
		form: re(`\b(?:snmp-server\s+community(?:-map)?|snmp\s+mib\s+community-map|set\s+snmp(?:\s+v3\s+\S+)?\s+community|community\s+(?:name|index|securityname)\s*:|snmp-server\s+host\s.*\scommunity)\s+(?:(?:\d|encrypted|clear)\s+)?` + value)},
	{name: "community block", literal: []string{"community"}, form: re(`^\s*community\s+("[^"]*"|[^\s;{]+)\s*\{`)},
	{name: "community file", literal: []string{"rocommunity", "rwcommunity", "com2sec"},
		form: re(`\b(?:r[ow]community6?\s+|com2sec6?\s+(?:-\S+\s+\S+\s+)?\S+\s+\S+\s+)` + value)},
	{name: "trap receiver", literal: []string{"snmp-server host"},
		form: re(`\bsnmp-server\s+host\s+(?:\S+\s+)??\S+(?:\s+(?:(?:use-)?vrf\s+\S+|traps?|informs?|poll|version\s+(?:1|2c)|encrypted|clear|\d))*\s+` + value), keep: receiverWord},
	{name: "shown trap receiver", literal: []string{"security model"}, form: re(`\buser:\s*(\S+)\s+security model:\s*v[12]`)},
	{name: "SNMP user", literal: []string{"snmp-server user", "usm-user", "createuser"},
		form: re(`\b(?:auth\s+|createuser\s+\S+\s+)(?:md5|sha\S*)\s+(?:encrypted\s+|clear\s+)?` + value)},
	{name: "SNMP user's privacy", literal: []string{"snmp-server user", "usm-user", "createuser"},
		form: re(`\b(?:priv|createuser\s.*)\s+(?:(?:aes|3?des)(?:[- ]?\d+)?\s+)?(?:encrypted\s+|clear\s+)?("[^"]*"|[^\s]{2,})(?:\s|$)`), keep: privacyWord},

	{name: "server key", literal: []string{"tacacs", "radius", "server-private", "aaa-server", "ldap"},
		form: re(`\b(?:tacacs\S*|radius\S*|server-private|aaa-server|ldap\S*)\s.*\bkey` + words + `\s+` + value), keep: prose},
	{name: "typed key", literal: []string{"key "}, form: re(`(?:^|[^\w-])key\s+[0-9]\s+(?:size\s+\S+\s+(?:\d\s+)?)?` + value), keep: prose},
	{name: "shown key", literal: []string{"-- text"}, form: re(`\bkey\s+\d+\s+--\s+text\s+` + value), keep: prose},
	{name: "encrypted key", literal: []string{"key "}, form: re(`(?:^|[^\w-])key\s+(?:encrypted|clear|hex|md5)\s+` + value)},
	{name: "key line", literal: []string{"key "}, form: re(`^\s*key\s+("[^"]*"|[^\s;{]+)\s*;?\s*$`), keep: chainKey},
	{name: "master key", literal: []string{"config-key"}, form: re(`\bkey\s+config-key\s+\S+\s+` + value)},
	{name: "key string", literal: []string{"key-string", "key-octet-string"}, form: re(`\bkey-(?:octet-)?string(?:\s+(?:\d|password|clear|encrypted|hex))*\s+` + value)},
	{name: "ISAKMP key", literal: []string{"isakmp"}, form: re(`\bisakmp\s+key\s+(?:\d\s+)?` + value)},
	{name: "pre-shared key", literal: []string{"shared-key", "shared-secret"},
		form: re(`\b(?:pre-?)?shared-(?:key|secret)\s+(?:(?:local|remote|address\s+\S+(?:\s+\d+\.\S+)?\s+key|hostname\s+\S+\s+key|\d|ascii-text|hexadecimal|hex|encrypted|key)\s+)*` + value), keep: prose},
	{name: "password of some neighbours", literal: []string{"password option"}, form: re(`\bpassword\s+option\s+\d+\s+for\s+\S+\s+(?:\d\s+)?` + value)},
	{name: "authentication mode", literal: []string{"authentication mode"}, form: re(`\bauthentication\s+mode\s+hmac-sha-256\s+(?:\d\s+)?` + value)},
	{name: "change-of-authorization key", literal: []string{"server-key"}, form: re(`\bserver-key\s+(?:\d\s+)?` + value)},
	{name: "MACsec key", literal: []string{"key "}, form: re(`^\s*key\s+[0-9a-f]{2,64}\s+[07]\s+` + value)},
	{name: "authentication key", literal: []string{"authentication-key", "authentication key"},
		form: re(`\bauthentication[- ]key\s+(?:\d+\s+(?:type\s+\S+\s+value\s+|(?:md5|sha\S*|hmac\S*|cmac\S*|aes\S*)\s+))?(?:(?:\d|encrypted|clear|md5)\s+)?` + value), keep: prose},
	{name: "digest key", literal: []string{"message-digest-key"},
		form: re(`\bmessage-digest-key\s+\d+\s+(?:md5|sha\S*|hmac\S*)\s+(?:(?:\d|encrypted|clear)\s+)?` + value)},
	{name: "first-hop authentication", literal: []string{"standby", "vrrp", "glbp", "hsrp", "nhrp", "authentication text", "authentication md5"},
		form: re(`(?:\b(?:standby|vrrp|glbp|hsrp|nhrp)\b.*\bauthentication|^\s*authentication)\s+(?:text\s+|md5\s+key-string\s+)?(?:\d\s+)?` + value), keep: authenticationWord},
	{name: "PSK", literal: []string{"psk"}, form: re(`\bpsk\s+(?:set-key\s+)?(?:(?:ascii|hex|passphrase)\s+)?(?:\d\s+)?` + value), keep: pskWord},
	{name: "failover key", literal: []string{"failover key"}, form: re(`\bfailover\s+key\s+(?:(?:hex|\d)\s+)?` + value)},
	{name: "PMK", literal: []string{"pmk"}, form: re(`\bpmk\s+([0-9a-f]{8,})`)},
	{name: "user's public key", literal: []string{"username"}, form: re(`\busername\s+\S+\s+(?:ssh-?key|key)\s+(\S[^\r\n]*)`)},
	{name: "streaming key", literal: []string{"-ingestauth"}, form: re(`-ingestauth=[^,\s]*,(\S+)`)},
	{name: "private key in a line", literal: []string{"private key"},
		form: re(`\bbegin [a-z0-9 ]*private key(?: block)?\s?-{4,5}([^-\s"',][^-]*)`)},
	{name: "private key", literal: []string{"private key"}, block: privateKeyBody},
	{name: "certificate", literal: []string{"certificate "}, block: certificateBody},
	{name: "key body", literal: []string{"key-string"}, block: keyBody},
	{name: "option", literal: []string{"--token", "--pass", "--api", "--auth", "sshpass", "curl", "ldapsearch", "smbclient"},
		form: re(`(?:\s--(?:token|pass|api-?key|auth)[=\s]+|\bsshpass\s+-p\s*|\bldapsearch\b.*\s-w\s*|\bsmbclient\b.*\s-U\s*[^\s%]+%|\bcurl\b.*\s(?:-u|--user)[=\s]+[^\s:]+:)` + value)},
}

// privacyRules are those of level high and of the hostname setting.
var privacyRules = []rule{
	{name: "domain name", scope: scopeHigh, literal: []string{"domain"},
		form: re(`(?:\bip\s+domain[- ](?:name|list)|^\s*(?:dns\s+)?domain[- ](?:name|search)|^\s*dns\s+domain|\bset\s+system\s+domain-name)\s+(?:vrf\s+\S+\s+)?("[^"]*"|[^\s;]+)`)},
	{name: "address", scope: scopeHigh, literal: []string{" address "},
		form: re(`(?:\bip(?:v4|v6)?|^\s*|\bset\s+interfaces\s.*)\s+address\s+(` + ip + `)(?:\s+(\d{1,3}(?:\.\d{1,3}){3}))?(?:\s+standby\s+(\S+))?`)},
	{name: "host table", scope: scopeHigh, literal: []string{"host "},
		form: re(`\b(?:ip|ipv6|domain\s+ipv[46])\s+host\s+(?:vrf\s+\S+\s+)?(\S+)\s+(\S[^\r\n]*)`)},
	{name: "hostname", scope: scopeHostname, literal: []string{"hostname", "switchname", "host-name", "sysname"},
		form: re(`^\s*(?:set\s+system\s+)?(?:hostname|switchname|host-name|sysname)\s+("[^"]*"|[^\s;]+)`)},
}

// rules are all of them in the order they are applied.
var rules = joinRules()

func joinRules() []rule {
	var all []rule
	for _, r := range secretRules {
		r.scope = scopeNormal
		all = append(all, r)
	}
	all = append(all, privacyRules...)
	for _, r := range identityRules {
		r.scope = scopeAnonymous
		all = append(all, r)
	}
	return all
}

func wordSet(s string) map[string]bool {
	set := map[string]bool{}
	for _, w := range strings.Fields(s) {
		set[w] = true
	}
	return set
}

// proseWords follow "password" and its like in sentences and in commands that carry no secret.
var proseWords = wordSet(`a accepted aes age aging an and any as at attempt attempts auth authenticated authentication based be been being but by
	cache can cannot change chain changed changes check checked checking checks command commands complexity confirm confirmed config configuration created deleted
	configured corrupt could database days db default did disabled disclosure do does empty enabled encryption enforce entered entry error exchange
	expiration expire expired expires expiry fail failed fails failure false field file for format found from group had has hash hashes
	hashing have have history if in incorrect input invalid is it keep keychain key-chain last length level lifetime line list local lockout login management manager max
	maximum maximum-length md min minimum minimum-length mismatch missing mode modified must needed never new no none not now null of ok
	old on only option options or policies policy prompt prompts protected protection quality recovery rejected required
	requirement requirements requires reset restriction retries retry rules same secure server service set should since specified state status
	storage stored strength strength-check string strong supported sync synchronized test that the then this timeout to too true
	type types unchanged unknown unlock unset until update updated usage user users using valid validation validity value
	verification verified verify was weak were when which will with without wrong yes you your`)

// prose reports whether what follows a word such as "password" is no secret: a word of a sentence, a mask, nothing.
func prose(_, v string) bool {
	return proseWords[strings.ToLower(strings.Trim(v, `.,;:!?()[]{}'"`))] || masked(v)
}

// masked reports whether a value was taken out already, by the device or by us, or is none.
func masked(v string) bool {
	return strings.Trim(v, `*-="'.,;:!?()[]{}`) == "" || strings.Contains(v, removed)
}

var (
	receiverWords       = wordSet("version vrf use-vrf traps informs udp-port community filter-vrf source-interface poll trap")
	authenticationWords = wordSet("md5 text mode key-chain sha sha256 dot1x login enable open shared")
	pskWords            = wordSet("sha256 sha384 ft dot1x set-key ascii hex mode enable wpa wpa2 wpa3 sae akm")
	privacyWords        = wordSet("aes des 3des md5 sha localizedkey localizedv2key auth priv access acl engineid")
)

func receiverWord(_, v string) bool {
	_, err := netip.ParseAddr(v)
	return err == nil || receiverWords[strings.ToLower(v)]
}

func authenticationWord(_, v string) bool { return authenticationWords[strings.ToLower(v)] }

func pskWord(_, v string) bool { return pskWords[strings.ToLower(v)] || prose("", v) }

func privacyWord(_, v string) bool { return privacyWords[strings.ToLower(v)] }

// chainKey keeps the number of a key in a key chain: "key 1". Elsewhere a number may be the key itself.
func chainKey(before, v string) bool {
	if prose("", v) {
		return true
	}
	return strings.Trim(v, "0123456789") == "" && inKeyChain(before)
}

// inKeyChain reports whether the block that a line stands in, the nearest line before that is not indented, is a key
// chain. It looks back over a hundred lines at most.
func inKeyChain(before string) bool {
	for range 100 {
		before = strings.TrimSuffix(before, "\n")
		at := strings.LastIndexByte(before, '\n') + 1
		line := before[at:]
		if line != "" && line[0] != ' ' && line[0] != '\t' {
			return strings.HasPrefix(strings.ToLower(line), "key chain")
		}
		if at == 0 {
			return false
		}
		before = before[:at]
	}
	return false
}
