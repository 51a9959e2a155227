package ciscolog

import (
	"bytes"
	"strings"
)

// unknownParam is what Unified CM puts before the key of a parameter that its catalogue does not have.
const unknownParam = "UNKNOWN_PARAMNAME:"

// KeyMatches tells whether a filter on query means the tag key: the key itself, or one of its semantic extensions (ip
// means ip.orig and ip.to.primary too, ip.to does not mean ip). Case counts, except that a query in Unified CM's
// canonical spelling (nodeid) means every spelling of that key (NodeID, Node ID).
func KeyMatches(query string, key []byte) bool {
	if query == "" {
		return false
	}
	if len(key) >= len(query) && string(key[:len(query)]) == query {
		if len(key) == len(query) || key[len(query)] == '.' {
			return true
		}
	}
	if !ucmKeys[query] {
		return false
	}
	return spells(key, query)
}

// CanonicalKey is the one spelling of a key of Unified CM: lower case, without spaces, padding and UNKNOWN_PARAMNAME:.
func CanonicalKey(key []byte) string {
	return strings.ToLower(string(bytes.ReplaceAll(withoutUnknown(key), []byte{' '}, nil)))
}

// withoutUnknown takes padding and UNKNOWN_PARAMNAME: off a key.
func withoutUnknown(key []byte) []byte {
	key = trim(key)
	if len(key) >= len(unknownParam) && bytes.EqualFold(key[:len(unknownParam)], []byte(unknownParam)) {
		key = key[len(unknownParam):]
	}
	return key
}

// spells tells whether key is a spelling of the canonical key want. It allocates nothing: filters ask it of every tag.
func spells(key []byte, want string) bool {
	n := 0
	for _, c := range withoutUnknown(key) {
		if c == ' ' {
			continue
		}
		if n == len(want) || lower(c) != want[n] {
			return false
		}
		n++
	}
	return n == len(want)
}

// ucmKeys are canonical keys of Unified CM's alarms: the three that end every alarm, and parameters that filters ask for.
// Source: alarm definitions in the Managed Services Guide, and alarms as seen on the wire.
var ucmKeys = set(
	"appid", "clusterid", "nodeid",
	"alertname", "alertdetail", "auditcategory", "auditdetails", "callingpartynumber", "clientaddress", "componentid",
	"correlationid", "description", "devicename", "devicetype", "eventstatus", "eventtype", "ipaddrattributes",
	"ipaddress", "ipv6address", "lastsignalreceived", "partyname", "protocol", "reason", "resourceaccessed", "servicename",
	"severity", "stationstate", "thread", "userid",
)

func set(words ...string) map[string]bool {
	m := make(map[string]bool, len(words))
	for _, w := range words {
		m[w] = true
	}
	return m
}
