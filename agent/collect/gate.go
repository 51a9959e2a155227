package collect

import (
	"slices"
	"strings"

	"callhome"
)

// maxCommandLength is what NX-OS takes for a user command of an alert group (1 to 600 characters).
const maxCommandLength = 600

// Gate judges a command before it may run; nil lets it pass, an error says why not and what to do.
type Gate func(command string) error

// readers are the beginnings of commands that only look. "admin" is the administration plane of IOS XR, "display" the
// word of Comware and VRP.
var readers = [][]string{{"show"}, {"display"}, {"admin", "show"}}

// filters are the words allowed behind "|": they choose or count lines. Every other one is refused, because redirect,
// append, tee, save, file, email, sed, awk, vsh, bash and their like write files or run programs.
var filters = []string{
	"b", "beg", "begin", "count", "details", "display", "egrep", "exc", "except", "excl", "exclude", "find", "grep", "i", "inc",
	"incl", "include", "json", "last", "match", "no-more", "nz", "sec", "sect", "section", "xml",
}

// ShowOnly passes show commands, and those of the list word for word.
func ShowOnly(listed []string) Gate {
	extra := normalizeAll(listed)
	return func(command string) error {
		if err := wellFormed(command); err != nil {
			return err
		}
		if slices.Contains(extra, normalize(command)) {
			return nil
		}
		return onlyShows(command)
	}
}

// ListedOnly passes the commands of the list word for word, and nothing else: the gate of this host.
func ListedOnly(listed []string) Gate {
	known := normalizeAll(listed)
	return func(command string) error {
		if err := wellFormed(command); err != nil {
			return err
		}
		if !slices.Contains(known, normalize(command)) {
			return callhome.Errorf(callhome.KindDenied, "command %q is not on the list of allowed commands; list it in the configuration if it is harmless", command)
		}
		return nil
	}
}

func normalize(command string) string { return strings.Join(strings.Fields(command), " ") }

func normalizeAll(commands []string) []string {
	out := make([]string, len(commands))
	for i, c := range commands {
		out[i] = normalize(c)
	}
	return out
}

// wellFormed refuses what no list can allow: a line break would be a second command, "?" asks for help in mid-line on
// most command lines, and other control characters edit the line.
func wellFormed(command string) error {
	switch {
	case strings.TrimSpace(command) == "":
		return callhome.Errorf(callhome.KindInvalid, "the command is empty")
	case len(command) > maxCommandLength:
		return callhome.Errorf(callhome.KindInvalid, "the command has %d characters, more than %d", len(command), maxCommandLength)
	}
	for i := range len(command) {
		if c := command[i]; c < ' ' || c > '~' || c == '?' {
			return callhome.Errorf(callhome.KindDenied, "command %q: character %q at column %d is not allowed in a command", command, c, i+1)
		}
	}
	return nil
}

func onlyShows(command string) error {
	if i := strings.IndexAny(command, ";`<>&$"); i >= 0 {
		return callhome.Errorf(callhome.KindDenied, "command %q: %q could start a second command or write a file; list the command in collect.commands if it is harmless", command, command[i])
	}
	stages := strings.Split(command, "|")
	words := strings.Fields(strings.ToLower(stages[0]))
	reads := func(r []string) bool { return len(words) > len(r) && slices.Equal(words[:len(r)], r) }
	if !slices.ContainsFunc(readers, reads) {
		return callhome.Errorf(callhome.KindDenied, "command %q is not a show command; list it in collect.commands if it is harmless", command)
	}
	if reads([]string{"show"}) && len(words) > 2 && slices.Contains([]string{"tech-support", "techsupport"}, words[1]) && slices.Contains(words, "file") {
		return callhome.Errorf(callhome.KindDenied, "command %q writes a file on the device; leave the file out", command)
	}
	return onlyFilters(command, stages[1:])
}

// onlyFilters looks at the first word behind each bar. A bar inside a pattern (include up|down) looks like a pipe, and
// on some platforms is one: such a command has to be listed.
func onlyFilters(command string, stages []string) error {
	for _, stage := range stages {
		words := strings.Fields(strings.ToLower(stage))
		if len(words) == 0 {
			return callhome.Errorf(callhome.KindDenied, "command %q: nothing follows the bar", command)
		}
		if !slices.Contains(filters, words[0]) {
			return callhome.Errorf(callhome.KindDenied, "command %q: %q behind the bar is not known only to choose lines, as include, exclude, begin, section, count and grep are; list the command in collect.commands if it is harmless", command, words[0])
		}
	}
	return nil
}
