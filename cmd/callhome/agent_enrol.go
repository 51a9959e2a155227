package main

import (
	"context"
	"crypto/tls"
	"io"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"callhome"
	"callhome/config"
	"callhome/deliver/httpsend"
	"callhome/enrol"
	"callhome/trustpoint"
)

const (
	// agentEnrolDir holds what a back end granted, below data_dir.
	agentEnrolDir = "enrol"
	// enrolledPoint names the granted certificate where httpsend takes the name of a trust point. No trust point of an
	// operator has a space in its name.
	enrolledPoint = "granted by the back end"
	// maxTokenFile bounds what is read of a token's file: a token has some dozen characters.
	maxTokenFile = 4096
)

// openEnrolment prepares joining the configured back end.
func (d *device) openEnrolment(ctx context.Context) error {
	b := d.cfg.Backend
	if b == nil {
		return nil
	}
	u, err := url.Parse(b.URL)
	if err != nil {
		return err
	}
	trust, err := d.trust.Client(backendTrust(d.cfg).options(u.Hostname()))
	if err != nil {
		return err
	}
	host, _ := os.Hostname()
	name := b.Name
	if name == "" {
		name = host
	}
	own, call := d.cfg.Device, &d.cfg.CallHome
	d.enrol, err = enrol.Open(enrol.Options{
		URL: b.URL, Dir: d.path(agentEnrolDir), Kind: enrol.KindAgent, Name: name, TLS: trust, Dial: d.resolver.DialContext, Log: d.log,
		Identity: enrol.Identity{
			Hostname: own.Hostname, Model: own.Model, Serial: own.Serial, SiteID: call.SiteID, Customer: call.CustomerID, Contact: call.Contact.Email, Version: version,
		},
	})
	return err
}

// trusted is whom a connection to the back end trusts.
type trusted httpsend.Trust

func (t trusted) options(host string) trustpoint.ClientOptions {
	return trustpoint.ClientOptions{ServerName: host, TrustPoints: t.TrustPoints, Pins: t.Pins, AnyName: t.AnyName}
}

func backendTrust(cfg *config.Agent) trusted {
	if len(cfg.Backend.TrustPoints) > 0 {
		return trusted{TrustPoints: cfg.Backend.TrustPoints}
	}
	return trusted(cfg.HTTP.HTTP.Trust)
}

// backendRoad makes posts to the back end show the granted certificate. Anonymous messages never show one.
func backendRoad(cfg *config.Agent) httpsend.Config {
	web := cfg.HTTP
	if cfg.Backend == nil {
		return web
	}
	u, err := url.Parse(cfg.Backend.URL)
	if err != nil {
		return web
	}
	at := "https://" + u.Host
	common := httpsend.Endpoint{URL: at, Trust: httpsend.Trust(backendTrust(cfg))}
	common.Certificate = enrolledPoint
	endpoints, own := []httpsend.Endpoint{}, false
	for _, e := range web.HTTP.Endpoints {
		if strings.HasPrefix(e.URL, at) && e.Certificate == "" {
			e.Certificate = enrolledPoint
		}
		own = own || e.URL == at
		endpoints = append(endpoints, e)
	}
	if !own {
		endpoints = append(endpoints, common)
	}
	web.HTTP.Endpoints = endpoints
	return web
}

// clientTLS is the trust of what posts: the name of the granted certificate means whatever is granted at the time.
func (d *device) clientTLS(o trustpoint.ClientOptions) (*tls.Config, error) {
	granted := o.Certificate == enrolledPoint
	if granted {
		o.Certificate = ""
	}
	cfg, err := d.trust.Client(o)
	if err == nil && granted && d.enrol != nil {
		cfg.GetClientCertificate = d.enrol.GetClientCertificate
	}
	return cfg, err
}

// runEnrolment joins the back end, keeps the certificate alive and sends heartbeats.
func (d *device) runEnrolment(ctx context.Context) error {
	if d.enrol == nil {
		return nil
	}
	began := time.Now()
	d.join(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() { d.enrol.Run(ctx, func() enrol.Heartbeat { return d.heartbeat(ctx, began) }) })
	part := d.health.Part("registration")
	tick := time.NewTicker(enrolmentLook)
	defer tick.Stop()
	was := d.enrol.State().Serial
	d.renewRoad()
	for {
		st := d.enrol.State()
		tellRegistration(part, st)
		if st.Serial != was {
			was = st.Serial
			d.renewRoad() // connections that showed the certificate before end
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// join uses the one-time token up. What is not answered is asked again by Run.
func (d *device) join(ctx context.Context) {
	st, file := d.enrol.State(), d.config().Backend.TokenFile
	if st.Registered || st.Pending || file == "" {
		return
	}
	token, err := readToken(file)
	if err == nil {
		err = d.enrol.Enrol(ctx, token)
	}
	if err != nil {
		d.log.Error("the agent could not join its back end", "component", "enrol", "url", d.config().Backend.URL, "err", err)
	}
}

func readToken(file string) (callhome.Secret, error) {
	f, err := os.Open(file)
	if err != nil {
		return callhome.Secret{}, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxTokenFile))
	return callhome.NewSecret(strings.TrimSpace(string(b))), err
}

// renewRoad makes messages leave by new connections.
func (d *device) renewRoad() {
	d.reloads.Lock()
	defer d.reloads.Unlock()
	web, err := httpsend.New(backendRoad(d.config()), httpsend.Deps{Dial: d.resolver.DialContext, TLS: d.clientTLS, Log: d.log, Metrics: d.httpMetrics})
	if err != nil {
		d.log.Error("the granted certificate cannot be used", "component", "enrol", "err", err)
		return
	}
	d.httpRoad.replace(web)
}

// heartbeat is what the back end is told every few minutes.
func (d *device) heartbeat(ctx context.Context, began time.Time) enrol.Heartbeat {
	d.mu.Lock()
	digest, devices := d.digest, 1+len(d.cfg.Devices)
	d.mu.Unlock()
	b := enrol.Heartbeat{Kind: enrol.KindAgent, Version: version, ConfigDigest: digest, StartedAt: began, Devices: devices}
	if depth, err := d.outbox.Depth(ctx); err == nil {
		b.Queue = enrol.Queue{Depth: depth.Entries, Bytes: depth.EntryBytes, OldestAt: depth.OldestAt}
	}
	for _, s := range d.health.Snapshot() {
		if !s.Well {
			b.Unwell = append(b.Unwell, s.Part+": "+s.Reason)
		}
	}
	return b
}
