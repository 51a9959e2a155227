// Package periodic tells when subscriptions with a schedule come due, and raises an event at each such time.
//
// A schedule may leave parts open, the minute of an hourly one or the day of a monthly one. [Resolve] chooses these once
// per device from a hash of its serial number: the same device always has the same times, and a fleet spreads over hour,
// week and month. [Schedule.Next] is plain arithmetic on a clock and a zone; [Runner] waits, and remembers in a small
// state file when each schedule last ran, so that a time that passed while the agent was down is made up for once.
package periodic
