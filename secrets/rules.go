package secrets

import (
	"net/netip"
	"regexp"
	"strings"
	"sync"
)

// Rule takes something out of a line. A line is looked at only when it holds one of the literals.
type Rule struct {
	Name    string
	Scope   uint8                                     // what the user of a table makes of it: bits of which Table.Of chooses
	Literal []string                                  // lower case; the fast filter
	Form    *Pattern                                  // its groups are what is taken out
	Keep    func(before, v string) bool               // true for a value that is no secret; before is the text before the line
	Block   func(text string, to int) (from, end int) // in place of Form: the lines behind this one that go as a whole
	Serial  bool                                      // a serial number: the user of the table puts a pseudonym in its place
}

// Pieces of the expressions. A value may be quoted; the words before it say how it is written down.
const (
	value = `("[^"]*"|'[^']*'|\S*[^\s;])`
	words = `(?:\s+(?:level\s+\d+|\d{1,3}|sha-?(?:1|2?56|384|512)|md5|hmac-\S+|encrypted|unencrypted|clear|clear-?text|plain-?text|` +
		`nt-encrypted|pbkdf2|scrypt|ascii|ascii-text|hex|hexadecimal|text|hash|is|key|0x))*`
	hashes = `\$(?:1|2[abxy]?|5|6|7|8|9|14|y|gy|apr1|sha\w*|pbkdf2[\w-]*|argon2\w*|scrypt)\$`
)

// Pattern is an expression that is compiled when a line first needs it: most never do, and no start waits for them.
type Pattern struct {
	source string
	once   sync.Once
	form   *regexp.Regexp
}

// Fold is an expression that is blind to case.
func Fold(s string) *Pattern { return Exact(`(?i)` + s) }

// Exact is an expression that is not blind to case.
func Exact(s string) *Pattern { return &Pattern{source: s} }

// Get is the expression.
func (p *Pattern) Get() *regexp.Regexp {
	p.once.Do(func() { p.form = regexp.MustCompile(p.source) })
	return p.form
}

