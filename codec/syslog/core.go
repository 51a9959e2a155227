package syslog

import "bytes"

// core is one %FACILITY-SEVERITY-MNEMONIC found in a text.
type core struct {
	at       int // of the percent sign
	end      int // where the text behind it begins
	facility []byte
	mnemonic []byte
	severity Severity // NoSeverity for a digit above 7
	letters  bool     // a letter stood for the level
}

// findCore finds the first core at or behind from: a percent sign at the start or behind a space, a colon or FXOS's
// double angle, with a name, a level and a name behind it.
func findCore(b []byte, from int, c *core) bool {
	for {
		n := bytes.IndexByte(b[from:], '%')
		if n < 0 {
			return false
		}
		at := from + n
		if at == 0 || b[at-1] == ' ' || b[at-1] == ':' || b[at-1] == '<' || b[at-1] == '\t' {
			if scanCore(b, at, c) {
				return true
			}
		}
		from = at + 1
	}
}

// scanCore reads the core whose mark, a percent sign, stands at at.
func scanCore(b []byte, at int, c *core) bool {
	i := at + 1
	if i >= len(b) || class[b[i]]&isAlpha == 0 {
		return false
	}
	for ; i < len(b); i++ {
		k := class[b[i]]
		if k&isName != 0 {
			continue
		}
		if k&isDash == 0 {
			return scanOddCore(b, at, i, c)
		}
		if i+2 < len(b) && b[i+2] == '-' && digit(b[i+1]) {
			if d := b[i+1]; d <= '7' {
				c.severity = Severity(d - '0')
				break
			}
			if firewallFamily(b[at+1 : i]) {
				c.severity = NoSeverity
				break
			}
		}
	}
	if i >= len(b) {
		return scanOddCore(b, at, i, c)
	}
	if overlay(b[at+1:]) > 0 {
		return scanViptela(b, at, c)
	}
	c.letters = false
	return c.rest(b, at, i, i+3)
}

// rest takes facility and mnemonic once the level has been found between facEnd and mnemonic.
func (c *core) rest(b []byte, at, facEnd, mnemonic int) bool {
	for facEnd > at+1 && b[facEnd-1] == '-' {
		facEnd--
	}
	c.at, c.facility = at, b[at+1:facEnd]
	end := run(b, mnemonic, isName|isDash)
	if end == mnemonic || len(c.facility) < 2 {
		return false
	}
	c.mnemonic = b[mnemonic:end]
	return c.close(b, end)
}

// close finds where the text begins: behind a colon, which may have spaces around it, or behind a space.
func (c *core) close(b []byte, i int) bool {
	if hasPrefixAt(b, i, ">>") {
		i += 2
	}
	if i < len(b) && b[i] != ':' && b[i] != ' ' && b[i] != '[' && b[i] != '\t' {
		return false
	}
	i = skipSpaces(b, i)
	if i < len(b) && b[i] == ':' {
		i = skipSpaces(b, i+1)
	}
	c.end = i
	return true
}

// scanOddCore reads what has no -digit- inside the run from at to end: a letter for the level, as small-business
// switches write, or a level at the end (Junos: %KERN-4: text).
func scanOddCore(b []byte, at, end int, c *core) bool {
	w := b[at+1 : end]
	for i := 2; i+3 <= len(w); i++ {
		if w[i] == '-' && w[i+2] == '-' && i+3 < len(w) {
			if c.severity = severityOfLetter(w[i+1]); c.severity.Valid() {
				c.letters = true
				return allClass(w[:i], isName|isDash) && c.rest(b, at, at+1+i, at+1+i+3)
			}
		}
	}
	n := len(w)
	if n < 4 || w[n-2] != '-' || w[n-1] < '0' || w[n-1] > '7' || end >= len(b) || b[end] != ':' {
		return false
	}
	c.severity, c.letters = Severity(w[n-1]-'0'), false
	c.at, c.facility, c.mnemonic = at, w[:n-2], nil
	return c.close(b, end)
}

// overlays are the facilities of SD-WAN devices, which go on with the host's name: vEdge and its controllers, IOS XE.
var overlays = [...]string{"Viptela-", "Cisco-SDWAN-"}

// overlay gives the length of the facility at the start of b when it is one of overlays, 0 when it is none.
func overlay(b []byte) int {
	for _, name := range overlays {
		if hasPrefixAt(b, 0, name) {
			return len(name) - 1
		}
	}
	return 0
}

// scanViptela reads %Viptela-host-process-level-LEVEL-code, counted from the right, as the host may hold anything.
func scanViptela(b []byte, at int, c *core) bool {
	end := at
	for end < len(b) && b[end] != ':' && b[end] != ' ' {
		end++
	}
	w := b[at+1 : end]
	code := bytes.LastIndexByte(w, '-')
	if code < 0 || !allClass(w[code+1:], isDigit) {
		return false
	}
	word := bytes.LastIndexByte(w[:code], '-')
	if word < 2 || w[word-2] != '-' || w[word-1] < '0' || w[word-1] > '7' {
		return false
	}
	c.at, c.letters, c.severity = at, false, Severity(w[word-1]-'0')
	c.facility, c.mnemonic = w[:word-2], w[word+1:]
	return c.close(b, end)
}

// firewallFamily reports whether a core's facility is one of the firewalls', with or without a message class.
func firewallFamily(fac []byte) bool {
	if len(fac) == 0 || fac[0] != 'A' && fac[0] != 'F' && fac[0] != 'P' && fac[0] != 'N' {
		return false
	}
	for i, c := range fac {
		if c == '-' {
			fac = fac[:i]
			break
		}
	}
	if len(fac) > len("NGIPS") {
		return false
	}
	switch string(fac) {
	case "ASA", "FTD", "PIX", "FWSM", "ACE", "NGIPS":
		return true
	}
	return false
}
