package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"

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
	var role, schemaRole string
	check := &cobra.Command{
		Use: "check FILE", Short: "Print every fault of a configuration with its place", Args: cobra.ExactArgs(1),
		Long: "Reads FILE as the configuration of the role it is for: what its key role says, or else the role that knows most of\n" +
			"its top-level keys. --role says it outright.",
		RunE: func(_ *cobra.Command, args []string) error {
			as, found, err := config.Check(args[0], config.Role(role))
			if err != nil {
				return err
			}
			warnings := []fault{}
			for _, w := range found {
				warnings = append(warnings, faultsOf(w)...)
			}
			if a.json {
				return json.NewEncoder(a.stdout).Encode(map[string]any{"file": args[0], "role": as, "faults": []fault{}, "warnings": warnings})
			}
			for _, w := range warnings {
				fmt.Fprintln(a.stderr, "warning: "+w.text())
			}
			_, err = fmt.Fprintf(a.stdout, "%s: no faults\n", args[0])
			return err
		},
	}
	check.Flags().StringVar(&role, "role", "", "the role FILE is for: "+strings.Join(config.Roles(), ", ")+" (default: as the file says)")
	schema := &cobra.Command{
		Use: "schema", Short: "JSON Schema of the configuration, for editors", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			b, err := config.Schema(config.Role(schemaRole))
			if err == nil {
				_, err = a.stdout.Write(b)
			}
			return err
		},
	}
	schema.Flags().StringVar(&schemaRole, "role", string(config.RoleAgent), "the role: "+strings.Join(config.Roles(), ", "))
	return group("config", "Check and translate configurations, print their schema", check, schema,
		a.configImport(), a.configExport())
}
