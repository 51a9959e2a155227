package account

import "slices"

// CompanyID names a company (a tenant). 0 is the operator's own, and of records that are not assigned to anyone yet.
type CompanyID int64

// NoCompany is the company of what is not assigned: only an operator sees it.
const NoCompany CompanyID = 0

// Reach says whose records a person may see. The zero Reach sees nothing.
type Reach struct {
	All       bool // of every company, and those of none
	Companies []CompanyID
}

// Everywhere is the reach of an operator and of the back end itself.
func Everywhere() Reach { return Reach{All: true} }

// Has reports whether records of company c are within reach. Records of no company are within reach of All only.
func (r Reach) Has(c CompanyID) bool {
	return r.All || c != NoCompany && slices.Contains(r.Companies, c)
}

// Limits of a page.
const (
	DefaultLimit = 50   // records where none is asked for: what a screen shows
	MaxLimit     = 1000 // most records at once: bounds memory and the time that one query holds its snapshot
)

// Page chooses part of a list by its key. Lists are newest first unless their method says otherwise: then the page holds
// the IDs below After. 0 begins at the first.
type Page struct {
	After int64
	Limit int
}

// Limited is Limit within its bounds: DefaultLimit where it is not positive, at most MaxLimit.
func (p Page) Limited() int {
	if p.Limit <= 0 {
		return DefaultLimit
	}
	return min(p.Limit, MaxLimit)
}
