package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/spf13/cobra"

	"callhome"
	"callhome/agent/intake"
	"callhome/agent/intake/journald"
	"callhome/agent/intake/logfile"
	"callhome/agent/intake/syslogd"
	"callhome/config"
	"callhome/control"
	"callhome/ctl"
	"callhome/health"
)

const (
	// headerTimeout is ample for a scraper.
	headerTimeout = 5 * time.Second
	// stopTime bounds the end of the metrics listener.
	stopTime = 2 * time.Second
)

func (a *app) agent() *cobra.Command {
	var file, level string
	c := &cobra.Command{
		Use: "agent --config FILE", Short: "Run the device side: take in events, tell the right people", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			log, err := newLog(a.stderr, level)
			if err != nil {
				return usageError{err}
			}
			cfg, err := loadConfig(file)
			if err != nil {
				return err
			}
			if a.socket != "" && a.socket != cfg.Control {
				return usageError{fmt.Errorf("--socket %s: the agent's control socket is %s; the key control in the configuration sets it", a.socket, cfg.Control)}
			}
			if file == "" {
				file = os.Getenv(configEnv)
			}
			return runAgent(c.Context(), file, cfg, log)
		},
	}
	c.Flags().StringVar(&file, "config", "", "configuration file (default $"+configEnv+")")
	c.Flags().StringVar(&level, "log-level", "info", "debug, info, warn or error")
	return c
}

func newLog(w io.Writer, level string) (*slog.Logger, error) {
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); err != nil {
		return nil, fmt.Errorf("log level %q is not debug, info, warn or error", level)
	}
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: l})), nil
}

// runAgent constructs an agent, opens its listeners and runs it until ctx ends.
func runAgent(ctx context.Context, file string, cfg *config.Agent, log *slog.Logger) error {
	d, err := construct(ctx, cfg, log, nil)
	if err != nil {
		return err
	}
	defer d.close()
	d.digest = digestOf(file)
	if err := d.listen(ctx); err != nil {
		return err
	}
	orders := &control.Server{Path: cfg.Control, Log: log}
	d.serve(orders, file)
	if err := orders.Listen(ctx); err != nil {
		return err
	}
	d.health.SetReady(true)
	warn(log, cfg)
	log.Info("callhome agent is ready", "device", cfg.Device.Hostname, "control", cfg.Control, "version", version)
	return d.run(ctx, orders, file)
}

// warn logs what is accepted in a configuration and yet hinders messages.
func warn(log *slog.Logger, cfg *config.Agent) {
	for _, w := range cfg.Warnings {
		log.Warn(w.Error())
	}
}

// listen opens the configured sources of lines.
func (d *device) listen(ctx context.Context) error {
	if len(d.cfg.Intake.Syslog) > 0 {
		s, err := syslogd.New(d.cfg.Intake.Config, d.agent, syslogd.Options{
			Log: d.log, Metrics: d.metrics, CertDir: d.path(tlsDir), Hosts: []string{d.cfg.Device.Hostname, "localhost", "127.0.0.1", "::1"},
		})
		if err != nil {
			return err
		}
		if err := s.Listen(ctx); err != nil {
			return err
		}
		d.agent.Add(callhome.SourceSyslog, s)
	}
	if l := d.cfg.Intake.Logfile; l != nil {
		r, err := logfile.New(*l, d.agent, logfile.Options{Log: d.log, Store: intake.State(d.path(positionsFile)), Metrics: d.metrics})
		if err != nil {
			return err
		}
		d.agent.Add(callhome.SourceLogfile, r)
	}
	if j := d.cfg.Intake.Journald; j != nil {
		r, err := journald.New(*j, d.agent, journald.Options{Log: d.log, Store: intake.State(d.path(cursorFile)), Metrics: d.metrics})
		if err != nil {
			return err
		}
		d.agent.Add(callhome.SourceJournald, r)
	}
	return nil
}

