package stanza

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"callhome"
	"callhome/config"
	"callhome/personality"
)

// tables are the modes of a platform's command line as far as they are about call home.
type tables struct{ top, stanza, profile, snapshot []command }

// importTables have the commands of the Call Home chapters of the IOS XE, IOS XR, Nexus 9000 and ASA configuration
// guides and of the platforms' data models.
var importTables = map[personality.Name]tables{
	ios: {
		top: []command{{"service call-home", service}, {"call-home", stanza}, {"call-home reporting", reporting}},
		stanza: slices.Concat(texts(ios), common, routers, []command{
			{"http secure server-identity-check", identityCheck}, {"http resolve-hostname ipv4-first", ipv4First},
			{"diagnostic-signature", unsupportedMode},
		}),
		profile: profileCommands, snapshot: snapshotCommands,
	},
	iosxr: {
		top: []command{{"call-home", stanza}},
		stanza: slices.Concat(texts(iosxr), common, routers, []command{
			{"service active", service},
			{"contact smart-licensing", elsewhere("the licensing contact's address stands elsewhere; set call_home.contact.email")},
		}),
		profile: profileCommands, snapshot: snapshotCommands,
	},
	asa: {
		top:    []command{{"service call-home", service}, {"call-home", stanza}, {"call-home reporting", reporting}},
		stanza: slices.Concat(texts(asa), common), profile: profileCommands, snapshot: snapshotCommands,
	},
	nxos: {
		top:    []command{{"callhome", stanza}, {"snmp-server contact", text(&fields[0])}},
		stanza: slices.Concat(texts(nxos), commandsNXOS),
	},
}

// common are the commands that IOS, IOS XR and the ASA share.
var common = []command{
	{"mail-server", mailServer}, {"rate-limit", rateLimit}, {"alert-group", alertGroup},
	{"alert-group-config snapshot", snapshotMode}, {"profile", profileMode},
}

// routers are the commands that IOS and IOS XR share.
var routers = []command{
	{"http-proxy", proxy}, {"data-privacy", dataPrivacy}, {"syslog-throttling", throttling},
	{"aaa-authorization", elsewhere("who may change the agent's configuration is not decided here")},
}

var snapshotCommands = []command{{"add-command", addCommand}}

// texts are the commands of the settings that are one text.
func texts(p personality.Name) (out []command) {
	for i := range fields {
		if words := fields[i].words[p]; words != "" && !strings.HasPrefix(words, "snmp-server") {
			out = append(out, command{words, text(&fields[i])})
		}
	}
	return out
}

func text(f *field) func(*importer, args) error {
	return func(im *importer, a args) error {
		at := f.at(&im.cfg)
		if a.off {
			*at = ""
			return nil
		}
		if a.rest == "" {
			return errors.New("the value is missing")
		}
		if err := errors.Join(f.check(im.limits, a.rest), plain(a.rest)); err != nil {
			return err
		}
		if f.key == "vrf" && strings.EqualFold(a.rest, defaultVRF) {
			return nil
		}
		*at = a.rest
		if f.note != "" {
			im.note("%s", f.note)
		}
		return nil
	}
}

// defaultVRF is NX-OS's name for no VRF in particular.
const defaultVRF = "default"

// stanza enters the mode; `no call-home` clears what it held.
func stanza(im *importer, a args) error {
	im.seen = true
	switch {
	case len(a.words) > 0:
		return errNotUnderstood
	case a.off:
		kept := im.cfg.CallHome
		im.cfg.CallHome, im.drafts = config.CallHome{}, nil
		im.cfg.CallHome.Enabled, im.cfg.CallHome.AnonymousReporting = kept.Enabled, kept.AnonymousReporting
		return nil
	}
	im.enter(im.tables.stanza, nil)
	return nil
}

func service(im *importer, a args) error {
	im.seen = true
	if len(a.words) > 0 {
		return errNotUnderstood
	}
	im.cfg.CallHome.Enabled = !a.off
	return nil
}

// elsewhere refuses a command with the reason why it means nothing here.
func elsewhere(reason string) func(*importer, args) error {
	return func(_ *importer, a args) error {
		if a.off {
			return nil
		}
		return errors.New(reason)
	}
}

