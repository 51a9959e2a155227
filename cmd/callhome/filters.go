package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"callhome"
	"callhome/ctl"
)

// fileArg takes one optional FILE.
var fileArg = cobra.MaximumNArgs(1)

func (a *app) decode() *cobra.Command {
	var strict bool
	received := time.Now().UTC()
	at := func(c *cobra.Command) {
		c.Flags().Func("received", "time of receipt, RFC 3339; infers years that stamps leave out (default now)", func(s string) (err error) {
			received, err = time.Parse(time.RFC3339, s)
			return err
		})
	}
	lines := &cobra.Command{
		Use: "syslog [FILE]", Short: "Log lines of any dialect to a JSON object each", Args: fileArg,
		RunE: func(_ *cobra.Command, args []string) error {
			return a.filter(args, func(in io.Reader) error { return ctl.DecodeSyslog(a.stdout, in, received) })
		},
	}
	cisco := &cobra.Command{
		Use: "ciscolog [FILE]", Short: "CiscoLog lines to a JSON object each", Args: fileArg,
		RunE: func(_ *cobra.Command, args []string) error {
			return a.filter(args, func(in io.Reader) error { return ctl.DecodeCiscoLog(a.stdout, in, received, strict) })
		},
	}
	cisco.Flags().BoolVar(&strict, "strict", false, "name the first rule each line breaks; exit 1 if any does")
	message := &cobra.Command{
		Use: "message [FILE]", Short: "A call-home message in any form, or a mail holding one, to JSON", Args: fileArg,
		RunE: func(_ *cobra.Command, args []string) error {
			return a.filter(args, func(in io.Reader) error { return ctl.DecodeMessage(a.stdout, in) })
		},
	}
	at(lines)
	at(cisco)
	return group("decode", "Read log lines and messages, print JSON", lines, cisco, message)
}

func (a *app) encode() *cobra.Command {
	cisco := &cobra.Command{
		Use: "ciscolog [FILE]", Short: "JSON objects to strict CiscoLog lines, split beyond 800 octets", Args: fileArg,
		RunE: func(_ *cobra.Command, args []string) error {
			return a.filter(args, func(in io.Reader) error { return ctl.EncodeCiscoLog(a.stdout, in) })
		},
	}
	var format, platform string
	message := &cobra.Command{
		Use: "message [FILE]", Short: "The JSON of a message to the message", Args: fileArg,
		RunE: func(_ *cobra.Command, args []string) error {
			var f callhome.Format
			if err := f.UnmarshalText([]byte(format)); err != nil {
				return usageError{err}
			}
			return a.filter(args, func(in io.Reader) error { return ctl.EncodeMessage(a.stdout, in, f, platform) })
		},
	}
	message.Flags().StringVar(&format, "format", "xml", "xml, long-text or short-text")
	message.Flags().StringVar(&platform, "personality", "ios", "whose way of writing it")
	return group("encode", "Read JSON, print log lines and messages", cisco, message)
}

func (a *app) classify() *cobra.Command {
	var file string
	c := &cobra.Command{
		Use: "classify [FILE]", Short: "What log lines mean: alert group, level, event type and state", Args: fileArg,
		RunE: func(_ *cobra.Command, args []string) error {
			cfg, err := optionalConfig(file)
			if err != nil {
				return err
			}
			return a.filter(args, func(in io.Reader) error { return ctl.Classify(a.stdout, in, cfg, time.Now()) })
		},
	}
	c.Flags().StringVar(&file, "config", "", "configuration whose devices say which platform a line is from")
	return c
}

func (a *app) explain() *cobra.Command {
	var file string
	c := &cobra.Command{
		Use: "explain --config FILE [FILE]", Short: "What each profile would do with log lines, and why", Args: fileArg,
		RunE: func(_ *cobra.Command, args []string) error {
			cfg, err := loadConfig(file)
			if err != nil {
				return err
			}
			return a.filter(args, func(in io.Reader) error { return ctl.Explain(a.stdout, in, cfg, time.Now()) })
		},
	}
	c.Flags().StringVar(&file, "config", "", "configuration to explain")
	return c
}

// filter runs f over the input that args name.
func (a *app) filter(args []string, f func(io.Reader) error) error {
	in, err := a.input(args)
	if err != nil {
		return err
	}
	defer in.Close()
	if file, ok := in.(*os.File); ok {
		if info, err := file.Stat(); err == nil && info.IsDir() {
			return usageError{fmt.Errorf("%s is a folder, not a file", args[0])}
		}
	}
	return f(in)
}
