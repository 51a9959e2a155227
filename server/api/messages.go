package api

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"callhome"
	"callhome/secrets"
	"callhome/server/account"
	"callhome/server/archive"
	"callhome/server/ingest"
	"callhome/server/registry"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

// Message is a message in the archive.
type Message struct {
	ID          ID                  `json:"id"`
	ReceivedAt  time.Time           `json:"received_at"`
	EventTime   time.Time           `json:"event_time,omitzero" doc:"By the device's clock"`
	MessageID   callhome.MessageID  `json:"message_id,omitempty" doc:"The sender's"`
	DeviceID    callhome.DeviceID   `json:"device_id,omitempty" doc:"type@Sid@serial, as the device writes it"`
	SystemName  string              `json:"sys_name,omitempty"`
	Type        string              `json:"message_type,omitempty"`
	Subtype     string              `json:"message_subtype,omitempty"`
	Group       callhome.AlertGroup `json:"alert_group,omitempty"`
	Severity    *int                `json:"severity,omitempty" minimum:"0" maximum:"9" doc:"0 (debugging) to 9 (catastrophic); none where the message names none"`
	Level       string              `json:"level,omitempty" doc:"severity in a word"`
	Description string              `json:"msg_desc,omitempty"`
	Status      archive.Status      `json:"status" doc:"What became of it: processed, marked, anonymous, waiting, joined or failed"`
	Reasons     []string            `json:"reasons,omitempty" doc:"Why it was not worked to the end"`
	Company     ID                  `json:"company,omitempty"`
	Device      ID                  `json:"device,omitempty" doc:"id under devices"`
	Case        ID                  `json:"service_request,omitempty" doc:"id under service-requests"`
	JoinedInto  ID                  `json:"joined_into,omitempty" doc:"Of a block: the message that it became a part of"`
	Format      callhome.Format     `json:"format,omitempty"`
	Dialect     string              `json:"dialect,omitempty"`
	Size        int                 `json:"size" doc:"Bytes as received"`
	Transport   callhome.Transport  `json:"transport,omitempty"`
	Peer        string              `json:"peer,omitempty" doc:"Address that handed it over"`
	Gateway     string              `json:"gateway,omitempty"`
}

type messagesInput struct {
	Paging
	MessageID string    `query:"message_id" maxLength:"256"`
	DeviceID  string    `query:"device_id" maxLength:"256"`
	Device    int64     `query:"device" minimum:"1"`
	Company   int64     `query:"company" minimum:"1"`
	Type      string    `query:"message_type" maxLength:"128"`
	Group     string    `query:"alert_group" maxLength:"64"`
	Status    string    `query:"status" enum:"processed,marked,anonymous,waiting,joined,failed"`
	Severity  string    `query:"severity" pattern:"^[0-9]$" doc:"This level or worse"`
	Gateway   string    `query:"gateway" maxLength:"256"`
	Since     time.Time `query:"since" doc:"Received at or after"`
	Until     time.Time `query:"until" doc:"Received before"`
	Case      int64     `query:"service_request" minimum:"1"`
	Text      string    `query:"q" minLength:"3" maxLength:"256" doc:"Part of description, names or IDs"`
}

func (in *messagesInput) filter(q *query, p account.Page) archive.Filter {
	f := archive.Filter{
		Reach: q.Reach(), Company: account.CompanyID(in.Company), Device: in.Device, DeviceID: callhome.DeviceID(in.DeviceID), MessageID: callhome.MessageID(in.MessageID),
		Type: in.Type, Group: callhome.AlertGroup(in.Group), Status: archive.Status(in.Status), Gateway: in.Gateway, Since: in.Since, Until: in.Until, Case: in.Case,
		Text: in.Text, Page: p,
	}
	if n, err := strconv.Atoi(in.Severity); err == nil {
		f.Severity = &n
	}
	return f
}

// byDevice finds the messages of a device ID by the device's number, of which there is an index. Those that name a device
// which nobody knows are looked through.
func (q *query) byDevice(ctx context.Context, f *archive.Filter) error {
	model, _, serial, ok := f.DeviceID.Parts()
	if !ok || f.Device != 0 {
		return nil
	}
	d, err := q.Registry().DeviceByKey(ctx, registry.Key{Model: model, Serial: serial})
	if err != nil && callhome.KindOf(err) == callhome.KindNotFound {
		return nil
	}
	if err == nil && q.Reach().Has(d.Company) {
		f.Device = int64(d.ID)
	}
	return err
}