// secretRules are the commands and notations that carry secrets, after the data privacy rules of the call-home guides
// and the configuration guides of IOS, IOS XR, NX-OS, ASA, EOS and Junos; the rest is what Unix hosts print.
var secretRules = []Rule{
	{Name: "element", Literal: []string{"</"},
		Form: Fold(`<(?:\w+:)?[\w.-]*(?:password|passwd|secret|passphrase|token|api-?key|community|psk|private-?key)[\w.-]*(?:\s[^<>]*)?>([^<]+)<`)},
	{Name: "password", Literal: []string{"password", "passwd", "passphrase", "pass-phrase", "secret", "common-pw"},
		Form: Fold(`(?:\b|_)(?:password(?:-value)?|passwd|passphrase|pass-phrase|secret|secret-key|common-pw)` + words + `\s+` + value), Keep: prose},
	{Name: "assignment", Literal: []string{"password", "passwd", "passphrase", "secret", "token", "key=", "key:", "key =", "key :", "key\"", "key'", "key_", "key.", "psk", "credential"},
		Form: Fold(`["']?\b[\w.-]*(?:password|passwd|passphrase|secret|token|(?:api|access|account|private|secret|auth|client|encryption|pre-?_?shared)[_-]?key|psk|credential)(?:hash|value|text|digest)?(?:[_.-]\w+)*["']?\s*(?:[:=]{1,2}|=>)\s*(?:\d{1,2}\s+)?` +
			`("[^"]*"|'[^']*'|[^\s,;&}\]]+)`), Keep: prose},
	{Name: "pwd", Literal: []string{"pwd"}, Form: Fold(`\b\w*pwd["']?\s*[:=]\s*["']?([^\s,;&}\]"'/][^\s,;&}\]"']*)`), Keep: prose}, // a path is a directory
	{Name: "authorization", Literal: []string{"authorization"},
		Form: Fold(`\bauthorization["']?\s*[:=]\s*["']?(?:(?:bearer|basic|token|negotiate|ntlm)\s+)?([^\s"',][^"'\r\n]*)`), Keep: prose},
	{Name: "bearer", Literal: []string{"bearer "}, Form: Fold(`\bbearer\s+([A-Za-z0-9._~+/=-]{16,})`)},
	{Name: "cookie", Literal: []string{"cookie"}, Form: Fold(`\b(?:set-)?cookie2?:\s*([^\r\n]+)`)},
	{Name: "cloud key", Literal: []string{"akia", "asia"}, Form: Exact(`\b((?:AKIA|ASIA)[A-Z0-9]{16})\b`)},
	{Name: "token", Literal: []string{"ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "xox", "sk_live_", "eyj"},
		Form: Exact(`\b(gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{20,}|glpat-[\w-]{20,}|xox[abeprs]-[\w-]{10,}|sk_live_\w{10,}|eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*)`)},
	{Name: "URL", Literal: []string{"://"}, Form: Fold(`\b[a-z][a-z0-9+.-]*://[^\s/@:"'<>]*:([^\s/"'<>]+)@`)},
	{Name: "signed URL", Literal: []string{"sig="}, Form: Fold(`[?&]sig=([^\s&"'<>]+)`)},
	{Name: "mail server", Literal: []string{"mail-server"}, Form: Fold(`\bmail-server\s+[^\s:@]+:(\S+)@`)},
	{Name: "hash", Literal: []string{"$1$", "$2$", "$2a$", "$2b$", "$2x$", "$2y$", "$5$", "$6$", "$7$", "$8$", "$9$", "$14$", "$y$", "$gy$", "$apr1$", "$sha", "$pbkdf2", "$argon2", "$scrypt", "grub.pbkdf2"},
		Form: Exact(`(` + hashes + `[^\s"';,:]+|grub\.pbkdf2\.\S+)`)},
	{Name: "secret-data mark", Literal: []string{"secret-data"}, Form: Fold(`("[^"]*"|\S+);\s*##\s*secret-data`)},
	{Name: "quoted key", Literal: []string{"ascii-text", "hexadecimal", "simple-password", "-key"},
		Form: Fold(`\b(?:authentication-key|simple-password|ascii-text|hexadecimal)\s+("[^"]*")`)},

	{Name: "community", Literal: []string{"community"},
		Form: Fold(`\b(?:snmp-server\s+community(?:-map)?|snmp\s+mib\s+community-map|set\s+snmp(?:\s+v3\s+\S+)?\s+community|community\s+(?:name|index|securityname)\s*:|snmp-server\s+host\s.*\scommunity)\s+(?:(?:\d|encrypted|clear)\s+)?` + value)},
	{Name: "community block", Literal: []string{"community"}, Form: Fold(`^\s*community\s+("[^"]*"|[^\s;{]+)\s*\{`)},
	{Name: "community file", Literal: []string{"rocommunity", "rwcommunity", "com2sec"},
		Form: Fold(`\b(?:r[ow]community6?\s+|com2sec6?\s+(?:-\S+\s+\S+\s+)?\S+\s+\S+\s+)` + value)},
	{Name: "trap receiver", Literal: []string{"snmp-server host"},
		Form: Fold(`\bsnmp-server\s+host\s+(?:\S+\s+)??\S+(?:\s+(?:(?:use-)?vrf\s+\S+|traps?|informs?|poll|version\s+(?:1|2c)|encrypted|clear|\d))*\s+` + value), Keep: receiverWord},
	{Name: "shown trap receiver", Literal: []string{"security model"}, Form: Fold(`\buser:\s*(\S+)\s+security model:\s*v[12]`)},
	{Name: "SNMP user", Literal: []string{"snmp-server user", "usm-user", "createuser"},
		Form: Fold(`\b(?:auth\s+|createuser\s+\S+\s+)(?:md5|sha\S*)\s+(?:encrypted\s+|clear\s+)?` + value)},
	{Name: "SNMP user's privacy", Literal: []string{"snmp-server user", "usm-user", "createuser"},
		Form: Fold(`\b(?:priv|createuser\s.*)\s+(?:(?:aes|3?des)(?:[- ]?\d+)?\s+)?(?:encrypted\s+|clear\s+)?("[^"]*"|[^\s]{2,})(?:\s|$)`), Keep: privacyWord},

	{Name: "server key", Literal: []string{"tacacs", "radius", "server-private", "aaa-server", "ldap"},
		Form: Fold(`\b(?:tacacs\S*|radius\S*|server-private|aaa-server|ldap\S*)\s.*\bkey` + words + `\s+` + value), Keep: prose},
	{Name: "typed key", Literal: []string{"key "}, Form: Fold(`(?:^|[^\w-])key\s+[0-9]\s+(?:size\s+\S+\s+(?:\d\s+)?)?` + value), Keep: prose},
	{Name: "shown key", Literal: []string{"-- text"}, Form: Fold(`\bkey\s+\d+\s+--\s+text\s+` + value), Keep: prose},
	{Name: "encrypted key", Literal: []string{"key "}, Form: Fold(`(?:^|[^\w-])key\s+(?:encrypted|clear|hex|md5)\s+` + value)},
	{Name: "key line", Literal: []string{"key "}, Form: Fold(`^\s*key\s+("[^"]*"|[^\s;{]+)\s*;?\s*$`), Keep: chainKey},
	{Name: "master key", Literal: []string{"config-key"}, Form: Fold(`\bkey\s+config-key\s+\S+\s+` + value)},
	{Name: "key string", Literal: []string{"key-string", "key-octet-string"}, Form: Fold(`\bkey-(?:octet-)?string(?:\s+(?:\d|password|clear|encrypted|hex))*\s+` + value)},
	{Name: "ISAKMP key", Literal: []string{"isakmp"}, Form: Fold(`\bisakmp\s+key\s+(?:\d\s+)?` + value)},
	{Name: "pre-shared key", Literal: []string{"shared-key", "shared-secret"},
		Form: Fold(`\b(?:pre-?)?shared-(?:key|secret)\s+(?:(?:local|remote|address\s+\S+(?:\s+\d+\.\S+)?\s+key|hostname\s+\S+\s+key|\d|ascii-text|hexadecimal|hex|encrypted|key)\s+)*` + value), Keep: prose},
	{Name: "password of some neighbours", Literal: []string{"password option"}, Form: Fold(`\bpassword\s+option\s+\d+\s+for\s+\S+\s+(?:\d\s+)?` + value)},
	{Name: "authentication mode", Literal: []string{"authentication mode"}, Form: Fold(`\bauthentication\s+mode\s+hmac-sha-256\s+(?:\d\s+)?` + value)},
	{Name: "change-of-authorization key", Literal: []string{"server-key"}, Form: Fold(`\bserver-key\s+(?:\d\s+)?` + value)},
	{Name: "MACsec key", Literal: []string{"key "}, Form: Fold(`^\s*key\s+[0-9a-f]{2,64}\s+[07]\s+` + value)},
	{Name: "authentication key", Literal: []string{"authentication-key", "authentication key"},
		Form: Fold(`\bauthentication[- ]key\s+(?:\d+\s+(?:type\s+\S+\s+value\s+|(?:md5|sha\S*|hmac\S*|cmac\S*|aes\S*)\s+))?(?:(?:\d|encrypted|clear|md5)\s+)?` + value), Keep: prose},
	{Name: "digest key", Literal: []string{"message-digest-key"},
		Form: Fold(`\bmessage-digest-key\s+\d+\s+(?:md5|sha\S*|hmac\S*)\s+(?:(?:\d|encrypted|clear)\s+)?` + value)},
	{Name: "first-hop authentication", Literal: []string{"standby", "vrrp", "glbp", "hsrp", "nhrp", "authentication text", "authentication md5"},
		Form: Fold(`(?:\b(?:standby|vrrp|glbp|hsrp|nhrp)\b.*\bauthentication|^\s*authentication)\s+(?:text\s+|md5\s+key-string\s+)?(?:\d\s+)?` + value), Keep: authenticationWord},
	{Name: "PSK", Literal: []string{"psk"}, Form: Fold(`\bpsk\s+(?:set-key\s+)?(?:(?:ascii|hex|passphrase)\s+)?(?:\d\s+)?` + value), Keep: pskWord},
	{Name: "failover key", Literal: []string{"failover key"}, Form: Fold(`\bfailover\s+key\s+(?:(?:hex|\d)\s+)?` + value)},
	{Name: "PMK", Literal: []string{"pmk"}, Form: Fold(`\bpmk\s+([0-9a-f]{8,})`)},
	{Name: "user's public key", Literal: []string{"username"}, Form: Fold(`\busername\s+\S+\s+(?:ssh-?key|key)\s+(\S[^\r\n]*)`)},
	{Name: "streaming key", Literal: []string{"-ingestauth"}, Form: Fold(`-ingestauth=[^,\s]*,(\S+)`)},
	{Name: "private key in a line", Literal: []string{"private key"},
		Form: Fold(`\bbegin [a-z0-9 ]*private key(?: block)?\s?-{4,5}([^-\s"',][^-]*)`)},
	{Name: "private key", Literal: []string{"private key"}, Block: privateKeyBody},
	{Name: "certificate", Literal: []string{"certificate "}, Block: certificateBody},
	{Name: "key body", Literal: []string{"key-string"}, Block: keyBody},
	{Name: "option", Literal: []string{"--token", "--pass", "--api", "--auth", "sshpass", "curl", "ldapsearch", "smbclient"},
		Form: Fold(`(?:\s--(?:token|pass|api-?key|auth)[=\s]+|\bsshpass\s+-p\s*|\bldapsearch\b.*\s-w\s*|\bsmbclient\b.*\s-U\s*[^\s%]+%|\bcurl\b.*\s(?:-u|--user)[=\s]+[^\s:]+:)` + value)},
}

// WordSet is the set of the words of s.
func WordSet(s string) map[string]bool {
	set := map[string]bool{}
	for _, w := range strings.Fields(s) {
		set[w] = true
	}
	return set
}

// proseWords follow "password" and its like in sentences and in commands that carry no secret.
var proseWords = WordSet(`a accepted aes age aging an and any as at attempt attempts auth authenticated authentication based be been being but by
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
	return proseWords[strings.ToLower(strings.Trim(v, `.,;:!?()[]{}'"`))] || Masked(v)
}

// Masked reports whether a value was taken out already, by the device or by us, or is none.
func Masked(v string) bool {
	return strings.Trim(v, `*-="'.,;:!?()[]{}`) == "" || strings.Contains(v, Removed)
}

var (
	receiverWords       = WordSet("version vrf use-vrf traps informs udp-port community filter-vrf source-interface poll trap")
	authenticationWords = WordSet("md5 text mode key-chain sha sha256 dot1x login enable open shared")
	pskWords            = WordSet("sha256 sha384 ft dot1x set-key ascii hex mode enable wpa wpa2 wpa3 sae akm")
	privacyWords        = WordSet("aes des 3des md5 sha localizedkey localizedv2key auth priv access acl engineid")
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
