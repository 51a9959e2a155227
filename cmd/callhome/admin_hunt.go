package main

import (
	"context"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"callhome/ctl"
)

// adminHunt asks a running back end to look for what rules say in messages that came before the rules.
func (a *app) adminHunt() *cobra.Command {
	var o ctl.HuntOrder
	var detach bool
	start := &cobra.Command{
		Use: "start RULE ...", Short: "Run rules over the messages in the archive and wait for the end", Args: cobra.MinimumNArgs(1),
		Long: "Runs rules over the messages in the archive. What is found is kept with the hunt's number; no service request is opened\n" +
			"and nobody is mailed. The hunt is the back end's: it goes on when this command, or the back end, is ended.",
		RunE: func(c *cobra.Command, args []string) error {
			o.Rules = args
			return a.admins().StartHunt(c.Context(), o, !detach, a.stderr)
		},
	}
	start.Flags().StringVar(&o.Company, "company", "", "only messages of this company")
	start.Flags().BoolVar(&detach, "detach", false, "do not wait for the end")
	return group("hunt", "Look for what rules say in the archive", start,
		listing("List hunts", func(ctx context.Context, q ctl.PageQuery) error { return a.admins().Hunts(ctx, q) }),
		numbered("show HUNT", "Print one hunt with its newest findings", func(ctx context.Context, id int64) error { return a.admins().Hunt(ctx, id) }),
		numbered("cancel HUNT", "End a hunt; what it found stays", func(ctx context.Context, id int64) error { return a.admins().CancelHunt(ctx, id) }))
}

// numbered is a command about one record by its number.
func numbered(use, short string, f func(ctx context.Context, id int64) error) *cobra.Command {
	return &cobra.Command{Use: use, Short: short, Args: cobra.ExactArgs(1), RunE: func(c *cobra.Command, args []string) error {
		id, err := strconv.ParseInt(args[0], 10, 64)
		if err != nil || id <= 0 {
			return usageError{fmt.Errorf("%q is not a number", args[0])}
		}
		return f(c.Context(), id)
	}}
}
