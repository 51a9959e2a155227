package analysis

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"callhome"
)

// Class is the field a rule belongs to.
type Class string

// The classes.
const (
	ClassEnvironment   Class = "environment"
	ClassHardware      Class = "hardware"
	ClassCrash         Class = "crash"
	ClassMemory        Class = "memory"
	ClassRedundancy    Class = "redundancy"
	ClassRouting       Class = "routing"
	ClassSwitching     Class = "switching"
	ClassSecurity      Class = "security"
	ClassLicence       Class = "licence"
	ClassConfiguration Class = "configuration"
	ClassLinux         Class = "linux"
	ClassCallManager   Class = "callmanager"
)

// Classes lists all classes in a fixed order.
func Classes() []Class {
	return []Class{
		ClassEnvironment, ClassHardware, ClassCrash, ClassMemory, ClassRedundancy, ClassRouting, ClassSwitching,
		ClassSecurity, ClassLicence, ClassConfiguration, ClassLinux, ClassCallManager,
	}
}

// UnmarshalText reads a class by its name.
func (c *Class) UnmarshalText(b []byte) error {
	if !slices.Contains(Classes(), Class(b)) {
		return fmt.Errorf("class %q is not one of %s", b, words(Classes()))
	}
	*c = Class(b)
	return nil
}

// Outcome is what a finding asks for.
type Outcome string

// The outcomes, the lighter first.
const (
	OutcomeInformation    Outcome = "information"
	OutcomeRecommendation Outcome = "recommendation"
	OutcomeServiceRequest Outcome = "service_request"
)

// UnmarshalText reads an outcome by its name.
func (o *Outcome) UnmarshalText(b []byte) error {
	all := []Outcome{OutcomeInformation, OutcomeRecommendation, OutcomeServiceRequest}
	if !slices.Contains(all, Outcome(b)) {
		return fmt.Errorf("outcome %q is not one of %s", b, words(all))
	}
	*o = Outcome(b)
	return nil
}

func words[T ~string](all []T) string {
	out := make([]string, len(all))
	for i, w := range all {
		out[i] = string(w)
	}
	return strings.Join(out, ", ")
}

// Pack is a set of rules with a name and a version, as read from one file.
type Pack struct {
	Name        string  `yaml:"name"`
	Version     string  `yaml:"version"`
	Description string  `yaml:"description"`
	Rules       []*Rule `yaml:"rules"`

	File   string            `yaml:"-"` // where it came from, for messages
	Signer string            `yaml:"-"` // fingerprint of the key that signed it, "" for an unsigned one
	places map[string]string // key path ▸ file:line:column
}

// Rule is one rule of a pack. Templates hold ${name} for what was captured; docs/rules.md lists the names.
type Rule struct {
	ID    string `yaml:"id"` // stable: findings, cases and `clears` refer to it
	Name  string `yaml:"name"`
	Class Class  `yaml:"class"`
	Match Match  `yaml:"match"`

	Outcome  Outcome         `yaml:"outcome"`
	Severity *callhome.Level `yaml:"severity"` // nil: the message's own level

	Title          string `yaml:"title"`
	Diagnosis      string `yaml:"diagnosis"`
	Recommendation string `yaml:"recommendation"`
	Component      string `yaml:"component"` // what it is about, for people: "power supply 2"
	Key            string `yaml:"key"`       // what findings are joined by; empty: the component

	State  callhome.EventState `yaml:"state"`  // raise, clear or none
	Clears []string            `yaml:"clears"` // rules whose findings with the same key have ended

	Team       string            `yaml:"team"`
	Labels     map[string]string `yaml:"labels"`
	References []string          `yaml:"references"` // titles of public documents
	Samples    Samples           `yaml:"samples"`

	path string // key path inside the pack
}

