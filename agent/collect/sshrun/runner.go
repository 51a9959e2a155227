package sshrun

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync/atomic"
	"time"

	"github.com/scrapli/scrapligo/driver/options"
	"github.com/scrapli/scrapligo/platform"

	"callhome/agent/collect"
)

const (
	// loginTimeout bounds the way from the shell to a command line that is ready: Unified CM needs ten seconds.
	loginTimeout = 45 * time.Second
	// maxSilentEnds is how many connections in a row may end right after our credentials before that counts as a refusal:
	// one may be a device going down, and two failed logins lock no account.
	maxSilentEnds = 2
)

// errLost is what every error of a broken session wraps.
var errLost = collect.ErrSessionLost

// Options are what a Runner gets from outside; all may be left out.
type Options struct {
	Log  *slog.Logger
	Dial func(ctx context.Context, network, address string) (net.Conn, error) // default: net.Dialer
}

// Runner opens sessions on one device.
type Runner struct {
	target Target
	driver driver
	log    *slog.Logger
	dial   dialFunc
	silent atomic.Int32 // connections in a row that ended right after our credentials
}

// New checks the target's configuration. Nothing is connected yet.
func New(t Target, o Options) (*Runner, error) {
	if err := t.Config.Validate(); err != nil {
		return nil, fmt.Errorf("device %s: %w", t.Name, err)
	}
	if j := t.Config.Jump; j != nil && j.KnownHosts == "" { // one file knows all hosts unless told otherwise
		hop := *j
		hop.KnownHosts = t.Config.KnownHosts
		t.Config.Jump = &hop
	}
	r := &Runner{target: t, driver: t.driver(), log: o.Log, dial: o.Dial}
	if r.log == nil {
		r.log = slog.New(slog.DiscardHandler)
	}
	if r.dial == nil {
		r.dial = (&net.Dialer{}).DialContext
	}
	return r, nil
}

// Open logs in and brings the command line into a known state.
func (r *Runner) Open(ctx context.Context) (collect.Session, error) {
	conn, err := connect(ctx, r.target, r.dial)
	if err := r.judge(err); err != nil {
		return nil, err
	}
	if r.driver.direct {
		return &direct{conn: conn}, nil
	}
	ctx, cancel := context.WithTimeoutCause(ctx, loginTimeout, fmt.Errorf("the command line was not ready within %s", loginTimeout))
	defer cancel()
	stop := context.AfterFunc(ctx, conn.close)
	defer stop()
	s, err := r.start(conn)
	if err != nil {
		conn.close()
		return nil, fmt.Errorf("%s: %w", r.target.Address, orCause(ctx, err))
	}
	if err := s.login(ctx, r.driver, r.target.Config.Enable); err != nil {
		s.kill()
		var refused *collect.RefusedError
		if errors.As(err, &refused) {
			return nil, err
		}
		return nil, fmt.Errorf("%s: %w", r.target.Address, orCause(ctx, err))
	}
	return s, nil
}

// judge makes a refusal of silent ends that repeat.
func (r *Runner) judge(err error) error {
	if !errors.Is(err, errClosed) {
		r.silent.Store(0)
		return err
	}
	if r.silent.Add(1) >= maxSilentEnds {
		return &collect.RefusedError{Where: r.target.Address, Err: err}
	}
	return err
}

// start opens the shell and puts scrapligo's channel on top.
func (r *Runner) start(conn *connection) (*session, error) {
	sh, err := startShell(conn, r.target.Config.Shell)
	if err != nil {
		return nil, err
	}
	source, err := r.driver.source()
	if err != nil {
		return nil, err
	}
	p, err := platform.NewPlatform(source, r.target.Address,
		options.WithCustomTransport(sh), options.WithChannelLog(arrivals(sh.arrive)), options.WithTransportReadSize(readSize))
	if err != nil {
		return nil, fmt.Errorf("command line definition: %w", err)
	}
	d, err := p.GetNetworkDriver()
	if err != nil {
		return nil, fmt.Errorf("command line definition: %w", err)
	}
	if err := d.Channel.Open(); err != nil {
		return nil, fmt.Errorf("start reading: %w", err)
	}
	return &session{shell: sh, channel: d.Channel, platform: d.Channel.PromptPattern, refusals: d.FailedWhenContains}, nil
}

// readSize is what one read of a shell takes: one SSH packet.
const readSize = 32 << 10
