package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"callhome/control"
	"callhome/ctl"
	"callhome/gateway"
)

// gatewaySockets are tried in turn when neither --socket nor $CALLHOME_SOCKET names one.
var gatewaySockets = []string{"gateway/gateway.sock", "/run/callhome/gateway.sock"}

// now is the time by this machine's clock.
func now() time.Time { return time.Now() }

// asker asks a running gateway.
func (a *app) asker() *ctl.Gateway {
	path := a.socket
	if path == "" {
		path = os.Getenv(socketEnv)
	}
	if path == "" {
		path = gatewaySockets[0]
		for _, p := range gatewaySockets {
			if _, err := os.Stat(p); err == nil {
				path = p
				break
			}
		}
	}
	s := a.shower()
	s.Client = &control.Client{Path: path}
	return &ctl.Gateway{Shower: *s}
}

// gatewayCommands speak to a running gateway.
func (a *app) gatewayCommands() []*cobra.Command {
	leafOf := func(use, short string, f func(*ctl.Gateway, context.Context) error) *cobra.Command {
		return leaf(use, short, func(ctx context.Context) error { return f(a.asker(), ctx) })
	}
	return []*cobra.Command{
		leafOf("status", "Registration, upstreams, queue, room, listeners, counts", (*ctl.Gateway).Status),
		a.gatewayDevices(), a.gatewayQueue(), a.gatewayRegister(), a.gatewayExport(), a.gatewayImport(),
		{
			Use: "receipt FILE", Short: "Take the messages out of the queue that a receipt confirms", Args: cobra.ExactArgs(1),
			RunE: func(c *cobra.Command, args []string) error {
				file, err := filepath.Abs(args[0])
				if err != nil {
					return err
				}
				return a.asker().Receipt(c.Context(), file)
			},
		},
		leafOf("bundles", "Bundles that were written and taken", (*ctl.Gateway).Bundles),
		leafOf("key", "What a peer's bundles.peers must hold of this gateway", (*ctl.Gateway).Key),
		leaf("reload", "Read the configuration again", func(ctx context.Context) error {
			s := a.asker().Shower
			return s.Reload(ctx)
		}),
		a.gatewayShelf(),
	}
}

func (a *app) gatewayDevices() *cobra.Command {
	var q ctl.HeardQuery
	c := &cobra.Command{
		Use: "devices", Short: "Devices that were heard, and which of them are silent", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return a.asker().Devices(c.Context(), q) },
	}
	c.Flags().BoolVar(&q.Silent, "silent", false, "only those from which a message was due")
	c.Flags().StringVar(&q.After, "after", "", "begin behind this key (JSON output has the keys)")
	c.Flags().IntVar(&q.Limit, "limit", 0, "devices at most")
	c.AddCommand(&cobra.Command{
		Use: "forget KEY", Short: "Take a device off the list until its next message", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return a.asker().Forget(c.Context(), args[0]) },
	})
	return c
}

// gatewayQueue is `callhome queue` for a gateway; alone it lists.
func (a *app) gatewayQueue() *cobra.Command {
	c := a.queueOf(func() *ctl.Queue { return &ctl.Queue{Shower: a.asker().Shower} })
	c.RunE = func(c *cobra.Command, _ []string) error {
		return (&ctl.Queue{Shower: a.asker().Shower}).List(c.Context(), ctl.QueueQuery{})
	}
	return c
}

func (a *app) gatewayRegister() *cobra.Command {
	var file string
	c := &cobra.Command{
		Use: "register [TOKEN]", Short: "Register with the back end by a one-time token", Args: cobra.MaximumNArgs(1),
		Long: "Registers with the back end by a one-time token that was made in its portal or by `callhome admin token`. Without TOKEN and\n" +
			"--token-file it is read from standard input, so that it is in no list of processes.",
		RunE: func(c *cobra.Command, args []string) error {
			token, err := a.registrationToken(args, file)
			if err != nil {
				return err
			}
			return a.asker().Register(c.Context(), token)
		},
	}
	c.Flags().StringVar(&file, "token-file", "", "file that holds the token")
	return c
}

