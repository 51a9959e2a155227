package advisory

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/gocsaf/csaf/v3/csaf"
)

// readCSAF reads a CSAF 2.0 document. What it says against the schema is a fault each, and the document is then refused.
func readCSAF(b []byte, fault func(place, format string, args ...any)) []Notice {
	var doc any
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	if err := dec.Decode(&doc); err != nil {
		fault("", "not JSON: %v", err)
		return nil
	}
	faults, err := csaf.ValidateCSAF(doc)
	if err != nil {
		fault("", "the schema could not be applied: %v", err)
		return nil
	}
	for _, f := range faults {
		place, what, _ := strings.Cut(f, ": ")
		fault(place, "%s", what)
	}
	if len(faults) > 0 {
		return nil
	}
	var adv csaf.Advisory
	if err := json.Unmarshal(b, &adv); err != nil {
		fault("", "%v", err)
		return nil
	}
	if err := adv.Validate(); err != nil {
		fault("", "%v", err)
		return nil
	}
	r := csafReader{adv: &adv, fault: fault, products: map[csaf.ProductID]Item{}}
	n := r.notice()
	n.check(fault)
	return []Notice{n}
}

// csafReader turns one document into a notice.
type csafReader struct {
	adv      *csaf.Advisory
	fault    func(place, format string, args ...any)
	products map[csaf.ProductID]Item
	config   []ConfigTest
}

// text is what a pointer points at; documents leave out much.
func text[T ~string](p *T) string {
	if p == nil {
		return ""
	}
	return string(*p)
}

func (r *csafReader) notice() Notice {
	d, track := r.adv.Document, r.adv.Document.Tracking
	n := Notice{
		Publisher: text(d.Publisher.Name), Ident: text(track.ID), Sort: SecurityAdvisory, Version: text(track.Version), Status: Status(text(track.Status)),
		Title: text(d.Title), Released: r.time("/document/tracking/initial_release_date", track.InitialReleaseDate),
		Updated: r.time("/document/tracking/current_release_date", track.CurrentReleaseDate),
	}
	if r.withdrawn() {
		n.Status = Withdrawn
	}
	if d.AggregateSeverity != nil {
		n.Impact = strings.ToLower(text(d.AggregateSeverity.Text))
	}
	for _, note := range d.Notes {
		r.note(&n, note)
	}
	for _, ref := range d.References {
		if text(ref.ReferenceCategory) == "self" && (n.URL == "" || strings.HasSuffix(n.URL, ".json")) {
			n.URL = text(ref.URL)
		}
	}
	r.tree()
	for i, v := range r.adv.Vulnerabilities {
		r.vulnerability(&n, i, v)
	}
	rate(&n)
	return n
}

// withdrawn finds documents that were taken back: by their category, or the last revision that says so.
func (r *csafReader) withdrawn() bool {
	category := strings.ToLower(text(r.adv.Document.Category))
	if category == "csaf_withdrawn" || category == "csaf_superseded" {
		return true
	}
	history := r.adv.Document.Tracking.RevisionHistory
	if len(history) == 0 {
		return false
	}
	last := slices.MaxFunc(history, func(a, b *csaf.Revision) int {
		if c, ok := CompareVersions(string(SchemeSemver), text(a.Number), text(b.Number)); ok && c != 0 {
			return c
		}
		return strings.Compare(text(a.Date), text(b.Date))
	})
	summary := strings.ToLower(text(last.Summary))
	return strings.HasPrefix(summary, "withdrawn") || strings.Contains(summary, "advisory withdrawn")
}

// noteConfiguration is the title of notes in which our operators add what CSAF has no field for: tests on the stored
// configuration, a line each, "present: EXPRESSION" or "absent: EXPRESSION".
const noteConfiguration = "call home configuration test"

func (r *csafReader) note(n *Notice, note *csaf.Note) {
	if strings.EqualFold(text(note.Title), noteConfiguration) {
		for _, line := range strings.Split(text(note.Text), "\n") {
			word, pattern, ok := strings.Cut(strings.TrimSpace(line), ":")
			switch {
			case strings.TrimSpace(line) == "":
			case ok && (word == "present" || word == "absent"):
				r.config = append(r.config, ConfigTest{Pattern: strings.TrimSpace(pattern), Absent: word == "absent"})
			default:
				r.fault("/document/notes", "%q is no test on the configuration; write \"present: EXPRESSION\" or \"absent: EXPRESSION\"", line)
			}
		}
		return
	}
	if c := text(note.NoteCategory); n.Summary == "" && (c == "summary" || c == "description") {
		n.Summary = text(note.Text)
	}
}

func (r *csafReader) time(place string, p *string) time.Time {
	if p == nil {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339, *p)
	if err != nil {
		r.fault(place, "%q is not a time", *p)
	}
	return t.UTC()
}

// maxDepth bounds the nesting of branches; known documents have up to eight levels.
const maxDepth = 30

// tree reads branches, lists of full names, and relationships. Product groups serve remediations only.
func (r *csafReader) tree() {
	t := r.adv.ProductTree
	if t == nil {
		return
	}
	r.branches("/product_tree/branches", t.Branches, nil, 0)
	if t.FullProductNames != nil {
		for _, p := range *t.FullProductNames {
			r.product(p, nil)
		}
	}
	if t.RelationShips != nil {
		for i, rel := range *t.RelationShips {
			r.relationship(i, rel)
		}
	}
}

func (r *csafReader) branches(place string, list csaf.Branches, above []*csaf.Branch, depth int) {
	if depth > maxDepth {
		r.fault(place, "branches nest deeper than %d", maxDepth)
		return
	}
	for i, b := range list {
		line := append(above[:len(above):len(above)], b)
		if b.Product != nil {
			r.product(b.Product, line)
		}
		r.branches(fmt.Sprintf("%s/%d/branches", place, i), b.Branches, line, depth+1)
	}
}

