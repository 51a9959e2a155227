package config

import (
	"bytes"
	"fmt"

	"go.yaml.in/yaml/v3"
)

// Running is the configuration in use as YAML, secrets masked: the block call_home, or with all everything, defaults and
// predefined profiles included.
func Running(c *Agent, all bool) (string, error) {
	var v any = map[string]any{"call_home": c.CallHome}
	if all {
		full := *c
		conductor := c.Conductor()
		full.CallHome.Profiles = conductor.AllProfiles()
		v = full
	}
	var b bytes.Buffer
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	if err := enc.Encode(v); err != nil {
		return "", fmt.Errorf("config: %w", err)
	}
	return b.String(), enc.Close()
}
