package api

import (
	"context"
	"time"

	"callhome"
	"callhome/server/account"
	"callhome/server/confighistory"
)

// Configuration is a revision of a device's configuration.
type Configuration struct {
	ID        ID                 `json:"id"`
	Device    ID                 `json:"device"`
	Kind      confighistory.Kind `json:"kind" doc:"running, running-all (with defaults), running-set or startup"`
	Revision  int                `json:"revision" doc:"From 1, for each device and kind"`
	Command   string             `json:"command"`
	MessageID callhome.MessageID `json:"message_id,omitempty"`
	At        time.Time          `json:"at" doc:"Time of the event"`
	StoredAt  time.Time          `json:"stored_at"`
	Size      int                `json:"size" doc:"Bytes as it came"`
	Lines     int                `json:"lines"`
	Added     int                `json:"added" doc:"Lines, against the revision before"`
	Removed   int                `json:"removed"`
	Hash      string             `json:"hash" doc:"The same for configurations that differ in nothing that anyone configured"`
}

// ConfigurationText is a configuration as it came.
type ConfigurationText struct {
	Configuration
	Text   string `json:"text"`
	Masked bool   `json:"masked" doc:"Secrets were taken out: the caller may not see them"`
}

type configurationsInput struct {
	Paging
	ID   int64  `path:"id" minimum:"1"`
	Kind string `query:"kind" enum:"running,running-all,running-set,startup"`
}

type configurationInput struct {
	ID     int64  `path:"id" minimum:"1"`
	Kind   string `path:"kind" enum:"running,running-all,running-set,startup"`
	Number int    `path:"number" minimum:"0" maximum:"2147483647" doc:"0 is the latest"`
}

type configurationDiffInput struct {
	ID   int64  `path:"id" minimum:"1"`
	Kind string `query:"kind" enum:"running,running-all,running-set,startup" default:"running"`
	From int    `query:"from" minimum:"1" maximum:"2147483647" required:"true"`
	To   int    `query:"to" minimum:"1" maximum:"2147483647" doc:"None: the latest"`
}

type deviceDriftInput struct {
	ID int64 `path:"id" minimum:"1"`
}

type configurationOutput struct{ Body ConfigurationText }

type textDiffOutput struct {
	Body struct {
		Diff   string `json:"diff" doc:"As diff -u prints it; empty where nothing was configured differently"`
		Masked bool   `json:"masked"`
	}
}

type startupDriftOutput struct {
	Body struct {
		Same    bool          `json:"same"`
		Startup Configuration `json:"startup"`
		Running Configuration `json:"running"`
		Diff    string        `json:"diff" doc:"From startup to running, as diff -u prints it"`
	}
}

type searchInput struct {
	Text   string `query:"q" required:"true" minLength:"3" maxLength:"256" doc:"Whatever its case"`
	Kind   string `query:"kind" enum:"running,running-all,running-set,startup" default:"running"`
	Limit  int    `query:"limit" minimum:"1" maximum:"1000"`
	Cursor string `query:"cursor" maxLength:"32"`
}

// Hit is a line in which something was found.
type Hit struct {
	Device   ID                 `json:"device"`
	Kind     confighistory.Kind `json:"kind"`
	Revision int                `json:"revision"`
	Line     int                `json:"line"`
	Text     string             `json:"text"`
}

type searchOutput struct {
	Body struct {
		Items []Hit   `json:"items"`
		Next  *string `json:"next" nullable:"true" doc:"A page without items is not the end; this being null is"`
	}
}

func addConfigurations(a *API) {
	addList[configurationsInput](a, listing[configurationsInput, Configuration]{
		Route: listRoute("/devices/{id}/configurations", account.DeviceRead, "List the revisions of a device's configurations"),
		key:   func(r *Configuration) int64 { return int64(r.ID) },
		page: func(ctx context.Context, q *query, in *configurationsInput, p account.Page) ([]Configuration, error) {
			if _, err := q.findDevice(ctx, q.Registry(), in.ID); err != nil {
				return nil, err
			}
			list, err := q.ConfigHistory().Revisions(ctx, q.Reach(), in.ID, confighistory.Kind(in.Kind), p)
			return mapped(list, configurationOf), err
		},
	})
	look(a, Route{Path: "/devices/{id}/configurations/{kind}/{number}", Action: account.DeviceRead, Summary: "A configuration, without secrets for who may not see them"}, oneConfiguration)
	look(a, Route{Path: "/devices/{id}/configurations/diff", Action: account.DeviceRead, Summary: "What changed between two revisions of a configuration"}, diffConfiguration)
	look(a, Route{Path: "/devices/{id}/configurations/drift", Action: account.DeviceRead, Summary: "How the running configuration differs from the startup configuration"}, driftOfDevice)
	look(a, Route{Path: "/configurations/search", Action: account.DeviceRead, Summary: "Look for a text in the latest configurations of all devices"}, searchConfigurations)
}

