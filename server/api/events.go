package api

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"callhome/server/account"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

const (
	eventsBeat  = 15 * time.Second // a comment, so that both sides see a broken connection; and the caller is looked at anew
	eventsStall = 10 * time.Second // how long a reader may take none of what is written
	eventsRetry = 3 * time.Second  // told to browsers: the pause before they come back
)

// actionOf says what a caller must be allowed in order to hear of a kind of record.
var actionOf = map[string]account.Action{
	"message": account.MessageRead, "device": account.DeviceRead, "service-request": account.CaseRead, "finding": account.DeviceRead,
}

// Event says that records were written.
type Event struct {
	Kind    string `json:"kind" enum:"message,device,service-request,finding"`
	Company ID     `json:"company,omitempty"`
	IDs     []ID   `json:"ids" doc:"Of the records: new, or changed"`
}

type eventsInput struct {
	Kinds string `query:"kinds" maxLength:"200" doc:"Only these kinds, separated by commas"`
	Last  string `header:"Last-Event-ID" maxLength:"20" doc:"The last event that was read: what came after it is told first"`
}

func addEvents(a *API) {
	r := Route{Method: http.MethodGet, Path: "/events", Own: true, Summary: "Stream of what happens, as server-sent events"}
	add(a, r, a.events)
	responses := a.huma.OpenAPI().Paths[Prefix+r.Path].Get.Responses
	responses["200"] = &huma.Response{
		Description: "Events with an id, the kind as their name, and an Event as their data. An event may come twice after a break, with the same id. The event gap says that more was missed than is kept: read the lists anew.",
		Content:     map[string]*huma.MediaType{"text/event-stream": {Schema: schemaOf[Event](a.huma.OpenAPI().Components.Schemas)}},
	}
}

// listener is one caller's stream.
type listener struct {
	api   *API
	who   *caller
	kinds []string
	w     io.Writer
	ctl   *http.ResponseController
}

func (a *API) events(ctx context.Context, c *caller, in *eventsInput) (*huma.StreamResponse, error) {
	l := &listener{api: a, who: c}
	if in.Kinds != "" {
		for kind := range strings.SplitSeq(in.Kinds, ",") {
			if actionOf[strings.TrimSpace(kind)] == "" {
				return nil, invalid("query.kinds", "there is no kind "+strconv.Quote(shorten(kind)))
			}
			l.kinds = append(l.kinds, strings.TrimSpace(kind))
		}
	}
	var last int64
	if in.Last != "" {
		n, err := strconv.ParseInt(in.Last, 10, 64)
		if err != nil || n < 0 {
			return nil, invalid("header.Last-Event-ID", "is not one that an event had")
		}
		last = n
	}
	s, err := a.feed.open(c.Name)
	if err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		defer a.feed.shut(s)
		r, w := humago.Unwrap(hc)
		hc.SetHeader("Content-Type", "text/event-stream")
		hc.SetHeader("X-Accel-Buffering", "no") // proxies would hold events back
		hc.SetStatus(http.StatusOK)
		l.w, l.ctl = w, http.NewResponseController(w)
		if err := l.run(r, s, last); err != nil {
			a.log.Debug("event stream ended", "err", err)
		}
	}}, nil
}

// run tells what was missed, then what happens, until either side is gone.
func (l *listener) run(r *http.Request, s *stream, last int64) error {
	_ = l.ctl.SetReadDeadline(time.Time{}) // the reader says nothing for hours; that it is gone shows when writing
	if err := l.write("retry: %d\n\n", eventsRetry.Milliseconds()); err != nil {
		return err
	}
	if last > 0 {
		if err := l.missed(r.Context(), last); err != nil {
			return err
		}
	}
	beat := time.NewTicker(eventsBeat)
	defer beat.Stop()
	for {
		select {
		case <-r.Context().Done():
			return r.Context().Err()
		case <-beat.C:
			who, err := l.api.identify(r) // a token may have been revoked meanwhile, a person have another company
			if err != nil || !who.signed {
				return err
			}
			l.who = who
			if err := l.write(": beat\n\n"); err != nil {
				return err
			}
		case e, open := <-s.entries:
			if !open {
				return nil
			}
			if err := l.tell(&e); err != nil {
				return err
			}
		}
	}
}

// missed tells what came after an event, and a little of what came before, in case it became visible later.
func (l *listener) missed(ctx context.Context, last int64) error {
	v := l.api.backend.Read()
	head := l.api.backend.NewID()
	if last < v.Rewind(head, feedKeep) {
		return l.write("event: gap\ndata: {}\n\n")
	}
	for after := v.Rewind(last, feedOverlap); ; {
		var page []entry
		err := v.FeedAfter(ctx, after, feedPage, func(id int64, kind string, company account.CompanyID, objects []int64) {
			after, page = id, append(page, entry{ID: id, Kind: kind, Company: company, Objects: objects})
		})
		if err != nil {
			return err
		}
		for i := range page {
			if page[i].ID != last {
				if err := l.tell(&page[i]); err != nil {
					return err
				}
			}
		}
		if len(page) < feedPage {
			return nil
		}
	}
}

// tell writes an entry, if the caller may hear of it.
func (l *listener) tell(e *entry) error {
	if !account.Can(l.who.Principal, actionOf[e.Kind], e.Company) || len(l.kinds) > 0 && !slices.Contains(l.kinds, e.Kind) {
		return nil
	}
	data, err := json.Marshal(Event{Kind: e.Kind, Company: ID(e.Company), IDs: idsOf(e.Objects)})
	if err != nil {
		return err
	}
	return l.write("id: %d\nevent: %s\ndata: %s\n\n", e.ID, e.Kind, data)
}

func (l *listener) write(format string, args ...any) error {
	_ = l.ctl.SetWriteDeadline(time.Now().Add(eventsStall)) // where there is no deadline to set the server's own holds
	if _, err := fmt.Fprintf(l.w, format, args...); err != nil {
		return err
	}
	return l.ctl.Flush()
}
