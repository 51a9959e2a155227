package main

import (
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
	return group("advisory", "Check, import, list and withdraw advisories, field notices and ends of life", a.adminAdvisoryCheck())
}
