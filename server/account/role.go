package account

import (
	"slices"

	"callhome"
)

// Role is what a person is to the back end.
type Role string

// The roles, least first.
const (
	RoleViewer       Role = "viewer"
	RoleDeviceAdmin  Role = "device-administrator"
	RoleCompanyAdmin Role = "company-administrator"
	RolePartner      Role = "partner"
	RoleOperator     Role = "operator"
)

// Roles are all roles.
var Roles = []Role{RoleViewer, RoleDeviceAdmin, RoleCompanyAdmin, RolePartner, RoleOperator}

// ParseRole reads a role's name.
func ParseRole(s string) (Role, error) {
	if r := Role(s); slices.Contains(Roles, r) {
		return r, nil
	}
	return "", callhome.Errorf(callhome.KindInvalid, "role %q is not one of viewer, device-administrator, company-administrator, partner, operator", s)
}

// Scope narrows what a token may do of what its owner may.
type Scope string

// The scopes; each includes those before it.
const (
	ScopeRead  Scope = "read"  // look at records
	ScopeWrite Scope = "write" // change records of the daily work: devices, service requests
	ScopeAdmin Scope = "admin" // change who may do what: users, tokens, companies, contracts, enrolment
)

// Scopes are all scopes, narrowest first.
var Scopes = []Scope{ScopeRead, ScopeWrite, ScopeAdmin}

// ParseScope reads a scope's name.
func ParseScope(s string) (Scope, error) {
	if c := Scope(s); slices.Contains(Scopes, c) {
		return c, nil
	}
	return "", callhome.Errorf(callhome.KindInvalid, "scope %q is not one of read, write, admin", s)
}

// Includes reports whether s allows what o allows.
func (s Scope) Includes(o Scope) bool {
	return slices.Index(Scopes, s) >= 0 && slices.Index(Scopes, s) >= slices.Index(Scopes, o)
}

// UserID names a person's account.
type UserID int64

// Principal is who asks: a signed-in person, a token, or the back end itself. The zero Principal may do nothing.
type Principal struct {
	User      UserID // 0 for the back end itself and for tokens made at the control socket
	Name      string // for the audit log: the sign-in name, or "token NAME"
	Role      Role
	Companies []CompanyID // of an operator: none, they reach all
	Scope     Scope       // ScopeAdmin for signed-in people
}

// System is the back end itself and whoever reaches its control socket, which only its owner can.
func System() Principal {
	return Principal{Name: "system", Role: RoleOperator, Scope: ScopeAdmin}
}

// Reach is whose records p may see.
func (p Principal) Reach() Reach {
	if p.Role == RoleOperator {
		return Everywhere()
	}
	return Reach{Companies: p.Companies}
}
