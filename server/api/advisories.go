package api

import (
	"context"
	"net/http"
	"time"

	"callhome"
	"callhome/server/account"
	"callhome/server/advisory"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

// ImportAdvisories imports a file of notices and holds all devices against what is new in it; the conductor does. It
// writes the audit log itself.
type ImportAdvisories func(ctx context.Context, name string, file []byte, by account.Principal) (AdvisoryImport, error)

// AdvisoryImport is what an import came to.
type AdvisoryImport struct {
	Notices  int      `json:"notices" doc:"New, or changed"`
	Same     int      `json:"same"`
	Affected int      `json:"affected" doc:"Devices newly affected, over all notices"`
	Faults   []string `json:"faults,omitempty"`
}

// Advisory is what a maker published: a security advisory, a field notice, or an end of life.
type Advisory struct {
	ID          ID                  `json:"id"`
	Publisher   string              `json:"publisher"`
	Ident       string              `json:"ident"`
	Sort        advisory.Sort       `json:"sort" doc:"security-advisory, field-notice or end-of-life"`
	Version     string              `json:"version"`
	Status      advisory.Status     `json:"status" doc:"draft, interim, final or withdrawn"`
	Title       string              `json:"title"`
	Summary     string              `json:"summary,omitempty"`
	URL         string              `json:"url,omitempty"`
	Impact      string              `json:"impact,omitempty"`
	Score       float64             `json:"score,omitempty"`
	Vector      string              `json:"vector,omitempty"`
	CVEs        []string            `json:"cves,omitempty"`
	Released    time.Time           `json:"released,omitzero"`
	Updated     time.Time           `json:"updated,omitzero"`
	Workaround  string              `json:"workaround,omitempty"`
	Fix         string              `json:"fix,omitempty"`
	Milestones  advisory.Milestones `json:"milestones,omitzero"`
	Affected    int64               `json:"affected" doc:"Devices within reach"`
	NotAffected int64               `json:"not_affected"`
	Unknown     int64               `json:"unknown"`
	Items       []advisory.Item     `json:"items,omitempty" doc:"The devices that it describes; left out in lists"`
}

// Match is what an advisory means for a device.
type Match struct {
	ID       ID                  `json:"id"`
	Advisory ID                  `json:"advisory"`
	Device   ID                  `json:"device"`
	State    advisory.State      `json:"state" doc:"affected, not-affected or unknown"`
	Since    time.Time           `json:"since"`
	Checked  time.Time           `json:"checked_at"`
	Sort     advisory.Sort       `json:"sort,omitempty"`
	Ident    string              `json:"ident,omitempty"`
	Title    string              `json:"title,omitempty"`
	Impact   string              `json:"impact,omitempty"`
	Evidence []advisory.Evidence `json:"evidence,omitempty" doc:"Each criterion, and what the device has"`
}

type advisoriesInput struct {
	Paging
	Sort   string `query:"sort" enum:"security-advisory,field-notice,end-of-life"`
	Status string `query:"status" enum:"draft,interim,final,withdrawn"`
	Impact string `query:"impact" maxLength:"32"`
	Ident  string `query:"ident" maxLength:"128"`
	CVE    string `query:"cve" maxLength:"32"`
}

type matchesInput struct {
	Paging
	Advisory int64  `query:"advisory" minimum:"1"`
	Device   int64  `query:"device" minimum:"1"`
	State    string `query:"state" enum:"affected,not-affected,unknown"`
	Sort     string `query:"sort" enum:"security-advisory,field-notice,end-of-life"`
	Company  int64  `query:"company" minimum:"1"`
}

type matchesOfInput struct {
	Paging
	ID    int64  `path:"id" minimum:"1"`
	State string `query:"state" enum:"affected,not-affected,unknown"`
}

type advisoryOutput struct{ Body Advisory }

func addAdvisories(a *API) {
	addList[advisoriesInput](a, listing[advisoriesInput, Advisory]{
		Route: listRoute("/advisories", account.AdvisoryRead, "List security advisories, field notices and ends of life"),
		key:   func(n *Advisory) int64 { return int64(n.ID) },
		page: func(ctx context.Context, q *query, in *advisoriesInput, p account.Page) ([]Advisory, error) {
			f := advisory.NoticeFilter{Sort: advisory.Sort(in.Sort), Status: advisory.Status(in.Status), Impact: in.Impact, Ident: in.Ident, CVE: in.CVE}
			list, err := q.Advisory().Notices(ctx, f, p)
			if err != nil {
				return nil, err
			}
			counts, err := q.Advisory().Counts(ctx, q.Reach())
			return mapped(list, func(n *advisory.Notice) Advisory { return advisoryOf(n, counts) }), err
		},
	})
	look(a, Route{Path: "/advisories/{id}", Action: account.AdvisoryRead, Summary: "One advisory with what it describes"}, oneAdvisory)
	addList[matchesOfInput](a, listing[matchesOfInput, Match]{
		Route: listRoute("/advisories/{id}/matches", account.DeviceRead, "List what an advisory means for devices"),
		key:   func(m *Match) int64 { return int64(m.ID) },
		page: func(ctx context.Context, q *query, in *matchesOfInput, p account.Page) ([]Match, error) {
			if _, err := q.Advisory().Notice(ctx, in.ID); err != nil {
				return nil, missing(err, "advisory")
			}
			return q.matches(ctx, q.Reach(), advisory.ResultFilter{Notice: in.ID, State: advisory.State(in.State)}, p)
		},
	})
	addList[matchesOfInput](a, listing[matchesOfInput, Match]{
		Route: listRoute("/devices/{id}/advisories", account.DeviceRead, "List what advisories mean for a device"),
		key:   func(m *Match) int64 { return int64(m.ID) },
		page: func(ctx context.Context, q *query, in *matchesOfInput, p account.Page) ([]Match, error) {
			if _, err := q.findDevice(ctx, q.Registry(), in.ID); err != nil {
				return nil, err
			}
			return q.matches(ctx, q.Reach(), advisory.ResultFilter{Device: in.ID, State: advisory.State(in.State)}, p)
		},
	})
	addList[matchesInput](a, listing[matchesInput, Match]{
		Route: listRoute("/matches", account.DeviceRead, "List what all advisories mean for all devices"),
		key:   func(m *Match) int64 { return int64(m.ID) },
		page: func(ctx context.Context, q *query, in *matchesInput, p account.Page) ([]Match, error) {
			f := advisory.ResultFilter{Notice: in.Advisory, Device: in.Device, State: advisory.State(in.State), Sort: advisory.Sort(in.Sort)}
			return q.matches(ctx, q.within(in.Company), f, p)
		},
	})
	add(a, Route{Method: http.MethodGet, Path: "/devices/{id}/vex", Action: account.DeviceRead, Summary: "A device's security advisories as a CSAF document of the profile VEX"}, a.vex)
	describeExport(a.huma.OpenAPI(), Prefix+"/devices/{id}/vex", exportForm{media: "application/json"})
	add(a, Route{Method: http.MethodPost, Path: "/advisories/import", Action: account.AdvisoryWrite, MaxBody: advisory.MaxFile, Summary: "Import a CSAF 2.0 file, or notices as JSON or CSV"}, a.importAdvisories)
}

func advisoryOf(n *advisory.Notice, counts map[int64]map[advisory.State]int64) Advisory {
	c := counts[n.ID]
	return Advisory{
		ID: ID(n.ID), Publisher: n.Publisher, Ident: n.Ident, Sort: n.Sort, Version: n.Version, Status: n.Status, Title: n.Title, Summary: n.Summary, URL: n.URL,
		Impact: n.Impact, Score: n.Score, Vector: n.Vector, CVEs: n.CVEs, Released: n.Released, Updated: n.Updated, Workaround: n.Workaround, Fix: n.Fix,
		Milestones: n.Milestones, Affected: c[advisory.Affected], NotAffected: c[advisory.NotAffected], Unknown: c[advisory.Unsure], Items: n.Items,
	}
}

func oneAdvisory(ctx context.Context, q *query, in *oneInput) (*advisoryOutput, error) {
	n, err := q.Advisory().Notice(ctx, in.ID)
	if err != nil {
		return nil, missing(err, "advisory")
	}
	counts, err := q.Advisory().Counts(ctx, q.Reach())
	if err != nil {
		return nil, err
	}
	return &advisoryOutput{Body: advisoryOf(&n, counts)}, nil
}

// matches masks what is quoted of configurations for who may not see them as they are.
func (q *query) matches(ctx context.Context, reach account.Reach, f advisory.ResultFilter, p account.Page) ([]Match, error) {
	list, err := q.Advisory().Answers(ctx, reach, f, p)
	return mapped(list, func(s *advisory.Stored) Match {
		m := Match{
			ID: ID(s.ID), Advisory: ID(s.Notice), Device: ID(s.Device), State: s.State, Since: s.Since, Checked: s.Checked, Sort: s.Sort, Ident: s.Ident, Title: s.Title,
			Impact: s.Impact, Evidence: s.Result.Evidence(),
		}
		if !account.Can(q.Principal, account.MessageReadRaw, s.Company) {
			m.Evidence = maskEvidence(m.Evidence)
		}
		return m
	}), err
}

// vexIssuer is who publishes the documents: whoever runs the back end, who is not known by name here.
var vexIssuer = advisory.Issuer{Name: "Call Home back end", Namespace: "https://callhome.invalid", Version: Version}

func (a *API) vex(ctx context.Context, c *caller, in *oneInput) (*huma.StreamResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, workTime)
	defer cancel()
	q := &query{caller: c, Views: a.backend.Read(), api: a}
	d, err := q.findDevice(ctx, q.Registry(), in.ID)
	if err != nil {
		return nil, err
	}
	facts, ok, err := advisory.Load(ctx, q.Inventory(), q.ConfigHistory(), int64(d.ID))
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, notFound("inventory of the device, so nothing can be said")
	}
	list, err := advisory.Assess(ctx, q.Advisory(), facts)
	if err != nil {
		return nil, err
	}
	for i := range list {
		for k := range list[i].Result.Verdicts {
			v := &list[i].Result.Verdicts[k]
			v.Evidence = maskEvidence(v.Evidence) // a document leaves the house
		}
	}
	document, ok, err := advisory.ExportVEX(facts, list, a.issuer, a.now())
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, notFound("security advisory about the products of this device")
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		_, w := humago.Unwrap(hc)
		hc.SetHeader("Content-Type", "application/json")
		hc.SetHeader("Content-Disposition", `attachment; filename="vex-`+ID(d.ID).String()+`.json"`)
		hc.SetStatus(http.StatusOK)
		_, _ = w.Write(document) // a caller that is gone asks again
	}}, nil
}

type importAdvisoriesInput struct {
	Name    string `query:"name" maxLength:"256" doc:"Of the file, for what is wrong with it"`
	RawBody []byte `contentType:"application/octet-stream"`
}

type advisoryImportOutput struct{ Body AdvisoryImport }

// importTime bounds an import with all devices held against it.
const importTime = 10 * time.Minute

func (a *API) importAdvisories(ctx context.Context, c *caller, in *importAdvisoriesInput) (*advisoryImportOutput, error) {
	if a.importer == nil {
		return nil, callhome.Errorf(callhome.KindUnavailable, "this server imports no advisories by the API; use callhome admin advisory import")
	}
	ctx, cancel := context.WithTimeout(ctx, importTime)
	defer cancel()
	name := in.Name
	if name == "" {
		name = "upload"
	}
	out, err := a.importer(ctx, name, in.RawBody, c.Principal)
	if err != nil {
		return nil, err
	}
	return &advisoryImportOutput{Body: out}, nil
}
