// Package personality is what platforms are, as data: one file for each of ios, iosxr, nxos, asa, ucm, junos, eos, linux
// and generic. A personality knows the dialects its devices log in, its alert groups and the commands they run, the table
// that turns log lines into alerts, limits and defaults, time syntax, and the variant of each message format.
//
// The package owns tables and small look-ups over them; it judges no line (agent/classify), runs no command
// (agent/collect) and writes no message (codec/aml, codec/plaintext).
//
// # Event tables
//
// A [Row] says which lines it is about (On, Has), and what such a line means. On begins with one character:
//
//	%FAC-MNEM   the Cisco core %FAC-n-MNEM; a subfacility may follow FAC in the line (SYS matches SYS-SP)
//	%*-MNEM     any facility; also the tag of a Junos line
//	%FAC-*      any mnemonic
//	#N, #N-M    a message number, or all from N to M
//	name:       the program that logged it; *: is any program
//	@Name       a named alert inside a line that [Personality.Named] points at
//
// Has is "" or phrases of the text joined by "&", all of which must occur. The first row that holds decides; rows of the
// more exact key come first: @, then #, then %FAC-MNEM, %*-MNEM, %FAC-*, then programs.
//
// Object tells where the text names what it is about, so that an end is matched with its beginning and the second link
// down is not taken for a repeat of the first. Alternatives are separated by "|", two parts are joined by "&":
//
//	phrase      the token after phrase
//	phrase~end  all after phrase up to end
//	>phrase     all after phrase
//	<phrase     the token before phrase
//	^           the first token
//	@node       the part of the device that the line's header names
package personality
