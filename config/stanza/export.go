package stanza

import (
	"fmt"
	"slices"
	"strings"

	"callhome"
	"callhome/config"
	"callhome/deliver/smtpsend"
	"callhome/personality"
)

// exporter writes one stanza.
type exporter struct {
	pers   *personality.Personality
	limits *personality.Limits
	cfg    *config.Agent
	above  []string // lines before the stanza
	lines  []string // of the stanza, indented
	notes  []string // what the platform cannot say
}

// writers are the platforms' orders of what is between the texts and the end.
var writers = map[personality.Name]func(*exporter){
	ios: (*exporter).bodyIOS, iosxr: (*exporter).bodyXR, asa: (*exporter).bodyASA, nxos: (*exporter).bodyNXOS,
}

// Export writes the stanza of a platform, in the form it prints. What the platform cannot say follows as comments, one
// each; notes are these without their mark. Passwords of mail servers are in the stanza where the platform keeps them
// there. The error is of kind invalid: there is no such platform.
func Export(platform personality.Name, cfg *config.Agent) (text []byte, notes []string, err error) {
	write, ok := writers[platform]
	if !ok {
		return nil, nil, unknownPlatform(platform)
	}
	pers, _ := personality.ByName(string(platform))
	e := &exporter{pers: pers, limits: &pers.Limits, cfg: cfg}
	write(e)
	e.leftOut()
	var b strings.Builder
	for _, l := range e.above {
		b.WriteString(l + "\n")
	}
	b.WriteString(stanzaWord(platform) + "\n")
	for _, l := range e.lines {
		b.WriteString(l + "\n")
	}
	b.WriteString("!\n")
	for _, n := range e.notes {
		b.WriteString("! " + n + "\n")
	}
	return []byte(b.String()), e.notes, nil
}

func stanzaWord(p personality.Name) string {
	if p == nxos {
		return "callhome"
	}
	return "call-home"
}

// put writes a line of the stanza, indented by depth modes.
func (e *exporter) put(depth int, format string, args ...any) {
	indent := " "
	if e.pers.Name == nxos {
		indent = "  "
	}
	e.lines = append(e.lines, strings.Repeat(indent, depth)+fmt.Sprintf(format, args...))
}

// note tells of something that the platform cannot say.
func (e *exporter) note(format string, args ...any) {
	e.notes = append(e.notes, cut(fmt.Sprintf(format, args...)))
}

// allowed checks a value against the platform's range and notes what it refuses.
func (e *exporter) allowed(key string, err error) bool {
	if err != nil {
		e.note("%s: %v", key, err)
	}
	return err == nil
}

// quoted puts a text with blanks into quotes on platforms that want them.
func (e *exporter) quoted(s string) string {
	if (e.pers.Name == ios || e.pers.Name == iosxr) && strings.ContainsAny(s, " \t") {
		return `"` + s + `"`
	}
	return s
}

// texts writes the settings that are one text.
func (e *exporter) texts() {
	for i := range fields {
		f := &fields[i]
		value := *f.at(e.cfg)
		if value == "" {
			continue
		}
		words, ok := f.words[e.pers.Name]
		switch {
		case !ok:
			e.note("%s: there is no command for it (%s)", f.title(), value)
		case !e.allowed(f.title(), f.check(e.limits, value)):
		case strings.HasPrefix(words, "snmp-server"):
			e.above = append(e.above, words+" "+value)
		default:
			e.put(1, "%s %s", words, e.quoted(value))
		}
	}
}

// service writes the switch of the whole, above the stanza.
func (e *exporter) service() {
	if e.cfg.CallHome.Enabled {
		e.above = append(e.above, "service call-home")
	}
}

func (e *exporter) bodyIOS() {
	e.service()
	e.texts()
	e.mailServers()
	e.rate()
	e.proxy()
	e.routers()
	if e.cfg.HTTP.HTTP.AnyName {
		e.put(1, "no http secure server-identity-check")
	}
	if e.cfg.Resolver.IPv4First {
		e.put(1, "http resolve-hostname ipv4-first")
	}
	e.disabledGroups("no alert-group %s")
	e.snapshot()
	e.profiles()
}

