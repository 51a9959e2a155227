package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"callhome"
	"callhome/control"
)

// socketEnv names the control socket when --socket does not.
const socketEnv = "CALLHOME_SOCKET"

// defaultSockets are tried in turn when neither does.
var defaultSockets = []string{"data/agent.sock", "/run/callhome/agent.sock"}

// app is one invocation.
type app struct {
	stdin          io.Reader
	stdout, stderr io.Writer

	json   bool
	socket string

	unknown error // a command that does not exist was asked for help
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:           "callhome",
		Short:         "Devices notice trouble, gather the evidence and tell the right people",
		Version:       version,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		RunE:          func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.SetIn(a.stdin)
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	// A command that does not exist has neither flags nor help.
	help := root.HelpFunc()
	root.SetHelpFunc(func(c *cobra.Command, args []string) {
		if a.unknown = unknownCommand(c); a.unknown == nil {
			help(c, args)
		}
	})
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		if unknown := unknownCommand(c); unknown != nil {
			return unknown
		}
		return usageError{fmt.Errorf("%w; see `%s --help`", err, c.CommandPath())}
	})
	root.PersistentFlags().BoolVar(&a.json, "json", false, "print JSON, errors too")
	root.PersistentFlags().StringVar(&a.socket, "socket", "", "control socket of the running role (default $"+socketEnv+", ./data/agent.sock, /run/callhome/agent.sock)")
	root.AddCommand(
		a.agent(), a.gateway(), a.server(), a.demo(), a.simulate(),
		a.decode(), a.encode(), a.classify(), a.explain(), a.replay(), a.preview(), a.configCommands(),
		a.show(), a.test(), a.send(), a.request(), a.queue(), a.reload(), a.unlatch(),
		a.admin(),
	)
	asUsage(root)
	return root
}

// unknownCommand is the complaint about an argument of a command that has others, where it is none of them.
func unknownCommand(c *cobra.Command) error {
	args := c.Flags().Args()
	if !c.HasAvailableSubCommands() || len(args) == 0 {
		return nil
	}
	return c.ValidateArgs(args)
}

// asUsage makes every complaint about arguments, and about flags that are missing, a usage error.
func asUsage(c *cobra.Command) {
	check := c.Args
	if check == nil && !c.HasSubCommands() {
		check = cobra.ArbitraryArgs
	}
	if check != nil {
		c.Args = func(c *cobra.Command, args []string) error {
			err := check(c, args)
			if err == nil {
				err = c.ValidateRequiredFlags()
			}
			var usage usageError
			if err != nil && !errors.As(err, &usage) {
				return usageError{fmt.Errorf("%w; usage: %s", err, c.UseLine())}
			}
			return err
		}
	}
	for _, sub := range c.Commands() {
		asUsage(sub)
	}
}

// client is the way to the running role.
func (a *app) client() *control.Client {
	path := a.socket
	if path == "" {
		path = os.Getenv(socketEnv)
	}
	if path == "" {
		path = defaultSockets[0]
		for _, p := range defaultSockets {
			if _, err := os.Stat(p); err == nil {
				path = p
				break
			}
		}
	}
	return &control.Client{Path: path}
}

// input is the file named by an optional last argument, or standard input.
func (a *app) input(args []string) (io.ReadCloser, error) {
	if len(args) == 0 || args[0] == "-" {
		return io.NopCloser(a.stdin), nil
	}
	f, err := os.Open(args[0])
	if err != nil {
		return nil, usageError{&callhome.Error{Kind: callhome.KindInvalid, Path: args[0], Msg: "cannot be read", Err: err}}
	}
	return f, nil
}

// group is a command that only holds others: called alone it is a usage error that lists them.
func group(use, short string, subs ...*cobra.Command) *cobra.Command {
	names := func(c *cobra.Command) string {
		out := ""
		for _, s := range c.Commands() {
			out += " " + s.Name()
		}
		return out
	}
	c := &cobra.Command{
		Use: use, Short: short,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			return usageError{fmt.Errorf("unknown command: %s does not know %q; it has:%s", c.CommandPath(), args[0], names(c))}
		},
		RunE: func(c *cobra.Command, _ []string) error {
			return usageError{fmt.Errorf("%s needs one of:%s", c.CommandPath(), names(c))}
		},
	}
	c.AddCommand(subs...)
	return c
}
