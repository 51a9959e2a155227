package main

import (
	"context"

	"github.com/spf13/cobra"

	"callhome"
	"callhome/ctl"
)

// adminAdvisoryCheck works on files alone: no daemon is asked.
func (a *app) adminAdvisoryCheck() *cobra.Command {
	return &cobra.Command{
		Use: "check FILE|FOLDER ...", Short: "Read files of notices and print what was understood; nothing is kept", Args: cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			err := ctl.CheckAdvisories(a.stdout, args, a.json)
			if callhome.KindOf(err) == callhome.KindConflict {
				return silentError{err} // the result on standard output says it
			}
			return err
		},
	}
}

func (a *app) adminAdvisory() *cobra.Command {
	imports := &cobra.Command{
		Use: "import FILE|FOLDER ...", Short: "Read notices, keep what is new, and hold all devices against it", Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.admins().ImportAdvisories(c.Context(), args, a.stderr)
		},
	}
	q := &ctl.PageQuery{}
	list := paged(leaf("list", "List notices with the number of devices they concern", func(ctx context.Context) error { return a.admins().Advisories(ctx, *q) }), q)
	list.Flags().StringVar(&q.Match, "sort", "", "only security-advisory, field-notice or end-of-life")
	var o ctl.AdvisoryOrder
	withdraw := one("withdraw NOTICE --reason TEXT", "Withdraw a notice; no device is affected by it any more", func(ctx context.Context, name string) error {
		o.Name = name
		return a.admins().WithdrawAdvisory(ctx, o)
	})
	withdraw.Flags().StringVar(&o.Reason, "reason", "", "why, for those who look at it later")
	_ = withdraw.MarkFlagRequired("reason")
	return group("advisory", "Check, import, list and withdraw advisories, field notices and ends of life", a.adminAdvisoryCheck(), imports, list, withdraw,
		one("show NOTICE", "Print one notice in full", func(ctx context.Context, name string) error { return a.admins().Advisory(ctx, name) }),
		one("match DEVICE", "Hold a device against all notices again and print what they mean for it", func(ctx context.Context, name string) error { return a.admins().MatchAdvisories(ctx, name) }))
}
