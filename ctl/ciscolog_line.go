package ctl

import (
	"time"

	"callhome/codec/ciscolog"
	"callhome/codec/syslog"
)

// ciscoLogReader reads lines that are said to be CiscoLog. The parser of all dialects reads them first; what the codec
// of the format finds beyond that stands in its place.
type ciscoLogReader struct {
	parser syslog.Parser
	rec    ciscolog.Record
}

func newCiscoLogReader() *ciscoLogReader {
	return &ciscoLogReader{parser: syslog.Parser{Pinned: syslog.CiscoLog}}
}

// read fills l. A line of clearly another dialect stays with that.
func (r *ciscoLogReader) read(raw []byte, received time.Time, l *syslog.Line) {
	r.parser.Parse(raw, received, l)
	switch l.Dialect {
	case syslog.CiscoLog, syslog.UCM, syslog.IOS, syslog.Unknown:
	default:
		return
	}
	if !ciscolog.Parse(raw, received, &r.rec, ciscolog.Options{}) {
		return
	}
	switch {
	case r.rec.Conforms:
		l.Dialect = syslog.CiscoLog
	case r.rec.UCM, l.Dialect == syslog.Unknown:
		l.Dialect = syslog.UCM
	}
	r.takeHeader(l)
	r.takeTime(l)
	ignoreSkew(l)
}

// ignoreSkew takes the remark back that a stamp is far from the time of receipt: when a stored line was received is not
// known here.
func ignoreSkew(l *syslog.Line) { l.CiscoLogFlags &^= ciscolog.FlagClockSkew }

// takeHeader takes over everything but the time. The host is given as sent: 0.0.0.0, the format's way to say that it is
// not known, too, as encoding writes it again.
func (r *ciscoLogReader) takeHeader(l *syslog.Line) {
	rec := &r.rec
	l.CiscoLogFlags, l.Vendor = rec.Flags, ""
	l.Severity, l.OwnSeverity = syslog.Severity(rec.Severity), true
	l.CoreFacility, l.Mnemonic, l.Text = rec.App, rec.Name, rec.Text
	if rec.HasSeq {
		l.Seq, l.Counter = int64(min(rec.Seq, 1<<62)), -1
		if c := rec.RelayCounters(); len(c) > 0 {
			l.Counter = int64(min(c[0], 1<<62)) //nolint:gosec // capped
		}
	}
	if rec.Host != nil {
		l.Host, l.HostSource = rec.Host, syslog.HostFromHeader
	}
	if rec.TagRegion == nil {
		l.Program, l.PID = nil, nil
	} else {
		l.ParamForm, l.ParamRegion = syslog.ParamsCiscoLog, rec.TagRegion
	}
}

// takeTime takes over the time stamp and what the sender says of its clock.
func (r *ciscoLogReader) takeTime(l *syslog.Line) {
	rec := &r.rec
	if rec.TimeSource == ciscolog.TimeFromHeader {
		l.Stamp = syslog.Stamp{
			Time: rec.Time, Text: rec.Stamp, Zone: rec.Zone, Offset: int32(rec.Offset),
			HasZone: rec.OffsetKnown, NoYear: rec.Flags.Has(ciscolog.FlagYearInferred),
		}
		for unit := rec.Precision; unit > 0 && unit < time.Second; unit *= 10 {
			l.Digits++
		}
		l.Uptime = nil
	}
	switch rec.Accuracy {
	case ciscolog.AccuracyUnsynchronised:
		l.Accuracy, l.Clock = '*', syslog.ClockUnsynchronised
	case ciscolog.AccuracyWasSynchronised:
		l.Accuracy, l.Clock = '.', syslog.ClockWasSynchronised
	case ciscolog.AccuracyNoClock:
		l.Accuracy, l.Clock = 0, syslog.ClockNone
	default:
		l.Accuracy, l.Clock = 0, syslog.ClockUnstated
	}
}
