package config

import (
	"bytes"
	"fmt"

	"callhome"

	"go.yaml.in/yaml/v3"
)

// Running is the configuration in use as YAML, secrets masked: the block call_home, or with all everything, defaults and
// predefined profiles included.
func Running(c *Agent, all bool) (string, error) {
	shown := c.CallHome
	if all {
		conductor := c.Conductor()
		shown.Profiles = conductor.AllProfiles()
	}
	shown.Profiles = callhome.MaskProfiles(shown.Profiles)
	shown.AnonymousReporting.URL = callhome.MaskURL(shown.AnonymousReporting.URL)
	var v any = map[string]any{"call_home": shown}
	if all {
		full := *c
		full.CallHome = shown
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
