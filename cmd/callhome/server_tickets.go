package main

import (
	"context"
	"crypto/tls"
	"io"
	"net/http"
	"slices"
	"time"

	"callhome"
	"callhome/server"
	"callhome/server/casework"
	"callhome/server/casework/jira"
	"callhome/server/casework/pagerduty"
	"callhome/server/casework/servicenow"
	"callhome/server/casework/ticketmail"
	"callhome/server/casework/webhook"
	"callhome/trustpoint"
)

// maxTicketBody bounds what a ticket system posts: its events are a few KiB.
const maxTicketBody = 1 << 20

// openTickets makes the hands that reach into ticket systems.
func (b *backend) openTickets() error {
	t := &b.cfg.Tickets
	var adapters []casework.Adapter
	for i := range t.Mail {
		adapters = append(adapters, ticketmail.New(t.Mail[i], b.outbox))
	}
	for i := range t.Webhook {
		trust, err := b.ticketTLS(t.Webhook[i].TrustPoints)
		if err != nil {
			return err
		}
		adapters = append(adapters, webhook.New(t.Webhook[i], trust))
	}
	for i := range t.Jira {
		trust, err := b.ticketTLS(t.Jira[i].TrustPoints)
		if err != nil {
			return err
		}
		adapters = append(adapters, jira.New(t.Jira[i], trust))
	}
	for i := range t.ServiceNow {
		trust, err := b.ticketTLS(t.ServiceNow[i].TrustPoints)
		if err != nil {
			return err
		}
		adapters = append(adapters, servicenow.New(t.ServiceNow[i], trust))
	}
	for i := range t.PagerDuty {
		trust, err := b.ticketTLS(t.PagerDuty[i].TrustPoints)
		if err != nil {
			return err
		}
		adapters = append(adapters, pagerduty.New(t.PagerDuty[i], trust))
	}
	b.liaison = &casework.Liaison{Desk: b.desk, Adapters: adapters, Transact: b.server.Transact, Log: b.log}
	return nil
}

// ticketTLS trusts the named trust points, or the system's certificates.
func (b *backend) ticketTLS(points []string) (*tls.Config, error) {
	if len(points) == 0 {
		return nil, nil //nolint:nilnil // the standard configuration
	}
	return b.trust.Client(trustpoint.ClientOptions{TrustPoints: points})
}

// ticketHandler takes what ticket systems post about their tickets, at /tickets/NAME. Each proves itself by its signature.
func (b *backend) ticketHandler(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	i := slices.IndexFunc(b.liaison.Adapters, func(a casework.Adapter) bool { return a.Name() == name })
	if i < 0 {
		http.NotFound(w, r)
		return
	}
	receiver, ok := b.liaison.Adapters[i].(casework.Receiver)
	if !ok {
		http.NotFound(w, r)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxTicketBody))
	if err != nil {
		http.Error(w, "the body did not arrive whole, or is too large", http.StatusRequestEntityTooLarge)
		return
	}
	updates, err := receiver.Receive(r.Header, body, time.Now())
	if err == nil {
		err = b.liaison.Take(r.Context(), name, updates)
	}
	if err == nil {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	switch callhome.KindOf(err) {
	case callhome.KindDenied:
		w.WriteHeader(http.StatusForbidden)
	case callhome.KindInvalid:
		w.WriteHeader(http.StatusBadRequest)
	default:
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	b.log.Warn("what a ticket system posted was not taken", "component", "tickets", "system", name, "err", err)
}

// diagnostics gives the attachments of archived messages to mails.
type diagnostics struct{ b *backend }

func (d diagnostics) Attachments(ctx context.Context, id int64) ([]callhome.Attachment, error) {
	return server.Attachments(ctx, d.b.store.Read(), id)
}
