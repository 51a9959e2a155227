package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"callhome"
	"callhome/agent"
	"callhome/agent/collect"
	"callhome/agent/collect/localrun"
	"callhome/agent/collect/sshrun"
	"callhome/agent/discover"
	"callhome/agent/intake"
	"callhome/agent/intake/periodic"
	"callhome/agent/tee"
	"callhome/config"
	"callhome/deliver"
	"callhome/deliver/httpsend"
	"callhome/deliver/smtpsend"
	"callhome/enrol"
	"callhome/health"
	"callhome/outbox"
	"callhome/outbox/spool"
	"callhome/resolve"
	"callhome/sqldb"
	"callhome/trustpoint"
)

// Files below data_dir.
const (
	outboxFile    = "outbox.db"
	throttleFile  = "throttle.json"
	schedulesFile = "schedules.json"
	latchesFile   = "latches.json"
	positionsFile = "positions.json"
	cursorFile    = "journal.cursor"
	pseudonymFile = "pseudonym.key"
	trustDir      = "trustpoints"
	tlsDir        = "tls"
	knownHosts    = "known_hosts"
)

// pseudonymBytes is the length of the key of anonymous pseudonyms: as long as the hash it keys.
const pseudonymBytes = 32

// device is one running agent with all its parts.
type device struct {
	log      *slog.Logger
	health   *health.Registry
	metrics  *prometheus.Registry
	store    outbox.Store
	outbox   *outbox.Queue
	resolver *resolve.Resolver
	trust    *trustpoint.Set
	mailRoad swap
	httpRoad swap
	courier  *deliver.Courier
	collect  *collect.Collector
	agent    *agent.Agent
	tees     []*tee.Tee
	enrol    *enrol.Client // nil without a back end of ours to join
	started  *config.Agent // what the blocks that need a restart go by

	mailMetrics *smtpsend.Metrics
	httpMetrics *httpsend.Metrics

	reloads sync.Mutex // one at a time; never taken while mu is held

	mu   sync.Mutex // guards what follows
	cfg  *config.Agent
	mail *smtpsend.Sender

	digest string // of the configuration file in use
}

// config is the configuration in use.
func (d *device) config() *config.Agent {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.cfg
}

// construct makes the parts of an agent; nothing runs or listens yet. watch may be nil.
func construct(ctx context.Context, cfg *config.Agent, log *slog.Logger, watch func(agent.Happening)) (_ *device, err error) {
	d := &device{cfg: cfg, started: cfg, log: log, health: health.New(), metrics: prometheus.NewRegistry()}
	defer func() {
		if err != nil {
			d.close()
		}
	}()
	d.metrics.MustRegister(d.health)
	if err := os.MkdirAll(cfg.DataDir, 0o700); err != nil {
		return nil, fmt.Errorf("data_dir: %w", err)
	}
	var key []byte
	var keyErr error
	var making sync.WaitGroup // of the key, whose syncs at the first start go on beside those of the outbox
	making.Go(func() { key, keyErr = loadKey(d.path(pseudonymFile)) })
	defer making.Wait()
	discoverOwn(cfg)
	for _, step := range []func(context.Context) error{d.openOutbox, d.openRoad, d.openCollector} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	if making.Wait(); keyErr != nil {
		return nil, keyErr
	}
	return d, d.openAgent(watch, key)
}

// discoverOwn fills what the configuration leaves open about the own device.
func discoverOwn(cfg *config.Agent) {
	h := discover.Read("/")
	if h.Hostname != "" {
		cfg.OwnNames = []string{h.Hostname}
	}
	for _, f := range []struct {
		field *string
		found string
	}{
		{&cfg.Device.Hostname, h.Hostname}, {&cfg.Device.Brand, h.Brand}, {&cfg.Device.Model, h.Model}, {&cfg.Device.Series, h.Series},
		{&cfg.Device.Serial, h.Serial}, {&cfg.Device.PartNo, h.PartNo}, {&cfg.Device.HWVersion, h.HWVersion},
		{&cfg.Device.SWVersion, h.SWVersion}, {&cfg.Device.SysDescr, h.Description},
	} {
		if *f.field == "" {
			*f.field = f.found
		}
	}
}

