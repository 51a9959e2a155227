package syslog_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/leodido/go-syslog/v4/rfc5424"

	"callhome/codec/syslog"
)

// peerFaults holds l against what go-syslog reads in raw. It answers nothing when that parser refuses the line.
func peerFaults(t testing.TB, raw []byte, l *syslog.Line) (faults []string) {
	t.Helper()
	parsed, err := rfc5424.NewParser().Parse(raw)
	if err != nil {
		return nil
	}
	m := parsed.(*rfc5424.SyslogMessage)
	differ := func(what string, got []byte, want *string) {
		w := ""
		if want != nil {
			w = *want
		}
		if string(got) != w {
			faults = append(faults, fmt.Sprintf("%s %q, want %q", what, got, w))
		}
	}
	if l.Dialect != syslog.RFC5424 {
		return []string{"dialect " + string(l.Dialect)}
	}
	if int(l.PRI) != int(*m.Priority) || int(l.Facility) != int(*m.Facility) || int(l.PRISeverity) != int(*m.Severity) {
		faults = append(faults, fmt.Sprintf("pri %d, want %d", l.PRI, *m.Priority))
	}
	if m.Timestamp != nil && m.Timestamp.Year() == 0 {
		m.Timestamp = nil // no year here
	}
	if m.Timestamp != nil && !m.Timestamp.Equal(l.Time) || m.Timestamp == nil && !l.Time.IsZero() {
		faults = append(faults, fmt.Sprintf("time %v, want %v", l.Time, m.Timestamp))
	}
	if h := m.Hostname; h == nil || *h != "0.0.0.0" {
		differ("host", l.Host, h)
	}
	differ("app", l.Program, m.Appname)
	differ("pid", l.PID, m.ProcID)
	differ("message id", l.MessageID, m.MsgID)
	if l.CoreFacility == nil && l.Vendor == "" {
		if m.Message != nil {
			*m.Message = strings.TrimRight(strings.TrimPrefix(*m.Message, "\ufeff"), "\r\n\x00")
		}
		differ("text", l.Text, m.Message)
	}
	want := map[string]string{}
	if m.StructuredData != nil {
		for id, params := range *m.StructuredData {
			for k, v := range params {
				want[id+"."+k] = v
			}
		}
	}
	got := map[string]string{}
	for k, v := range l.Params() {
		if l.ParamForm == syslog.ParamsSD {
			got[k] = v
		}
	}
	if d := cmp.Diff(want, got); d != "" {
		faults = append(faults, "structured data "+d)
	}
	return faults
}

// FuzzRFC5424 holds every line that go-syslog takes against it, field by field.
func FuzzRFC5424(f *testing.F) {
	for _, s := range []string{
		`<165>1 2026-06-13T21:07:15.454321Z edge1 rpd 4711 ID [origin ip="192.0.2.1"][timeQuality isSynced="0"] text`,
		`<14>1 - - - - - -`, `<13>12 2026-06-13T23:07:15+02:00 h1 app - ID1 [x@32473 note="a \"b\" [c\] \\d"] text`,
		"<1>1 - h a p m - \xef\xbb\xbftext", `<1>1 - h a: p m - text`, `<1>1 - h a[1] - - [a][b c="d" c="e"]`,
		`<34>1 2026-06-13T21:07:15Z h - - 01490248:5: - text`, `<34>1 2026-06-13T21:07:15Z h - - - - %SYS-5-CONFIG_I: by vty0`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if bytes.IndexByte(raw, 0) >= 0 || bytes.HasSuffix(raw, []byte("\n")) || bytes.HasSuffix(raw, []byte("\r")) {
			return // trailers belong to the transport here
		}
		var l syslog.Line
		new(syslog.Parser).Parse(raw, received, &l)
		if l.Vendor == syslog.VendorF5 || l.MessageID != nil && l.CoreFacility != nil {
			return // what is read beyond RFC 5424
		}
		if faults := peerFaults(t, raw, &l); len(faults) > 0 {
			t.Errorf("%q: %s", raw, strings.Join(faults, "; "))
		}
	})
}
