package main

import (
	"errors"
	"reflect"
	"slices"
	"strings"

	"callhome/config"
	"callhome/ctl"
	"callhome/deliver/httpsend"
	"callhome/deliver/smtpsend"
)

// senders makes the senders of a configuration.
func (d *device) senders(cfg *config.Agent) (*smtpsend.Sender, *httpsend.Sender, error) {
	mail, err := smtpsend.New(smtpsend.Config{Servers: cfg.CallHome.MailServers, SMTP: cfg.SMTP}, smtpsend.Deps{
		Dial: d.resolver.DialContext, TLS: d.trust.Client, Log: d.log, Metrics: d.mailMetrics,
	})
	if err != nil {
		return nil, nil, err
	}
	web, err := httpsend.New(backendRoad(cfg), httpsend.Deps{Dial: d.resolver.DialContext, TLS: d.clientTLS, Log: d.log, Metrics: d.httpMetrics})
	return mail, web, err
}

// replace makes cfg the configuration in use: devices, profiles and senders at once. Other blocks need a restart; those of
// them that changed are named, and told again by every reload until then.
func (d *device) replace(cfg *config.Agent) (ctl.Reloaded, error) {
	d.reloads.Lock()
	defer d.reloads.Unlock()
	mail, web, err := d.senders(cfg)
	if err != nil {
		return ctl.Reloaded{}, err
	}
	if err := d.agent.Reload(cfg.Conductor()); err != nil {
		return ctl.Reloaded{}, errors.Join(err, mail.Close(), web.Close())
	}
	d.mu.Lock()
	d.cfg = cfg
	d.mail = mail
	d.mu.Unlock()
	d.mailRoad.replace(mail)
	d.httpRoad.replace(web)
	out := ctl.Reloaded{
		Profiles: len(cfg.CallHome.Profiles), Devices: len(cfg.Devices), MailServers: len(cfg.CallHome.MailServers),
		Restart: needRestart(d.started, cfg),
	}
	for _, w := range cfg.Warnings {
		out.Warnings = append(out.Warnings, w.Error())
	}
	if len(out.Restart) > 0 {
		d.log.Warn("these blocks changed, but count only after a restart", "blocks", strings.Join(out.Restart, ", "))
	}
	return out, nil
}

// fixed are the blocks that a running agent cannot change: the field of the configuration, and its key in the file.
var fixed = []struct{ field, key string }{
	{"DataDir", "data_dir"}, {"Control", "control"}, {"Console", "console"}, {"Metrics", "metrics"}, {"Intake", "intake"}, {"Collect", "collect"},
	{"Queue", "queue"}, {"Retry", "retry"}, {"TrustPoints", "trust_points"}, {"Resolver", "resolver"}, {"Source", "source_address, source_interface, vrf"},
	{"Outputs", "outputs"}, {"Backend", "backend"}, {"MailSigning", "mail_signing"},
}

func needRestart(old, now *config.Agent) []string {
	var out []string
	a, b := reflect.ValueOf(old).Elem(), reflect.ValueOf(now).Elem()
	for _, f := range fixed {
		if !reflect.DeepEqual(a.FieldByName(f.field).Interface(), b.FieldByName(f.field).Interface()) {
			out = append(out, f.key)
		}
	}
	slices.Sort(out)
	return out
}
