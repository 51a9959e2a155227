package analysis

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"time"

	"callhome"
	"callhome/codec/syslog"
	"callhome/personality"
)

// Subject is one message with what is known of its device. It is not changed.
type Subject struct {
	Message     *callhome.Message // nil for a silence
	Personality string            // empty: judged by the message
	Model       string            // empty: the message's own
	SWVersion   string            // empty: the message's own
	Device      int64             // the registry's number
	ReceivedAt  time.Time

	InventoryChanges []InventoryChange
	ConfigChanges    []ConfigChange
	Silence          *Silence
}

// Change is what happened to a part.
type Change string

// The changes.
const (
	ChangeAdded    Change = "added"
	ChangeRemoved  Change = "removed"
	ChangeReplaced Change = "replaced" // another serial number in the same place
	ChangeMoved    Change = "moved"    // the same serial number in another place, or device
	ChangeSoftware Change = "software" // another software version
)

// UnmarshalText reads a change by its name.
func (c *Change) UnmarshalText(b []byte) error {
	all := []Change{ChangeAdded, ChangeRemoved, ChangeReplaced, ChangeMoved, ChangeSoftware}
	if !slices.Contains(all, Change(b)) {
		return fmt.Errorf("change %q is not one of %s", b, words(all))
	}
	*c = Change(b)
	return nil
}

// InventoryChange is one difference between two revisions of a device's inventory.
type InventoryChange struct {
	Change     Change `yaml:"change"`
	Name       string `yaml:"name"` // product ID
	PartNo     string `yaml:"part"`
	Serial     string `yaml:"serial"`
	Slot       string `yaml:"slot"`
	OldSerial  string `yaml:"old_serial"`
	OldSlot    string `yaml:"old_slot"`
	Version    string `yaml:"version"`
	OldVersion string `yaml:"old_version"`
}

// ConfigChange is one line that came or went in a configuration.
type ConfigChange struct {
	Name  string // which configuration: running, startup
	Added bool   // false: removed
	Line  string
}

// Silence is a message that should have come.
type Silence struct {
	Group  callhome.AlertGroup `yaml:"group"` // the group whose schedule was missed
	Missed int                 `yaml:"missed"`
	Last   time.Time           `yaml:"-"` // when it came last, zero if never
	Due    time.Time           `yaml:"-"` // when it was due first
}

// eventSlack is how far the clock of a device may run ahead of ours, eventAge how long a message may have been under way,
// for its event time to be believed: a gateway keeps messages for 30 days, the receiver knows duplicates for 45.
const (
	eventSlack = time.Hour
	eventAge   = 45 * 24 * time.Hour
)

// facts are what rules compare: the message taken apart once.
type facts struct {
	s         *Subject
	m         *callhome.Message
	line      syslog.Line
	text      string // without header; tags of the line in front
	mnemonic  string
	facility  string
	program   string
	number    uint32 // message number; 0 unknown
	alert     string // named alert of call managers
	event     string // name of an event in capitals
	group     callhome.AlertGroup
	level     callhome.Level
	platforms uint16 // bits of the personalities whose rules apply
	platform  string
	model     string
	version   string
	at        time.Time // the event's time as far as it can be believed
}

var emptyMessage = &callhome.Message{}

// maxDescription bounds the text that expressions see: descriptions are one line, and 16 KiB is the longest line the
// agent takes.
const maxDescription = 16 << 10

// fill takes a subject apart.
func (f *facts) fill(s *Subject) {
	f.s, f.m = s, s.Message
	if f.m == nil {
		f.m = emptyMessage
	}
	f.readLine()
	f.group = f.m.Group
	if f.group == "" && f.m.Type != "" {
		f.group, _ = callhome.ParseAlertGroup(f.m.Type)
	}
	if s.Silence != nil && f.group == "" {
		f.group = s.Silence.Group
	}
	switch {
	case f.m.Severity != nil:
		f.level = *f.m.Severity
	case f.line.Severity >= 0:
		f.level = callhome.LevelFromSyslog(int(f.line.Severity))
	default:
		f.level = callhome.LevelNotification
	}
	f.model, f.version = firstOf(s.Model, f.m.Model), firstOf(s.SWVersion, f.m.SWVersion)
	f.setPlatform()
	f.at = s.ReceivedAt
	if t := f.m.EventTime.Time; !t.IsZero() && (s.ReceivedAt.IsZero() || t.Before(s.ReceivedAt.Add(eventSlack)) && t.After(s.ReceivedAt.Add(-eventAge))) {
		f.at = t
	}
}

