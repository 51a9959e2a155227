package advisory

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// Our own form is a row of named columns for each item; rows of one ID make one notice. As CSV the first line names the
// columns, as JSON each row is an object in {"notices": [...]} whose lists may be lists. docs/advisories.md describes it.
var columnNames = map[string]bool{
	"id": true, "sort": true, "publisher": true, "version": true, "status": true, "title": true, "summary": true, "url": true, "impact": true, "cvss": true,
	"cves": true, "released": true, "updated": true, "workaround": true, "fix": true, "claim": true, "vulnerability": true, "platform": true, "products": true,
	"parts": true, "serials": true, "hw_versions": true, "sw_versions": true, "config_present": true, "config_absent": true,
	"announced": true, "end_of_sale": true, "end_of_software": true, "end_of_security": true, "last_support": true, "replacement": true,
}

// row is one row by column.
type row map[string]string

// rowReader joins rows to notices.
type rowReader struct {
	fault   func(place, format string, args ...any)
	notices []Notice
	index   map[string]int // by publisher and ID, lower case
}

// take adds one row; place is its line or its place in the list.
func (r *rowReader) take(place string, w row) {
	fault := func(column, format string, args ...any) { r.fault(place+", "+column, format, args...) }
	n := Notice{
		Publisher: w["publisher"], Ident: w["id"], Sort: Sort(w["sort"]), Version: w["version"], Status: Status(strings.ToLower(w["status"])), Title: w["title"],
		Summary: w["summary"], URL: w["url"], Impact: w["impact"], CVEs: words(w["cves"]), Workaround: w["workaround"], Fix: w["fix"],
	}
	day := func(column string) time.Time {
		return parseDay(w[column], func(v string) { fault(column, "%q is not a day; write 2026-03-14", v) })
	}
	n.Released, n.Updated = day("released"), day("updated")
	n.Milestones = Milestones{
		Announced: day("announced"), EndOfSale: day("end_of_sale"), EndOfSoftware: day("end_of_software"), EndOfSecurity: day("end_of_security"),
		LastSupport: day("last_support"), Replacement: w["replacement"],
	}
	if n.Sort == "" {
		n.Sort = FieldNotice
		if n.Milestones != (Milestones{}) {
			n.Sort = EndOfLife
		}
	}
	if v := w["cvss"]; v != "" {
		score, err := baseScore(v)
		if err != nil {
			fault("cvss", "%q: %v", v, err)
		}
		n.Score, n.Vector = score, v
	}
	rate(&n)
	it := Item{
		Vulnerability: w["vulnerability"], Claim: Claim(strings.ToLower(cmp.Or(w["claim"], string(ClaimAffected)))), Platform: strings.ToLower(w["platform"]),
		Products: words(w["products"]), Parts: words(w["parts"]), HWVersions: w["hw_versions"], Versions: w["sw_versions"],
	}
	for _, s := range words(w["serials"]) {
		from, to, _ := strings.Cut(s, "-")
		it.Serials = append(it.Serials, SerialRange{strings.TrimSpace(from), strings.TrimSpace(to)})
	}
	for _, p := range lines(w["config_present"]) {
		it.Config = append(it.Config, ConfigTest{Pattern: p})
	}
	for _, p := range lines(w["config_absent"]) {
		it.Config = append(it.Config, ConfigTest{Pattern: p, Absent: true})
	}
	switch it.Claim {
	case ClaimAffected, ClaimNotAffected, ClaimUnsure:
	default:
		fault("claim", "%q is not one of affected, not-affected, under-investigation", it.Claim)
	}
	if it.Platform == "" && !it.hardware() {
		fault("products", "the row names no platform, product, part or serial number: it would concern nothing")
	}
	key := strings.ToLower(n.Publisher + "\x00" + n.Ident)
	if at, known := r.index[key]; known && n.Ident != "" {
		it.check(fault)
		r.notices[at].Items = append(r.notices[at].Items, it)
		return
	}
	n.Items = []Item{it}
	n.check(fault)
	r.index[key] = len(r.notices)
	r.notices = append(r.notices, n)
}

// words are separated by semicolons or line breaks.
func words(s string) []string {
	var out []string
	for _, w := range strings.FieldsFunc(s, func(r rune) bool { return r == ';' || r == '\n' || r == '\r' }) {
		if w = strings.TrimSpace(w); w != "" {
			out = append(out, w)
		}
	}
	return out
}

// lines are separated by line breaks alone: expressions may hold semicolons.
func lines(s string) []string {
	var out []string
	for _, l := range strings.Split(s, "\n") {
		if l = strings.TrimSpace(l); l != "" {
			out = append(out, l)
		}
	}
	return out
}

// parseDay reads a day, or a time of RFC 3339; nothing stays nothing.
func parseDay(s string, bad func(string)) time.Time {
	if s = strings.TrimSpace(s); s == "" {
		return time.Time{}
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339, "2006/01/02"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC()
		}
	}
	bad(s)
	return time.Time{}
}

// maxRows bounds the rows of one file.
const maxRows = 200_000

