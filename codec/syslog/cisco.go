package syslog

import (
	"bytes"
	"time"

	"callhome"
)

// parseCisco takes a line whose text b, behind PRI, holds the core c. It answers false when what stands before the core
// is no header: then the core is quoted in a text.
func (p *Parser) parseCisco(b []byte, c *core, received time.Time, l *Line) bool {
	x := prefix{named: firewallFamily(c.facility)} // firewalls name no zone but UTC, and often themselves
	if !x.scan(p, b[:c.at]) || !x.plausible() {
		return false
	}
	x.numbers(l)
	x.times(p, received, l)
	x.hosts(l)
	l.own(c.severity)
	l.CoreFacility, l.Mnemonic, l.Text = c.facility, c.mnemonic, b[c.end:]
	if x.sd != nil {
		l.ParamForm, l.ParamRegion = ParamsSD, x.sd
	}
	if c.letters {
		l.Vendor = VendorSmallSwitch
	}
	p.family(&x, b, c, received, l)
	return true
}

// own sets the severity that the message states itself; it beats PRI's.
func (l *Line) own(s Severity) {
	if !s.Valid() {
		return
	}
	l.Severity, l.OwnSeverity = s, true
	if l.PRISeverity.Valid() && l.PRISeverity != s {
		l.Flags |= FlagPRISeverityMismatch
	}
}

// plausible reports whether the words can be a header: at most two without a stamp, and host, level and tag behind one.
func (x *prefix) plausible() bool {
	if x.stamps > 2 {
		return false
	}
	spaced, after := 0, 0
	for i := range x.words[:x.n] {
		w := &x.words[i]
		if w.stamps > 0 || x.stamps == 0 {
			after++
		}
		if !w.colon {
			spaced++
		}
		if after > 1 && i > 0 && !w.colon && x.words[i-1].colon && w.stamps == x.words[i-1].stamps {
			return false // something follows a closed tag: a sentence
		}
	}
	if x.stamps == 0 {
		return x.n <= 2
	}
	return after-x.levelWords() <= 2+x.stamps-1 && spaced <= 3
}

// levelWords counts words such as "notice" or "local7.info" that relays put between host and tag.
func (x *prefix) levelWords() int {
	n := 0
	for i := range x.words[:x.n] {
		if !x.words[i].colon && levelWord(x.words[i].text) {
			n++
		}
	}
	return n
}

// levelWord reports whether w is a level, or a facility and level.
func levelWord(w []byte) bool { return facilityLevel(w) || severityOfWord(w).Valid() }

// facilityLevel reports whether w is a facility and a level joined by a dot or a colon: no host is called that.
func facilityLevel(w []byte) bool {
	if n := len(w); n > 2 && w[0] == '<' && w[n-1] == '>' {
		w = w[1 : n-1]
	}
	i := run(w, 0, isAlpha|isDigit)
	return i > 0 && i < len(w) && (w[i] == '.' || w[i] == ':') && facilityWord(w[:i]) && severityOfWord(w[i+1:]).Valid()
}

// longestFacility is the longest name of facilityWord.
const longestFacility = 8

// facilityWord reports whether w is a facility's name as syslogd.conf spells it, in any case.
func facilityWord(w []byte) bool {
	var low [longestFacility]byte
	if len(w) > len(low) {
		return false
	}
	for i, c := range w {
		low[i] = lower(c)
	}
	switch string(low[:len(w)]) {
	case "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "security", "ftp",
		"ntp", "audit", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7":
		return true
	}
	return false
}

// hosts gives l host, relay and program out of the words. Before the last stamp stand a relay's name and the device's;
// behind it host and tag, or a tag alone.
func (x *prefix) hosts(l *Line) {
	last := int8(x.stamps)
	relayed := x.stamps > 1
	for i := range x.words[:x.n] {
		w := &x.words[i]
		switch {
		case !w.colon && (i > 0 && levelWord(w.text) || facilityLevel(w.text)):
		case relayed && w.stamps == 1 && l.Relay.Host == nil:
			l.Relay.Host = w.text
		case relayed && w.stamps == 1 && hasPID(w.text):
			l.Relay.Tag = w.text
		case w.stamps < last:
			l.header(w.text)
		case hasPID(w.text) || l.Host != nil && l.HostSource == HostFromHeader:
			l.tag(w.text)
		default:
			l.header(w.text)
		}
	}
	if l.Host == nil && l.Relay.Host != nil {
		l.Host, l.HostSource = l.Relay.Host, HostFromRelay
	}
}

