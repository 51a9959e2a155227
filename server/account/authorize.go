package account

import (
	"maps"
	"slices"

	"callhome"
)

// Action is something a principal may be allowed to do; the word before the dot is the kind of record.
type Action string

// The actions.
const (
	DeviceRead       Action = "device.read" // devices, inventory, configurations without secrets, findings, messages' fields
	DeviceWrite      Action = "device.write"
	DeviceConfirm    Action = "device.confirm"
	DeviceResolve    Action = "device.resolve" // decide a conflict about a serial number
	MessageRead      Action = "message.read"
	MessageReadRaw   Action = "message.read-raw" // as received, secrets included
	ExceptionRead    Action = "exception.read"
	CaseRead         Action = "case.read"
	CaseWrite        Action = "case.write"
	AdvisoryRead     Action = "advisory.read"
	AdvisoryWrite    Action = "advisory.write" // import feeds
	RuleRead         Action = "rule.read"
	RuleWrite        Action = "rule.write"
	GroupWrite       Action = "group.write" // device groups and sites
	ContractRead     Action = "contract.read"
	ContractWrite    Action = "contract.write"
	EnrolmentRead    Action = "enrolment.read" // agents and gateways
	EnrolmentWrite   Action = "enrolment.write"
	UserRead         Action = "user.read"
	UserWrite        Action = "user.write"
	TokenWrite       Action = "token.write" // one's own; those of others need user.write
	CompanyRead      Action = "company.read"
	CompanyWrite     Action = "company.write"
	AuditRead        Action = "audit.read"
	SettingWrite     Action = "setting.write" // of the back end: retention, routing, on-call
	PreferenceWrite  Action = "preference.write"
	NotificationRead Action = "notification.read"
)

// rule is one row of the authorization table.
type rule struct {
	scope Scope // least scope of a token
	roles []Role
}

var (
	everyone  = []Role{RoleViewer, RoleDeviceAdmin, RoleCompanyAdmin, RolePartner, RoleOperator}
	technical = []Role{RoleDeviceAdmin, RoleCompanyAdmin, RolePartner, RoleOperator}
	leading   = []Role{RoleCompanyAdmin, RoleOperator}
	operators = []Role{RoleOperator}
)

// table says which roles may do what, each within their reach.
var table = map[Action]rule{
	DeviceRead:       {ScopeRead, everyone},
	DeviceWrite:      {ScopeWrite, technical},
	DeviceConfirm:    {ScopeWrite, technical},
	DeviceResolve:    {ScopeAdmin, operators},
	MessageRead:      {ScopeRead, everyone},
	MessageReadRaw:   {ScopeRead, technical},
	ExceptionRead:    {ScopeRead, everyone},
	CaseRead:         {ScopeRead, everyone},
	CaseWrite:        {ScopeWrite, technical},
	AdvisoryRead:     {ScopeRead, everyone},
	AdvisoryWrite:    {ScopeAdmin, operators},
	RuleRead:         {ScopeRead, everyone},
	RuleWrite:        {ScopeAdmin, operators},
	GroupWrite:       {ScopeWrite, technical},
	ContractRead:     {ScopeRead, everyone},
	ContractWrite:    {ScopeAdmin, operators},
	EnrolmentRead:    {ScopeRead, everyone},
	EnrolmentWrite:   {ScopeAdmin, leading},
	UserRead:         {ScopeRead, leading},
	UserWrite:        {ScopeAdmin, leading},
	TokenWrite:       {ScopeAdmin, everyone},
	CompanyRead:      {ScopeRead, everyone},
	CompanyWrite:     {ScopeAdmin, operators},
	AuditRead:        {ScopeRead, leading},
	SettingWrite:     {ScopeAdmin, operators},
	PreferenceWrite:  {ScopeWrite, everyone},
	NotificationRead: {ScopeRead, everyone},
}

// Allowed is the authorization table as data, for pages and documents: the roles of an action and the least scope of a
// token. ok is false for an action that nobody has.
func Allowed(a Action) (roles []Role, least Scope, ok bool) {
	r, ok := table[a]
	return append([]Role(nil), r.roles...), r.scope, ok
}

// Actions are all actions, in the order of their names.
func Actions() []Action { return slices.Sorted(maps.Keys(table)) }

// Can reports whether p may do a with records of company c. For records of no company (c is NoCompany) only an operator
// can, except for advisories and rules, which belong to all.
func Can(p Principal, a Action, c CompanyID) bool {
	return may(p, a) && (p.Reach().Has(c) || c == NoCompany && shared[a])
}

// CanSomewhere reports whether p may do a with records of some company: for menus and for lists, which reach narrows.
func CanSomewhere(p Principal, a Action) bool {
	return may(p, a) && (p.Role == RoleOperator || len(p.Companies) > 0 || shared[a])
}

func may(p Principal, a Action) bool {
	r, ok := table[a]
	if !ok || !p.Scope.Includes(r.scope) {
		return false
	}
	for _, role := range r.roles {
		if role == p.Role {
			return true
		}
	}
	return false
}

// shared are the actions on records that belong to nobody: advisories, rules, one's own account.
var shared = map[Action]bool{AdvisoryRead: true, RuleRead: true, TokenWrite: true, PreferenceWrite: true, NotificationRead: true}

// Require is nil when p can, else an error of KindDenied that says which roles can. A record out of p's reach is best
// answered as not found, so that its existence is not told: see [Principal.Reach].
func Require(p Principal, a Action, c CompanyID) error {
	if Can(p, a, c) {
		return nil
	}
	return callhome.Errorf(callhome.KindDenied, "%s may not do %s here", orNobody(p.Name), a)
}

func orNobody(name string) string {
	if name == "" {
		return "an unknown caller"
	}
	return name
}
