package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"callhome/config"
)

// configEnv names the configuration when --config does not.
const configEnv = "CALLHOME_CONFIG"

func loadConfig(file string) (*config.Agent, error) {
	if file == "" {
		file = os.Getenv(configEnv)
	}
	if file == "" {
		return nil, usageError{fmt.Errorf("name the configuration with --config FILE or $%s", configEnv)}
	}
	return config.Load(file)
}

// optionalConfig is loadConfig, or nil where none is named.
func optionalConfig(file string) (*config.Agent, error) {
	if file == "" && os.Getenv(configEnv) == "" {
		return nil, nil //nolint:nilnil // no configuration is a value here
	}
	return loadConfig(file)
}

func (a *app) configCommands() *cobra.Command {
	check := &cobra.Command{
		Use: "check FILE", Short: "Print every fault of a configuration with its place", Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			cfg, err := config.Load(args[0])
			if err != nil {
				return err
			}
			warnings := []fault{}
			for _, w := range cfg.Warnings {
				warnings = append(warnings, faultsOf(w)...)
			}
			if a.json {
				return json.NewEncoder(a.stdout).Encode(map[string]any{"file": args[0], "faults": []fault{}, "warnings": warnings})
			}
			for _, w := range warnings {
				fmt.Fprintln(a.stderr, "warning: "+w.text())
			}
			_, err = fmt.Fprintf(a.stdout, "%s: no faults\n", args[0])
			return err
		},
	}
	schema := &cobra.Command{
		Use: "schema", Short: "JSON Schema of the configuration, for editors", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			b, err := config.Schema()
			if err == nil {
				_, err = a.stdout.Write(b)
			}
			return err
		},
	}
	return group("config", "Check and translate configurations, print their schema", check, schema,
		a.configImport(), a.configExport())
}