func addMessages(a *API) {
	addList[messagesInput](a, listing[messagesInput, Message]{
		Route: listRoute("/messages", account.MessageRead, "List messages"),
		key:   func(m *Message) int64 { return int64(m.ID) },
		page: func(ctx context.Context, q *query, in *messagesInput, p account.Page) ([]Message, error) {
			f := in.filter(q, p)
			if err := q.byDevice(ctx, &f); err != nil {
				return nil, err
			}
			records, err := q.Archive().List(ctx, f)
			if err != nil {
				return nil, err
			}
			out := make([]Message, len(records))
			for i := range records {
				out[i] = q.message(&records[i])
			}
			return out, nil
		},
	})
	look(a, Route{Path: "/messages/{id}", Action: account.MessageRead, Summary: "One message with its fields and attachments"}, a.message)
	add(a, Route{Method: http.MethodGet, Path: "/messages/{id}/raw", Action: account.MessageReadRaw, Summary: "A message as received, secrets included"}, a.rawMessage)
	describeExport(a.huma.OpenAPI(), Prefix+"/messages/{id}/raw", exportForm{media: "text/plain"})
}

// message is a record as callers see it; who may not see messages as received sees no secrets in its description.
func (q *query) message(r *archive.Record) Message {
	m := Message{
		ID: ID(r.ID), ReceivedAt: r.ReceivedAt, EventTime: r.EventTime, MessageID: r.MessageID, DeviceID: r.DeviceID, SystemName: r.SystemName, Type: r.Type,
		Subtype: r.Subtype, Group: r.Group, Description: r.Description, Status: r.Status, Reasons: r.Reasons, Company: ID(r.Company), Device: ID(r.Device),
		Case: ID(r.Case), JoinedInto: ID(r.JoinedInto), Format: r.Format, Dialect: r.Dialect, Size: r.Size, Transport: r.Origin.Transport, Peer: r.Origin.Peer,
		Gateway: r.Origin.Gateway,
	}
	if r.Severity >= 0 {
		m.Severity, m.Level = &r.Severity, callhome.Level(r.Severity).String()
	}
	if !account.Can(q.Principal, account.MessageReadRaw, r.Company) {
		m.Description = secrets.Mask(m.Description)
	}
	return m
}

// OneMessage is a message with what it says.
type OneMessage struct {
	Message
	Origin archive.Origin `json:"origin" doc:"Where it came from"`
	Fields *Decoded       `json:"fields,omitempty" doc:"The canonical fields and attachments; secrets are masked for who may not see them"`
	Fault  string         `json:"fault,omitempty" doc:"Why the message could not be read"`
}

// Decoded is a message in its canonical fields.
type Decoded struct{ *callhome.Message }

// Schema says where the fields are described.
func (Decoded) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: "object", AdditionalProperties: true, Description: "As callhome decode message prints it"}
}

type oneMessageOutput struct{ Body OneMessage }

func (q *query) record(ctx context.Context, id int64) (*archive.Record, []byte, error) {
	r, ok, err := q.Archive().Record(ctx, id, q.Reach())
	if err != nil {
		return nil, nil, err
	}
	if !ok {
		return nil, nil, notFound("message")
	}
	body, _, err := q.Archive().Body(ctx, id)
	return &r, body, err
}

func (a *API) message(ctx context.Context, q *query, in *oneInput) (*oneMessageOutput, error) {
	r, body, err := q.record(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	out := &oneMessageOutput{Body: OneMessage{Message: q.message(r), Origin: r.Origin}}
	accepted := ingest.Decode(&archive.Arrival{ID: r.ID, ReceivedAt: r.ReceivedAt, Origin: r.Origin, Body: body})
	out.Body.Fault = accepted.Why
	if accepted.Fault == ingest.FaultUnparsable {
		return out, nil
	}
	if !account.Can(q.Principal, account.MessageReadRaw, r.Company) {
		out.Body.Fault = secrets.Mask(out.Body.Fault)
		maskMessage(&accepted.Message)
	}
	out.Body.Fields = &Decoded{&accepted.Message}
	return out, nil
}

// maskMessage masks what devices' outputs and free fields may hold.
func maskMessage(m *callhome.Message) {
	m.Description, m.SysDescr = secrets.Mask(m.Description), secrets.Mask(m.SysDescr)
	for i := range m.Attachments {
		m.Attachments[i].Text = secrets.Mask(m.Attachments[i].Text)
	}
	for _, tags := range [][]callhome.Tag{m.Additional, m.Pairs} {
		for i := range tags {
			tags[i].Value = secrets.Mask(tags[i].Value)
		}
	}
	for i := range m.Unknown {
		m.Unknown[i].Value = secrets.Mask(m.Unknown[i].Value)
	}
}

func (a *API) rawMessage(ctx context.Context, c *caller, in *oneInput) (*huma.StreamResponse, error) {
	q := &query{caller: c, Views: a.backend.Read(), api: a}
	r, body, err := q.record(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if err := account.Require(c.Principal, account.MessageReadRaw, r.Company); err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		_, w := humago.Unwrap(hc)
		hc.SetHeader("Content-Type", "text/plain; charset=utf-8")
		hc.SetHeader("Content-Disposition", `attachment; filename="message-`+strconv.FormatInt(in.ID, 10)+`.txt"`)
		hc.SetHeader("Content-Length", strconv.Itoa(len(body)))
		hc.SetStatus(http.StatusOK)
		_, _ = w.Write(body) // a caller that is gone asks again
	}}, nil
}
