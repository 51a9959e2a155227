package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"callhome/config"
	"callhome/control"
	"callhome/outbox"
	"callhome/simulate"
)

const (
	// demoDevices is one of each platform.
	demoDevices = 8
	// demoPace is how often a device of the demo says something.
	demoPace = 250 * time.Millisecond
	// demoDrain is how long a demo that ends waits for messages under way.
	demoDrain = 5 * time.Second
	// demoLastPost is a little more than the pause in which the back end looks for notices to post.
	demoLastPost = 2500 * time.Millisecond
	// demoLook is how often the demo looks whether something happened.
	demoLook = 100 * time.Millisecond
	// demoSyslog is where the demo listens, so that a reader can send lines of his own.
	demoSyslog = "127.0.0.1:5514"
)

func (a *app) demo() *cobra.Command {
	var span time.Duration
	var dir string
	var seed uint64
	c := &cobra.Command{
		Use: "demo", Short: "Agent, gateway, back end, mail sink and a simulated fleet, nothing to configure", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if seed == 0 {
				seed = rand.Uint64() //nolint:gosec // chooses a course of events, guards nothing
			}
			d := &demo{out: a.stdout, dir: dir, seed: seed, span: span}
			return d.run(c.Context())
		},
	}
	c.Flags().DurationVar(&span, "for", 0, "end after this long with a summary (default: until interrupted)")
	c.PersistentFlags().StringVar(&dir, "dir", "demo-data", "where the demo keeps its files")
	c.Flags().Uint64Var(&seed, "seed", 0, "repeat a course of events")
	c.AddCommand(
		leaf("mails", "List the mails that arrived", func(context.Context) error { return listMails(a.stdout, dir) }),
		&cobra.Command{
			Use: "mail N", Short: "Print a mail that arrived", Args: cobra.ExactArgs(1),
			RunE: func(_ *cobra.Command, args []string) error { return printMail(a.stdout, dir, args[0]) },
		})
	return c
}

// demo is everything at once in one process.
type demo struct {
	out  io.Writer
	dir  string
	seed uint64
	span time.Duration // how long the fleet lives; 0: until the context ends

	screen sync.Mutex // guards out
	sinks  *sinks
	home   *home
	start  time.Time
}

func (d *demo) run(ctx context.Context) (err error) {
	if err := os.MkdirAll(d.dir, 0o700); err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	if err := d.sweep(); err != nil { // what a demo left that was killed
		return err
	}
	defer func() { err = errors.Join(err, d.sweep()) }()
	logFile, err := os.OpenFile(filepath.Join(d.dir, demoLog), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	defer logFile.Close()
	log := slog.New(slog.NewTextHandler(logFile, nil))
	d.start = time.Now()

	// The sinks and the fleet outlive the agent, which may still deliver while it ends.
	world, endWorld := context.WithCancel(context.WithoutCancel(ctx))
	var parts sync.WaitGroup
	defer func() { endWorld(); parts.Wait() }()
	if d.sinks, err = openSinks(world, &parts, d.dir, log, d.say); err != nil {
		return err
	}
	if d.home, err = d.openHome(world, &parts, log); err != nil {
		return err
	}
	fleet := simulate.NewFleet(demoDevices)
	consoles, err := openConsoles(world, &parts, d.dir, fleet)
	if err != nil {
		return err
	}
	file, intake, err := d.configure(fleet, consoles)
	if err != nil {
		return err
	}
	cfg, err := config.Load(file)
	if err != nil {
		return err
	}
	return d.play(ctx, &parts, cfg, file, intake, fleet, log)
}

// play runs the agent and the fleet until ctx ends, then waits for what is under way.
func (d *demo) play(ctx context.Context, parts *sync.WaitGroup, cfg *config.Agent, file, intake string, fleet []*simulate.Device, log *slog.Logger) error {
	running, stopAgent := context.WithCancel(context.WithoutCancel(ctx))
	defer stopAgent()
	agent, err := construct(running, cfg, log, d.happened)
	if err != nil {
		return err
	}
	defer agent.close()
	if err := agent.listen(running); err != nil {
		return err
	}
	ctl := &control.Server{Path: cfg.Control, Log: log}
	agent.serve(ctl, file)
	if err := ctl.Listen(running); err != nil {
		return err
	}
	ended := make(chan error, 1)
	parts.Go(func() { ended <- agent.run(running, ctl, "") })
	d.welcome(cfg, file, intake)
	if err := introduce(running, agent, fleet); err != nil {
		return err
	}
	conns, err := connectFleet(fleet, intake)
	if err != nil {
		return err
	}
	if d.span > 0 {
		var end context.CancelFunc
		ctx, end = context.WithTimeout(ctx, d.span)
		defer end()
	}
	simulate.Play(ctx, fleet, d.seed, demoPace, func(s simulate.Said) {
		if s.Trouble != "" {
			d.say("%-10s logs       %s", s.Device.Hostname, strings.TrimSpace(string(s.Line)))
		}
		_, _ = conns[s.Device].Write(s.Line) // a datagram
	})
	d.drain(running, agent)
	summary, err := agent.agent.Statistics(running)
	if err != nil {
		return err
	}
	stopAgent()
	if err := <-ended; err != nil {
		return err
	}
	d.summarise(summary)
	return d.home.summarise(context.WithoutCancel(ctx), d)
}

// connectFleet gives every device a socket that sends from its own address.
func connectFleet(fleet []*simulate.Device, intake string) (map[*simulate.Device]net.Conn, error) {
	to, err := net.ResolveUDPAddr("udp", intake)
	if err != nil {
		return nil, fmt.Errorf("demo: %w", err)
	}
	out := map[*simulate.Device]net.Conn{}
	for _, dev := range fleet {
		conn, err := net.DialUDP("udp", &net.UDPAddr{IP: dev.Address.AsSlice()}, to)
		if err != nil {
			return nil, fmt.Errorf("demo: a device cannot send from %s: %w", dev.Address, err)
		}
		out[dev] = conn
	}
	return out, nil
}

// drain waits until all queues on the road are empty, for a moment, and until the last mails have arrived.
func (d *demo) drain(ctx context.Context, agent *device) {
	end := time.Now().Add(demoDrain)
	empty := func(waiting func() (int64, error)) {
		for ; time.Now().Before(end); time.Sleep(demoLook) {
			if n, err := waiting(); err != nil || n == 0 {
				return
			}
		}
	}
	depth := func(q *outbox.Queue) func() (int64, error) {
		return func() (int64, error) {
			n, err := q.Depth(ctx)
			return n.Alerts + n.Entries, err
		}
	}
	empty(depth(agent.outbox))
	empty(depth(d.home.gateway.queue))
	empty(func() (int64, error) { return d.home.backlog(ctx) })
	time.Sleep(demoLastPost)
	empty(depth(d.home.back.outbox))
}

// say prints one line with the time since the start.
func (d *demo) say(format string, args ...any) {
	d.screen.Lock()
	defer d.screen.Unlock()
	fmt.Fprintf(d.out, "%7.1fs  %s\n", time.Since(d.start).Seconds(), fmt.Sprintf(format, args...))
}
