package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"os/signal"
	"reflect"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"callhome/config"
	"callhome/control"
	"callhome/ctl"
	"callhome/enrol"
	"callhome/health"
)

// gateway is `callhome gateway`: alone it runs one, its sub-commands speak to one that runs.
func (a *app) gateway() *cobra.Command {
	run := func(c *cobra.Command, file, level string) error {
		log, err := newLog(a.stderr, level)
		if err != nil {
			return usageError{err}
		}
		if file == "" {
			file = os.Getenv(configEnv)
		}
		if file == "" {
			return usageError{fmt.Errorf("name the configuration with --config FILE or $%s; sub-commands speak to a running gateway, see `callhome gateway --help`", configEnv)}
		}
		cfg, err := config.LoadGateway(file)
		if err != nil {
			return err
		}
		if a.socket != "" && a.socket != cfg.Control {
			return usageError{fmt.Errorf("--socket %s: the gateway's control socket is %s; the key control in the configuration sets it", a.socket, cfg.Control)}
		}
		return runGateway(c.Context(), file, cfg, log)
	}
	var file, level string
	c := group("gateway", "Run the transport gateway: take messages of many devices, keep them safe, forward them", a.gatewayCommands()...)
	c.Use = "gateway --config FILE"
	c.Args = gatewayArgs(c)
	c.RunE = func(c *cobra.Command, _ []string) error { return run(c, file, level) }
	alias := &cobra.Command{
		Use: "run --config FILE", Short: "Run the gateway, as `callhome gateway --config FILE` does", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return run(c, file, level) },
	}
	for _, cmd := range []*cobra.Command{c, alias} {
		cmd.Flags().StringVar(&file, "config", "", "configuration file (default $"+configEnv+")")
		cmd.Flags().StringVar(&level, "log-level", "info", "debug, info, warn or error")
	}
	c.AddCommand(alias)
	return c
}

// gatewayArgs refuses words that are no sub-command.
func gatewayArgs(c *cobra.Command) cobra.PositionalArgs {
	check := c.Args
	return func(c *cobra.Command, args []string) error {
		if len(args) == 0 {
			return nil
		}
		return check(c, args)
	}
}

// runGateway constructs a gateway, opens its listeners and runs it until ctx ends.
func runGateway(ctx context.Context, file string, cfg *config.Gateway, log *slog.Logger) error {
	s, err := buildSite(ctx, file, cfg, log)
	if err != nil {
		return err
	}
	defer s.close()
	orders := &control.Server{Path: cfg.Control, Log: log}
	s.serve(orders, file)
	if err := orders.Listen(ctx); err != nil {
		return err
	}
	s.health.SetReady(true)
	for _, w := range cfg.Warnings {
		log.Warn(w.Error())
	}
	log.Info("callhome gateway is ready", "name", s.gateway.Name(), "control", cfg.Control, "version", version)
	return s.run(ctx, orders, file)
}

// run runs everything until ctx ends or a part fails. Parts end in the order of the road: who takes messages, who sends
// them, who notes what became of them.
func (s *site) run(ctx context.Context, orders *control.Server, file string) error {
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	var outer []func()
	stage := func(parts ...func(context.Context) error) {
		life, end := context.WithCancel(context.WithoutCancel(ctx))
		var wg sync.WaitGroup
		for _, f := range parts {
			wg.Go(func() {
				if err := f(life); err != nil && ctx.Err() == nil {
					fail(err)
				}
			})
		}
		outer = append(outer, func() { end(); wg.Wait() })
	}
	stage(s.gateway.RunBook)
	stage(s.courier.Run, s.gateway.Run)
	receivers := []func(context.Context) error{orders.Run, func(ctx context.Context) error { return s.watchConfig(ctx, file) }, s.runEnrolment}
	if m := s.started.Metrics; m != nil {
		ln, err := listen(ctx, "metrics.listen", m.Listen)
		if err != nil {
			fail(err)
		} else {
			receivers = append(receivers, func(ctx context.Context) error { return serveHTTP(ctx, ln, observability(s.metrics, s.health)) })
		}
	}
	if s.devices != nil {
		receivers = append(receivers, s.devices.Run)
	}
	if s.weak != nil {
		receivers = append(receivers, s.weak.Run)
	}
	if s.mail != nil {
		receivers = append(receivers, s.mail.Run)
	}
	if s.mailbox != nil {
		receivers = append(receivers, s.mailbox.Run)
	}
	stage(receivers...)
	<-ctx.Done()
	s.health.SetReady(false)
	for _, end := range slices.Backward(outer) {
		end()
	}
	if err := context.Cause(ctx); !errors.Is(err, context.Canceled) {
		return err
	}
	s.log.Info("callhome gateway has stopped")
	return nil
}