// readLine parses the description as the log line it often is.
func (f *facts) readLine() {
	d := f.m.Description
	if len(d) > maxDescription {
		d = d[:maxDescription]
	}
	d = strings.TrimPrefix(d, "SYSLOG_ALERT ")
	f.line.Severity = -1
	if d == "" {
		f.event = f.m.Name
		return
	}
	parser := syslog.Parser{Pinned: pinned[f.s.Personality]}
	parser.Parse([]byte(d), f.s.ReceivedAt, &f.line)
	l := &f.line
	f.mnemonic, f.facility, f.program = string(l.Mnemonic), string(l.CoreFacility), string(l.Program)
	f.text = string(l.Text)
	if len(l.ParamRegion) > 0 && !bytes.Contains(l.Text, l.ParamRegion) {
		f.text = string(l.ParamRegion) + " " + f.text
	}
	if f.mnemonic == "" && f.program == "" {
		f.readBare()
	}
	f.number = messageNumber(l.MessageID)
	f.alert, _ = l.Param("AlertName")
	if f.alert == "" {
		f.alert = leading(f.text, isAlnum)
	}
	if f.event = leading(d, isCapital); len(f.event) < 4 {
		f.event = f.m.Name
	}
}

// readBare takes "program[pid]: text" and "TAG: text" apart where no grammar knew the line.
func (f *facts) readBare() {
	head, rest, ok := strings.Cut(f.text, ": ")
	if !ok || head == "" || strings.ContainsAny(head, " \t") {
		return
	}
	if i := strings.IndexByte(head, '['); i > 0 {
		head = head[:i]
	}
	if leading(head, isCapital) == head && len(head) > 3 {
		f.mnemonic, f.text = head, rest
		return
	}
	f.program, f.text = head, rest
	if tag, body, ok := strings.Cut(rest, ": "); ok && len(tag) > 3 && leading(tag, isCapital) == tag {
		f.mnemonic, f.text = tag, body
	}
}

func isCapital(c byte) bool { return c == '_' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' }
func isAlnum(c byte) bool {
	return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z'
}

func leading(s string, is func(byte) bool) string {
	n := 0
	for n < len(s) && is(s[n]) {
		n++
	}
	return s[:n]
}

func messageNumber(id []byte) uint32 {
	if len(id) == 0 || len(id) > 9 {
		return 0
	}
	n := uint32(0)
	for _, c := range id {
		if c < '0' || c > '9' {
			return 0
		}
		n = n*10 + uint32(c-'0')
	}
	return n
}

var (
	pinned       = map[string]syslog.Dialect{}
	platformBits = map[string]uint16{}
	dialectNames = map[string]personality.Name{"ios": personality.IOS, "nxos": personality.NXOS, "mds": personality.NXOS, "asa": personality.ASA}
)

func init() {
	for i, p := range personality.All() {
		platformBits[string(p.Name)] = 1 << i
		if len(p.Dialects) > 0 && p.Name != personality.Generic && p.Name != personality.Linux {
			pinned[string(p.Name)] = p.Dialects[0]
		}
	}
}

// setPlatform chooses whose rules apply; those of linux apply to unknown gear too, as the same daemons run there.
func (f *facts) setPlatform() {
	f.platform = strings.ToLower(f.s.Personality)
	if platformBits[f.platform] == 0 {
		f.platform = string(personality.Generic)
		if f.line.Dialect != "" && f.line.Dialect != syslog.Unknown {
			f.platform = string(personality.ForLine(&f.line).Name)
		} else if name, ok := dialectNames[strings.ToLower(f.m.Dialect)]; ok {
			f.platform = string(name)
		}
	}
	f.platforms = platformBits[f.platform]
	if f.platform == string(personality.Generic) {
		f.platforms |= platformBits[string(personality.Linux)]
	}
}

func firstOf(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}