// ignored takes a command that changes nothing here.
func ignored(*importer, args) error { return nil }

// unsupportedMode skips a mode, naming each of its lines.
func unsupportedMode(im *importer, a args) error {
	if !a.off {
		im.enter(nil, nil)
	}
	return errors.New("diagnostic signatures are not configured here")
}

func rateLimit(im *importer, a args) error {
	if a.off {
		im.cfg.CallHome.RateLimit = nil
		return nil
	}
	n, err := number(a.rest, im.limits.RateLimit.Min, im.limits.RateLimit.Max)
	if err == nil {
		im.cfg.CallHome.RateLimit = &n
	}
	return err
}

// number reads a whole number within a range.
func number(s string, low, high int) (int, error) {
	n, err := strconv.Atoi(s)
	if err != nil {
		return 0, fmt.Errorf("%q is not a whole number", cut(s))
	}
	if n < low || n > high {
		return 0, fmt.Errorf("%d is outside %d..%d", n, low, high)
	}
	return n, nil
}

// alertGroup enables or disables a group for all profiles.
func alertGroup(im *importer, a args) error {
	g, err := callhome.ParseAlertGroup(a.rest)
	if err != nil {
		return err
	}
	groups := []callhome.AlertGroup{g}
	if g == callhome.GroupAll {
		groups = subscribable[im.pers.Name]
	}
	for _, g := range groups {
		have := slices.Contains(im.cfg.CallHome.DisabledAlertGroups, g)
		switch {
		case a.off && !have:
			im.cfg.CallHome.DisabledAlertGroups = append(im.cfg.CallHome.DisabledAlertGroups, g)
		case !a.off && have:
			im.cfg.CallHome.DisabledAlertGroups = slices.DeleteFunc(im.cfg.CallHome.DisabledAlertGroups, func(d callhome.AlertGroup) bool { return d == g })
		}
	}
	return nil
}

// subscribable are the groups that a profile of the platform can subscribe to.
var subscribable = map[personality.Name][]callhome.AlertGroup{
	ios: {callhome.GroupConfiguration, callhome.GroupCrash, callhome.GroupDiagnostic, callhome.GroupEnvironment,
		callhome.GroupInventory, callhome.GroupSnapshot, callhome.GroupSyslog},
	iosxr: {callhome.GroupConfiguration, callhome.GroupCrash, callhome.GroupDiagnostic, callhome.GroupEnvironment,
		callhome.GroupInventory, callhome.GroupSnapshot, callhome.GroupSyslog},
	asa: {callhome.GroupConfiguration, callhome.GroupDiagnostic, callhome.GroupEnvironment, callhome.GroupInventory,
		callhome.GroupSnapshot, callhome.GroupSyslog, callhome.GroupTelemetry, callhome.GroupThreat},
	nxos: {callhome.GroupCiscoTAC, callhome.GroupConfiguration, callhome.GroupDiagnostic, callhome.GroupEEM,
		callhome.GroupEnvironment, callhome.GroupInventory, callhome.GroupLicense, callhome.GroupLinecard,
		callhome.GroupSupervisor, callhome.GroupSyslogGroupPort, callhome.GroupSystem, callhome.GroupTest},
}

func dataPrivacy(im *importer, a args) error {
	for i := 0; i < len(a.words); i++ {
		switch a.word(i) {
		case "hostname":
			im.cfg.CallHome.DataPrivacy.Hostname = !a.off
		case "level":
			i++
			switch level := a.word(i); {
			case a.off:
				im.cfg.CallHome.DataPrivacy.Level = ""
			case level == "normal":
				im.cfg.CallHome.DataPrivacy.Level = "normal"
			case level == "high":
				im.cfg.CallHome.DataPrivacy.Level = "high"
			default:
				return fmt.Errorf("%q is not a level; use normal or high", cut(level))
			}
		default:
			return errNotUnderstood
		}
	}
	return nil
}

func throttling(im *importer, a args) error {
	if len(a.words) > 0 {
		return errNotUnderstood
	}
	on := !a.off
	im.cfg.CallHome.DuplicateThrottling = &on
	return nil
}

