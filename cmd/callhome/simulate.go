package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"callhome/simulate"
)

// simulation is what `callhome simulate` is asked for.
type simulation struct {
	target, syslog   string
	load             simulate.Load
	caFile           string
	insecure, really bool
}

// What a fleet does unless it is told otherwise: enough to see, not enough to hurt.
const (
	simulateDevices = 8
	simulateRate    = 10
	simulateTime    = 10 * time.Second
)

func (a *app) simulate() *cobra.Command {
	var s simulation
	c := &cobra.Command{
		Use: "simulate [--target URL] [--syslog ADDR]", Short: "A fleet that calls home or logs, and what was acknowledged and lost", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := s.check(); err != nil {
				return usageError{err}
			}
			return a.simulateRun(c.Context(), &s)
		},
	}
	f := c.Flags()
	f.StringVar(&s.target, "target", "", "http:// or https:// address that call-home messages are posted to")
	f.StringVar(&s.syslog, "syslog", "", "udp://HOST:PORT or tcp://HOST:PORT that log lines are sent to")
	f.IntVar(&s.load.Devices, "devices", simulateDevices, "size of the fleet")
	f.Float64Var(&s.load.Rate, "rate", simulateRate, "messages a second of the whole fleet; 0: as fast as they are taken")
	f.DurationVar(&s.load.For, "for", simulateTime, "how long")
	f.Uint64Var(&s.load.Seed, "seed", 0, "repeat a course of events")
	f.StringVar(&s.caFile, "ca-file", "", "certificates that vouch for the target (PEM)")
	f.BoolVar(&s.insecure, "insecure", false, "do not check the target's certificate")
	f.BoolVar(&s.really, "yes-really", false, "send to a host other than this one")
	return c
}

// check refuses to load strangers by accident.
func (s *simulation) check() error {
	if s.target == "" && s.syslog == "" {
		return errors.New("name a --target URL for messages, a --syslog ADDR for log lines, or both")
	}
	for flag, target := range map[string]string{"--target": s.target, "--syslog": s.syslog} {
		if target != "" && !s.really && !simulate.Loopback(target) {
			return fmt.Errorf("%s %s is not this host (localhost, 127.0.0.1, [::1]); add --yes-really if its owner agrees to the load", flag, target)
		}
	}
	return nil
}

// loads are the fleet's ways: by HTTP, by syslog, or both.
func (s *simulation) loads() (post, log *simulate.Load, err error) {
	if s.load.Seed == 0 {
		s.load.Seed = rand.Uint64() //nolint:gosec // chooses a course of events, guards nothing
	}
	if s.target != "" {
		cfg, err := s.tls()
		if err != nil {
			return nil, nil, err
		}
		l := s.load
		if l.Open, err = simulate.Posting(s.target, cfg); err != nil {
			return nil, nil, usageError{err}
		}
		post = &l
	}
	if s.syslog != "" {
		l := s.load
		l.Blind = true
		if l.Open, err = simulate.Logging(s.syslog); err != nil {
			return nil, nil, usageError{err}
		}
		log = &l
	}
	return post, log, nil
}

func (s *simulation) tls() (*tls.Config, error) {
	cfg := &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: s.insecure} //nolint:gosec // the operator's explicit wish, for a test
	if s.caFile == "" {
		return cfg, nil
	}
	b, err := os.ReadFile(s.caFile)
	if err != nil {
		return nil, usageError{fmt.Errorf("--ca-file: %w", err)}
	}
	cfg.RootCAs = x509.NewCertPool()
	if !cfg.RootCAs.AppendCertsFromPEM(b) {
		return nil, usageError{fmt.Errorf("--ca-file %s: holds no certificate in PEM form", s.caFile)}
	}
	return cfg, nil
}

// simulated is what is printed: the report of what was posted, and that of what was logged beside it.
type simulated struct {
	*simulate.Report
	Syslog *simulate.Report `json:"syslog,omitempty"`
}

func (a *app) simulateRun(ctx context.Context, s *simulation) error {
	post, log, err := s.loads()
	if err != nil {
		return err
	}
	var posted, logged *simulate.Report
	var postErr, logErr error
	var loads sync.WaitGroup
	if post != nil {
		post.Tick = a.ticker("posted")
		loads.Go(func() { posted, postErr = post.Run(ctx) })
	}
	if log != nil {
		log.Tick = a.ticker("logged")
		loads.Go(func() { logged, logErr = log.Run(ctx) })
	}
	loads.Wait()
	if err := errors.Join(postErr, logErr); err != nil {
		return fmt.Errorf("simulate: %w", err)
	}
	if err := a.printSimulated(posted, logged); err != nil {
		return err
	}
	for _, r := range []*simulate.Report{posted, logged} {
		if r != nil && r.Sent > 0 && r.Acknowledged == 0 {
			return fmt.Errorf("simulate: none of %d messages was acknowledged", r.Sent)
		}
	}
	return nil
}

// ticker tells on standard error how far a load is.
func (a *app) ticker(did string) func(acknowledged, lost int64) {
	if a.json {
		return nil
	}
	return func(acknowledged, lost int64) { fmt.Fprintf(a.stderr, "%s %d, lost %d\n", did, acknowledged, lost) }
}

func (a *app) printSimulated(posted, logged *simulate.Report) error {
	if a.json {
		out := simulated{Report: posted, Syslog: logged}
		if posted == nil {
			out = simulated{Report: logged}
		}
		return json.NewEncoder(a.stdout).Encode(out)
	}
	for _, r := range []*simulate.Report{posted, logged} {
		if r == nil {
			continue
		}
		if err := r.Print(a.stdout); err != nil {
			return err
		}
	}
	return nil
}
