package account

import (
	"net/mail"
	"slices"
	"time"

	"callhome"
)

// User is a person's account.
type User struct {
	ID        UserID      `json:"id"`
	Name      string      `json:"name"` // to sign in with, unique whatever its case
	Email     string      `json:"email"`
	FullName  string      `json:"full_name,omitempty"`
	Role      Role        `json:"role"`
	Companies []CompanyID `json:"companies,omitempty"` // one, several of a partner, none of an operator
	TimeZone  string      `json:"time_zone,omitempty"` // IANA name; none: UTC
	Disabled  bool        `json:"disabled,omitempty"`
	CreatedAt time.Time   `json:"created_at"`
	LastSeen  time.Time   `json:"last_seen,omitzero"` // last sign-in

	Password string `json:"-"` // argon2id hash; "": cannot sign in with a password
	// Issuer and Subject are those of the identity provider that the person signs in at, empty without one.
	Issuer  string `json:"issuer,omitempty"`
	Subject string `json:"subject,omitempty"`
}

// maxCompanies bounds a partner's companies: their IDs stand in every query of the partner.
const maxCompanies = 200

// Check names what is wrong with a user, as an error of KindInvalid.
func (u *User) Check() error {
	if err := checkName("a user", u.Name); err != nil {
		return err
	}
	if a, err := mail.ParseAddress(u.Email); err != nil || a.Address != u.Email {
		return callhome.Errorf(callhome.KindInvalid, "user %s: %q is not a mail address", u.Name, u.Email)
	}
	if _, err := ParseRole(string(u.Role)); err != nil {
		return err
	}
	if u.TimeZone != "" {
		if _, err := time.LoadLocation(u.TimeZone); err != nil {
			return callhome.Errorf(callhome.KindInvalid, "user %s: time zone %q is not known; names are like Europe/Lisbon", u.Name, u.TimeZone)
		}
	}
	if slices.Contains(u.Companies, NoCompany) {
		return callhome.Errorf(callhome.KindInvalid, "user %s: 0 is no company", u.Name)
	}
	n := len(u.Companies)
	switch {
	case u.Role == RoleOperator && n > 0:
		return callhome.Errorf(callhome.KindInvalid, "user %s: an operator belongs to no company", u.Name)
	case u.Role == RolePartner && (n == 0 || n > maxCompanies):
		return callhome.Errorf(callhome.KindInvalid, "user %s: a partner belongs to 1 to %d companies", u.Name, maxCompanies)
	case u.Role != RoleOperator && u.Role != RolePartner && n != 1:
		return callhome.Errorf(callhome.KindInvalid, "user %s: a %s belongs to exactly one company", u.Name, u.Role)
	}
	return nil
}

// Principal is the signed-in person.
func (u *User) Principal() Principal {
	return Principal{User: u.ID, Name: u.Name, Role: u.Role, Companies: slices.Clone(u.Companies), Scope: ScopeAdmin}
}

// MayGrant reports whether p may give a role in companies: nobody gives more than they have.
func MayGrant(p Principal, role Role, companies []CompanyID) error {
	if p.Role == RoleOperator && Can(p, UserWrite, NoCompany) {
		return nil
	}
	if role == RoleOperator || role == RolePartner {
		return callhome.Errorf(callhome.KindDenied, "only an operator makes a %s", role)
	}
	for _, c := range companies {
		if err := Require(p, UserWrite, c); err != nil {
			return err
		}
	}
	if len(companies) == 0 {
		return callhome.Errorf(callhome.KindInvalid, "a %s belongs to a company", role)
	}
	return nil
}
