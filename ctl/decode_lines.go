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
		buf = append(line.AppendJSON(buf[:0]), '\n')
		_, err := w.Write(buf)
		return err
	})
}

// DecodeCiscoLog is DecodeSyslog; with strict every line that breaks a rule also gets its error, and the result is an
// error that counts them.
func DecodeCiscoLog(out io.Writer, in io.Reader, received time.Time, strict bool) (err error) {
	if !strict {
		return DecodeSyslog(out, in, received)
	}
	w, flush := output(out)
	defer flush(&err)
	var (
		parser     syslog.Parser
		line       syslog.Line
		rec        ciscolog.Record
		buf        []byte
		lines, bad int
	)
	err = eachLine(in, func(raw []byte) error {
		lines++
		raw = bytes.TrimSuffix(raw, []byte("\r"))
		parser.Parse(raw, received, &line)
		buf = line.AppendJSON(buf[:0])
		if v := ciscolog.ParseStrict(raw, &rec); v != nil {
			bad++
			fault, err := json.Marshal(v)
			if err != nil {
				return err
			}
			buf = append(buf[:len(buf)-1], `,"error":`...)
			buf = append(append(buf, fault...), '}')
		}
		_, err := w.Write(append(buf, '\n'))
		return err
	})
	if err == nil && bad > 0 {
		return &callhome.Error{Kind: callhome.KindInternal, Msg: fmt.Sprintf("%d of %d lines break a rule of the strict format; each names it under error", bad, lines)}
	}
	return err
}
