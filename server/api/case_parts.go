package api

import (
	"context"
	"net/http"
	"time"

	"callhome"
	"callhome/secrets"
	"callhome/server/account"
	"callhome/server/archive"
	"callhome/server/casework"
	"callhome/server/ingest"
	"callhome/server/inventory"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

// CaseEvent is one line of a service request's history.
type CaseEvent struct {
	ID   ID                 `json:"id"`
	Seq  int64              `json:"seq"`
	At   time.Time          `json:"at"`
	Who  string             `json:"who"`
	Via  string             `json:"via" doc:"message, timer, person, code or the name of a ticket system"`
	Kind casework.EventKind `json:"kind"`
	From string             `json:"from,omitempty"`
	To   string             `json:"to,omitempty"`
	Text string             `json:"text,omitempty"`
	Says string             `json:"sentence" doc:"In plain words"`
}

// Link is another ticket system's name of a service request.
type Link struct {
	Adapter string    `json:"system"`
	Remote  string    `json:"remote,omitempty" doc:"None: not made there yet"`
	URL     string    `json:"url,omitempty"`
	State   string    `json:"state,omitempty" doc:"The other side's word"`
	AddedAt time.Time `json:"added_at"`
}

type caseEventsInput struct {
	Paging
	ID string `path:"id" maxLength:"32"`
}

type linksOutput struct {
	Body struct {
		Items []Link `json:"items"`
	}
}

func addCaseParts(a *API) {
	addList[caseEventsInput](a, listing[caseEventsInput, CaseEvent]{
		Route: listRoute("/service-requests/{id}/events", account.CaseRead, "List what happened to a service request"),
		key:   func(e *CaseEvent) int64 { return int64(e.ID) },
		page: func(ctx context.Context, q *query, in *caseEventsInput, p account.Page) ([]CaseEvent, error) {
			c, err := q.findCase(ctx, q.Casework(), in.ID)
			if err != nil {
				return nil, err
			}
			list, err := q.Casework().Events(ctx, q.Reach(), c.ID, p)
			return mapped(list, caseEventOf), err
		},
	})
	addList[caseEventsInput](a, listing[caseEventsInput, Deed]{
		Route: listRoute("/service-requests/{id}/evidence", account.CaseRead, "List the findings that a service request rests on"),
		key:   func(f *Deed) int64 { return int64(f.ID) },
		page: func(ctx context.Context, q *query, in *caseEventsInput, p account.Page) ([]Deed, error) {
			c, err := q.findCase(ctx, q.Casework(), in.ID)
			if err != nil {
				return nil, err
			}
			list, err := q.Casework().Deeds(ctx, q.Reach(), casework.DeedFilter{Case: c.ID}, p)
			return mapped(list, q.deedOf), err
		},
	})
	look(a, Route{Path: "/service-requests/{id}/links", Action: account.CaseRead, Summary: "Where other ticket systems have a service request"}, caseLinks)
	look(a, Route{Path: "/service-requests/{id}/packet", Action: account.CaseRead, Summary: "What a supplier asks for when the part has to be replaced"}, casePacket)
	add(a, Route{Method: http.MethodGet, Path: "/service-requests/{id}/packet.zip", Action: account.CaseRead, Summary: "The same with the logs, without secrets"}, a.caseZip)
	describeExport(a.huma.OpenAPI(), Prefix+"/service-requests/{id}/packet.zip", exportForm{media: "application/zip"})
}

func caseEventOf(e *casework.Event) CaseEvent {
	return CaseEvent{ID: ID(e.ID), Seq: e.Seq, At: e.At, Who: e.By.Who, Via: e.By.Via, Kind: e.Kind, From: e.From, To: e.To, Text: e.Text, Says: e.Sentence()}
}

func caseLinks(ctx context.Context, q *query, in *caseInput) (*linksOutput, error) {
	c, err := q.findCase(ctx, q.Casework(), in.ID)
	if err != nil {
		return nil, err
	}
	links, err := q.Casework().LinksOf(ctx, c.ID)
	if err != nil {
		return nil, err
	}
	out := &linksOutput{}
	out.Body.Items = mapped(links, func(l *casework.Link) Link {
		return Link{Adapter: l.Adapter, Remote: l.Remote, URL: l.URL, State: l.State, AddedAt: l.AddedAt}
	})
	return out, nil
}

// Packet is what a supplier asks for.
type Packet struct {
	Number   casework.CaseNumber `json:"number"`
	Made     time.Time           `json:"made"`
	Device   casework.Subject    `json:"subject"`
	Problem  string              `json:"problem"`
	Detail   string              `json:"detail,omitempty"`
	Level    string              `json:"level"`
	Since    time.Time           `json:"since"`
	Messages int64               `json:"messages"`
	Part     callhome.FRU        `json:"part" doc:"What has to be replaced"`
	Certain  bool                `json:"certain" doc:"The finding names the part; otherwise it is the chassis, and a person has to look"`
	Missing  []string            `json:"missing,omitempty" doc:"What the supplier will ask for and nobody has told"`
	Text     string              `json:"text" doc:"All of it, for a mail or a form"`
}

type packetOutput struct{ Body Packet }

// packetItems bounds evidence and history in a packet: a supplier reads the latest.
const packetItems = 200

func (q *query) packet(ctx context.Context, id string) (*casework.Packet, error) {
	c, err := q.findCase(ctx, q.Casework(), id)
	if err != nil {
		return nil, err
	}
	known, err := q.Inventory().Revision(ctx, q.Reach(), c.Subject.Device, 0)
	if err != nil && callhome.KindOf(err) != callhome.KindNotFound {
		return nil, err
	}
	evidence, err := q.Casework().Deeds(ctx, q.Reach(), casework.DeedFilter{Case: c.ID}, account.Page{Limit: packetItems})
	if err != nil {
		return nil, err
	}
	history, err := q.Casework().Events(ctx, q.Reach(), c.ID, account.Page{Limit: packetItems})
	if err != nil {
		return nil, err
	}
	return casework.NewPacket(c, unitsOf(&known.Inventory), evidence, history, q.api.now()), nil
}

// unitsOf are a device's units as messages name them.
func unitsOf(i *inventory.Inventory) []callhome.FRU {
	return mapped(i.Units, func(u *inventory.Unit) callhome.FRU {
		return callhome.FRU{Name: u.Product, Serial: u.Serial, PartNo: u.PartNo, Slot: u.Slot, HWVersion: u.HWVersion, SWVersion: u.SWVersion, Additional: u.Further}
	})
}

func casePacket(ctx context.Context, q *query, in *caseInput) (*packetOutput, error) {
	p, err := q.packet(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return &packetOutput{Body: Packet{
		Number: p.Number, Made: p.Made, Device: p.Device, Problem: p.Problem, Detail: p.Detail, Level: p.Level, Since: p.Since, Messages: p.Messages, Part: p.Part,
		Certain: p.Certain, Missing: p.Missing, Text: secrets.Mask(p.Text()),
	}}, nil
}

// packetLogs bounds the messages whose attachments go along; the packet itself bounds their size.
const packetLogs = 20

func (a *API) caseZip(ctx context.Context, c *caller, in *caseInput) (*huma.StreamResponse, error) {
	q := &query{caller: c, Views: a.backend.Read(), api: a}
	p, err := q.packet(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	logs, err := q.logs(ctx, p.Evidence)
	if err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		_, w := humago.Unwrap(hc)
		hc.SetHeader("Content-Type", "application/zip")
		hc.SetHeader("Content-Disposition", `attachment; filename="`+string(p.Number)+`.zip"`)
		hc.SetStatus(http.StatusOK)
		if err := p.WriteZip(w, logs); err != nil {
			panic(http.ErrAbortHandler) // a file that ends in its proper way is whole
		}
	}}, nil
}

// logs are the attachments of the messages that evidence names, masked: they leave the house.
func (q *query) logs(ctx context.Context, evidence []casework.Deed) ([]casework.Log, error) {
	var logs []casework.Log
	seen := map[int64]bool{0: true}
	for i := range evidence {
		id := evidence[i].Archive
		if seen[id] || len(seen) > packetLogs {
			continue
		}
		seen[id] = true
		r, ok, err := q.Archive().Record(ctx, id, q.Reach())
		if err != nil {
			return nil, err
		}
		if !ok { // retention took it
			continue
		}
		body, _, err := q.Archive().Body(ctx, id)
		if err != nil {
			return nil, err
		}
		accepted := ingest.Decode(&archive.Arrival{ID: id, ReceivedAt: r.ReceivedAt, Origin: r.Origin, Body: body})
		for _, at := range accepted.Message.Attachments {
			logs = append(logs, casework.Log{Archive: id, Name: at.Name, Text: secrets.Mask(at.Text)})
		}
	}
	return logs, nil
}
