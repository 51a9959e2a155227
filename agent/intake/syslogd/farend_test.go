package syslogd

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"
)

// farEndEnv makes the test binary play the senders, so that their descriptors and CPU time are not ours.
const farEndEnv = "CALLHOME_TEST_FAR_END"

// startFarEnd runs a role in a process of its own; finish closes its input and waits for it.
func startFarEnd(t testing.TB, role ...string) (finish func()) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), farEndEnv+"="+strings.Join(role, " "))
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done := false
	finish = func() {
		if done {
			return
		}
		done = true
		in.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("far end %v: %v", role, err)
		}
	}
	t.Cleanup(finish)
	return finish
}

// farEnd plays a role: "connect ADDRESS N" or "paced ADDRESS RATE".
func farEnd() {
	role := strings.Fields(os.Getenv(farEndEnv))
	n, err := strconv.Atoi(role[2])
	if err == nil && role[0] == "connect" {
		err = connectMany(role[1], n)
	} else if err == nil {
		err = sendPaced(role[1], n)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// connectMany keeps n connections with a whole and a half line each until its input ends.
func connectMany(address string, n int) error {
	for range n {
		c, err := net.Dial("tcp", address)
		if err != nil {
			return err
		}
		defer c.Close()
		if _, err := io.WriteString(c, "<13>whole\n<13>half"); err != nil {
			return err
		}
	}
	_, err := io.Copy(io.Discard, os.Stdin)
	return err
}

// sendPaced sends for one second.
func sendPaced(address string, rate int) error {
	c, err := net.Dial("udp", address)
	if err != nil {
		return err
	}
	defer c.Close()
	line := []byte(benchLine)
	start := time.Now()
	for i := range rate {
		due := start.Add(time.Duration(i) * time.Second / time.Duration(rate))
		for i%8 == 0 && time.Now().Before(due) { // spin: a sleep would make bursts
		}
		if _, err := c.Write(line); err != nil {
			return err
		}
	}
	return nil
}
