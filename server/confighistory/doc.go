// Package confighistory owns the configurations that devices send: which attachments are whole configurations, when two of
// them are the same, their revisions over time, and the differences between them.
//
// Texts are kept as they came, compressed, once for each content. Whether a new one differs is decided on its normal form,
// without what changes by itself - times, sizes, counters, secrets that were only encrypted anew - so that a revision is
// stored when somebody changed something:
//
//	Message ─Find▶ Found ─Normalise▶ Form ─▶ Revision 1, 2, 3 ... ─▶ Diff, Drift, Search
//
// Secrets are masked wherever text leaves the package, unless the caller says that the reader may see them. Who may is
// server/account's to say.
package confighistory