func (e *exporter) bodyXR() {
	if e.cfg.CallHome.Enabled {
		e.put(1, "service active")
	}
	e.texts()
	e.mailServers()
	e.rate()
	e.proxy()
	e.routers()
	e.disabledGroups("alert-group %s disable")
	e.snapshot()
	e.profiles()
}

func (e *exporter) bodyASA() {
	e.service()
	if e.cfg.CallHome.AnonymousReporting.Enabled {
		e.above = append(e.above, "call-home reporting anonymous")
	}
	e.texts()
	e.mailServers()
	e.rate()
	e.disabledGroups("no alert-group %s")
	e.snapshot()
	e.profiles()
}

// routers writes what IOS and IOS XR share.
func (e *exporter) routers() {
	privacy := e.cfg.CallHome.DataPrivacy
	if privacy.Level == "high" {
		e.put(1, "data-privacy level high")
	}
	if privacy.Hostname {
		e.put(1, "data-privacy hostname")
	}
	if t := e.cfg.CallHome.DuplicateThrottling; t != nil && !*t {
		e.put(1, "no syslog-throttling")
	}
}

func (e *exporter) rate() {
	n := e.cfg.CallHome.RateLimit
	if n == nil {
		return
	}
	if r := e.limits.RateLimit; !r.Contains(*n) {
		e.note("call_home.rate_limit: %d is outside %d..%d messages a minute", *n, r.Min, r.Max)
		return
	}
	e.put(1, "rate-limit %d", *n)
}

func (e *exporter) proxy() {
	p := e.cfg.HTTP.Proxy
	if p.Host == "" || !e.allowed("http_proxy.host", checkHost(p.Host)) {
		return
	}
	words := "http-proxy " + p.Host
	if e.pers.Name == nxos {
		words = "transport http proxy server " + p.Host
	}
	port := p.Port
	if port == 0 && e.pers.Name == ios { // which wants one
		port = defaultProxyPort
	}
	if port != 0 {
		words += fmt.Sprintf(" port %d", port)
	}
	e.put(1, "%s", words)
	if p.Username != "" {
		e.note("http_proxy.username: a proxy has no login on the device")
	}
}

// defaultProxyPort is what a proxy of our configuration has without a port.
const defaultProxyPort = 8080

// mailServers writes the servers of IOS, IOS XR and the ASA, which want a priority.
func (e *exporter) mailServers() {
	for i, s := range e.servers() {
		key := fmt.Sprintf("call_home.mail_servers[%d]", i)
		name := s.Host
		if s.Username != "" && e.pers.Name == ios {
			name = s.Username + ":" + s.Password.Reveal() + "@" + s.Host
			if _, err := parseLogin(name); err != nil || strings.Count(name, "@") > 1 || e.limits.MailServer.Check(name) != nil {
				e.note("%s: the login has characters or a length that the device does not take; it is left out", key)
				name = s.Host
			}
		} else if s.Username != "" {
			e.note("%s: a mail server has no login on the device", key)
		}
		if !e.allowed(key+".host", e.limits.MailServer.Check(name)) {
			continue
		}
		line := fmt.Sprintf("mail-server %s priority %d", name, priority(s))
		if e.pers.Name == ios {
			line += " secure " + secure(s.Security)
		}
		e.put(1, "%s", line)
		e.mailNotes(key, s)
	}
}

func secure(s smtpsend.Security) string {
	if s == smtpsend.SecurityNone || s == "" {
		return "none"
	}
	return "tls"
}

// defaultPriority is what a server of our configuration has without one.
const defaultPriority = 50

func priority(s smtpsend.Server) int {
	if s.Priority == 0 {
		return defaultPriority
	}
	return s.Priority
}

// servers are those that fit, in their order.
func (e *exporter) servers() []smtpsend.Server {
	all := e.cfg.CallHome.MailServers
	if most := e.limits.MailServers; len(all) > most {
		e.note("call_home.mail_servers: the device takes %d, the others are left out", most)
		all = all[:most]
	}
	return all
}

