package main

import (
	"errors"
	"io"

	"github.com/spf13/cobra"

	"callhome/ctl"
)

func (a *app) configImport() *cobra.Command {
	var from string
	c := &cobra.Command{
		Use: "import --from {ios|iosxr|nxos|asa} [FILE]", Short: "A device's running configuration to ours", Args: fileArg,
		RunE: func(_ *cobra.Command, args []string) error {
			if from == "" {
				return usageError{errors.New("say whose configuration it is with --from ios, iosxr, nxos or asa")}
			}
			name := "standard input"
			if len(args) > 0 && args[0] != "-" {
				name = args[0]
			}
			return a.filter(args, func(in io.Reader) error { return ctl.ImportStanza(a.stdout, a.stderr, in, name, from, a.json) })
		},
	}
	c.Flags().StringVar(&from, "from", "", "the platform: ios, iosxr, nxos or asa")
	return c
}

func (a *app) configExport() *cobra.Command {
	var as, file string
	c := &cobra.Command{
		Use: "export --as {ios|iosxr|nxos|asa} --config FILE", Short: "Our configuration to a device's call-home stanza", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if as == "" {
				return usageError{errors.New("say whose stanza to write with --as ios, iosxr, nxos or asa")}
			}
			cfg, err := loadConfig(file)
			if err != nil {
				return err
			}
			return ctl.ExportStanza(a.stdout, cfg, as, a.json)
		},
	}
	c.Flags().StringVar(&as, "as", "", "the platform: ios, iosxr, nxos or asa")
	c.Flags().StringVar(&file, "config", "", "configuration to export")
	return c
}