func (a *app) registrationToken(args []string, file string) (string, error) {
	var token string
	switch {
	case len(args) == 1 && file != "":
		return "", usageError{fmt.Errorf("give TOKEN or --token-file, not both")}
	case len(args) == 1:
		token = args[0]
	case file != "":
		b, err := os.ReadFile(file)
		if err != nil {
			return "", usageError{err}
		}
		token = string(b)
	default:
		line, err := bufio.NewReader(a.stdin).ReadString('\n')
		if err != nil && line == "" {
			return "", usageError{fmt.Errorf("no token: give TOKEN, --token-file, or write it to standard input")}
		}
		token = line
	}
	if token = strings.TrimSpace(token); token == "" {
		return "", usageError{fmt.Errorf("the token is empty")}
	}
	return token, nil
}

func (a *app) gatewayExport() *cobra.Command {
	var o gateway.ExportOrder
	c := &cobra.Command{
		Use: "export --out FILE", Short: "Write queued messages into a signed, encrypted file to be carried by hand", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) (err error) {
			if o.Out == "" {
				return usageError{fmt.Errorf("name the file with --out FILE")}
			}
			if o.Out, err = filepath.Abs(o.Out); err != nil {
				return err
			}
			return a.asker().Export(c.Context(), o)
		},
	}
	c.Flags().StringVar(&o.Out, "out", "", "file to write; the gateway itself writes it")
	c.Flags().StringVar(&o.To, "to", "", "peer that it is for (default bundles.to, or the only peer)")
	c.Flags().BoolVar(&o.Again, "again", false, "also messages that are in bundles whose receipt has not come")
	c.Flags().BoolVar(&o.Mark, "mark-exported", false, "take the messages out of the queue at once, without waiting for a receipt")
	c.Flags().IntVar(&o.Limit, "limit", 0, "messages at most")
	return c
}

func (a *app) gatewayImport() *cobra.Command {
	var receipt string
	c := &cobra.Command{
		Use: "import FILE", Short: "Take the messages of a bundle into the queue, and write a receipt", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			file, err := filepath.Abs(args[0])
			if err != nil {
				return err
			}
			if receipt == "" {
				receipt = file + ".receipt"
			}
			if receipt, err = filepath.Abs(receipt); err != nil {
				return err
			}
			return a.asker().Import(c.Context(), ctl.BundleOrder{File: file, Receipt: receipt})
		},
	}
	c.Flags().StringVar(&receipt, "receipt", "", "where the receipt goes (default FILE.receipt)")
	return c
}

func (a *app) gatewayShelf() *cobra.Command {
	var q ctl.ShelfQuery
	ids := func(args []string) (out []int64, err error) {
		for _, s := range args {
			id, err := strconv.ParseInt(s, 10, 64)
			if err != nil {
				return nil, usageError{fmt.Errorf("%q is not a number of the shelf; `callhome gateway shelf list` prints them", s)}
			}
			out = append(out, id)
		}
		return out, nil
	}
	list := &cobra.Command{
		Use: "list", Short: "Refused messages whose bytes are kept", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return a.asker().Shelf(c.Context(), q) },
	}
	list.Flags().IntVar(&q.Limit, "limit", 0, "messages at most")
	list.Flags().Int64Var(&q.After, "after", 0, "begin behind this ID")
	var file string
	show := &cobra.Command{
		Use: "export ID", Aliases: []string{"show"}, Short: "The bytes of one message as they came", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			n, err := ids(args)
			if err != nil {
				return err
			}
			return a.asker().ShelfShow(c.Context(), n[0], file)
		},
	}
	show.Flags().StringVar(&file, "out", "", "file to write (default standard output)")
	change := func(use, short, name, what string) *cobra.Command {
		return &cobra.Command{
			Use: use + " ID...", Short: short, Args: cobra.MinimumNArgs(1),
			RunE: func(c *cobra.Command, args []string) error {
				n, err := ids(args)
				if err != nil {
					return err
				}
				return a.asker().ShelfChange(c.Context(), name, n, what)
			},
		}
	}
	return group("shelf", "Messages that were refused as malformed or looping, kept to look at", list, show,
		change("retry", "Take messages again, as if they had just come", ctl.CallShelfRetry, "taken"),
		change("drop", "Delete messages for good", ctl.CallShelfDrop, "dropped"))
}