func proxy(im *importer, a args) error {
	if a.off {
		im.cfg.HTTP.Proxy.Host, im.cfg.HTTP.Proxy.Port = "", 0
		return nil
	}
	port := 0
	if len(a.words) > 1 {
		n, err := number(a.words[len(a.words)-1], 1, maxPort)
		if err != nil || len(a.words) > 3 || len(a.words) == 3 && a.word(1) != "port" {
			return errors.Join(err, errNotUnderstood)
		}
		port = n
	}
	if len(a.words) == 0 {
		return errors.New("the value is missing")
	}
	if err := checkHost(a.words[0]); err != nil {
		return err
	}
	im.cfg.HTTP.Proxy.Host, im.cfg.HTTP.Proxy.Port = a.words[0], port
	return nil
}

const maxPort = 65535

// checkHost refuses what is no host name or address.
func checkHost(s string) error {
	if s == "" || strings.ContainsAny(s, " @/\r\n") {
		return fmt.Errorf("%q is not a host name or address", cut(s))
	}
	return errors.Join(personality.Field{Min: 1, Max: maxHost, Chars: personality.CharsName}.Check(s), plain(s))
}

// maxHost is the longest host name (RFC 1123 section 2.1).
const maxHost = 255

func identityCheck(im *importer, a args) error {
	im.cfg.HTTP.HTTP.AnyName = a.off
	return nil
}

func ipv4First(im *importer, a args) error {
	im.cfg.Resolver.IPv4First = !a.off
	return nil
}

func snapshotMode(im *importer, a args) error {
	if a.off {
		im.cfg.CallHome.SnapshotCommands.System = nil
		return nil
	}
	im.enter(im.tables.snapshot, nil)
	return nil
}

func addCommand(im *importer, a args) error {
	commands := &im.cfg.CallHome.SnapshotCommands.System
	if a.off {
		*commands = slices.DeleteFunc(*commands, func(c string) bool { return c == a.rest })
		return nil
	}
	var command string
	if err := im.take(&command, im.limits.Command, a.rest); err != nil {
		return err
	}
	if len(*commands) >= maxSubscriptions {
		return fmt.Errorf("there are %d commands already, and no more are taken", len(*commands))
	}
	if !slices.Contains(*commands, command) {
		*commands = append(*commands, command)
	}
	if !strings.HasPrefix(command, "show ") && !strings.HasPrefix(command, "admin show ") {
		im.note("is no show command; it runs only where collect.commands or the device's commands allow it")
	}
	return nil
}

// reporting is the one-step form: anonymous, or full reporting with the contact's address.
func reporting(im *importer, a args) error {
	im.seen = true
	switch a.word(0) {
	case "anonymous":
		im.cfg.CallHome.AnonymousReporting.Enabled = !a.off
		if a.off {
			im.cfg.CallHome.AnonymousReporting.URL = ""
			return nil
		}
		im.cfg.CallHome.AnonymousReporting.URL = tacAddress(im.pers)
		im.note("reports go to %s, as on the device; change call_home.anonymous_reporting.url where they should go elsewhere", tacAddress(im.pers))
		return im.reportingProxy(a, 1)
	case "contact-email-addr":
		if a.off || len(a.words) < 2 {
			return errNotUnderstood
		}
		if err := im.take(&im.cfg.CallHome.Contact.Email, im.limits.ContactEmail, a.words[1]); err != nil {
			return err
		}
		im.cfg.CallHome.Enabled = true
		p := im.draft(string(callhome.ProfileCiscoTAC))
		p.Active, p.email, p.http = true, false, true
		return im.reportingProxy(a, 2)
	}
	return errNotUnderstood
}

// reportingProxy reads `http-proxy HOST port N` behind the n-th argument. What the ASA counts its prompts by means
// nothing here.
func (im *importer) reportingProxy(a args, n int) error {
	rest := a.words[n:]
	if len(rest) == 0 || begins(rest, []string{"prompt"}) {
		return nil
	}
	if !begins(rest, []string{"http-proxy"}) {
		return errNotUnderstood
	}
	return proxy(im, args{line: a.line, words: rest[1:]})
}
