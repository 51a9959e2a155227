// Package health is where the parts of a process say whether they are well.
//
// Each part holds a [Part] and says [Part.Well], or [Part.Unwell] with one sentence a person can act on. The registry
// remembers since when: saying the same again, or giving another reason for the same trouble, does not restart the
// clock. Snapshots are read by the portal, by the control socket and by /healthz and /readyz.
//
// The package does not watch anything by itself, keeps nothing on disk and decides nothing: who is unwell knows it first.
package health