func (d *device) path(name string) string { return filepath.Join(d.config().DataDir, name) }

// openOutbox opens the outbox. Damage that only its first reading meets was noted, and opening it again sets the file aside.
func (d *device) openOutbox(ctx context.Context) error {
	err := d.tryOutbox(ctx)
	if sqldb.IsDamaged(err) {
		d.log.Error("the outbox is damaged and is opened again, to save what can be read", "err", err)
		err = d.tryOutbox(ctx)
	}
	return err
}

func (d *device) tryOutbox(ctx context.Context) error {
	store, err := spool.Open(ctx, d.path(outboxFile), spool.Options{Log: d.log, Health: d.health})
	if err != nil {
		return err
	}
	d.store = store
	d.outbox, err = outbox.Open(ctx, store, outbox.Options{Config: d.cfg.Queue, Log: d.log, Health: d.health, Metrics: d.metrics})
	return err
}

// openRoad makes what messages leave by.
func (d *device) openRoad(ctx context.Context) error {
	store, err := trustpoint.OpenStore(d.path(trustDir), d.trustInUse)
	if err != nil {
		return err
	}
	if d.trust, err = trustpoint.Load(d.cfg.TrustPoints, store, time.Now); err != nil {
		return err
	}
	if d.resolver, err = resolve.New(d.cfg.Resolver, d.cfg.Source, resolve.Options{Log: d.log}); err != nil {
		return err
	}
	if err := d.openEnrolment(ctx); err != nil {
		return err
	}
	d.mailMetrics, d.httpMetrics = smtpsend.NewMetrics(d.metrics), httpsend.NewMetrics(d.metrics)
	mail, web, err := d.senders(d.cfg)
	if err != nil {
		return err
	}
	d.mail = mail
	d.mailRoad.log, d.httpRoad.log = d.log, d.log
	d.mailRoad.replace(mail)
	d.httpRoad.replace(web)
	d.courier, err = deliver.New(d.cfg.Retry, deliver.Options{
		Queue: d.outbox, Log: d.log, Health: d.health, Metrics: d.metrics,
		Senders: map[callhome.Transport]deliver.Sender{callhome.TransportEmail: &d.mailRoad, callhome.TransportHTTP: &d.httpRoad},
	})
	return err
}

// trustInUse keeps the trust point of anonymous reporting while that is enabled.
func (d *device) trustInUse(name string) string {
	if name == trustpoint.ServerCA && d.config().CallHome.AnonymousReporting.Enabled {
		return "anonymous reporting"
	}
	return ""
}

func (d *device) openCollector(context.Context) (err error) {
	d.collect, err = collect.New(d.cfg.Collect, collect.Options{
		Log: d.log, Latches: collect.FileLatches(d.path(latchesFile)), Metrics: d.metrics,
		Record: func(r collect.Record) {
			fields := []any{"device_id", r.Device, "command", r.Command, "ran", r.Ran, "duration", r.Duration, "bytes", r.Bytes}
			if r.Err != "" {
				fields = append(fields, "err", r.Err)
			}
			d.log.Info("command", fields...)
		},
	})
	return err
}

// targets turns the devices of a configuration into what the collector asks.
func (d *device) targets(cfg agent.Config) []collect.Device {
	own := collect.Device{Name: cfg.Device.Hostname, Contexts: cfg.Contexts, Gate: collect.ListedOnly(cfg.OwnCommands())}
	if runner, err := localrun.New(cfg.OwnCommands(), localrun.Options{Log: d.log}); err != nil {
		d.log.Error("a command of this host cannot be run", "err", err)
	} else {
		own.Runner = runner
	}
	out := []collect.Device{own}
	for i := range cfg.Devices {
		n := &cfg.Devices[i]
		listed := slices.Concat(cfg.Collect.Commands, n.Commands, agent.PlatformCommands(n.Personality))
		dev := collect.Device{Name: n.Hostname, Contexts: n.Contexts, Sessions: n.Sessions, Gate: collect.ShowOnly(listed)}
		if n.SSH != nil {
			ssh := *n.SSH
			if ssh.KnownHosts == "" {
				ssh.KnownHosts = d.path(knownHosts)
			}
			t := sshrun.Target{Name: n.Hostname, Address: n.Address, Personality: n.Personality, Config: ssh}
			runner, err := sshrun.New(t, sshrun.Options{Log: d.log, Dial: d.resolver.DialContext})
			if err != nil {
				d.log.Error("a device cannot be asked for its output", "device_id", n.Hostname, "err", err)
			} else {
				dev.Runner, dev.Settings = runner, t.Settings()
			}
		}
		out = append(out, dev)
	}
	return out
}