// product makes an item of a product: what it is by the branches above it, its names and its identification.
func (r *csafReader) product(p *csaf.FullProductName, above []*csaf.Branch) {
	it := Item{Name: text(p.Name)}
	words := []string{it.Name}
	for _, b := range above {
		switch name := text(b.Name); text(b.Category) {
		case "product_version":
			it.Versions = exactVersion(name)
		case "product_version_range":
			it.Versions = name
		case "product_name":
			it.Name = cmp.Or(name, it.Name)
			words = append(words, name)
		case "product_family", "vendor":
			words = append(words, name)
		}
	}
	it.Platform = platformOfProduct(strings.Join(words, " "))
	r.identify(&it, p.ProductIdentificationHelper)
	if it.Platform == "" && len(it.Products) == 0 && looksLikeProductID(it.Name) {
		it.Products = []string{it.Name}
	}
	r.products[csaf.ProductID(text(p.ProductID))] = it
}

// exactVersion is a version as a range of itself: a word of two numbers is then no branch.
func exactVersion(v string) string {
	if v == "" || v == "*" || strings.EqualFold(v, "all") || strings.HasPrefix(v, "vers:") {
		return v
	}
	return "= " + cleanVersion(v)
}

func (r *csafReader) identify(it *Item, h *csaf.ProductIdentificationHelper) {
	if h == nil {
		return
	}
	for _, list := range [][]*string{h.ModelNumbers, h.SKUs} {
		for _, m := range list {
			it.Products = append(it.Products, text(m))
		}
	}
	for _, s := range h.SerialNumbers {
		it.Serials = append(it.Serials, SerialRange{From: text(s)})
	}
	if parts := strings.Split(text(h.CPE), ":"); it.Platform == "" && len(parts) > 4 {
		it.Platform = platformOfProduct(strings.ReplaceAll(parts[3]+" "+parts[4], "_", " "))
	}
}

// relationship joins software and what it is installed on: both must hold.
func (r *csafReader) relationship(i int, rel *csaf.Relationship) {
	place := fmt.Sprintf("/product_tree/relationships/%d", i)
	a, ok1 := r.products[csaf.ProductID(text(rel.ProductReference))]
	b, ok2 := r.products[csaf.ProductID(text(rel.RelatesToProductReference))]
	if !ok1 || !ok2 {
		r.fault(place, "refers to a product that the tree does not have")
		return
	}
	it := a
	it.Name = cmp.Or(text(rel.FullProductName.Name), a.Name)
	it.Platform = cmp.Or(a.Platform, b.Platform)
	it.Versions = cmp.Or(a.Versions, b.Versions)
	it.Products = append(slices.Clone(a.Products), b.Products...)
	it.Serials = append(slices.Clone(a.Serials), b.Serials...)
	if len(it.Products) == 0 && b.Platform == "" && b.Name != "" {
		it.Products = []string{b.Name}
	}
	r.products[csaf.ProductID(text(rel.FullProductName.ProductID))] = it
}

// statuses pair the lists of a vulnerability with what they claim.
func statuses(s *csaf.ProductStatus) []struct {
	list  *csaf.Products
	claim Claim
} {
	return []struct {
		list  *csaf.Products
		claim Claim
	}{
		{s.KnownAffected, ClaimAffected}, {s.FirstAffected, ClaimAffected}, {s.LastAffected, ClaimAffected},
		{s.KnownNotAffected, ClaimNotAffected}, {s.Fixed, ClaimNotAffected}, {s.FirstFixed, ClaimNotAffected},
		{s.UnderInvestigation, ClaimUnsure},
	}
}

func (r *csafReader) vulnerability(n *Notice, at int, v *csaf.Vulnerability) {
	place := fmt.Sprintf("/vulnerabilities/%d", at)
	id := text(v.CVE)
	if id != "" {
		n.CVEs = append(n.CVEs, id)
	}
	if id == "" && len(v.IDs) > 0 {
		id = text(v.IDs[0].Text)
	}
	if id == "" {
		id = fmt.Sprintf("%s #%d", n.Ident, at+1)
	}
	for _, s := range v.Scores {
		if s.CVSS3 != nil && s.CVSS3.VectorString != nil {
			r.score(n, place+"/scores", string(*s.CVSS3.VectorString))
		}
	}
	for _, rem := range v.Remediations {
		switch text(rem.Category) {
		case "vendor_fix":
			n.Fix = cmp.Or(n.Fix, text(rem.Details))
		case "workaround", "mitigation":
			n.Workaround = cmp.Or(n.Workaround, text(rem.Details))
		}
	}
	if v.ProductStatus == nil {
		return
	}
	seen := map[string]bool{}
	for _, s := range statuses(v.ProductStatus) {
		if s.list == nil {
			continue
		}
		for _, p := range *s.list {
			it, ok := r.products[csaf.ProductID(text(p))]
			if !ok {
				r.fault(place+"/product_status", "product %q is not in the product tree", text(p))
				continue
			}
			key := string(s.claim) + "\x00" + text(p)
			if seen[key] {
				continue
			}
			seen[key] = true
			it.Vulnerability, it.Claim = id, s.claim
			if s.claim == ClaimAffected {
				it.Config = append(slices.Clone(it.Config), r.config...)
			}
			n.Items = append(n.Items, it)
		}
	}
}

func (r *csafReader) score(n *Notice, place, vector string) {
	score, err := baseScore(vector)
	if err != nil {
		r.fault(place, "CVSS vector %q: %v", vector, err)
		return
	}
	if score >= n.Score {
		n.Score, n.Vector = score, vector
	}
}