// enrolmentLook is how often a new registration is looked for: another certificate needs another sender.
const enrolmentLook = time.Second

// runEnrolment keeps the registration alive and the sender in step with it.
func (s *site) runEnrolment(ctx context.Context) error {
	if s.enrol == nil {
		<-ctx.Done()
		return nil
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() {
		s.enrol.Run(ctx, func() enrol.Heartbeat { return s.gateway.Heartbeat(ctx, version, s.digestNow(), s.health.Snapshot()) })
	})
	part := s.health.Part("registration")
	tick := time.NewTicker(enrolmentLook)
	defer tick.Stop()
	was := s.enrol.State().Serial
	for {
		st := s.enrol.State()
		tellRegistration(part, st)
		if st.Serial != was {
			was = st.Serial
			s.joined()
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func tellRegistration(part *health.Part, st enrol.State) {
	if st.LastError != "" {
		part.Unwell(st.LastError)
		return
	}
	part.Well()
}

// joined makes messages leave with the certificate that was granted.
func (s *site) joined() {
	web, err := s.sender(s.config())
	if err != nil {
		s.log.Error("the granted certificate cannot be used", "err", err)
		return
	}
	s.road.replace(web)
	s.gateway.Wake()
}

func (s *site) digestNow() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.digest
}

// watchConfig reloads on SIGHUP and when the file changes.
func (s *site) watchConfig(ctx context.Context, file string) error {
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)
	changed, err := config.Watch(ctx, file)
	if err != nil {
		s.log.Warn("changes of the configuration are not noticed; use SIGHUP", "err", err)
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
		_, _ = s.reload(file) // it has logged what is wrong; the old configuration goes on
	}
}

// siteBlocks are the blocks that a running gateway cannot change: the field of the configuration, and its key.
var siteBlocks = []struct{ field, key string }{
	{"DataDir", "data_dir"}, {"Control", "control"}, {"Metrics", "metrics"}, {"Listen", "listen"}, {"TLS", "tls"}, {"Insecure", "insecure"},
	{"HTTPServer", "http_server, max_message_size"}, {"SMTPServer", "smtp_server"}, {"Mailbox", "mailbox"}, {"Queue", "queue"}, {"Retry", "retry"},
	{"Resolver", "resolver"}, {"Source", "source_address, source_interface, vrf"},
}

// reload reads the configuration again and makes it the one in use: filters, windows, limits, sources, upstreams and how
// they are reached. What cannot change while running is named.
func (s *site) reload(file string) (ctl.Reloaded, error) {
	var done ctl.Reloaded
	cfg, err := config.LoadGateway(file)
	if err == nil {
		err = s.replace(cfg, digestOf(file))
	}
	if err != nil {
		for _, f := range faultsOf(err) {
			s.log.Error("the new configuration is not used, the old one goes on: "+f.text(), "kind", f.Kind)
		}
		return done, err
	}
	a, b := reflect.ValueOf(s.started).Elem(), reflect.ValueOf(cfg).Elem()
	for _, f := range siteBlocks {
		if !reflect.DeepEqual(a.FieldByName(f.field).Interface(), b.FieldByName(f.field).Interface()) {
			done.Restart = append(done.Restart, f.key)
		}
	}
	for _, w := range cfg.Warnings {
		done.Warnings = append(done.Warnings, w.Error())
		s.log.Warn(w.Error())
	}
	if len(done.Restart) > 0 {
		s.log.Warn("these blocks changed, but count only after a restart", "blocks", strings.Join(done.Restart, ", "))
	}
	s.log.Info("the configuration was read again")
	return done, nil
}

func (s *site) replace(cfg *config.Gateway, digest string) error {
	web, err := s.sender(cfg)
	if err != nil {
		return err
	}
	if u, err := url.Parse(registrar(cfg)); err == nil && s.enrol != nil && u.Host != "" {
		trust, err := s.clientTrust(cfg, u.Hostname())
		if err != nil {
			return errors.Join(err, web.Close())
		}
		s.enrol.SetTLS(trust)
	}
	if err := s.gateway.Reload(cfg.Config); err != nil {
		return errors.Join(err, web.Close())
	}
	s.road.replace(web)
	s.fair.Set(cfg.Sources)
	s.mu.Lock()
	s.cfg, s.digest = cfg, digest
	s.mu.Unlock()
	return nil
}
