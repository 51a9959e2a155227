package ctl

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"callhome"
	"callhome/codec/ciscolog"
)

// lineObject is what EncodeCiscoLog reads: the fields that DecodeCiscoLog prints.
type lineObject struct {
	Facility  *int               `json:"facility"`
	Severity  *int               `json:"severity"`
	PRISev    *int               `json:"pri_severity"`
	Sequence  uint32             `json:"sequence"`
	Host      string             `json:"host"`
	Timestamp callhome.Timestamp `json:"timestamp"`
	Zone      string             `json:"zone"`
	Accuracy  string             `json:"accuracy"`
	App       string             `json:"mnemonic_facility"`
	Mnemonic  string             `json:"mnemonic"`
	Tags      []callhome.Tag     `json:"tags"`
	Message   string             `json:"message"`
}

// EncodeCiscoLog reads JSON objects and writes strict CiscoLog lines, several for a message beyond 800 octets. It stops
// at the first object that cannot be written and names it.
func EncodeCiscoLog(out io.Writer, in io.Reader) (err error) {
	w, flush := output(out)
	defer flush(&err)
	dec := json.NewDecoder(in)
	for n := 1; ; n++ {
		var o lineObject
		switch err := dec.Decode(&o); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return callhome.Errorf(callhome.KindInternal, "object %d is not the JSON of a line: %w", n, err)
		}
		lines, err := ciscolog.Split(o.fields())
		if err != nil {
			return callhome.Errorf(callhome.KindInternal, "object %d cannot be written: %w", n, err)
		}
		for _, line := range lines {
			if _, err := w.Write(append(line, '\n')); err != nil {
				return fmt.Errorf("write output: %w", err)
			}
		}
	}
}

func (o *lineObject) fields() ciscolog.Fields {
	f := ciscolog.Fields{
		Seq: o.Sequence, Host: o.Host, Accuracy: accuracyOf(o.Accuracy), Time: o.Timestamp.Time, App: o.App, Name: o.Mnemonic,
		Tags: o.Tags, Text: o.Message, Severity: -1,
	}
	if o.Severity != nil {
		f.Severity = int8(max(-1, min(*o.Severity, 8)))
	}
	f.HasPRI, f.PRI = o.pri()
	if o.Timestamp.IsZero() {
		f.Accuracy = ciscolog.AccuracyNoClock
	} else if o.Timestamp.NoZone {
		f.Zone = o.zoneName()
	} else if _, offset := o.Timestamp.Zone(); offset != 0 {
		f.Zone = o.Timestamp.Format("-0700")
	}
	f.Time = f.Time.Truncate(time.Millisecond)
	return f
}

// zoneName is the name of a zone that says nothing of an offset, as a line may have it; else nothing, which means UTC.
func (o *lineObject) zoneName() string {
	if n := len(o.Zone); n == 0 || n > ciscolog.MaxZone || o.Zone[0] == '+' || o.Zone[0] == '-' {
		return ""
	}
	return o.Zone
}

// pri is facility and severity, PRI's own where that is given.
func (o *lineObject) pri() (has bool, pri uint8) {
	severity := o.PRISev
	if severity == nil {
		severity = o.Severity
	}
	if o.Facility == nil || severity == nil || *o.Facility < 0 || *o.Facility > 23 || *severity < 0 || *severity > 7 {
		return false, 0
	}
	return true, uint8(*o.Facility*8 + *severity)
}

// accuracyOf reads the mark or the word that decoding prints.
func accuracyOf(s string) ciscolog.Accuracy {
	switch s {
	case "*":
		return ciscolog.AccuracyUnsynchronised
	case ".":
		return ciscolog.AccuracyWasSynchronised
	case "":
		return ciscolog.AccuracyUnstated
	}
	return ciscolog.Accuracy(s)
}
