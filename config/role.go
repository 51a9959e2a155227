package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"callhome"

	"github.com/invopop/jsonschema"
	"go.yaml.in/yaml/v3"
)

// Role is whose configuration a file is.
type Role string

// The roles.
const (
	RoleAgent Role = "agent"
)

// roleFile is one role's configuration: a pointer to a struct with yaml tags, whose blocks are declared by the packages
// that they configure.
type roleFile interface {
	resolvePaths(dir string)     // makes relative paths count from the configuration's folder
	Validate() error             // names every fault by its key path
	warnings() []*callhome.Error // what is accepted and yet hinders messages, by key path
}

// merger is a configuration that takes in further files after its own was read without a fault.
type merger interface{ merge(d *decoder) }

// roles is every role with its configuration of an empty file. The first that fits counts where several do.
var roles = []struct {
	role  Role
	empty func() roleFile
}{
	{RoleAgent, func() roleFile { return defaults() }},
	{RoleGateway, func() roleFile { return gatewayDefaults() }},
	{RoleServer, func() roleFile { return serverDefaults() }},
}

// Roles lists the roles that have a configuration.
func Roles() []string {
	out := make([]string, 0, len(roles))
	for _, r := range roles {
		out = append(out, string(r.role))
	}
	return out
}

// empty is a role's configuration of an empty file.
func empty(role Role) (roleFile, error) {
	for _, r := range roles {
		if r.role == role {
			return r.empty(), nil
		}
	}
	return nil, callhome.Errorf(callhome.KindInvalid, "role %q is not one of %s", role, strings.Join(Roles(), ", "))
}

// Check reads a file as the configuration of a role, or with an empty role as that of the role it is for, and gives what
// is accepted and yet hinders messages. The error joins every fault.
func Check(file string, role Role) (Role, []error, error) {
	b, err := readFile(file)
	if err != nil {
		return role, nil, err
	}
	if role == "" {
		role = RoleOf(b)
	}
	cfg, err := empty(role)
	if err != nil {
		return role, nil, err
	}
	warnings, err := read(file, b, cfg)
	return role, warnings, err
}

// RoleOf tells whose configuration a file is: what its key role says, or else the role that knows most of its top-level
// keys; the agent's where that is a draw.
func RoleOf(b []byte) Role {
	var root yaml.Node
	if yaml.NewDecoder(bytes.NewReader(b)).Decode(&root) != nil || len(root.Content) == 0 || root.Content[0].Kind != yaml.MappingNode {
		return RoleAgent
	}
	var keys []string
	for i := 0; i+1 < len(root.Content[0].Content); i += 2 {
		key, value := root.Content[0].Content[i].Value, root.Content[0].Content[i+1].Value
		if key == "role" && slices.Contains(Roles(), value) {
			return Role(value)
		}
		keys = append(keys, key)
	}
	best, most := RoleAgent, -1
	for _, r := range roles {
		known, n := keysOf(reflect.TypeOf(r.empty()).Elem()), 0
		for _, k := range keys {
			if slices.Contains(known, k) {
				n++
			}
		}
		if n > most {
			best, most = r.role, n
		}
	}
	return best
}

// Schema is the JSON Schema of a role's configuration.
func Schema(role Role) ([]byte, error) {
	cfg, err := empty(role)
	if err != nil {
		return nil, err
	}
	r := &jsonschema.Reflector{FieldNameTag: "yaml", AllowAdditionalProperties: false, RequiredFromJSONSchemaTags: true, DoNotReference: true}
	s := r.Reflect(reflect.New(reflect.TypeOf(cfg).Elem()).Interface())
	s.Title = "Configuration of callhome " + string(role)
	b, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("config: %w", err)
	}
	return append(b, '\n'), nil
}

// checkRole finds a key role that names another role than the file is read for.
func checkRole(have string, want Role) error {
	if have == "" || have == string(want) {
		return nil
	}
	return fault("role", "%q: this file is read as the configuration of %s", have, want)
}
