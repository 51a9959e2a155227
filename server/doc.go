// Package server is the conductor of the back end: it takes messages durably, then works through the archive, device by
// device, and lets the rooms say what follows.
//
//	Accept ─▸ [Intake] ─▸ acknowledged
//	              │ work: one transaction for a batch
//	              ▼
//	ingest ▸ registry ▸ inventory ▸ confighistory ▸ analysis ▸ casework ▸ notify
//
// It owns the order of the rooms and what each is told, and the housekeeping that time asks for: sweeps, silence,
// retention, blocks that never came, the probe. It keeps nothing itself and knows no SQL, no page and no protocol.
//
// What a kill -9 leaves: before Accept returned nothing was promised; after it the arrival waits in the Intake. All that
// a message comes to, and that it was worked, is one transaction: it happened whole or not at all. A message whose work
// fails again and again is stored as failed, with its bytes, so that it holds up nobody.
package server
