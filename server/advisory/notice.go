package advisory

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"time"

	"callhome"
)

// Sort says what kind of notice it is.
type Sort string

// The sorts.
const (
	SecurityAdvisory Sort = "security-advisory"
	FieldNotice      Sort = "field-notice"
	EndOfLife        Sort = "end-of-life"
)

// Sorts are all sorts, in the order in which pages show them.
var Sorts = []Sort{SecurityAdvisory, FieldNotice, EndOfLife}

// Status says how far a notice is.
type Status string

// The statuses; those before Withdrawn are CSAF's.
const (
	Draft     Status = "draft"
	Interim   Status = "interim"
	Final     Status = "final"
	Withdrawn Status = "withdrawn" // concerns nobody any more
)

// Notice is what a maker published, whatever the form it came in. Publisher and Ident name it for good; ID is the store's.
type Notice struct {
	ID         int64      `json:"id,omitempty"`
	Publisher  string     `json:"publisher"`
	Ident      string     `json:"ident"` // tracking ID, field notice number, bulletin number
	Sort       Sort       `json:"sort"`
	Version    string     `json:"version"` // of the notice: an integer, or as semver.org has it
	Status     Status     `json:"status"`
	Title      string     `json:"title"`
	Summary    string     `json:"summary,omitempty"`
	URL        string     `json:"url,omitempty"`
	Impact     string     `json:"impact,omitempty"` // critical, high, medium, low, none: as published, else by the score
	Score      float64    `json:"score,omitempty"`  // highest CVSS base score, 0 to 10
	Vector     string     `json:"vector,omitempty"` // its CVSS vector
	CVEs       []string   `json:"cves,omitempty"`
	Released   time.Time  `json:"released,omitzero"`
	Updated    time.Time  `json:"updated,omitzero"`
	Workaround string     `json:"workaround,omitempty"`
	Fix        string     `json:"fix,omitempty"` // what to change to
	Milestones Milestones `json:"milestones,omitzero"`
	Items      []Item     `json:"items"`
}

// Milestones are the days in the end of a product's life; zero is unknown.
type Milestones struct {
	Announced     time.Time `json:"announced,omitzero"`
	EndOfSale     time.Time `json:"end_of_sale,omitzero"`
	EndOfSoftware time.Time `json:"end_of_software,omitzero"` // last maintenance release
	EndOfSecurity time.Time `json:"end_of_security,omitzero"` // last fix of vulnerabilities
	LastSupport   time.Time `json:"last_support,omitzero"`
	Replacement   string    `json:"replacement,omitempty"`
}

// Phase is where in the end of its life a product is at t, in words: the last milestone that has passed.
func (m Milestones) Phase(t time.Time) string {
	phase := ""
	for _, s := range m.steps() {
		if !s.at.IsZero() && !t.Before(s.at) {
			phase = s.word
		}
	}
	return phase
}

// Next is the next milestone after t, ok is false when there is none.
func (m Milestones) Next(t time.Time) (word string, at time.Time, ok bool) {
	for _, s := range m.steps() {
		if s.at.After(t) && (!ok || s.at.Before(at)) {
			word, at, ok = s.word, s.at, true
		}
	}
	return word, at, ok
}

type step struct {
	word string
	at   time.Time
}

func (m Milestones) steps() []step {
	return []step{
		{"end of life announced", m.Announced}, {"end of sale", m.EndOfSale}, {"end of software maintenance", m.EndOfSoftware},
		{"end of vulnerability support", m.EndOfSecurity}, {"end of support", m.LastSupport},
	}
}

// Claim is what a notice says of the devices that an item describes.
type Claim string

// The claims.
const (
	ClaimAffected    Claim = "affected"
	ClaimNotAffected Claim = "not-affected" // fixed versions too
	ClaimUnsure      Claim = "under-investigation"
)

// Item describes devices: all that is set must hold. Patterns are compared without regard to case; "*" stands for any
// characters and "?" for one.
type Item struct {
	Vulnerability string        `json:"vulnerability,omitempty"` // CVE or the maker's own number; "" is the notice as a whole
	Claim         Claim         `json:"claim"`
	Name          string        `json:"name,omitempty"`     // of the product, as published
	Platform      string        `json:"platform,omitempty"` // software platform, as server/inventory tells it
	Products      []string      `json:"products,omitempty"` // patterns of product IDs: chassis or unit, one of them
	Parts         []string      `json:"parts,omitempty"`    // patterns of part numbers, of the same chassis or unit
	Serials       []SerialRange `json:"serials,omitempty"`  // of the same chassis or unit
	HWVersions    string        `json:"hw_versions,omitempty"`
	Versions      string        `json:"sw_versions,omitempty"` // see ParseRange
	Config        []ConfigTest  `json:"config,omitempty"`      // all must hold
}

