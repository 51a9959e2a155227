package notify

import (
	"bytes"
	"embed"
	"fmt"
	htmltemplate "html/template"
	"strings"
	texttemplate "text/template"
	"unicode/utf8"
)

//go:embed templates/*.tmpl
var templates embed.FS

var words = map[string]any{"indent": indent, "pad": pad, "underline": underline}

var (
	textForms = texttemplate.Must(texttemplate.New("").Funcs(words).ParseFS(templates, "templates/*.txt.tmpl"))
	htmlForms = htmltemplate.Must(htmltemplate.New("").Funcs(words).ParseFS(templates, "templates/*.html.tmpl"))
)

// view is what the templates of one notice see.
type view struct {
	Notice  *Notice
	Content *Content
	Link    string
	Colour  string
	Remarks []string
	Portal  string
}

func (p *Postman) view(n *Notice, remarks []string) *view {
	return &view{Notice: n, Content: &n.Content, Link: p.link(n.Content.Link), Colour: colour(n), Remarks: remarks, Portal: strings.TrimRight(p.cfg.Portal, "/")}
}

// link is a path of the portal as an address; without a portal's address there is none.
func (p *Postman) link(path string) string {
	switch {
	case strings.HasPrefix(path, "https://"), strings.HasPrefix(path, "http://"):
		return path
	case path == "" || p.cfg.Portal == "":
		return ""
	}
	return strings.TrimRight(p.cfg.Portal, "/") + path
}

// colour of a notice's bar, by level: dark enough for white text.
func colour(n *Notice) string {
	switch {
	case n.Kind == KindCaseResolved, n.Kind == KindRegistrationComplete, n.Kind == KindTestSuccess:
		return "#1e6b3a"
	case n.Level >= 6:
		return "#9b1c1c"
	case n.Level >= 4:
		return "#9a4a00"
	}
	return "#1f4e79"
}

func render(v *view) (text, html []byte, err error) { return execute("notice", v) }

func execute(form string, v any) (text, html []byte, err error) {
	var t, h bytes.Buffer
	if err := textForms.ExecuteTemplate(&t, form+".txt.tmpl", v); err != nil {
		return nil, nil, fmt.Errorf("text of a notice: %w", err)
	}
	if err := htmlForms.ExecuteTemplate(&h, form+".html.tmpl", v); err != nil {
		return nil, nil, fmt.Errorf("html of a notice: %w", err)
	}
	return t.Bytes(), h.Bytes(), nil
}

// digestView is what the templates of a digest see.
type digestView struct {
	Subject string
	Lead    string
	Groups  []digestGroup
	More    int64 // not shown
	Portal  string
}

type digestGroup struct {
	Title string
	Items []digestItem
}

type digestItem struct {
	At, Subject, Lead, Link string
}

// titles of the kinds in a digest.
var titles = map[Kind]string{
	KindCaseOpened: "Service requests opened", KindCaseUpdated: "Service requests updated", KindCaseResolved: "Service requests resolved",
	KindRecommendation: "Recommendations", KindInventoryChange: "Inventory", KindConfigurationChange: "Configurations",
	KindConfigurationFinding: "Configuration findings", KindAdvisory: "Advisories and field notices", KindEndOfLife: "End of life",
	KindDeviceSilent: "Silent devices", KindContractExpiring: "Contracts", KindRegistrationRequired: "Devices to register",
	KindRegistrationComplete: "Registered devices", KindRegistrationExpiring: "Registrations that end", KindExceptionReport: "Exceptions",
	KindCommandOutput: "Output of commands", KindRequestResult: "Answers to requests", KindTestSuccess: "Test messages", KindPage: "Calls",
}

func (p *Postman) digestView(d *Digest) *digestView {
	v := &digestView{More: d.Total - int64(len(d.Mails)), Portal: strings.TrimRight(p.cfg.Portal, "/")}
	v.Subject = fmt.Sprintf("%d notices of %s", d.Total, d.DueAt.UTC().Format(day))
	v.Lead = "What you chose to hear of once a day."
	if d.Held {
		v.Subject = fmt.Sprintf("%d notices were held back", d.Total)
		v.Lead = "So many notices were for you within an hour that these were held back. They are in your inbox too."
	}
	for _, kind := range Kinds() {
		g := digestGroup{Title: titles[kind]}
		for i := range d.Mails {
			n := &d.Mails[i].Notice
			if n.Kind == kind {
				g.Items = append(g.Items, digestItem{n.At.UTC().Format("2006-01-02 15:04"), n.Subject, n.Content.Lead, p.link(n.Content.Link)})
			}
		}
		if len(g.Items) > 0 {
			v.Groups = append(v.Groups, g)
		}
	}
	return v
}

func renderDigest(v *digestView) (text, html []byte, err error) { return execute("digest", v) }

func indent(s string) string { return "  " + strings.ReplaceAll(s, "\n", "\n  ") }

// pad fills a name with blanks, so that the values of facts stand below each other.
func pad(s string) string {
	return s + ":" + strings.Repeat(" ", max(1, 20-utf8.RuneCountInString(s)))
}

func underline(s string) string { return s + "\n" + strings.Repeat("-", utf8.RuneCountInString(s)) }