// header sets the host that the device gave itself. 0.0.0.0 and dashes mean that it does not know.
func (l *Line) header(h []byte) {
	if len(h) > 2 && h[0] == '[' && h[len(h)-1] == ']' {
		h = h[1 : len(h)-1]
	}
	if len(h) == 0 || h[0] == '-' || string(h) == "0.0.0.0" {
		return
	}
	l.Host, l.HostSource = h, HostFromHeader
}

// hasPID reports whether w is name[pid].
func hasPID(w []byte) bool { return len(w) > 2 && w[len(w)-1] == ']' && bytes.IndexByte(w, '[') > 0 }

// tag sets program and process number from name[pid].
func (l *Line) tag(w []byte) {
	if hasPID(w) {
		i := bytes.LastIndexByte(w, '[')
		l.Program, l.PID = w[:i], w[i+1:len(w)-1]
		return
	}
	l.Program = w
}

// family finds which Cisco or Cisco-like family the line is of and adds what that one knows.
func (p *Parser) family(x *prefix, b []byte, c *core, received time.Time, l *Line) {
	fac := c.facility
	switch {
	case firewallFamily(fac):
		l.firewall()
	case x.node != nil:
		l.xr(x.node)
	case string(fac) == "Viptela" || overlay(fac) > 0:
		l.viptela()
	case callManager(fac) || bytes.HasPrefix(l.Text, []byte("%[")):
		p.ciscoLog(x, received, l)
	case ucsFamily(fac):
		l.Dialect = UCS
		l.brackets()
	case fxosFamily(fac):
		l.Dialect = FXOS
		l.brackets()
	case bytes.HasPrefix(fac, []byte("LOG_")):
		l.Dialect, l.Vendor = NXOS, VendorCiscoAPIC
		l.brackets()
	case string(fac) == "ACLLOG" || x.last.yearFirst || p.Pinned == NXOS:
		l.nexus()
	case x.task != nil:
		l.aire(x)
	case l.Program != nil && x.agent(l):
		l.agentLine(c)
	case x.stamps == 1 && x.n == 1 && x.nn == 0 && !x.words[0].colon && x.words[0].stamps == 1 && nexusOnly(fac):
		l.nexus() // host and core with no colon between them
	case x.full() && p.fullForm(x, received, l):
	default:
		p.ios(x, l)
	}
}

// callManager reports whether a facility is one of Unified CM, Contact Center Enterprise or Express.
func callManager(fac []byte) bool {
	if len(fac) < 4 {
		return false
	}
	switch string(fac[:3]) {
	case "UC_":
		return true
	case "CCM", "ICM":
		return fac[3] == '_'
	}
	return bytes.HasPrefix(fac, []byte("MIVR")) && (len(fac) == 4 || fac[4] == '-' || fac[4] == '_')
}

func ucsFamily(fac []byte) bool {
	return bytes.HasPrefix(fac, []byte("UCSM")) || bytes.HasPrefix(fac, []byte("CIMC"))
}

func fxosFamily(fac []byte) bool {
	return bytes.HasPrefix(fac, []byte("FPRM")) || bytes.HasPrefix(fac, []byte("FXOS"))
}

// firewall finishes a line of ASA, FTD, PIX, FWSM or ACE: the number names the message, and events 43xxxx of FTD have
// parameters.
func (l *Line) firewall() {
	l.Dialect, l.MessageID, l.Clock = ASA, l.Mnemonic, ClockUnstated
	if bytes.HasPrefix(l.CoreFacility, []byte("FTD")) && bytes.HasPrefix(l.Mnemonic, []byte("43")) {
		l.ParamForm, l.ParamRegion = ParamsColon, l.Text
	}
}

// xr finishes an IOS XR line: the node, and the state that fault manager texts spell out.
func (l *Line) xr(node []byte) {
	l.Dialect, l.Node = IOSXR, node
	if l.Seq < 0 {
		l.Seq, l.Counter = l.Counter, -1
	}
	if hasPrefixAt(l.Mnemonic, 0, "FAULT_") {
		switch {
		case bytes.Contains(l.Text, []byte(":CLEAR")):
			l.EventState = callhome.StateClear
		case bytes.Contains(l.Text, []byte(":DECLARE")):
			l.EventState = callhome.StateRaise
		}
	}
}

