// Package throttle holds back repeats and floods before any command runs for them, and remembers which trouble is open.
//
// The package owns the memory of what was told. It decides nothing about who wants an alert (agent/route), sends
// nothing, and reads no clock: the time is a parameter. Its memory is bounded; what was not heard of for longest is
// forgotten first, which at worst tells something once more. A [Snapshot] takes it through a restart.
//
// # What is held back
//
//   - A repeat: the same event about the same object within the platform's window (24 hours on most), counted from when
//     it was last told. What happens rather than lasts (configuration, inventory and crash messages) is a repeat within
//     a minute only, the time in which two relays deliver the same line.
//   - On platforms with such a rule, what goes beyond a number of messages of one event type in a window (NX-OS: 30 in
//     two hours, from the first of them).
//   - What goes beyond the rate limit: more messages than that in any sixty seconds, counted for each device. Senders
//     that nobody configured share one count, as they can be invented.
//
// Tests and what an operator asks for are never held back; what a schedule brings is only subject to the rate limit.
//
// # Trouble has an end
//
// An alert that clears ends the trouble it is about, so that the next raise is told again at once. The end is told if
// the beginning was, and to the same profiles: see [Limiter.Told]. The end of trouble whose beginning was held back for
// the rate limit is held back as well.
//
// Trouble whose object the text does not give away is told again where the words differ, up to eight times.
//
// Trouble that begins [Config.FlapCount] times within [Config.FlapWindow] is flapping: that beginning is told, with
// the reason flapping, and nothing more until no change came for [Config.FlapQuiet]. Then a digest tells how it ended.
//
// What is held back for a flood is told once a minute, one digest for each device, with the objects by name. All memory
// is kept by object: no second link is hidden by the first.
package throttle
