package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"callhome"
	"callhome/agent"
	"callhome/ctl"
	"callhome/outbox"
)

func (a *app) shower() *ctl.Shower {
	return &ctl.Shower{Client: a.client(), Out: a.stdout, JSON: a.json, Width: widthOf(a.stdout)}
}

// widthOf is the width of the terminal that w writes to, 0 when it is none.
func widthOf(w io.Writer) int {
	f, ok := w.(*os.File)
	if !ok {
		return 0
	}
	size, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ) //nolint:gosec // a file descriptor is small
	if err != nil {
		return 0
	}
	return int(size.Col)
}

// leaf is a command without arguments or flags.
func leaf(use, short string, f func(context.Context) error) *cobra.Command {
	return &cobra.Command{Use: use, Short: short, Args: cobra.NoArgs, RunE: func(c *cobra.Command, _ []string) error { return f(c.Context()) }}
}

func (a *app) show() *cobra.Command {
	running := group("running-config", "The configuration in use, secrets masked",
		leaf("call-home", "The call-home part", func(ctx context.Context) error { return a.shower().Running(ctx, false) }),
		leaf("all", "With defaults and predefined profiles", func(ctx context.Context) error { return a.shower().Running(ctx, true) }))
	// The monitoring chapter of the ASA prints two more spellings.
	smart := group("smart-call", "Alias of call-home", a.statistics())
	smart.Hidden = true
	home := a.showCallHome("call-home")
	alias := a.showCallHome("smart-call-home")
	alias.Hidden = true
	return group("show", "What a running agent says", home, alias, smart, running)
}

func (a *app) statistics() *cobra.Command {
	return leaf("statistics", "Messages sent, queued, failed and held back", func(ctx context.Context) error { return a.shower().Statistics(ctx) })
}

func (a *app) showCallHome(name string) *cobra.Command {
	c := leaf(name, "Settings and alert groups", func(ctx context.Context) error { return a.shower().CallHome(ctx, false) })
	var limit int
	history := &cobra.Command{
		Use: "history [MESSAGE-ID]", Short: "What became of each alert, and why", Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			q := ctl.HistoryQuery{Limit: limit}
			if len(args) > 0 {
				q.MessageID = callhome.MessageID(args[0])
			}
			return a.shower().History(c.Context(), q)
		},
	}
	history.Flags().IntVar(&limit, "limit", 0, "lines at most")
	mail := group("mail-server", "Mail servers", leaf("status", "Whether each can be reached", func(ctx context.Context) error { return a.shower().MailServers(ctx) }))
	modules := group("registered-module", "Parts that may raise events", &cobra.Command{
		Use: "status [all]", Short: "On or off, with counts", Args: cobra.MaximumNArgs(1), ValidArgs: []string{"all"},
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) > 0 && args[0] != "all" {
				return usageError{fmt.Errorf("%s takes `all` or nothing, not %q", c.CommandPath(), args[0])}
			}
			return a.shower().Modules(c.Context(), len(args) > 0)
		},
	})
	c.AddCommand(
		leaf("detail", "With every profile in full", func(ctx context.Context) error { return a.shower().CallHome(ctx, true) }),
		leaf("version", "Versions of the message format and of the program", func(ctx context.Context) error { return a.shower().Version(ctx) }),
		leaf("alert-group", "Alert groups and their state", func(ctx context.Context) error { return a.shower().AlertGroups(ctx) }),
		&cobra.Command{
			Use: "profile {NAME|all}", Short: "Destination profiles", Args: cobra.ExactArgs(1),
			RunE: func(c *cobra.Command, args []string) error { return a.shower().Profile(c.Context(), args[0]) },
		},
		mail, a.statistics(), modules, history,
		leaf("events", "What the profiles listen to", func(ctx context.Context) error { return a.shower().Events(ctx) }),
	)
	return c
}

func (a *app) test() *cobra.Command {
	var profile string
	c := &cobra.Command{
		Use: "test [TEXT] --profile NAME", Short: "Send a test message to a profile, active or not", Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.shower().Order(c.Context(), ctl.CallTest, agent.TestOrder{Text: strings.Join(args, ""), Profile: callhome.ProfileName(profile)})
		},
	}
	c.Flags().StringVar(&profile, "profile", "", "destination profile")
	return c
}

