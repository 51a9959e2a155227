package syslog

import (
	"bytes"
	"time"

	"callhome/codec/ciscolog"
)

// ciscoLogLine has codec/ciscolog read a line; false when it is none.
func (p *Parser) ciscoLogLine(raw []byte, received time.Time, rec *ciscolog.Record) bool {
	opts := ciscolog.Options{DefaultZone: p.Zone, Zones: p.Zones}
	return ciscolog.Parse(raw, received, rec, opts)
}

// ciscoLog finishes a line of Unified CM and its kin, or any with CiscoLog tags. The codec of that format reads it; the
// header that was read here stands where that codec finds less.
func (p *Parser) ciscoLog(x *prefix, received time.Time, l *Line) {
	var rec ciscolog.Record
	l.Dialect = UCM
	if !p.ciscoLogLine(l.inner(), received, &rec) {
		return
	}
	if rec.Conforms {
		l.Dialect = CiscoLog
	}
	l.fromCiscoLog(x, &rec)
}

// inner is the device's own message: what a relay wrapped, else the line.
func (l *Line) inner() []byte {
	if l.Relay.PRI < 0 || !l.Flags.Has(FlagRelayed) {
		return l.Raw
	}
	at := bytes.LastIndexByte(l.Raw[:min(len(l.Raw), maxPRI+maxRelayHeader)], '<')
	return l.Raw[max(at, 0):]
}

// fullForm reports whether a line that could be of IOS conforms to CiscoLog: every field is there, and the application
// is not named as a facility of IOS is. IOS never writes an offset, and always has a clock.
func (p *Parser) fullForm(x *prefix, received time.Time, l *Line) bool {
	if p.Pinned == IOS {
		return false
	}
	offset := len(l.Zone) == 5 && (l.Zone[0] == '+' || l.Zone[0] == '-')
	if !offset && !x.noClock && p.Pinned != CiscoLog && p.Pinned != UCM && iosFacility(l.CoreFacility) {
		return false
	}
	var rec ciscolog.Record
	if !p.ciscoLogLine(l.Raw, received, &rec) || !rec.Conforms {
		return false
	}
	l.Dialect = CiscoLog
	l.fromCiscoLog(x, &rec)
	return true
}

// full reports whether sequence number, host and a stamp with year and milliseconds, or the stamp of no clock, stand
// before the core and nothing else does.
func (x *prefix) full() bool {
	return x.nn == 1 && x.n == 1 && x.stamps == 1 && x.words[0].colon && x.words[0].stamps == 0 &&
		(x.noClock || x.last.year != 0 && x.last.digits == 3 && !x.last.yearFirst && len(x.last.zone) > 0)
}

// fromCiscoLog takes over tags, text, numbers and flags.
func (l *Line) fromCiscoLog(x *prefix, rec *ciscolog.Record) {
	l.Text, l.CoreFacility, l.Mnemonic, l.CiscoLogFlags = rec.Text, rec.App, rec.Name, rec.Flags
	if rec.HasSeq {
		l.Seq = int64(min(rec.Seq, 1<<62))
		l.Counter = -1
		if c := rec.RelayCounters(); len(c) > 1 {
			l.Counter = int64(min(c[0], 1<<62))
		}
	}
	if host, from := rec.BestHost(); host != nil {
		l.Host, l.HostSource = host, HostFromHeader
		if from == ciscolog.HostFromRelay {
			l.HostSource = HostFromRelay
		}
	}
	if l.Accuracy == 0 && x.noClock {
		l.Clock = ClockNone
	}
	if rec.TagRegion == nil {
		return
	}
	l.ParamForm, l.ParamRegion = ParamsCiscoLog, rec.TagRegion
	l.processTags(rec)
}

// processTags finds program and process number among the tags. An alert may quote other tags, so the last application
// counts.
func (l *Line) processTags(rec *ciscolog.Record) {
	rec.Tags(func(key, value []byte) bool {
		switch {
		case string(key) == "pname.orig":
			l.Program = value
			return false
		case sameKey(key, "appid"), string(key) == "pname":
			l.Program = value
		case string(key) == "pid":
			l.PID = value
		}
		return true
	})
}

// sameKey reports whether a tag's key is name, in small letters, whatever its case and its spaces.
func sameKey(key []byte, name string) bool {
	n := 0
	for _, c := range key {
		if c == ' ' {
			continue
		}
		if n == len(name) || lower(c) != name[n] {
			return false
		}
		n++
	}
	return n == len(name)
}

// oddCiscoLog takes a CiscoLog line whose header, or whose prefix, the common grammar does not know: codec/ciscolog is
// more tolerant there. Without tags and without the marks of Unified CM such a line could be anything.
func (p *Parser) oddCiscoLog(b []byte, received time.Time, l *Line) bool {
	if !bytes.Contains(b, []byte(": %")) {
		return false
	}
	var rec ciscolog.Record
	if !p.ciscoLogLine(l.inner(), received, &rec) || rec.TagRegion == nil && !rec.UCM && !callManager(rec.App) {
		return false
	}
	l.Dialect = UCM
	if rec.Conforms {
		l.Dialect = CiscoLog
	}
	l.own(Severity(rec.Severity))
	l.Stamp = Stamp{Text: rec.Stamp, Zone: rec.Zone, Offset: int32(rec.Offset), HasZone: rec.OffsetKnown}
	if rec.TimeSource == ciscolog.TimeFromHeader {
		l.Time = rec.Time
		for unit := rec.Precision; unit > 0 && unit < time.Second; unit *= 10 {
			l.Digits++
		}
	}
	l.NoYear = rec.Flags.Has(ciscolog.FlagYearInferred)
	var x prefix
	switch rec.Accuracy {
	case ciscolog.AccuracyUnsynchronised:
		l.Accuracy, l.Clock = '*', ClockUnsynchronised
	case ciscolog.AccuracyWasSynchronised:
		l.Accuracy, l.Clock = '.', ClockWasSynchronised
	case ciscolog.AccuracyNoClock:
		x.noClock = true
	}
	if rec.RelayHost != nil {
		l.Relay.Host, l.Relay.Tag = rec.RelayHost, rec.RelayTag
		l.Flags |= FlagRelayed
	}
	l.fromCiscoLog(&x, &rec)
	return true
}