func configurationOf(r *confighistory.Revision) Configuration {
	return Configuration{
		ID: ID(r.ID), Device: ID(r.Device), Kind: r.Kind, Revision: r.Number, Command: r.Command, MessageID: r.MessageID, At: r.At, StoredAt: r.StoredAt, Size: r.Size,
		Lines: r.Lines, Added: r.Added, Removed: r.Removed, Hash: r.Form,
	}
}

// device gives whether the caller may see the secrets of a device within reach.
func (q *query) secretsOf(ctx context.Context, id int64) (unmasked bool, err error) {
	d, err := q.findDevice(ctx, q.Registry(), id)
	if err != nil {
		return false, err
	}
	return account.Can(q.Principal, account.MessageReadRaw, d.Company), nil
}

func oneConfiguration(ctx context.Context, q *query, in *configurationInput) (*configurationOutput, error) {
	unmasked, err := q.secretsOf(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	r, text, err := confighistory.Text(ctx, q.ConfigHistory(), q.Reach(), in.ID, confighistory.Kind(in.Kind), in.Number, unmasked)
	if err != nil {
		return nil, missing(err, "configuration")
	}
	return &configurationOutput{Body: ConfigurationText{Configuration: configurationOf(&r), Text: text, Masked: !unmasked}}, nil
}

// missing says what is not there, in the words of all that is not there.
func missing(err error, what string) error {
	if callhome.KindOf(err) == callhome.KindNotFound {
		return notFound(what)
	}
	return err
}

func diffConfiguration(ctx context.Context, q *query, in *configurationDiffInput) (*textDiffOutput, error) {
	unmasked, err := q.secretsOf(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	out := &textDiffOutput{}
	out.Body.Masked = !unmasked
	out.Body.Diff, err = confighistory.Diff(ctx, q.ConfigHistory(), q.Reach(), in.ID, confighistory.Kind(in.Kind), in.From, in.To, unmasked)
	if err != nil {
		return nil, missing(err, "configuration")
	}
	return out, nil
}

func driftOfDevice(ctx context.Context, q *query, in *deviceDriftInput) (*startupDriftOutput, error) {
	unmasked, err := q.secretsOf(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	d, err := confighistory.DriftOf(ctx, q.ConfigHistory(), q.Reach(), in.ID, unmasked)
	if err != nil {
		return nil, missing(err, "pair of startup and running configuration")
	}
	out := &startupDriftOutput{}
	out.Body.Same, out.Body.Diff = d.Same, d.Diff
	out.Body.Startup, out.Body.Running = configurationOf(&d.Startup), configurationOf(&d.Running)
	return out, nil
}

func searchConfigurations(ctx context.Context, q *query, in *searchInput) (*searchOutput, error) {
	after, err := readCursor(in.Cursor)
	if err != nil {
		return nil, err
	}
	unmasked := account.CanSomewhere(q.Principal, account.MessageReadRaw)
	hits, next, err := confighistory.Search(ctx, q.ConfigHistory(), q.Reach(), confighistory.Kind(in.Kind), in.Text, unmasked, account.Page{After: after, Limit: in.Limit})
	if err != nil {
		return nil, err
	}
	out := &searchOutput{}
	out.Body.Items = mapped(hits, func(h *confighistory.Hit) Hit {
		return Hit{Device: ID(h.Device), Kind: h.Kind, Revision: h.Revision, Line: h.Line, Text: h.Text}
	})
	if next != 0 {
		cursor := makeCursor(next)
		out.Body.Next = &cursor
	}
	return out, nil
}