func (a *app) send() *cobra.Command {
	var o agent.SendOrder
	var profile, detail, format string
	finish := func() error {
		o.Profile, o.Detail = callhome.ProfileName(profile), callhome.Detail(detail)
		if err := o.Format.UnmarshalText([]byte(format)); err != nil {
			return usageError{err}
		}
		return nil
	}
	group := &cobra.Command{
		Use: "alert-group GROUP [MODULE]", Short: "Send an alert group's message to its subscribers, or to one profile", Args: cobra.RangeArgs(1, 2),
		RunE: func(c *cobra.Command, args []string) error {
			var err error
			if o.Group, err = callhome.ParseAlertGroup(args[0]); err != nil {
				return usageError{err}
			}
			if len(args) > 1 {
				o.Module = args[1]
			}
			if err := finish(); err != nil {
				return err
			}
			return a.shower().Order(c.Context(), ctl.CallSend, o)
		},
	}
	group.Flags().StringVar(&profile, "profile", "", "destination profile; else all that subscribe")
	group.Flags().StringVar(&detail, "detail", "", "configuration messages: basic or full")
	c := &cobra.Command{
		Use: `send {alert-group GROUP | "COMMAND;COMMAND" {--email ADDR|--http URL}}`, Short: "Send a message now", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			o.Commands = args[0]
			if err := finish(); err != nil {
				return err
			}
			return a.shower().Order(c.Context(), ctl.CallSend, o)
		},
	}
	c.PersistentFlags().StringVar(&o.Device, "device", "", "hostname of a device the agent speaks for")
	c.Flags().StringVar(&o.Email, "email", "", "mail the output to this address")
	c.Flags().StringVar(&o.HTTP, "http", "", "post the output to this URL; --email is then where the answer goes")
	c.Flags().StringVar(&o.ServiceRequest, "service-request", "", "number of the service request it belongs to")
	c.Flags().StringVar(&format, "format", "", "xml or long-text (default)")
	c.AddCommand(group)
	return c
}

func (a *app) request() *cobra.Command {
	var o agent.RequestOrder
	var profile string
	c := &cobra.Command{
		Use:   `request {output-analysis "COMMAND"|config-sanity|bugs-list|command-reference|product-advisory}`,
		Short: "Ask the back end for a service", Args: cobra.RangeArgs(1, 2),
		RunE: func(c *cobra.Command, args []string) error {
			o.Service, o.Profile = args[0], callhome.ProfileName(profile)
			if len(args) > 1 {
				o.Command = args[1]
			}
			return a.shower().Order(c.Context(), ctl.CallRequest, o)
		},
	}
	c.Flags().StringVar(&profile, "profile", "", "destination profile (default CiscoTAC-1)")
	c.Flags().StringVar(&o.CCOID, "ccoid", "", "user the answer goes to")
	c.Flags().StringVar(&o.Device, "device", "", "hostname of a device the agent speaks for")
	return c
}

func (a *app) queue() *cobra.Command {
	return a.queueOf(func() *ctl.Queue { return &ctl.Queue{Shower: *a.shower()} })
}

// queueOf is the queue of the role that asker speaks to.
func (a *app) queueOf(asker func() *ctl.Queue) *cobra.Command {
	var q ctl.QueueQuery
	do := func(c *cobra.Command, args []string, f func(*ctl.Queue, context.Context, ctl.QueueQuery) error) error {
		for _, s := range args {
			id, err := strconv.ParseInt(s, 10, 64)
			if err != nil {
				return usageError{fmt.Errorf("%q is not an entry's ID; `callhome queue list` prints them", s)}
			}
			q.IDs = append(q.IDs, outbox.EntryID(id))
		}
		return f(asker(), c.Context(), q)
	}
	list := &cobra.Command{
		Use: "list", Short: "Messages that wait, oldest first", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return do(c, nil, (*ctl.Queue).List) },
	}
	list.Flags().IntVar(&q.Limit, "limit", 0, "entries at most")
	show := &cobra.Command{
		Use: "show ID", Short: "One message, and exactly the bytes that are sent", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return do(c, args, func(s *ctl.Queue, ctx context.Context, q ctl.QueueQuery) error { return s.Show(ctx, q.IDs[0]) })
		},
	}
	retry := &cobra.Command{
		Use: "retry {ID...|--all}", Short: "Try messages now; dead letters come back to the queue",
		RunE: func(c *cobra.Command, args []string) error { return do(c, args, (*ctl.Queue).Retry) },
	}
	drop := &cobra.Command{
		Use: "drop {ID...|--all}", Short: "Delete messages for good",
		RunE: func(c *cobra.Command, args []string) error { return do(c, args, (*ctl.Queue).Drop) },
	}
	for _, c := range []*cobra.Command{list, retry, drop} {
		c.Flags().BoolVar(&q.Dead, "dead", false, "dead letters rather than waiting messages")
	}
	for _, c := range []*cobra.Command{retry, drop} {
		c.Flags().BoolVar(&q.All, "all", false, "every entry")
	}
	return group("queue", "Messages that wait, and dead letters", list, show, retry, drop)
}

func (a *app) reload() *cobra.Command {
	return leaf("reload", "Read the configuration again", func(ctx context.Context) error {
		return a.shower().Reload(ctx)
	})
}

func (a *app) unlatch() *cobra.Command {
	return &cobra.Command{
		Use: "unlatch DEVICE", Short: "Ask a device again that had refused a login", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.client().Call(c.Context(), ctl.CallUnlatch, args[0], nil)
		},
	}
}
