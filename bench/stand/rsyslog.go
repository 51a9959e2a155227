package stand

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"callhome/bench/proc"
)

// Rsyslog runs rsyslogd with its parser for Cisco lines; wanted lines go to a file, the others nowhere.
type Rsyslog struct {
	hits
	p     *proc.Process
	dir   string
	ports map[string]int
	// Listening is how long it took from its start until it listened by TCP.
	Listening time.Duration
}

const rsyslogConf = `global(workDirectory="%[1]s" maxMessageSize="64k")
module(load="impstats" interval="1" format="json" resetCounters="off" log.syslog="off" log.file="%[1]s/stats.json")
module(load="imptcp")
module(load="imudp" batchSize="128")
module(load="pmciscoios")
parser(name="cisco" type="pmciscoios" present.origin="on")
ruleset(name="in" parser=["cisco", "rsyslog.rfc5424", "rsyslog.rfc3164"]) {
  if $rawmsg contains "EVENT_0008" then { action(type="omfile" file="%[1]s/hits.log" template="RSYSLOG_TraditionalFileFormat") }
  stop
}
input(type="imptcp" address="127.0.0.1" port="%[2]d" ruleset="in")
input(type="imudp" address="127.0.0.1" port="%[3]d" ruleset="in" rcvbufSize="%[4]d")
`

// ReceiveBuffer is the kernel's buffer of every UDP socket that is measured, in bytes.
const ReceiveBuffer = 8 << 20

// StartRsyslog runs it in dir.
func StartRsyslog(dir string) (*Rsyslog, error) {
	bin, err := proc.Find("rsyslogd", "/usr/sbin/rsyslogd")
	if err != nil {
		return nil, err
	}
	r := &Rsyslog{hits: hits{path: filepath.Join(dir, "hits.log")}, dir: dir, ports: map[string]int{"tcp": proc.FreePort(), "udp": proc.FreePort()}}
	conf, err := write(dir, "rsyslog.conf", fmt.Sprintf(rsyslogConf, dir, r.ports["tcp"], r.ports["udp"], ReceiveBuffer))
	if err != nil {
		return nil, err
	}
	if r.p, err = proc.Start(dir, "rsyslog", nil, bin, "-n", "-f", conf, "-i", filepath.Join(dir, "pid")); err != nil {
		return nil, err
	}
	if r.Listening, err = proc.AwaitPort(r.p, Address(r.ports["tcp"]), listenTime); err != nil {
		r.p.Kill()
		return nil, err
	}
	return r, nil
}

// Name implements Subject.
func (r *Rsyslog) Name() string { return "rsyslog" }

// Process implements Subject.
func (r *Rsyslog) Process() *proc.Process { return r.p }

// Port implements Subject.
func (r *Rsyslog) Port(transport string) int { return r.ports[transport] }

// Stop implements Subject.
func (r *Rsyslog) Stop() proc.Usage { return r.p.Stop() }

// Finished implements Subject by the file of wanted lines.
func (r *Rsyslog) Finished(streams int, _ int64) (bool, error) {
	n, err := r.ends()
	return n >= streams, err
}

// Received implements Subject: what passed the main queue, by the statistics rsyslog writes each second.
func (r *Rsyslog) Received() (int64, error) {
	b, err := os.ReadFile(filepath.Join(r.dir, "stats.json"))
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil // the first second is not over
	}
	if err != nil {
		return 0, err
	}
	var done int64
	for line := range bytes.Lines(b) {
		i := bytes.IndexByte(line, '{')
		if i < 0 || !bytes.Contains(line, []byte(`"main Q"`)) {
			continue
		}
		var s struct {
			Size      int64 `json:"size"`
			Enqueued  int64 `json:"enqueued"`
			Full      int64 `json:"discarded.full"`
			Nearlyful int64 `json:"discarded.nf"`
		}
		if json.Unmarshal(line[i:], &s) == nil {
			done = s.Enqueued - s.Size - s.Full - s.Nearlyful
		}
	}
	return done, nil
}
