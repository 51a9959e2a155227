//go:build linux

package resolve

import (
	"bytes"
	"context"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestPeerDHCPInform asks a real dnsmasq, in a network namespace of its own, which name servers it offers.
func TestPeerDHCPInform(t *testing.T) {
	if os.Getenv("CALLHOME_E2E") != "1" {
		t.Skip("set CALLHOME_E2E=1 to run tests against real peers")
	}
	for _, tool := range []string{"dnsmasq", "ip"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Fatalf("%s is missing; make test installs it", tool)
		}
	}
	if os.Getuid() != 0 {
		t.Fatal("network namespaces and raw sockets need root; run make test as root")
	}
	run := func(args ...string) {
		t.Helper()
		if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
			t.Fatalf("ip %s: %v: %s", strings.Join(args, " "), err, out)
		}
	}
	const far, near = "callhome-dhcp-far", "callhome-dhcp-near"
	for _, ns := range []string{far, near} {
		_ = exec.Command("ip", "netns", "del", ns).Run() // of a run that was cut off
		run("netns", "add", ns)
		t.Cleanup(func() { _ = exec.Command("ip", "netns", "del", ns).Run() })
	}
	run("-n", near, "link", "add", "inside0", "type", "veth", "peer", "name", "srv0", "netns", far)
	run("-n", far, "addr", "add", "192.0.2.1/24", "dev", "srv0")
	run("-n", near, "addr", "add", "192.0.2.20/24", "dev", "inside0")
	run("-n", far, "link", "set", "srv0", "up")
	run("-n", near, "link", "set", "inside0", "up")
	startDnsmasq(t, far)

	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var got []netip.Addr
	var err error
	inNamespace(t, near, func() { got, err = dhcpInform{}.NameServers(ctx, "inside0") })
	want := []netip.Addr{netip.MustParseAddr("192.0.2.53"), netip.MustParseAddr("198.51.100.53")}
	if err != nil || len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
}

func startDnsmasq(t *testing.T, ns string) {
	t.Helper()
	dir := t.TempDir()
	var log bytes.Buffer
	cmd := exec.Command("ip", "netns", "exec", ns, "dnsmasq", "--no-daemon", "--conf-file=/dev/null", "--port=0", "--user=root",
		"--interface=srv0", "--bind-interfaces", "--dhcp-range=192.0.2.100,192.0.2.200,1h", "--dhcp-leasefile="+filepath.Join(dir, "leases"),
		"--dhcp-option=option:dns-server,192.0.2.53,198.51.100.53", "--pid-file="+filepath.Join(dir, "pid"), "--log-dhcp")
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("dnsmasq:\n%s", log.String())
		}
	})
}

// inNamespace runs f on a thread that is in the namespace, and ends that thread.
func inNamespace(t *testing.T, ns string, f func()) {
	t.Helper()
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // not unlocked: the thread ends with the goroutine
		file, err := os.Open(filepath.Join("/run/netns", ns))
		if err == nil {
			err = unix.Setns(int(file.Fd()), unix.CLONE_NEWNET)
			_ = file.Close()
		}
		if err == nil {
			f()
		}
		done <- err
	}()
	if err := <-done; err != nil {
		t.Fatalf("enter network namespace %s: %v", ns, err)
	}
}
