package config_test

import (
	"testing"

	"callhome"
	"callhome/config"
)

func TestRoleOf(t *testing.T) {
	for text, want := range map[string]config.Role{
		"":                     config.RoleAgent,
		"call_home: {}":        config.RoleAgent,
		"role: agent":          config.RoleAgent,
		"role: nobody":         config.RoleAgent,
		"- a list":             config.RoleAgent,
		"{broken":              config.RoleAgent,
		"call_home: {}\nx: {}": config.RoleAgent,
	} {
		if got := config.RoleOf([]byte(text)); got != want {
			t.Errorf("%q: got %s, want %s", text, got, want)
		}
	}
}

func TestSchemaOfRoles(t *testing.T) {
	for _, role := range config.Roles() {
		if _, err := config.Schema(config.Role(role)); err != nil {
			t.Errorf("%s: %v", role, err)
		}
	}
	if _, err := config.Schema("pilot"); callhome.KindOf(err) != callhome.KindInvalid {
		t.Errorf("an unknown role: %v", err)
	}
}

func TestRoleIsHeldTo(t *testing.T) {
	_, err := config.Parse("a.yaml", []byte("role: gateway\ncall_home: {}\n"))
	faults := config.Faults(err)
	if len(faults) == 0 || faults[0].Path != "a.yaml:1:7" {
		t.Errorf("got %v", err)
	}
}