// run runs everything until ctx ends or a part fails; SIGHUP and changes of the configuration file reload it.
func (d *device) run(ctx context.Context, orders *control.Server, file string) error {
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	var parts sync.WaitGroup
	start := func(f func(context.Context) error) {
		parts.Go(func() {
			if err := f(ctx); err != nil && ctx.Err() == nil {
				fail(err)
			}
		})
	}
	if m := d.cfg.Metrics; m != nil {
		ln, err := listen(ctx, "metrics.listen", m.Listen)
		if err != nil { // before anything runs that would have to be waited for
			return err
		}
		start(func(ctx context.Context) error { return d.serveMetrics(ctx, ln) })
	}
	start(orders.Run)
	start(d.courier.Run)
	start(d.watchTrust)
	start(d.runEnrolment)
	start(d.rest)
	for _, t := range d.tees {
		start(t.Run)
	}
	start(func(ctx context.Context) error { return d.watchConfig(ctx, file) })
	start(d.agent.Run)
	<-ctx.Done()
	d.health.SetReady(false)
	parts.Wait()
	if err := context.Cause(ctx); !errors.Is(err, context.Canceled) {
		return err
	}
	d.log.Info("callhome agent has stopped")
	return nil
}

const (
	// trustCheck is how often certificates are looked at: they end on a date, not at a second.
	trustCheck = time.Hour
	// trustNotice is how long before its end a certificate is complained about.
	trustNotice = 30 * 24 * time.Hour
)

// watchTrust tells health which certificates of trust points end soon, or have ended.
func (d *device) watchTrust(ctx context.Context) error {
	part := d.health.Part("trust points")
	tick := time.NewTicker(trustCheck)
	defer tick.Stop()
	for {
		ending, err := d.trust.Expiring(trustNotice)
		switch {
		case err != nil:
			part.Unwell(err.Error())
		case len(ending) > 0:
			part.Unwell(fmt.Sprintf("the certificate %s of trust point %s ends on %s; replace it", ending[0].Subject, ending[0].TrustPoint, ending[0].NotAfter.Format(time.DateOnly)))
		default:
			part.Well()
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (d *device) serveMetrics(ctx context.Context, ln net.Listener) error {
	return serveHTTP(ctx, ln, observability(d.metrics, d.health))
}

// observability answers /metrics, /healthz and /readyz.
func observability(metrics prometheus.Gatherer, well *health.Registry) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(metrics, promhttp.HandlerOpts{}))
	mux.Handle("/", well.Handler())
	return mux
}

// serveHTTP serves a listener until ctx ends.
func serveHTTP(ctx context.Context, ln net.Listener, h http.Handler) error {
	srv := &http.Server{Handler: h, ReadHeaderTimeout: headerTimeout}
	stop := context.AfterFunc(ctx, func() {
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
		defer cancel()
		_ = srv.Shutdown(grace)
	})
	defer stop()
	if err := srv.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// watchConfig reloads on SIGHUP and when the file changes.
func (d *device) watchConfig(ctx context.Context, file string) error {
	if file == "" {
		<-ctx.Done()
		return nil
	}
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)
	changed, err := config.Watch(ctx, file)
	if err != nil {
		d.log.Warn("changes of the configuration are not noticed; use SIGHUP", "err", err)
	}
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-hup:
		case _, ok := <-changed:
			if !ok {
				changed = nil
				continue
			}
		}
		_, _ = d.reload(file) // it has logged what is wrong; the old configuration goes on
	}
}

// reload reads the configuration again and makes it the one in use. What cannot change while running is named.
func (d *device) reload(file string) (ctl.Reloaded, error) {
	var done ctl.Reloaded
	cfg, err := config.Load(file)
	if err == nil {
		discoverOwn(cfg)
		done, err = d.replace(cfg)
	}
	if err == nil {
		d.mu.Lock()
		d.digest = digestOf(file)
		d.mu.Unlock()
	}
	if err != nil {
		for _, f := range faultsOf(err) {
			d.log.Error("the new configuration is not used, the old one goes on: "+f.text(), "kind", f.Kind)
		}
		return done, err
	}
	warn(d.log, cfg)
	d.log.Info("the configuration was read again")
	return done, nil
}
