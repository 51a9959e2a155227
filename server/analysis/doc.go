// Package analysis turns a message and what is known of its device into findings, by rules that people can read, write,
// test and sign. It owns rule packs (their YAML form, samples and signatures), the engine that evaluates them, the packs
// that are shipped, and the hunt that runs rules over messages which are archived already.
//
// It owns no device, case or mail: the conductor gives it a [Subject] with plain values and stores what it returns.
//
//	pack.yaml ▸ ParsePack ▸ Pack ▸ New ▸ Engine
//	Subject + History ▸ Engine.Evaluate ▸ Result{Findings, Observations, Faults}
//
// # What a rule costs
//
// A rule is found by what it is on: a mnemonic, a message number, a program, an alert or event name, else the name of a
// command whose output it reads, else the kind of change it waits for. No expression is run before that. Then come
// comparisons of numbers and names, then a literal that the expression cannot match without, and the expression last.
//
// # Where a finding may lead
//
// A rule asks for information, a recommendation or a service request. Messages of the groups inventory and configuration
// never open a service request: what asks for one there becomes a recommendation.
//
// # Counting
//
// A rule with a history counts what the same rule found for the same key of the same device. Every hit gives an
// Observation, whether or not it gives a Finding; the caller stores it in the transaction of the message, so that each
// message counts once. Windows are measured in event time: a backlog that arrives at once is no storm.
package analysis
