// Package registry owns which devices exist and what they are entitled to: registrations and their confirmation,
// contracts, companies' devices with groups and sites, exceptions, conflicts about a serial number, when each device is
// due to speak, and the enrolment of our own agents and gateways. It takes one decoded message after the other
// ([Identify]) and says whose it is.
//
// The life of a registration:
//
//	unknown ─▶ inventory-received ─▶ pending ─▶ confirmed ─▶ registered
//	             (no contact address)   (mail sent)  (contract not begun)
//
// and at the side no-contract (confirmed, but nothing covers it), expired (its contract ended), rejected (a person said
// no) and suspended (an operator stopped it). Messages of devices that are not registered are stored and marked, never
// refused. Anonymous messages make no device: they are counted, that is all.
package registry
