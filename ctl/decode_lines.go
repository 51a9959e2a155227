package ctl

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"callhome"
	"callhome/codec/ciscolog"
	"callhome/codec/syslog"
)

// DecodeSyslog prints a JSON object for every line of in, whatever its dialect; none is dropped. received stands for the
// time of receipt, which infers years.
func DecodeSyslog(out io.Writer, in io.Reader, received time.Time) (err error) {
	w, flush := output(out)
	defer flush(&err)
	var (
		parser syslog.Parser
		line   syslog.Line
		buf    []byte
	)
	return eachLine(in, func(raw []byte) error {
		parser.Parse(raw, received, &line)
		ignoreSkew(&line)
		buf = append(line.AppendJSON(buf[:0]), '\n')
		_, err := w.Write(buf)
		return err
	})
}

// DecodeCiscoLog prints a JSON object for every line of in, read as CiscoLog; with strict every line that breaks a rule
// also gets its error, and the result is an error that counts them.
func DecodeCiscoLog(out io.Writer, in io.Reader, received time.Time, strict bool) (err error) {
	w, flush := output(out)
	defer flush(&err)
	var (
		reader     = newCiscoLogReader()
		line       syslog.Line
		rec        ciscolog.Record
		buf        []byte
		lines, bad int
	)
	err = eachLine(in, func(raw []byte) error {
		lines++
		raw = bytes.TrimSuffix(raw, []byte("\r"))
		reader.read(raw, received, &line)
		buf = line.AppendJSON(buf[:0])
		if strict {
			if v := ciscolog.ParseStrict(raw, &rec); v != nil {
				bad++
				if buf, err = appendViolation(buf, v); err != nil {
					return err
				}
			}
		}
		_, err := w.Write(append(buf, '\n'))
		return err
	})
	if err == nil && bad > 0 {
		return &callhome.Error{Kind: callhome.KindInternal, Msg: fmt.Sprintf("%d of %d lines break a rule of the strict format; each names it under error", bad, lines)}
	}
	return err
}

// appendViolation adds the broken rule to the object that ends buf.
func appendViolation(buf []byte, v *ciscolog.Violation) ([]byte, error) {
	fault, err := json.Marshal(v)
	if err != nil {
		return buf, err
	}
	buf = append(buf[:len(buf)-1], `,"error":`...)
	return append(append(buf, fault...), '}'), nil
}
