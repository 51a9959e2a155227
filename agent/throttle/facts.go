package throttle

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"strconv"

	"callhome"
	"callhome/personality"
)

// Facts are what the rules look at. Text is the message without its header: time stamps and sequence numbers would make
// every repeat look new.
type Facts struct {
	Source      callhome.Source
	Device      string
	Stranger    bool // nobody configured the device
	Group       callhome.AlertGroup
	Level       callhome.Level
	Type        string
	Subtype     string
	State       callhome.EventState
	Object      string
	Mnemonic    string // mnemonic, message number or program, for events without a type
	Text        string
	Profiles    []callhome.ProfileName
	Personality *personality.Personality // nil: the configuration's
}

// FactsOf takes the facts out of an alert.
func FactsOf(a *callhome.Alert) Facts {
	f := Facts{
		Source: a.Source, Device: a.Device, Group: a.Group, Level: a.Level, Type: a.Type, Subtype: a.Subtype, State: a.State,
		Object: a.Object, Profiles: a.Profiles, Text: message(a),
	}
	for _, name := range []string{a.Mnemonic, a.MessageNumber, a.Program} {
		if f.Mnemonic == "" {
			f.Mnemonic = name
		}
	}
	if p, ok := personality.ByName(a.Personality); ok {
		f.Personality = p
	}
	return f
}

// message cuts the header off an alert's line: all up to its mnemonic or number, else up to its program.
func message(a *callhome.Alert) string {
	line := a.Raw
	if line == nil {
		line = []byte(a.Text)
	}
	for _, mark := range []string{"-" + a.Mnemonic, "-" + a.MessageNumber, a.Mnemonic, a.Program} {
		if len(mark) < 2 {
			continue
		}
		if i := bytes.Index(line, []byte(mark)); i >= 0 {
			rest := line[i+len(mark):]
			if j := bytes.Index(rest, []byte(":")); j >= 0 {
				rest = rest[j+1:]
			}
			return string(bytes.TrimSpace(rest))
		}
	}
	return string(line)
}

// bypass tells what is never held back.
func (f *Facts) bypass() bool {
	switch f.Group {
	case callhome.GroupTest, callhome.GroupRequest, callhome.GroupSendCLI:
		return true
	}
	return f.Source == callhome.SourceOperator
}

// repeats tells what can be a repeat at all: messages of a schedule and of the agent itself cannot.
func (f *Facts) repeats() bool {
	return f.Source != callhome.SourcePeriodic && f.Source != callhome.SourceAgent
}

// momentary tells what happens rather than lasts.
func (f *Facts) momentary() bool {
	switch f.Group {
	case callhome.GroupConfiguration, callhome.GroupInventory, callhome.GroupCrash:
		return f.State != callhome.StateRaise && f.State != callhome.StateClear
	}
	return false
}

func (f *Facts) kind() string {
	if f.Type != "" {
		return f.Type
	}
	return f.Mnemonic
}

// key names the trouble: device, type and object. What has neither state nor object is told apart by its text.
func (f *Facts) key() string {
	about := f.Object
	if about == "" && f.State != callhome.StateRaise && f.State != callhome.StateClear {
		about = "#" + strconv.FormatUint(f.hash(), 16)
	}
	return f.Device + "\x00" + f.kind() + "\x00" + f.Subtype + "\x00" + about
}

// hash tells texts apart; senders choose texts, so it is one that they cannot steer.
func (f *Facts) hash() uint64 {
	sum := sha256.Sum256([]byte(f.Text))
	return binary.BigEndian.Uint64(sum[:])
}

// bucket names the count that the rate limit goes by.
func (f *Facts) bucket() string {
	if f.Stranger {
		return strangers
	}
	return f.Device
}

// strangers is the count that all unknown senders share; no device has such a name.
const strangers = "\x00strangers"
