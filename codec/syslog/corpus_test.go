package syslog_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"callhome/callhometest"
	"callhome/codec/syslog"
)

var update = flag.Bool("update", false, "write the expectations anew; look at what changed")

// minRight is the share of corpus lines whose dialect, severity, name, host and time must be right.
const minRight = 0.98

// verdicts collects what went wrong in one corpus and holds it against what is known to.
type verdicts struct {
	total int
	wrong map[string]string
}

func (v *verdicts) add(id string, faults ...string) {
	v.total++
	if len(faults) > 0 {
		if v.wrong == nil {
			v.wrong = make(map[string]string)
		}
		v.wrong[id] = strings.Join(faults, "; ")
	}
}

// check fails for a line that is wrong and not listed, and for one that is listed and right.
func (v *verdicts) check(t *testing.T, known map[string]string) {
	t.Helper()
	for id, fault := range v.wrong {
		if known[id] == "" {
			t.Errorf("%s: %s", id, fault)
		}
	}
	for id, reason := range known {
		if v.wrong[id] == "" {
			t.Errorf("%s is right now, take it off the list (%s)", id, reason)
		}
	}
	right := float64(v.total-len(v.wrong)) / float64(v.total)
	if right < minRight {
		t.Errorf("%.2f %% of %d lines are right, want at least %.0f %%", right*100, v.total, minRight*100)
	}
	t.Logf("%d lines, %.2f %% right, %d wrong", v.total, right*100, len(v.wrong))
}

// napalmKnown are lines that are not read as they expect.
var napalmKnown = map[string]string{}

type napalmCase struct {
	OS             string         `json:"os"`
	Host           string         `json:"host"`
	Facility       int            `json:"facility"`
	Severity       int            `json:"severity"`
	MessageDetails map[string]any `json:"message_details"`
}

func (c *napalmCase) text(key string) string {
	s, _ := c.MessageDetails[key].(string)
	return s
}

var napalmDialects = map[string]syslog.Dialect{
	"ios": syslog.IOS, "iosxr": syslog.IOSXR, "nxos": syslog.NXOS, "eos": syslog.EOS, "junos": syslog.Junos,
	"huawei": syslog.RFC3164, "netiron": syslog.RFC3164, "fortinet": syslog.Unknown, "opengear": syslog.Unknown,
	"sonic": syslog.RFC5424,
}

var coreTag = regexp.MustCompile(`^%?([A-Z0-9_-]+?)-([0-7])-(\w+)$`)

func TestCorpusNapalm(t *testing.T) {
	root := callhometest.Corpus(t, "testdata", "syslog", "napalm-logs")
	files, err := filepath.Glob(filepath.Join(root, "*", "*", "*", "yang.json"))
	if err != nil || len(files) == 0 {
		t.Fatal("no cases", err)
	}
	var v verdicts
	for _, file := range files {
		var c napalmCase
		readJSON(t, file, &c)
		raw, err := os.ReadFile(filepath.Join(filepath.Dir(file), "syslog.msg"))
		if err != nil {
			t.Fatal(err)
		}
		var l syslog.Line
		new(syslog.Parser).Parse(raw, received, &l)
		id, _ := filepath.Rel(root, filepath.Dir(file))
		v.add(id, napalmFaults(&c, &l)...)
	}
	v.check(t, napalmKnown)
}

func napalmFaults(c *napalmCase, l *syslog.Line) (faults []string) {
	differ := func(what, got, want string) {
		if got != want {
			faults = append(faults, fmt.Sprintf("%s %q, want %q", what, got, want))
		}
	}
	differ("dialect", string(l.Dialect), string(napalmDialects[c.OS]))
	differ("host", string(l.Host), c.Host)
	differ("facility", strconv.Itoa(int(l.Facility)), strconv.Itoa(c.Facility))
	severity, mnemonic, tag := strconv.Itoa(c.Severity), "", c.text("tag")
	if m := coreTag.FindStringSubmatch(tag); m != nil {
		severity, mnemonic = m[2], m[3]
		differ("core facility", string(l.CoreFacility), m[1])
	} else if parts := strings.Split(tag, "/"); len(parts) == 3 {
		severity, mnemonic = parts[1], parts[2]
	} else if c.OS == "junos" && strings.ToUpper(tag) == tag {
		mnemonic = tag
	}
	differ("severity", strconv.Itoa(int(l.Severity)), severity)
	differ("mnemonic", string(l.Mnemonic), mnemonic)
	clock := l.Wall()
	if want := c.text("time"); !strings.HasPrefix(want, clock.Format("15:04:05")) {
		differ("time", clock.Format("15:04:05"), want)
	}
	if want, ok := napalmDate(c.text("date")); ok && (clock.Month() != want.Month() || clock.Day() != want.Day()) {
		differ("date", clock.Format("Jan 2"), want.Format("Jan 2"))
	}
	if pid := c.text("processId"); pid != "" && pid != "-" && c.OS != "ios" { // on IOS it is a routing process in the text
		differ("pid", string(l.PID), pid)
	}
	if program := c.text("processName"); program != "" && c.OS != "fortinet" {
		differ("program", strings.TrimPrefix(string(l.Program), "/"), program)
	}
	if node := c.text("nodeId"); node != "" {
		differ("node", string(l.Node), node)
	}
	if n := c.text("messageId"); n != "" && n != "-" && c.OS != "sonic" {
		differ("sequence", strconv.FormatInt(l.Sequence(), 10), n)
	}
	return faults
}