// Match says when a rule holds. All parts that are given must hold; of a list one entry is enough.
type Match struct {
	On        []string              `yaml:"on"`    // keys of the line: see docs/rules.md
	Types     []string              `yaml:"types"` // message types, globs
	Subtypes  []string              `yaml:"subtypes"`
	Groups    []callhome.AlertGroup `yaml:"groups"`
	Severity  Range                 `yaml:"severity"`
	Platforms []string              `yaml:"platforms"`
	Models    []string              `yaml:"models"`   // globs
	Versions  []string              `yaml:"versions"` // constraints such as ">=15.2 <16"

	Text    string `yaml:"text"`     // expression that the text matches; named groups are captured
	NotText string `yaml:"not_text"` // expression that the text must not match
	Capture string `yaml:"capture"`  // expression that only captures: it need not match

	Attachments []AttachmentMatch `yaml:"attachments"`
	Inventory   *InventoryMatch   `yaml:"inventory"`
	Config      *ConfigMatch      `yaml:"config"`
	Silence     *SilenceMatch     `yaml:"silence"`

	History *HistoryMatch `yaml:"history"`
	Trend   *TrendMatch   `yaml:"trend"`
	When    string        `yaml:"when"` // expression over what is known
}

// Range bounds the level of a message, both ends included.
type Range struct {
	Min *callhome.Level `yaml:"min"`
	Max *callhome.Level `yaml:"max"`
}

// AttachmentMatch looks into the output of commands. Of Line, Pattern, TextFSM and Absent at least one is given.
type AttachmentMatch struct {
	Command []string `yaml:"command"` // globs of command names, without regard to case
	Line    string   `yaml:"line"`    // expression for single lines: each line that matches is a row
	Pattern string   `yaml:"pattern"` // expression over the whole text: each match is a row
	TextFSM string   `yaml:"textfsm"` // template: each record is a row
	Where   string   `yaml:"where"`   // expression that keeps a row
	Absent  string   `yaml:"absent"`  // no line may match; never holds for a text that was cut
}

// InventoryMatch waits for changes of the inventory.
type InventoryMatch struct {
	Changes []Change `yaml:"changes"`
	Names   []string `yaml:"names"` // globs of the part's name
	Slots   []string `yaml:"slots"` // globs of its place

	NotNames []string `yaml:"not_names"` // globs of parts, and of places, that another rule is for
	NotSlots []string `yaml:"not_slots"`
}

// ConfigMatch waits for lines that came or went in a configuration. Where both are given, both must have happened.
type ConfigMatch struct {
	Added   string `yaml:"added"`
	Removed string `yaml:"removed"`
}

// SilenceMatch waits for a message that did not come.
type SilenceMatch struct {
	Groups []callhome.AlertGroup `yaml:"groups"` // empty: any
	Missed int                   `yaml:"missed"` // periods, at least; 0: 1
}

// HistoryMatch holds when this is at least the Count-th time within a window.
type HistoryMatch struct {
	Count  int           `yaml:"count"`
	Within time.Duration `yaml:"within"`
}

// TrendMatch holds when a captured number rises over a window: the newer half of the samples lies above the older half,
// and the last is at least Rise above the first.
type TrendMatch struct {
	Of      string        `yaml:"of"` // name of the captured number
	Samples int           `yaml:"samples"`
	Within  time.Duration `yaml:"within"`
	Rise    float64       `yaml:"rise"` // negative: it falls
}

// Limits of packs. They are far above what people write and bound what a hostile file can cost.
const (
	maxPackBytes    = 4 << 20              // the shipped packs together have a tenth of it
	maxRules        = 5000                 // of one pack
	maxExpression   = 4 << 10              // bytes of one expression or template
	maxWindow       = 366 * 24 * time.Hour // observations are kept no longer
	maxHistoryCount = 10000
)

var idPattern = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

// fault is an error at the place of a key path, or of the nearest one above it that has a place.
func (p *Pack) fault(path, format string, args ...any) error {
	at := p.File
	for key := path; ; {
		if place, ok := p.places[key]; ok {
			at = place
			break
		}
		i := strings.LastIndexAny(key, ".[")
		if i < 0 {
			break
		}
		key = key[:i]
	}
	msg := fmt.Sprintf(format, args...)
	if path != "" {
		msg = path + ": " + msg
	}
	return &callhome.Error{Kind: callhome.KindInvalid, Path: at, Msg: msg}
}