func (d *device) openAgent(watch func(agent.Happening), key []byte) error {
	schedules, err := periodic.New(periodic.Options{Log: d.log, Store: intake.State(d.path(schedulesFile))})
	if err != nil {
		return err
	}
	signer, err := smtpsend.NewSigner(d.cfg.MailSigning)
	if err != nil {
		return err
	}
	parts := agent.Parts{
		Outbox: d.outbox, Collector: d.collect, Devices: d.targets, Periodic: schedules, Log: d.log,
		PseudonymKey: key, Watch: watch, ThrottleState: intake.State(d.path(throttleFile)), Metrics: d.metrics,
	}
	if signer != nil {
		parts.Sign = signer.Sign
	}
	for _, target := range d.cfg.Outputs.Syslog {
		t, err := tee.New(target, nil, d.log)
		if err != nil {
			return err
		}
		d.tees = append(d.tees, t)
		parts.Tees = append(parts.Tees, t)
	}
	d.agent, err = agent.New(d.cfg.Conductor(), parts)
	return err
}

// loadKey reads a random key, or makes it. Two first starts at the same time agree on one. A file of another length is
// never replaced: with another key every device would get another pseudonym.
func loadKey(path string) ([]byte, error) {
	key, err := readKey(path)
	if errors.Is(err, os.ErrNotExist) {
		if err = makeKey(path); err == nil {
			key, err = readKey(path)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("pseudonym key: %w", err)
	}
	return key, nil
}

func readKey(path string) ([]byte, error) {
	key, err := os.ReadFile(path)
	if err == nil && len(key) != pseudonymBytes {
		return nil, callhome.Errorf(callhome.KindInvalid, "%s has %d bytes, not %d: restore it from a backup; if there is none, remove it, and all devices get new pseudonyms", path, len(key), pseudonymBytes)
	}
	return key, err
}

// makeKey gives the file its name when all of it is on the disk, unless another process was faster.
func makeKey(path string) error {
	key := make([]byte, pseudonymBytes)
	if _, err := rand.Read(key); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), ".new-*") // CreateTemp makes it 0600
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.Write(key)
	if err := errors.Join(err, tmp.Sync(), tmp.Close()); err != nil {
		return err
	}
	if err := os.Link(tmp.Name(), path); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Sync()
}

// close lets go of what construct opened, in the order in which it may end.
func (d *device) close() {
	if d.outbox != nil {
		_ = d.outbox.Close()
	}
	for _, road := range []*swap{&d.mailRoad, &d.httpRoad} {
		road.close()
	}
	if d.store != nil {
		_ = d.store.Close()
	}
}

// listen opens a TCP listener and names the key it was configured by when it cannot.
func listen(ctx context.Context, key, address string) (net.Listener, error) {
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", key, err)
	}
	return ln, nil
}

// renderer is an agent that can make messages but stores and sends nothing: for previews.
func (d *device) renderer(context.Context) (*agent.Agent, error) {
	resolver, err := resolve.New(d.cfg.Resolver, d.cfg.Source, resolve.Options{Log: d.log})
	if err != nil {
		return nil, err
	}
	d.resolver = resolver
	collector, err := collect.New(d.cfg.Collect, collect.Options{Log: d.log})
	if err != nil {
		return nil, err
	}
	key, err := loadKey(d.path(pseudonymFile))
	if err != nil {
		return nil, err
	}
	signer, err := smtpsend.NewSigner(d.cfg.MailSigning)
	if err != nil {
		return nil, err
	}
	parts := agent.Parts{Collector: collector, Devices: d.targets, Log: d.log, PseudonymKey: key}
	if signer != nil {
		parts.Sign = signer.Sign
	}
	return agent.New(d.cfg.Conductor(), parts)
}