func napalmDate(s string) (time.Time, bool) {
	for _, layout := range []string{"Jan _2", "Jan 2", "2006 Jan 2", "2006-01-02", "2006-1-2"} {
		if t, err := time.Parse(layout, strings.TrimSpace(s)); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

func readJSON(t *testing.T, file string, into any) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, into); err != nil {
		t.Fatal(file, err)
	}
}

func TestCorpusGoSyslog(t *testing.T) {
	b, err := os.ReadFile(callhometest.Corpus(t, "testdata", "syslog", "go-syslog", "rfc5424_cases.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	var v verdicts
	for i, row := range bytes.Split(bytes.TrimSpace(b), []byte("\n")) {
		var c struct {
			Input       string `json:"input"`
			InputBase64 string `json:"input_base64"`
			Valid       bool   `json:"valid"`
		}
		if err := json.Unmarshal(row, &c); err != nil {
			t.Fatal(err)
		}
		raw := []byte(c.Input)
		if c.InputBase64 != "" {
			if raw, err = base64.StdEncoding.DecodeString(c.InputBase64); err != nil {
				t.Fatal(err)
			}
		}
		var l syslog.Line
		new(syslog.Parser).Parse(raw, received, &l)
		if !bytes.Equal(l.Raw, raw) {
			t.Errorf("case %d: raw was changed", i)
		}
		if c.Valid {
			v.add("case "+strconv.Itoa(i), peerFaults(t, raw, &l)...)
		}
	}
	v.check(t, nil)
}

var splunkDialects = []struct {
	prefix   string
	dialects []syslog.Dialect
}{
	{"cisco:ios", []syslog.Dialect{syslog.IOS, syslog.NXOS, syslog.AireOS}},
	{"cisco:xr", []syslog.Dialect{syslog.IOSXR}},
	{"cisco:asa", []syslog.Dialect{syslog.ASA}}, {"cisco:ftd", []syslog.Dialect{syslog.ASA}},
	{"cisco:pix", []syslog.Dialect{syslog.ASA}}, {"cisco:fwsm", []syslog.Dialect{syslog.ASA}},
	{"cisco:ace", []syslog.Dialect{syslog.ASA}},
	{"cisco:ucs:hx", []syslog.Dialect{syslog.RFC3164}},
	{"cisco:ucs", []syslog.Dialect{syslog.UCS}}, {"cisco:cimc", []syslog.Dialect{syslog.UCS}},
	{"cisco:ise", []syslog.Dialect{syslog.ISE}}, {"cisco:acs", []syslog.Dialect{syslog.ISE}},
	{"meraki", []syslog.Dialect{syslog.Meraki}}, {"cisco:ucm", []syslog.Dialect{syslog.UCM, syslog.CiscoLog}},
	{"arista:eos", []syslog.Dialect{syslog.EOS}}, {"cp_log", []syslog.Dialect{syslog.RFC5424}},
	{"juniper:junos:firewall:structured", []syslog.Dialect{syslog.RFC5424}},
	{"juniper:junos:idp:structured", []syslog.Dialect{syslog.RFC5424}},
	{"juniper:junos:aamw", []syslog.Dialect{syslog.RFC5424}}, {"juniper:junos:secintel", []syslog.Dialect{syslog.RFC5424}},
	{"juniper:structured", []syslog.Dialect{syslog.RFC5424}},
	{"juniper:junos", []syslog.Dialect{syslog.Junos}}, {"juniper:legacy", []syslog.Dialect{syslog.Junos}},
	{"nix:syslog", []syslog.Dialect{syslog.RFC3164}}, {"infoblox", []syslog.Dialect{syslog.RFC3164}},
}

// splunkKnown are lines that are not read as their template would have it.
var splunkKnown = map[string]string{
	"cisco_ise.log:11": "the event's own date, with year and zone, is another than the header's",
}

var headerHost = regexp.MustCompile(`^(?:<\d+> ?)?(?:1 )?(?:\w{3} +\d+ [\d:.]+|[\d-]+T[\d:.]+(?:Z|[+-][\d:]+)) ([\w.-]+)(?: :)? `)

func TestCorpusSplunk(t *testing.T) {
	root := callhometest.Corpus(t, "testdata", "syslog", "splunk-connect-for-syslog")
	index, err := os.ReadFile(filepath.Join(root, "index.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	lines := map[string][][]byte{}
	var v verdicts
	for _, row := range bytes.Split(bytes.TrimSpace(index), []byte("\n")) {
		var e struct {
			File       string `json:"file"`
			Line       int    `json:"line"`
			Sourcetype string `json:"sourcetype"`
		}
		if err := json.Unmarshal(row, &e); err != nil {
			t.Fatal(err)
		}
		if lines[e.File] == nil {
			b, err := os.ReadFile(filepath.Join(root, e.File))
			if err != nil {
				t.Fatal(err)
			}
			lines[e.File] = bytes.Split(b, []byte("\n"))
		}
		raw := lines[e.File][e.Line-1]
		var l syslog.Line
		new(syslog.Parser).Parse(raw, received, &l)
		v.add(e.File+":"+strconv.Itoa(e.Line), splunkFaults(e.Sourcetype, raw, &l)...)
	}
	v.check(t, splunkKnown)
}

// splunkFaults holds a line against its source type and the values the templates were filled with.
func splunkFaults(sourcetype string, raw []byte, l *syslog.Line) (faults []string) {
	for _, d := range splunkDialects {
		if strings.HasPrefix(sourcetype, d.prefix) {
			if !slices.Contains(d.dialects, l.Dialect) {
				faults = append(faults, fmt.Sprintf("dialect %s for %s", l.Dialect, sourcetype))
			}
			break
		}
	}
	if m := headerHost.FindSubmatch(raw); m != nil && string(m[1]) == "sc4s-host-1" && string(l.Host) != "sc4s-host-1" {
		faults = append(faults, fmt.Sprintf("host %q", l.Host))
	}
	stamped := regexp.MustCompile(`^(<\d+>)?[ :1]*(2026|Jun 13|sc4s-host-1: (2026 )?\*?Jun)`).Match(raw)
	if stamped && (l.Time.IsZero() || l.Wall().Format("01-02 04:05") != "06-13 07:15") {
		faults = append(faults, fmt.Sprintf("time %v", l.Time))
	}
	if m := regexp.MustCompile(`%[A-Z][A-Z0-9_-]+?-([0-7])-(\w+)`).FindSubmatch(raw[:min(len(raw), 100)]); m != nil {
		if strconv.Itoa(int(l.Severity)) != string(m[1]) || !strings.HasPrefix(string(l.Mnemonic), string(m[2])) {
			faults = append(faults, fmt.Sprintf("severity %d, mnemonic %q, want %s", l.Severity, l.Mnemonic, m[0]))
		}
	}
	return faults
}

// ntcKnown are rows that the templates read otherwise.
var ntcKnown = map[string]string{}

func TestCorpusNTC(t *testing.T) {
	root := callhometest.Corpus(t, "testdata", "syslog", "ntc-templates", "logging")
	files, err := filepath.Glob(filepath.Join(root, "*", "*", "*.yml"))
	if err != nil || len(files) == 0 {
		t.Fatal("no cases", err)
	}
	var v verdicts
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var c struct {
			Rows []map[string]any `yaml:"parsed_sample"`
		}
		if err := yaml.Unmarshal(b, &c); err != nil {
			t.Fatal(err)
		}
		raw, err := os.ReadFile(strings.TrimSuffix(file, ".yml") + ".raw")
		if err != nil {
			t.Fatal(err)
		}
		i := 0
		for _, line := range bytes.Split(raw, []byte("\n")) {
			if i < len(c.Rows) && text(c.Rows[i], "severity") == "" {
				i++ // a row without a core: debug output, or what the template joins
			}
			if i >= len(c.Rows) || !bytes.Contains(line, []byte("%"+text(c.Rows[i], "facility")+"-")) {
				continue
			}
			var l syslog.Line
			new(syslog.Parser).Parse(line, received, &l)
			v.add(filepath.Base(file)+":"+strconv.Itoa(i+1), ntcFaults(c.Rows[i], &l)...)
			i++
		}
		if i != len(c.Rows) {
			t.Errorf("%s: %d of %d rows found", file, i, len(c.Rows))
		}
	}
	v.check(t, ntcKnown)
}

func text(row map[string]any, key string) string { return fmt.Sprint(row[key]) }

func ntcFaults(row map[string]any, l *syslog.Line) (faults []string) {
	differ := func(what, got, want string) {
		if want != "<nil>" && want != "" && got != want {
			faults = append(faults, fmt.Sprintf("%s %q, want %q", what, got, want))
		}
	}
	differ("facility", string(l.CoreFacility), text(row, "facility"))
	differ("mnemonic", string(l.Mnemonic), text(row, "mnemonic"))
	differ("severity", strconv.Itoa(int(l.Severity)), text(row, "severity"))
	differ("host", string(l.Host), text(row, "hostname"))
	if n, err := strconv.Atoi(text(row, "number")); err == nil {
		differ("sequence", strconv.FormatInt(l.Sequence(), 10), strconv.Itoa(n))
	}
	if m := text(row, "month"); m != "" && m != "<nil>" {
		differ("month", l.Time.Format("Jan"), m)
		differ("day", l.Time.Format("2"), strings.TrimLeft(text(row, "day"), "0 "))
		clock, _, _ := strings.Cut(text(row, "time"), ".")
		differ("time", l.Wall().Format("15:04:05"), clock)
	}
	if messages, _ := row["message"].([]any); len(messages) > 0 {
		differ("text", strings.TrimRight(string(l.Text), " \r"), strings.TrimRight(fmt.Sprint(messages[0]), " "))
	}
	return faults
}

// judged is what somebody who looked at a line expects of it.
type judged struct {
	At       string `json:"at"` // file:line
	Dialect  string `json:"dialect"`
	Severity int    `json:"severity"`
	Host     string `json:"host,omitempty"`
	Time     string `json:"time,omitempty"`
	App      string `json:"app,omitempty"`
	PID      string `json:"pid,omitempty"`
	Name     string `json:"name,omitempty"` // facility|mnemonic|message id
}

const judgedFile = "testdata/judged.jsonl"

func TestCorpusJudged(t *testing.T) {
	root := callhometest.Corpus(t, "testdata", "syslog")
	var got []judged
	for _, dir := range []string{"splunk-connect-for-syslog", "logstash-patterns-core", "lnav"} {
		files, _ := filepath.Glob(filepath.Join(root, dir, "*"))
		for _, file := range files {
			name := filepath.Base(file)
			if name == "LICENSE" || name == "index.jsonl" {
				continue
			}
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for i, raw := range bytes.Split(bytes.TrimRight(b, "\n"), []byte("\n")) {
				var l syslog.Line
				new(syslog.Parser).Parse(raw, received, &l)
				got = append(got, judge(dir+"/"+name+":"+strconv.Itoa(i+1), &l))
			}
		}
	}
	if *update {
		var out bytes.Buffer
		enc := json.NewEncoder(&out)
		enc.SetEscapeHTML(false)
		for _, j := range got {
			if err := enc.Encode(j); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.WriteFile(judgedFile, out.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want := map[string]judged{}
	b, err := os.ReadFile(judgedFile)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range bytes.Split(bytes.TrimSpace(b), []byte("\n")) {
		var j judged
		if err := json.Unmarshal(row, &j); err != nil {
			t.Fatal(err)
		}
		want[j.At] = j
	}
	for _, g := range got {
		if w, ok := want[g.At]; ok && g != w {
			t.Errorf("got  %+v\nwant %+v", g, w)
		}
	}
}

func judge(at string, l *syslog.Line) judged {
	stamp, _ := l.Timestamp().MarshalText()
	return judged{
		At: at, Dialect: string(l.Dialect), Severity: int(l.Severity), Host: valid(l.Host), Time: string(stamp),
		App: valid(l.Program), PID: valid(l.PID),
		Name: valid(l.CoreFacility) + "|" + valid(l.Mnemonic) + "|" + valid(l.MessageID),
	}
}

func valid(b []byte) string { return strings.ToValidUTF8(string(b), "?") }
