package stand

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"callhome/bench/proc"
)

// SyslogNG runs syslog-ng, which tools/test-deps.sh unpacks into .tools because it cannot be installed beside rsyslog.
type SyslogNG struct {
	hits
	p    *proc.Process
	dir  string
	root string // of the unpacked packages
	port map[string]int
}

// SyslogNGOptions choose what it does with wanted lines; without a destination they go to a file.
type SyslogNGOptions struct {
	HTTP string // URL
	SMTP string // address of a server
	Disk bool   // queues on disk, in what it calls a reliable buffer; it does not sync it
	Cert *Certificate
}

const syslogNGConf = `@version: 3.38
options { stats-level(0); keep-hostname(yes); use-dns(no); flush-lines(100); };
source s {
  network(ip("127.0.0.1") port(%[2]d) transport("tcp") max-connections(100) log-iw-size(20000));
  %[3]s
};
filter wanted { message("EVENT_0008" type(string) flags(substring)); };
destination file { file("%[1]s/hits.log"); };
%[4]s
log { source(s); filter(wanted); destination(%[5]s); };
`

// StartSyslogNG runs it in dir; tools is the folder it was unpacked in.
func StartSyslogNG(dir, tools string, o SyslogNGOptions) (*SyslogNG, error) {
	root, err := filepath.Abs(filepath.Join(tools, "syslog-ng"))
	if err != nil {
		return nil, err
	}
	bin, err := proc.Find(filepath.Join(root, "usr/sbin/syslog-ng"))
	if err != nil {
		return nil, err
	}
	s := &SyslogNG{hits: hits{path: filepath.Join(dir, "hits.log")}, dir: dir, root: root, port: map[string]int{"tcp": proc.FreePort(), "tls": proc.FreePort()}}
	conf, err := write(dir, "syslog-ng.conf", s.conf(o))
	if err != nil {
		return nil, err
	}
	s.p, err = proc.Start(dir, "syslog-ng", s.env(), bin, "-F", "--no-caps", "-f", conf, "--module-path", filepath.Join(root, "usr/lib/syslog-ng/3.38"),
		"-R", filepath.Join(dir, "persist"), "-p", filepath.Join(dir, "pid"), "-c", filepath.Join(dir, "ctl"))
	if err != nil {
		return nil, err
	}
	if _, err := proc.AwaitPort(s.p, Address(s.port["tcp"]), listenTime); err != nil {
		s.p.Kill()
		return nil, err
	}
	return s, nil
}

func (s *SyslogNG) conf(o SyslogNGOptions) string {
	tls, destination, name := "", "", "file"
	if o.Cert != nil {
		tls = fmt.Sprintf(`network(ip("127.0.0.1") port(%d) transport("tls") max-connections(100) log-iw-size(20000)
    tls(cert-file("%s") key-file("%s") peer-verify(optional-untrusted)));`, s.port["tls"], o.Cert.CertFile, o.Cert.KeyFile)
	}
	buffer := ""
	if o.Disk {
		buffer = fmt.Sprintf(` disk-buffer(reliable(yes) disk-buf-size(67108864) mem-buf-size(1048576) dir("%s"))`, s.dir)
	}
	switch {
	case o.HTTP != "":
		name, destination = "web", fmt.Sprintf(`destination web { http(url("%s") method("POST") body("${MSG}") workers(1) batch-lines(1)%s); };`, o.HTTP, buffer)
	case o.SMTP != "":
		host, port, _ := strings.Cut(o.SMTP, ":")
		name, destination = "mail", fmt.Sprintf(`destination mail { smtp(host("%s") port(%s) from("callhome@ops.example") to("noc@ops.example") subject("call home") body("${MSG}\n")%s); };`, host, port, buffer)
	}
	return fmt.Sprintf(syslogNGConf, s.dir, s.port["tcp"], tls, destination, name)
}

// env lets the loader find the libraries that were unpacked beside it.
func (s *SyslogNG) env() []string {
	dirs := []string{"usr/lib/syslog-ng", "usr/lib/x86_64-linux-gnu", "lib/x86_64-linux-gnu"}
	for i := range dirs {
		dirs[i] = filepath.Join(s.root, dirs[i])
	}
	return []string{"LD_LIBRARY_PATH=" + strings.Join(dirs, ":")}
}

// Name implements Subject.
func (s *SyslogNG) Name() string { return "syslog-ng" }

// Process implements Subject.
func (s *SyslogNG) Process() *proc.Process { return s.p }

// Port implements Subject.
func (s *SyslogNG) Port(transport string) int { return s.port[transport] }

// Stop implements Subject.
func (s *SyslogNG) Stop() proc.Usage { return s.p.Stop() }

// Finished implements Subject by the file of wanted lines.
func (s *SyslogNG) Finished(streams int, _ int64) (bool, error) {
	n, err := s.ends()
	return n >= streams, err
}

// Received implements Subject by its control program.
func (s *SyslogNG) Received() (int64, error) {
	cmd := exec.Command(filepath.Join(s.root, "usr/sbin/syslog-ng-ctl"), "stats", "-c", filepath.Join(s.dir, "ctl"))
	cmd.Env = append(cmd.Environ(), s.env()...)
	out, err := cmd.Output()
	if err != nil {
		return 0, fmt.Errorf("syslog-ng-ctl stats: %w", err)
	}
	var n int64
	for line := range strings.Lines(string(out)) {
		cols := strings.Split(strings.TrimSpace(line), ";") // SourceName;SourceId;SourceInstance;State;Type;Number
		if len(cols) == 6 && cols[0] == "source" && cols[4] == "processed" {
			v, _ := strconv.ParseInt(cols[5], 10, 64)
			n += v
		}
	}
	return n, nil
}
