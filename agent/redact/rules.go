package redact

import "callhome/secrets"

// Scopes of rules: the policies they belong to.
const (
	scopeNormal uint8 = 1 << iota
	scopeHigh
	scopeHostname
	scopeAnonymous
)

// Short words for what the tables of rules are made of.
type rule = secrets.Rule

var (
	re    = secrets.Fold
	exact = secrets.Exact
)

// ip is an address within an expression.
const ip = `(?:\d{1,3}(?:\.\d{1,3}){3}(?:/\d+)?|[0-9A-Fa-f]*:[0-9A-Fa-f:.]+(?:/\d+)?)`

// privacyRules are those of level high and of the hostname setting.
var privacyRules = []rule{
	{Name: "domain name", Scope: scopeHigh, Literal: []string{"domain"},
		Form: re(`(?:\bip\s+domain[- ](?:name|list)|^\s*(?:dns\s+)?domain[- ](?:name|search)|^\s*dns\s+domain|\bset\s+system\s+domain-name)\s+(?:vrf\s+\S+\s+)?("[^"]*"|[^\s;]+)`)},
	{Name: "address", Scope: scopeHigh, Literal: []string{" address "},
		Form: re(`(?:\bip(?:v4|v6)?|^\s*|\bset\s+interfaces\s.*)\s+address\s+(` + ip + `)(?:\s+(\d{1,3}(?:\.\d{1,3}){3}))?(?:\s+standby\s+(\S+))?`)},
	{Name: "host table", Scope: scopeHigh, Literal: []string{"host "},
		Form: re(`\b(?:ip|ipv6|domain\s+ipv[46])\s+host\s+(?:vrf\s+\S+\s+)?(\S+)\s+(\S[^\r\n]*)`)},
	{Name: "hostname", Scope: scopeHostname, Literal: []string{"hostname", "switchname", "host-name", "sysname"},
		Form: re(`^\s*(?:set\s+system\s+)?(?:hostname|switchname|host-name|sysname)\s+("[^"]*"|[^\s;]+)`)},
}

// table holds all rules in the order they are applied: secrets first.
var table = secrets.NewTable(joinRules())

func joinRules() []rule {
	all := append(secrets.Rules(scopeNormal), privacyRules...)
	for _, r := range identityRules {
		r.Scope = scopeAnonymous
		all = append(all, r)
	}
	return all
}
