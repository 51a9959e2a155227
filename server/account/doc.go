// Package account owns who may use the back end and what they may do there: companies, people with their passwords and
// roles, sign-in (password or OpenID Connect), sessions, API tokens, invitations, and the audit log. It decides; it draws
// no page and answers no request.
//
// A person has one role. The role says what they may do (a table, [Allowed]), their companies say with whose records:
//
//	viewer                  reads the records of one company
//	device-administrator    also registers devices, groups, sites, and works on service requests
//	company-administrator   also users, tokens, contracts' use, and enrolment of the company
//	partner                 a device administrator of several companies
//	operator                everything, of every company: who runs this back end
//
// An API token acts as the person who made it, narrowed by its [Scope].
package account
