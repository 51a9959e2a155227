package main

import (
	"context"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"callhome"
	"callhome/config"
	"callhome/deliver"
	"callhome/deliver/httpsend"
	"callhome/deliver/smtpsend"
)

// swap is a sender that a reload may replace. Messages under way end with the old one.
type swap struct {
	mu      sync.RWMutex // guards current; held shared while it sends
	current closingSender
}

type closingSender interface {
	deliver.Sender
	Close() error
}

// Send sends by the current sender.
func (s *swap) Send(ctx context.Context, env *callhome.Envelope) error {
	s.mu.RLock()
	current := s.current
	s.mu.RUnlock()
	return current.Send(ctx, env)
}

func (s *swap) replace(by closingSender) {
	s.mu.Lock()
	old := s.current
	s.current = by
	s.mu.Unlock()
	if old != nil {
		time.AfterFunc(oldSenderTime, func() { _ = old.Close() })
	}
}

// oldSenderTime lets messages under way end before their connections are closed.
const oldSenderTime = 2 * time.Minute

// senders makes the senders of a configuration.
func (d *device) senders(cfg *config.Agent) (*smtpsend.Sender, *httpsend.Sender, error) {
	mail, err := smtpsend.New(smtpsend.Config{Servers: cfg.CallHome.MailServers, SMTP: cfg.SMTP}, smtpsend.Deps{
		Dial: d.resolver.DialContext, TLS: d.trust.Client, Log: d.log, Metrics: d.mailMetrics,
	})
	if err != nil {
		return nil, nil, err
	}
	web, err := httpsend.New(cfg.HTTP, httpsend.Deps{Dial: d.resolver.DialContext, TLS: d.trust.Client, Log: d.log, Metrics: d.httpMetrics})
	return mail, web, err
}

// replace makes cfg the configuration in use: devices, profiles and senders at once. Other blocks need a restart, and
// those that changed are named.
func (d *device) replace(cfg *config.Agent) error {
	mail, web, err := d.senders(cfg)
	if err != nil {
		return err
	}
	if err := d.agent.Reload(cfg.Conductor()); err != nil {
		return err
	}
	d.mu.Lock()
	old := d.cfg
	d.cfg = cfg
	d.mail = mail
	d.mu.Unlock()
	d.mailRoad.replace(mail)
	d.httpRoad.replace(web)
	if changed := needRestart(old, cfg); len(changed) > 0 {
		d.log.Warn("these blocks changed, but count only after a restart", "blocks", strings.Join(changed, ", "))
	}
	return nil
}

// fixed are the blocks that a running agent cannot change.
var fixed = []string{"DataDir", "Control", "Console", "Metrics", "Intake", "Collect", "Queue", "Retry", "TrustPoints", "Resolver", "Source", "Outputs", "MailSigning"}

func needRestart(old, now *config.Agent) []string {
	var out []string
	a, b := reflect.ValueOf(old).Elem(), reflect.ValueOf(now).Elem()
	for _, name := range fixed {
		if !reflect.DeepEqual(a.FieldByName(name).Interface(), b.FieldByName(name).Interface()) {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}