// readCSV reads our columns; their order is free, unknown ones are faults.
func readCSV(b []byte, fault func(place, format string, args ...any)) []Notice {
	in := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(b, []byte("\ufeff"))))
	in.Comment, in.TrimLeadingSpace, in.FieldsPerRecord = '#', true, -1
	if head, _, _ := bytes.Cut(b, []byte("\n")); bytes.Count(head, []byte(";")) > bytes.Count(head, []byte(",")) {
		in.Comma = ';' // what spreadsheets write where the comma is for decimals; lists are then separated by line breaks
	}
	header, err := in.Read()
	if err != nil {
		fault("line 1", "no header line: %v", err)
		return nil
	}
	for i, h := range header {
		header[i] = strings.ToLower(strings.TrimSpace(h))
		if !columnNames[header[i]] {
			fault("line 1", "there is no column %q", h)
		}
	}
	r := rowReader{fault: fault, index: map[string]int{}}
	for n := 0; ; n++ {
		record, err := in.Read()
		if errors.Is(err, io.EOF) {
			return r.notices
		}
		place := fmt.Sprintf("row %d", n+1)
		if err == nil {
			at, _ := in.FieldPos(0)
			place = fmt.Sprintf("line %d", at)
		}
		var syntax *csv.ParseError
		switch {
		case errors.As(err, &syntax):
			fault(fmt.Sprintf("line %d:%d", syntax.Line, syntax.Column), "%v", syntax.Err)
			return r.notices
		case err != nil:
			fault(place, "%v", err)
			return r.notices
		case n >= maxRows:
			fault(place, "more than %d rows; split the file", maxRows)
			return r.notices
		case len(record) > len(header):
			fault(place, "%d fields, but the header names %d", len(record), len(header))
			continue
		}
		w := row{}
		for i, v := range record {
			w[header[i]] = strings.TrimSpace(v)
		}
		r.take(place, w)
	}
}

// readRows reads {"notices": [...]}.
func readRows(b []byte, fault func(place, format string, args ...any)) []Notice {
	var file struct {
		Notices []map[string]any `json:"notices"`
	}
	if err := json.Unmarshal(b, &file); err != nil {
		fault(syntaxPlace(b, err), "%v", err)
		return nil
	}
	r := rowReader{fault: fault, index: map[string]int{}}
	for i, o := range file.Notices[:min(len(file.Notices), maxRows)] {
		place := fmt.Sprintf("notices[%d]", i)
		w := row{}
		for key, v := range o {
			key = strings.ToLower(key)
			if !columnNames[key] {
				fault(place, "there is no field %q", key)
				continue
			}
			if text, ok := plainValue(key, v); ok {
				w[key] = strings.TrimSpace(text)
			} else {
				fault(place+", "+key, "text, a number or a list of texts is wanted")
			}
		}
		r.take(place, w)
	}
	if len(file.Notices) > maxRows {
		fault("notices", "more than %d rows; split the file", maxRows)
	}
	return r.notices
}

// plainValue is a JSON value as a cell of CSV.
func plainValue(key string, v any) (string, bool) {
	switch v := v.(type) {
	case nil:
		return "", true
	case string:
		return v, true
	case float64:
		return fmt.Sprintf("%v", v), true
	case []any:
		var out []string
		for _, e := range v {
			text, ok := e.(string)
			if !ok {
				return "", false
			}
			out = append(out, text)
		}
		separator := ";"
		if strings.HasPrefix(key, "config_") {
			separator = "\n"
		}
		return strings.Join(out, separator), true
	}
	return "", false
}

// eoxRecord is a record of the EoX version 5 interface of Cisco, as its public documentation names the fields.
type eoxRecord struct {
	ProductID   string `json:"EOLProductID"`
	Description string `json:"ProductIDDescription"`
	Bulletin    string `json:"ProductBulletinNumber"`
	URL         string `json:"LinkToProductBulletinURL"`
	Announced   eoxDay `json:"EOXExternalAnnouncementDate"`
	Sale        eoxDay `json:"EndOfSaleDate"`
	Software    eoxDay `json:"EndOfSWMaintenanceReleases"`
	Security    eoxDay `json:"EndOfSecurityVulSupportDate"`
	Support     eoxDay `json:"LastDateOfSupport"`
	Updated     eoxDay `json:"UpdatedTimeStamp"`
	Migration   struct {
		Product string `json:"MigrationProductId"`
	} `json:"EOXMigrationDetails"`
}

type eoxDay struct {
	Value string `json:"value"`
}

// readEoX reads {"EOXRecord": [...]}. A bulletin concerns many products; each becomes an item with the bulletin's days, so
// the notice is one bulletin and product.
func readEoX(b []byte, fault func(place, format string, args ...any)) []Notice {
	var file struct {
		Records []eoxRecord `json:"EOXRecord"`
	}
	if err := json.Unmarshal(b, &file); err != nil {
		fault(syntaxPlace(b, err), "%v", err)
		return nil
	}
	r := rowReader{fault: fault, index: map[string]int{}}
	for i, e := range file.Records[:min(len(file.Records), maxRows)] {
		place := fmt.Sprintf("EOXRecord[%d]", i)
		if e.Bulletin == "" || e.ProductID == "" {
			fault(place, "a record needs ProductBulletinNumber and EOLProductID")
			continue
		}
		r.take(place, row{
			"publisher": "Cisco", "id": e.Bulletin + "/" + e.ProductID, "sort": string(EndOfLife), "title": "End of life of " + e.ProductID, "summary": e.Description, "url": e.URL,
			"announced": e.Announced.Value, "end_of_sale": e.Sale.Value, "end_of_software": e.Software.Value, "end_of_security": e.Security.Value,
			"last_support": e.Support.Value, "updated": e.Updated.Value, "replacement": e.Migration.Product, "products": e.ProductID,
		})
	}
	return r.notices
}

// syntaxPlace is line and column of a JSON error.
func syntaxPlace(b []byte, err error) string {
	var offset int64
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		offset = syntax.Offset
	case errors.As(err, &kind):
		offset = kind.Offset
	default:
		return ""
	}
	head := b[:min(int(offset), len(b))]
	return fmt.Sprintf("line %d:%d", bytes.Count(head, []byte("\n"))+1, len(head)-bytes.LastIndexByte(head, '\n')-1)
}
