// Package inventory owns what each device is made of: chassis and units (cards, power supplies, fans, optics) with their
// product, serial, part and version numbers, as revisions over time, and what changed between any two of them.
//
// A full inventory replaces what is known, a delta and any other message merge into it (what they do not mention stays).
// A revision is stored only when something changed, with the message and time that told of it:
//
//	Message ─Read▶ Reading ─Merge▶ Inventory ─Compare▶ []Change ─▶ Revision 1, 2, 3 ...
//
// A unit is followed by its serial number: into another slot, and into another device of the same company.
// It does not know who a device belongs to or what it is entitled to (server/registry), nor whether it is well.
package inventory