// viptela finishes a line of an SD-WAN device: facility is Viptela-host-process, mnemonic LEVEL-code.
func (l *Line) viptela() {
	n := overlay(l.CoreFacility)
	l.Dialect, l.Vendor = RFC3164, VendorViptela
	if n > len("Viptela") {
		l.Dialect = IOS
	}
	if i := bytes.LastIndexByte(l.Mnemonic, '-'); i >= 0 {
		l.MessageID = l.Mnemonic[i+1:]
	}
	if n == 0 {
		return
	}
	rest := l.CoreFacility[n+1:]
	i := bytes.LastIndexByte(rest, '-')
	if i < 0 {
		return
	}
	if l.Host == nil {
		l.header(rest[:i])
	}
	if l.Program == nil {
		l.Program = rest[i+1:]
	}
	l.CoreFacility = l.CoreFacility[:n]
}

// nexus finishes an NX-OS line: where in the chassis, and the process behind the text.
func (l *Line) nexus() {
	l.Dialect = NXOS
	if hasPrefixAt(l.Text, 0, "%$") {
		if n := bytes.Index(l.Text[2:], []byte("%$")); n >= 0 && n < 64 {
			l.Node = bytes.TrimSpace(l.Text[2 : 2+n])
			l.Text = l.Text[skipSpaces(l.Text, 4+n):]
		}
	}
	t := trimSpaces(l.Text)
	if l.Program != nil || len(t) == 0 || t[len(t)-1] != ']' {
		return
	}
	i := bytes.LastIndex(t, []byte(" - "))
	if i < 0 {
		return
	}
	w := t[i+3:]
	if k := bytes.IndexByte(w, '['); k > 0 && allClass(w[k+1:len(w)-1], isDigit) && bytes.IndexByte(w, ' ') < 0 {
		l.tag(w)
	}
}

// aire finishes a line of an AireOS controller, where the asterisk belongs to the task and says nothing of the clock.
func (l *Line) aire(x *prefix) {
	l.Dialect, l.Program, l.Clock, l.Accuracy = AireOS, x.task, ClockUnstated, 0
	if bytes.HasPrefix(l.Text, []byte("[PA]")) || bytes.HasPrefix(l.Text, []byte("[SA]")) {
		l.Node = l.Text[1:3]
	}
}

// agent reports whether host and tag, or a tag alone, stand between stamp and core as EOS and Junos write them.
func (x *prefix) agent(l *Line) bool {
	return x.stamps > 0 && x.words[x.n-1].colon && x.words[x.n-1].stamps == int8(x.stamps) &&
		x.accuracy == 0 && x.uptime == nil && anyClass(l.Program, isLower) && x.words[0].stamps > 0
}

// agentLine finishes a line of EOS, or of Junos with explicit priorities.
func (l *Line) agentLine(c *core) {
	if junosFacility(c.facility) {
		l.Dialect = Junos
		l.junosText()
		return
	}
	l.Dialect = EOS
}

// ios finishes a line of IOS or IOS XE, unless it is one of EOS without a host.
func (p *Parser) ios(x *prefix, l *Line) {
	if x.stamps == 1 && x.n == 1 && x.nn == 0 && x.words[0].colon && x.words[0].stamps == 1 && x.accuracy == 0 &&
		x.uptime == nil && camel(l.Host) && p.Pinned != IOS {
		l.Dialect, l.Program, l.Host, l.HostSource = EOS, l.Host, nil, "" // an agent, and no host
		return
	}
	p.iosLine(l)
}

// iosLine gives an unmarked date its meaning and finds the stack member behind the text.
func (p *Parser) iosLine(l *Line) {
	l.Dialect = IOS
	if l.Clock == ClockUnstated && !l.Time.IsZero() && p.Pinned == IOS {
		l.Clock = ClockSynchronised
	}
	if l.Host == nil {
		return
	}
	t := trimSpaces(l.Text)
	if len(t) == 0 || t[len(t)-1] != ')' {
		return
	}
	i := bytes.LastIndexByte(t, '(')
	member, ok := bytes.CutPrefix(t[i+1:len(t)-1], l.Host)
	if ok && i > 0 && len(member) > 1 && member[0] == '-' && allClass(member[1:], isDigit) {
		l.Node = t[i+1 : len(t)-1]
	}
}

// camel reports whether a name is written like an EOS agent: a capital first, a small letter later.
func camel(w []byte) bool {
	return len(w) > 1 && class[w[0]]&isUpper != 0 && anyClass(w[1:], isLower) && bytes.IndexByte(w, '.') < 0
}
