package main

import (
	"github.com/spf13/cobra"

	"callhome"
	"callhome/ctl"
)

// adminRule works on files alone, but for hunts: no daemon is asked.
func (a *app) adminRule() *cobra.Command {
	var files ctl.RuleFiles
	trust := func(c *cobra.Command) {
		c.Flags().StringVar(&files.Keys, "keys", "", "file of trusted public keys; signatures are checked against it")
		c.Flags().BoolVar(&files.Require, "require-signature", false, "refuse packs without a signature of a trusted key")
	}
	test := &cobra.Command{
		Use: "test [FILE|FOLDER ...]", Short: "Run the samples of rule packs; without files those of the shipped packs",
		RunE: func(c *cobra.Command, args []string) error {
			files.Paths = args
			err := ctl.TestRules(c.Context(), a.stdout, files, a.json)
			if a.json && callhome.KindOf(err) == callhome.KindConflict {
				return silentError{err} // the result on standard output says it
			}
			return err
		},
	}
	var class string
	list := &cobra.Command{
		Use: "list [FILE|FOLDER ...]", Short: "List rules",
		RunE: func(_ *cobra.Command, args []string) error {
			files.Paths = args
			return ctl.ListRules(a.stdout, files, class, a.json)
		},
	}
	list.Flags().StringVar(&class, "class", "", "only rules of this class")
	show := &cobra.Command{
		Use: "show RULE [FILE|FOLDER ...]", Short: "Print one rule in full", Args: cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			files.Paths = args[1:]
			return ctl.ShowRule(a.stdout, files, args[0], a.json)
		},
	}
	var key, comment string
	sign := &cobra.Command{
		Use: "sign --key FILE PACK", Short: "Run the samples of a pack and sign it: PACK.sig", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return ctl.SignRules(c.Context(), a.stdout, args[0], key) },
	}
	sign.Flags().StringVar(&key, "key", "", "private key")
	_ = sign.MarkFlagRequired("key")
	keygen := &cobra.Command{
		Use: "keygen FILE", Short: "Make a key pair for signing packs: FILE and FILE.pub", Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return ctl.GenerateRuleKey(a.stdout, args[0], comment) },
	}
	keygen.Flags().StringVar(&comment, "comment", "", "who holds the key")
	for _, c := range []*cobra.Command{test, list, show} {
		trust(c)
	}
	return group("rule", "Test, list and sign analysis rules, and hunt by them", test, list, show, sign, keygen, a.adminHunt())
}
