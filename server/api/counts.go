package api

import (
	"context"
	"time"

	"callhome"
	"callhome/server/account"
	"callhome/server/archive"
	"callhome/server/casework"
	"callhome/server/registry"
)

// Counts are what dashboards show, read from maintained counters whatever the number of records.
type Counts struct {
	Since    time.Time                `json:"since,omitzero" doc:"Of the messages, to the hour; none: of all time"`
	Messages MessageCounts            `json:"messages"`
	Devices  map[registry.State]int64 `json:"devices" doc:"By state, now"`
	Cases    []CaseCount              `json:"service_requests" doc:"By team, state and level, now"`
}

// CaseCount is one count of service requests.
type CaseCount struct {
	Team     string         `json:"team"`
	State    casework.State `json:"state"`
	Severity int            `json:"severity"`
	Count    int64          `json:"count"`
}

// MessageCounts are counts of messages.
type MessageCounts struct {
	ByStatus   map[archive.Status]int64      `json:"by_status"`
	BySeverity map[int]int64                 `json:"by_severity"`
	ByGroup    map[callhome.AlertGroup]int64 `json:"by_alert_group"`
	Bytes      int64                         `json:"bytes" doc:"As received"`
}

type countsInput struct {
	Since   time.Time `query:"since" doc:"Messages received since, to the hour"`
	Company int64     `query:"company" minimum:"1"`
}

type countsOutput struct{ Body Counts }

func addCounts(a *API) {
	look(a, Route{Path: "/counts", Action: account.DeviceRead, Summary: "Counts for dashboards"}, func(ctx context.Context, q *query, in *countsInput) (*countsOutput, error) {
		reach := q.within(in.Company)
		messages, err := q.Archive().Counts(ctx, reach, in.Since)
		if err != nil {
			return nil, err
		}
		devices, err := q.Registry().CountDevices(ctx, reach)
		if err != nil {
			return nil, err
		}
		cases, err := q.Casework().Tallies(ctx, reach)
		if err != nil {
			return nil, err
		}
		return &countsOutput{Body: Counts{
			Since: in.Since, Devices: devices,
			Cases: mapped(cases, func(t *casework.Tally) CaseCount {
				return CaseCount{Team: t.Team, State: t.State, Severity: int(t.Level), Count: t.Cases}
			}),
			Messages: MessageCounts{ByStatus: messages.ByStatus, BySeverity: messages.BySeverity, ByGroup: messages.ByGroup, Bytes: messages.Bytes},
		}}, nil
	})
}
