package agent

import (
	"errors"

	"callhome"
	"callhome/agent/redact"
	"callhome/agent/render"
	"callhome/agent/route"
	"callhome/codec/aml"
	"callhome/codec/mimemail"
	"callhome/outbox"
	"callhome/personality"
)

// make redacts and renders one profile's message. What cannot be sent comes back as an outcome, so that one profile's
// fault never holds the others up and an alert that cannot be rendered is not tried for ever.
func (a *Agent) make(p *plan, t *target, alert *callhome.Alert, m *callhome.Message, w *want) ([]callhome.Envelope, *outbox.Outcome) {
	if err := anonymousOnly(&w.profile, alert.Group); err != nil {
		return nil, a.outcome(alert, m, w, outbox.StatusDropped, callhome.ReasonAnonymousOnly, err)
	}
	clean, err := redact.Apply(redact.Policy{
		Config: p.cfg.CallHome.DataPrivacy, Anonymous: w.profile.AnonymousOnly, Key: a.parts.PseudonymKey,
	}, m)
	if err != nil {
		return nil, a.outcome(alert, m, w, outbox.StatusDropped, callhome.ReasonPrivacy, err)
	}
	envelopes, err := render.Render(clean, &w.profile, p.renderOptions(t, alert, m, w))
	var dropped *render.Dropped
	var failed *outbox.Outcome
	switch {
	case errors.As(err, &dropped):
		failed = a.outcome(alert, m, w, outbox.StatusDropped, dropped.Reason, err)
	case err != nil: // one address is none; the others get their envelopes
		failed = a.outcome(alert, m, w, outbox.StatusDead, "", err)
	}
	envelopes, err = a.sign(envelopes)
	switch {
	case err != nil:
		failed = a.outcome(alert, m, w, outbox.StatusDead, "", err)
	case failed == nil && len(envelopes) == 0:
		failed = a.outcome(alert, m, w, outbox.StatusDead, "", callhome.Errorf(callhome.KindInvalid, "profile %s has no destination", w.profile.Name))
	}
	return envelopes, failed
}

// anonymousOnly refuses groups that anonymous reporting does not send, whatever asks for them: orders, previews and
// digests do not pass the routes.
func anonymousOnly(profile *callhome.Profile, g callhome.AlertGroup) error {
	if profile.AnonymousOnly && !route.Anonymous(g) {
		return callhome.Errorf(callhome.KindInvalid, "profile %s takes crash, inventory and test messages only, not %s", profile.Name, g)
	}
	return nil
}

// sign signs the mails among envelopes, if mails are signed. A mail that cannot be signed is left out.
func (a *Agent) sign(envelopes []callhome.Envelope) (signed []callhome.Envelope, failed error) {
	if a.parts.Sign == nil {
		return envelopes, nil
	}
	for _, e := range envelopes {
		if e.Destination.Transport == callhome.TransportEmail {
			body, err := a.parts.Sign(e.Body)
			if err != nil {
				failed = err
				continue
			}
			e.Body = body
		}
		signed = append(signed, e)
	}
	return signed, failed
}

func (a *Agent) outcome(alert *callhome.Alert, m *callhome.Message, w *want, s outbox.Status, r callhome.Reason, err error) *outbox.Outcome {
	if r != "" {
		a.metrics.drops(r).Inc()
		a.stats.count(r)
	}
	a.parts.Log.Warn("a message is not sent", "message_id", m.MessageID, "profile", w.profile.Name, "alert_group", alert.Group, "err", err)
	return &outbox.Outcome{
		At: a.parts.Now(), Status: s, Reason: r, AlertID: alert.ID, MessageID: m.MessageID, Device: alert.Device, Group: alert.Group,
		Profile: w.profile.Name, Detail: err.Error(),
	}
}

// renderOptions takes what a platform prescribes out of its personality.
func (p *plan) renderOptions(t *target, alert *callhome.Alert, m *callhome.Message, w *want) render.Options {
	ch, pers := &p.cfg.CallHome, t.personality
	variant, _ := aml.VariantFor(string(pers.Name))
	o := render.Options{
		AlertID: alert.ID, Device: alert.Device, Variant: variant, LongText: pers.LongText,
		Subject: mimemail.SubjectStyle{From: pers.Subject.From, Subtype: pers.Subject.Subtype}, Limit: sizeLimit(&w.profile, pers),
		From: first(ch.Sender.From, ch.Contact.Email), ReplyTo: ch.Sender.ReplyTo, Date: m.CreationTime.Time, Anonymous: w.profile.AnonymousOnly,
	}
	if w.profile.Name == onDemandProfile {
		o.To = alert.To
	}
	return o
}

// sizeLimit is the profile's limit, which was validated, else the platform's default; 0 is no limit.
func sizeLimit(profile *callhome.Profile, p *personality.Personality) int {
	l := p.Limits.MessageSize
	limit, err := render.SizeLimit(profile.MessageSizeLimit, render.Sizes{Min: l.Min, Max: l.Max, Default: l.Default, ZeroUnlimited: p.Limits.SizeZero})
	if err != nil {
		return l.Default
	}
	return limit
}