// mailNotes tells what a server's line could not say.
func (e *exporter) mailNotes(key string, s smtpsend.Server) {
	if s.Port != 0 && e.pers.Name != nxos {
		e.note("%s.port: the device has no choice of port (%d)", key, s.Port)
	}
	switch {
	case s.Security == smtpsend.SecurityStartTLS && e.pers.Name == ios:
		e.note("%s.security: starttls is written as tls", key)
	case s.Security != smtpsend.SecurityNone && s.Security != "" && e.pers.Name != ios:
		e.note("%s.security: the device sends mail in the clear (%s)", key, s.Security)
	}
}

func (e *exporter) disabledGroups(format string) {
	for _, g := range e.cfg.CallHome.DisabledAlertGroups {
		if !slices.Contains(subscribable[e.pers.Name], g) {
			e.note("call_home.disabled_alert_groups: the device has no alert group %s", g)
			continue
		}
		e.put(1, format, g)
	}
}

func (e *exporter) snapshot() {
	wrote := false
	for i, c := range e.cfg.CallHome.SnapshotCommands.System {
		err := e.limits.Command.Check(c)
		if err == nil && strings.Contains(c, `"`) {
			err = fmt.Errorf("a command cannot have a double quote")
		}
		if !e.allowed(fmt.Sprintf("call_home.snapshot_commands.system[%d]", i), err) {
			continue
		}
		if !wrote {
			e.put(1, "alert-group-config snapshot")
			wrote = true
		}
		e.put(2, "add-command \"%s\"", c)
	}
}

// leftOut tells of settings that a platform has no command for at all.
func (e *exporter) leftOut() {
	c := &e.cfg.CallHome
	platform := e.pers.Name
	for _, r := range []struct {
		key  string
		set  bool
		only []personality.Name // platforms that can say it
	}{
		{"call_home.data_privacy", c.DataPrivacy.Level == "high" || c.DataPrivacy.Hostname, []personality.Name{ios, iosxr}},
		{"call_home.duplicate_throttling: false", c.DuplicateThrottling != nil && !*c.DuplicateThrottling, []personality.Name{ios, iosxr, nxos}},
		{"call_home.switch_priority", c.SwitchPriority != nil, []personality.Name{nxos}},
		{"call_home.rate_limit", c.RateLimit != nil, []personality.Name{ios, iosxr, asa}},
		{"call_home.disabled_alert_groups", len(c.DisabledAlertGroups) > 0, []personality.Name{ios, iosxr, asa}},
		{"call_home.snapshot_commands.system", len(c.SnapshotCommands.System) > 0, []personality.Name{ios, iosxr, asa}},
		{"call_home.snapshot_commands.context", len(c.SnapshotCommands.Context) > 0, nil},
		{"call_home.anonymous_reporting", c.AnonymousReporting.Enabled, []personality.Name{asa}},
		{"http_proxy", e.cfg.HTTP.Proxy.Host != "", []personality.Name{ios, iosxr, nxos}},
		{"http.no_identity_check", e.cfg.HTTP.HTTP.AnyName, []personality.Name{ios}},
		{"resolver.ipv4_first", e.cfg.Resolver.IPv4First, []personality.Name{ios}},
	} {
		if r.set && !slices.Contains(r.only, platform) {
			e.note("%s: there is no command for it", r.key)
		}
	}
	if a := c.AnonymousReporting; a.Enabled && platform == asa && a.URL != tacAddress(e.pers) {
		e.note("call_home.anonymous_reporting.url: the device reports to its maker, not to %s", a.URL)
	}
}

// tacAddress is where the predefined profile of a platform posts to; "" if it does not.
func tacAddress(p *personality.Personality) string {
	for _, profile := range p.Profiles() {
		if profile.Name.Equal(callhome.ProfileCiscoTAC) && len(profile.HTTP) > 0 {
			return profile.HTTP[0]
		}
	}
	return ""
}