// SerialRange is an inclusive range of serial numbers of one length and one beginning, or a single one.
type SerialRange struct {
	From string `json:"from"`
	To   string `json:"to,omitempty"` // "" is From alone
}

// ConfigTest asks for a line of the stored configuration.
type ConfigTest struct {
	Pattern string `json:"pattern"`          // RE2, for a line
	Absent  bool   `json:"absent,omitempty"` // no line may match
}

// hardware reports whether an item asks for a chassis or unit, and not for software alone.
func (i *Item) hardware() bool {
	return len(i.Products)+len(i.Parts)+len(i.Serials) > 0 || i.HWVersions != ""
}

// Hash is the same for the same content, whatever the ID.
func (n Notice) Hash() string {
	n.ID = 0
	b, err := json.Marshal(n)
	if err != nil { // strings, numbers, times and lists of them always marshal
		panic(err)
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:16])
}

// Limits on what a notice may hold; the longest public ones have some thousand products.
const (
	maxItems    = 50_000
	maxPattern  = 512 // bytes of an expression on configurations
	maxIdent    = 128
	maxSummary  = 16 << 10
	maxProducts = 4096 // patterns of one item
)

// check tells what is missing or wrong; place says where in the file the notice stands.
func (n *Notice) check(fault func(place, format string, args ...any)) {
	if n.Ident == "" || len(n.Ident) > maxIdent {
		fault("id", "a notice needs an ID of at most %d characters", maxIdent)
	}
	if len(n.Publisher) > maxIdent || strings.ContainsRune(n.Publisher+n.Ident, 0) {
		fault("publisher", "publisher and ID have at most %d characters each, none of them zero", maxIdent)
	}
	if n.Title == "" {
		fault("title", "a notice needs a title")
	}
	if n.Version == "" {
		n.Version = "1"
	}
	if _, ok := CompareVersions(string(SchemeSemver), n.Version, "0"); !ok {
		fault("version", "%q is not a version of a notice; use an integer or three numbers with dots", n.Version)
	}
	switch n.Sort {
	case SecurityAdvisory, FieldNotice, EndOfLife:
	default:
		fault("sort", "%q is not one of security-advisory, field-notice, end-of-life", n.Sort)
	}
	switch n.Status {
	case "":
		n.Status = Final
	case Draft, Interim, Final, Withdrawn:
	default:
		fault("status", "%q is not one of draft, interim, final, withdrawn", n.Status)
	}
	if len(n.Items) > maxItems {
		fault("products", "%d items; at most %d are taken", len(n.Items), maxItems)
		n.Items = n.Items[:maxItems]
	}
	n.Summary = n.Summary[:min(len(n.Summary), maxSummary)]
	for i := range n.Items {
		n.Items[i].check(fault)
	}
}

func (i *Item) check(fault func(place, format string, args ...any)) {
	if i.Platform != "" {
		if _, ok := SchemeOf(i.Platform); !ok {
			fault("platform", "%q is not a platform; use ios, iosxe, iosxr, nxos, asa, ucm, junos, eos, linux or generic", i.Platform)
		}
	}
	if len(i.Products) > maxProducts || len(i.Parts) > maxProducts {
		fault("products", "more than %d patterns in one item", maxProducts)
	}
	for _, text := range []struct{ place, value string }{{"sw_versions", i.Versions}, {"hw_versions", i.HWVersions}} {
		if text.value != "" {
			if _, err := ParseRange(text.value); err != nil {
				fault(text.place, "%v", err)
			}
		}
	}
	for _, p := range slices.Concat(i.Products, i.Parts) {
		if len(p) > maxIdent || strings.ContainsRune(p, 0) {
			fault("products", "a product or part has at most %d characters, none of them zero", maxIdent)
		}
	}
	for _, s := range i.Serials {
		if s.To != "" && (len(s.From) != len(s.To) || strings.ToUpper(s.From) > strings.ToUpper(s.To)) {
			fault("serials", "%s-%s is no range: both ends need one length, the lower one first", s.From, s.To)
		}
	}
	for _, c := range i.Config {
		if _, err := configPattern(c.Pattern); err != nil {
			fault("config", "%v", err)
		}
	}
}

// configPattern compiles an expression for lines of configurations.
func configPattern(p string) (*regexp.Regexp, error) {
	if p == "" || len(p) > maxPattern {
		return nil, callhome.Errorf(callhome.KindInvalid, "an expression on configurations has 1 to %d characters", maxPattern)
	}
	re, err := regexp.Compile(`(?mi)` + p)
	if err != nil {
		return nil, callhome.Errorf(callhome.KindInvalid, "expression on configurations: %w", err)
	}
	return re, nil
}
