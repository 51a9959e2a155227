package stand

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"

	"callhome/bench/proc"
)

// Postfix is a mail server of its own that passes every mail on to one server.
type Postfix struct {
	p    *proc.Process
	dir  string
	Addr string
}

const postfixMain = `compatibility_level = 3.6
queue_directory = %[1]s/queue
data_directory = %[1]s/data
mail_owner = postfix
myhostname = relay.ops.example
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
relayhost = [127.0.0.1]:%[2]d
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_peername_lookup = no
smtp_dns_support_level = disabled
maillog_file = %[1]s/mail.log
maillog_file_prefixes = %[1]s
smtpd_client_connection_count_limit = 0
default_destination_concurrency_limit = 20
initial_destination_concurrency = 20
default_process_limit = 100
in_flow_delay = 0
alias_maps =
alias_database =
local_recipient_maps =
`

const postfixMaster = `%d inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
proxymap unix - - n - - proxymap
smtp unix - - n - 20 smtp
relay unix - - n - 20 smtp
error unix - - n - - error
retry unix - - n - - error
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
`

// StartPostfix runs Postfix in dir as a relay to a port on loopback. wrap comes before its command, for strace.
func StartPostfix(dir string, relay int, wrap ...string) (*Postfix, error) {
	control, err := proc.Find("postfix", "/usr/sbin/postfix")
	if err != nil {
		return nil, err
	}
	master, err := proc.Find("/usr/lib/postfix/sbin/master")
	if err != nil {
		return nil, err
	}
	port := proc.FreePort()
	px := &Postfix{dir: dir, Addr: Address(port)}
	for _, d := range []string{"queue", "data"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
			return nil, err
		}
	}
	if err := exec.Command("chown", "postfix", filepath.Join(dir, "data")).Run(); err != nil {
		return nil, fmt.Errorf("give Postfix its folder (needs root): %w", err)
	}
	if err := openWay(dir); err != nil {
		return nil, err
	}
	if _, err := write(dir, "main.cf", fmt.Sprintf(postfixMain, dir, relay)); err != nil {
		return nil, err
	}
	if _, err := write(dir, "master.cf", fmt.Sprintf(postfixMaster, port)); err != nil {
		return nil, err
	}
	if err := os.Chmod(filepath.Join(dir, "main.cf"), 0o644); err != nil {
		return nil, err
	}
	if out, err := exec.Command(control, "-c", dir, "check").CombinedOutput(); err != nil {
		return nil, fmt.Errorf("postfix check: %w\n%s", err, out)
	}
	if px.p, err = proc.Start(dir, "postfix", []string{"MAIL_CONFIG=" + dir}, append(slices.Clone(wrap), master, "-c", dir, "-d")...); err != nil {
		return nil, err
	}
	px.p.Wrapped = len(wrap) > 0
	if _, err := proc.AwaitPort(px.p, px.Addr, listenTime); err != nil {
		px.p.Kill()
		return nil, err
	}
	return px, nil
}

// openWay lets Postfix's own user enter the folder.
func openWay(dir string) error {
	for d := dir; d != "/" && d != os.TempDir(); d = filepath.Dir(d) {
		if err := os.Chmod(d, 0o755); err != nil {
			return err
		}
	}
	return nil
}

// Process is its master.
func (px *Postfix) Process() *proc.Process { return px.p }

// QueueDir is where its mails lie.
func (px *Postfix) QueueDir() string { return filepath.Join(px.dir, "queue") }

// Stop ends it.
func (px *Postfix) Stop() proc.Usage { return px.p.Stop() }
