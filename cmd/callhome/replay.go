package main

import (
	"errors"
	"io"
	"time"

	"github.com/spf13/cobra"

	"callhome/ctl"
)

func (a *app) replay() *cobra.Command {
	var file string
	opts := ctl.ReplayOptions{Received: time.Now().UTC()}
	c := &cobra.Command{
		Use: "replay --config FILE [--speed X] [FILE]", Short: "What would have been sent for stored log lines, throttling included", Args: fileArg,
		RunE: func(c *cobra.Command, args []string) error {
			if c.Flags().Changed("speed") && !(opts.Speed > 0) {
				return usageError{errors.New("--speed takes a number above 0, such as 60 for a minute in a second")}
			}
			cfg, err := loadConfig(file)
			if err != nil {
				return err
			}
			opts.JSON = a.json
			return a.filter(args, func(in io.Reader) error { return ctl.Replay(c.Context(), a.stdout, in, cfg, opts) })
		},
	}
	c.Flags().StringVar(&file, "config", "", "configuration to judge by")
	c.Flags().Float64Var(&opts.Speed, "speed", 0, "play in so many times real time and print what happens (default: as fast as possible)")
	return c
}
