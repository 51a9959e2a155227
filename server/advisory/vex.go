package advisory

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/gocsaf/csaf/v3/csaf"
)

// Assessment is one notice and the answer for a device, whether it is kept or not.
type Assessment struct {
	Notice Notice `json:"notice"` // without items
	Result Result `json:"result"`
}

// Assess holds a device against all notices that may concern it, as things are now, without keeping anything: what pages
// and exports show. Devices without a notice's products are left out. Worst first.
func Assess(ctx context.Context, store Store, f Facts) ([]Assessment, error) {
	ids, err := store.Candidates(ctx, f.keys())
	if err != nil {
		return nil, err
	}
	var out []Assessment
	m := newMemo()
	for _, id := range ids {
		n, err := store.Notice(ctx, id)
		if err != nil {
			return nil, err
		}
		res, err := m.match(&n, &f)
		if err != nil {
			return nil, err
		}
		if n.Items = nil; res.State != NoConcern {
			out = append(out, Assessment{Notice: n, Result: res})
		}
	}
	slices.SortStableFunc(out, func(a, b Assessment) int {
		return cmp.Or(ranks[b.Result.State]-ranks[a.Result.State], cmp.Compare(b.Notice.Score, a.Notice.Score))
	})
	return out, nil
}

// Issuer is who publishes a VEX document.
type Issuer struct {
	Name      string // such as the operator's company
	Namespace string // URI under the issuer's control
	Contact   string
	Version   string // of this program
}

// The issuer's defaults.
const (
	defaultIssuer    = "Callhome"
	defaultNamespace = "https://callhome.example"
)

// ExportVEX writes the security advisories among the assessments of a device as a CSAF 2.0 document of the profile VEX:
// affected and not affected with the evidence, unknown as under investigation. ok is false when there is none: the
// profile has no empty document.
func ExportVEX(f Facts, list []Assessment, by Issuer, at time.Time) (document []byte, ok bool, err error) {
	e := vexExport{index: map[string]int{}}
	for _, a := range list {
		if a.Notice.Sort == SecurityAdvisory {
			e.add(a)
		}
	}
	if len(e.vulnerabilities) == 0 {
		return nil, false, nil
	}
	doc := csaf.Advisory{Document: vexDocument(f, by, at), ProductTree: vexProduct(f), Vulnerabilities: e.vulnerabilities}
	document, err = json.MarshalIndent(&doc, "", "  ")
	return document, true, err
}

// ref gives what the library's types want: pointers.
func ref[T any](v T) *T { return &v }

// vexDevice is the product ID of the device within its document.
const vexDevice = csaf.ProductID("device")

func vexDocument(f Facts, by Issuer, at time.Time) *csaf.Document {
	day := at.UTC().Format(time.RFC3339)
	return &csaf.Document{
		Category: ref(csaf.DocumentCategory("csaf_vex")), CSAFVersion: ref(csaf.Version("2.0")), Title: ref("Vulnerability status of " + vexName(f)),
		Publisher: &csaf.DocumentPublisher{
			Category: ref(csaf.Category("user")), Name: ref(cmp.Or(by.Name, defaultIssuer)), Namespace: ref(cmp.Or(by.Namespace, defaultNamespace)), ContactDetails: orNil(by.Contact),
		},
		Tracking: &csaf.Tracking{
			ID: ref(csaf.TrackingID(fmt.Sprintf("callhome-vex-%d-%d", f.Device, at.Unix()))), Status: ref(csaf.TrackingStatus("final")), Version: ref(csaf.RevisionNumber("1")),
			InitialReleaseDate: &day, CurrentReleaseDate: &day,
			Generator:       &csaf.Generator{Engine: &csaf.Engine{Name: ref("callhome"), Version: orNil(by.Version)}, Date: &day},
			RevisionHistory: csaf.Revisions{{Date: &day, Number: ref(csaf.RevisionNumber("1")), Summary: ref("Made from the stored inventory and configuration.")}},
		},
	}
}

func orNil(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func vexName(f Facts) string {
	name := strings.TrimSpace(cmp.Or(f.Model, "device") + " " + f.Serial)
	if f.SWVersion != "" {
		name += " with " + strings.TrimSpace(f.Platform+" "+f.SWVersion)
	}
	return name
}

func vexProduct(f Facts) *csaf.ProductTree {
	help := &csaf.ProductIdentificationHelper{}
	if f.Model != "" {
		help.ModelNumbers = []*string{&f.Model}
	}
	if f.Serial != "" {
		help.SerialNumbers = []*string{&f.Serial}
	}
	if f.Model == "" && f.Serial == "" {
		help = nil
	}
	return &csaf.ProductTree{FullProductNames: &csaf.FullProductNames{{Name: ref(vexName(f)), ProductID: ref(vexDevice), ProductIdentificationHelper: help}}}
}

// vexExport gathers vulnerabilities; one that several notices tell of stands once, with its worst state.
type vexExport struct {
	vulnerabilities csaf.Vulnerabilities
	index           map[string]int
	states          []State
}

var formCVE = regexp.MustCompile(`^CVE-\d{4}-\d{4,}$`)

func (e *vexExport) add(a Assessment) {
	for _, v := range a.Result.Verdicts {
		id := cmp.Or(v.Vulnerability, a.Notice.Ident)
		one := vexVulnerability(a.Notice, id, v)
		at, known := e.index[id]
		if !known {
			e.index[id] = len(e.vulnerabilities)
			e.vulnerabilities = append(e.vulnerabilities, one)
			e.states = append(e.states, v.State)
			continue
		}
		if ranks[v.State] > ranks[e.states[at]] {
			e.vulnerabilities[at], e.states[at] = one, v.State
		}
	}
}

func vexVulnerability(n Notice, id string, v Verdict) *csaf.Vulnerability {
	products := &csaf.Products{ref(vexDevice)}
	out := &csaf.Vulnerability{
		Title: ref(n.Title), ProductStatus: &csaf.ProductStatus{},
		Notes: csaf.Notes{{NoteCategory: ref(csaf.NoteCategory("details")), Title: ref("Evidence"), Text: ref(evidenceText(v))}},
	}
	if formCVE.MatchString(id) {
		out.CVE = ref(csaf.CVE(id))
	} else {
		out.IDs = csaf.VulnerabilityIDs{{SystemName: ref(cmp.Or(n.Publisher, "publisher")), Text: &id}}
	}
	if n.URL != "" {
		out.References = csaf.References{{ReferenceCategory: ref("external"), Summary: ref(n.Ident), URL: &n.URL}}
	}
	switch v.State {
	case Affected:
		out.ProductStatus.KnownAffected = products
		category, details := "none_available", "No fix is known; see the advisory."
		switch {
		case n.Fix != "":
			category, details = "vendor_fix", n.Fix
		case n.Workaround != "":
			category, details = "workaround", n.Workaround
		}
		out.Remediations = csaf.Remediations{{Category: ref(csaf.RemediationCategory(category)), Details: &details, ProductIds: products}}
	case NotAffected:
		out.ProductStatus.KnownNotAffected = products
		out.Threats = csaf.Threats{{Category: ref(csaf.ThreatCategory("impact")), Details: ref("Not affected. " + evidenceText(v)), ProductIds: products}}
	default:
		out.ProductStatus.UnderInvestigation = products
	}
	return out
}

func evidenceText(v Verdict) string {
	if len(v.Evidence) == 0 {
		return "Nothing that the advisory asks for was found."
	}
	var texts []string
	for _, e := range v.Evidence {
		texts = append(texts, e.Text())
	}
	return strings.Join(texts, "; ") + "."
}
