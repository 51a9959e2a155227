package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"callhome/outbox"
)

// smallDisk mounts a disk of so many MiB on dir.
func smallDisk(t *testing.T, dir string, mib int) {
	t.Helper()
	needRoot(t)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%dm,mode=0700", mib)); err != nil {
		t.Fatalf("mount a small disk on %s: %v; this test needs root with the right to mount", dir, err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Errorf("unmount %s: %v", dir, err)
		}
	})
}

// fill writes a file until the disk is full.
func fill(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for size := 1 << 20; size > 0; {
		_, err := f.Write(make([]byte, size))
		switch {
		case errors.Is(err, syscall.ENOSPC):
			size /= 4 // the last hole
		case err != nil:
			t.Fatal(err)
		}
	}
}

// TestE2EDiskFull: with its disk full the agent refuses orders and says so in health, metrics and log; lines wait. With
// room again it goes on by itself, and all that was accepted arrives.
func TestE2EDiskFull(t *testing.T) {
	needE2E(t)
	dir, s := t.TempDir(), newSink(t)
	data := filepath.Join(dir, "data")
	smallDisk(t, data, 16)
	listen, metrics := freePort(t, "127.0.0.1"), freePort(t, "127.0.0.1")
	a := startAgent(t, dir, lineConfig(s, fmt.Sprintf(`{syslog: ["udp://%s"]}`, listen), fmt.Sprintf(`metrics: {listen: "%s"}`, metrics)))
	s.refuse(errBusy)
	var accepted []string
	order := func(i int) error {
		text := fmt.Sprintf("order %04d %s", i, strings.Repeat("x", 40))
		_, err := a.tryRun("test", text, "--profile", "backend")
		if err == nil {
			accepted = append(accepted, text)
		}
		return err
	}
	for i := range 20 {
		if err := order(i); err != nil {
			t.Fatalf("with room on the disk: %v", err)
		}
	}
	fill(t, filepath.Join(data, "filler"))
	var refusal error
	for i := 20; i < 220 && refusal == nil; i++ {
		refusal = order(i)
	}
	if refusal == nil {
		t.Fatal("200 orders were accepted by a full disk")
	}
	if text := refusal.Error(); !strings.Contains(text, "full") {
		t.Errorf("the refusal does not say that the disk is full: %s", text)
	}
	awaitPage(t, metrics, "/healthz", `"well":false`, `"outbox"`, "the disk is full")
	a.awaitLog("the outbox could not be written")
	if page, err := fetch(metrics, "/metrics"); err != nil || !strings.Contains(page, `callhome_health_part_well{part="outbox"} 0`) {
		t.Errorf("metrics do not say that the outbox is unwell: %v\n%s", err, grep(page, "health"))
	}
	lines := []string{"LINE0: while the disk is full", "LINE1: while the disk is full"}
	for _, l := range lines {
		sendUDP(t, listen, "<186>7: edge-rtr-7: Jun 13 2026 21:07:15.454 UTC: %SYS-2-"+l)
	}
	if n := strings.Count(a.log.String(), "the outbox could not be written"); n > 2 {
		t.Errorf("the log says %d times that the outbox could not be written, want it told once", n)
	}
	a.run("show", "call-home", "statistics") // it goes on to answer
	s.refuse(nil)
	if err := os.Remove(filepath.Join(data, "filler")); err != nil {
		t.Fatal(err)
	}
	s.awaitAll(t, append(lines, accepted...))
	awaitPage(t, metrics, "/healthz", `"well":true`)
	a.awaitLog("the outbox can be written again")
	if err := order(999); err != nil {
		t.Errorf("with room again: %v", err)
	}
	s.awaitAll(t, accepted)
	t.Logf("%d orders were accepted; the refusal: %v", len(accepted), refusal)
}

// TestE2EKilledOnFullDisk: an agent that is killed while its disk is full starts again on it, says so, and delivers all
// that was accepted once there is room.
func TestE2EKilledOnFullDisk(t *testing.T) {
	needE2E(t)
	dir, s := t.TempDir(), newSink(t)
	data := filepath.Join(dir, "data")
	smallDisk(t, data, 16)
	metrics := freePort(t, "127.0.0.1")
	a := startAgent(t, dir, lineConfig(s, "{}", fmt.Sprintf(`metrics: {listen: "%s"}`, metrics)))
	s.refuse(errBusy)
	var accepted []string
	for i := range 20 {
		accepted = append(accepted, fmt.Sprintf("order %02d", i))
		a.run("test", accepted[i], "--profile", "backend")
	}
	fill(t, filepath.Join(data, "filler"))
	a.kill()
	a.start()
	if _, err := a.tryRun("test", strings.Repeat("x", 40), "--profile", "backend"); err != nil && !strings.Contains(err.Error(), "full") {
		t.Errorf("an order on the full disk: got %v, want an error that says it is full", err)
	}
	a.run("queue", "list")
	s.refuse(nil)
	if err := os.Remove(filepath.Join(data, "filler")); err != nil {
		t.Fatal(err)
	}
	s.awaitAll(t, accepted)
	awaitPage(t, metrics, "/healthz", `"well":true`)
}

// grep are the lines of text that contain word.
func grep(text, word string) string {
	var out strings.Builder
	for line := range strings.Lines(text) {
		if strings.Contains(line, word) {
			out.WriteString(line)
		}
	}
	return out.String()
}

// TestE2EDiskFullAtStart: an agent that cannot even start on a full disk says why.
func TestE2EDiskFullAtStart(t *testing.T) {
	needE2E(t)
	dir, s := t.TempDir(), newSink(t)
	data := filepath.Join(dir, "data")
	smallDisk(t, data, 1)
	fill(t, filepath.Join(data, "filler"))
	file := writeFile(t, filepath.Join(dir, "agent.yaml"), lineConfig(s, "{}"))
	p := startPeer(t, nil, binary(t), "agent", "--config", file)
	p.cmd.Dir = dir
	eventually(t, "the agent to give up", func() error {
		select {
		case <-p.exited:
			return nil
		default:
			return errors.New("it runs")
		}
	})
	if code := p.cmd.ProcessState.ExitCode(); code != 1 {
		t.Errorf("exit code: got %d, want 1", code)
	}
	if said := p.log.String(); !strings.Contains(said, "full") && !strings.Contains(said, "no space left") || !strings.Contains(said, data) {
		t.Errorf("it does not say that the disk of data_dir is full:\n%s", said)
	}
}

// damage is one way to harm a database file.
type damage struct {
	name string
	harm func(t *testing.T, file string, size int64)
}

var damages = []damage{
	{"pages overwritten", func(t *testing.T, file string, size int64) {
		f, err := os.OpenFile(file, os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		const page = 8192
		for at := size / page / 2; at < size/page/2+2; at++ {
			if _, err := f.WriteAt([]byte(strings.Repeat("\xde\xad\xbe\xef", page/4)), at*page); err != nil {
				t.Fatal(err)
			}
		}
	}},
	{"truncated", func(t *testing.T, file string, size int64) {
		if err := os.Truncate(file, size*2/3); err != nil {
			t.Fatal(err)
		}
	}},
	{"no database at all", func(t *testing.T, file string, _ int64) {
		writeFile(t, file, strings.Repeat("this is not what SQLite wrote\n", 1000))
	}},
}

// TestE2EDamagedDatabase: a damaged outbox is set aside and told of, the agent starts anew, and what could be saved of
// the old one is delivered.
func TestE2EDamagedDatabase(t *testing.T) {
	needE2E(t)
	for _, d := range damages {
		t.Run(d.name, func(t *testing.T) { damagedDatabase(t, d) })
	}
}

func damagedDatabase(t *testing.T, d damage) {
	dir, s := t.TempDir(), newSink(t)
	metrics := freePort(t, "127.0.0.1")
	a := startAgent(t, dir, lineConfig(s, "{}", fmt.Sprintf(`metrics: {listen: "%s"}`, metrics)))
	s.refuse(errBusy)
	const n = 60
	for i := range n {
		a.run("test", fmt.Sprintf("waiting %02d", i), "--profile", "backend")
	}
	eventually(t, "all messages to be queued", func() error {
		var entries []outbox.Entry
		if err := json.Unmarshal([]byte(a.run("queue", "list", "--json")), &entries); err != nil {
			return err
		}
		if len(entries) < n {
			return fmt.Errorf("%d of %d", len(entries), n)
		}
		return nil
	})
	a.stop()
	file := filepath.Join(dir, "data", "outbox.db")
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	d.harm(t, file, info.Size())
	a.start()

	asides := func() []string {
		found, err := filepath.Glob(file + ".*.damaged")
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	if len(asides()) == 0 { // found by a read while running: health says so and asks for a restart
		awaitPage(t, metrics, "/healthz", `"well":false`, "damaged", "restart")
		a.stop()
		a.start()
	}
	if len(asides()) != 1 {
		t.Fatalf("the damaged file was not set aside: %v", asides())
	}
	a.awaitLog("damaged", filepath.Base(asides()[0]))
	awaitPage(t, metrics, "/healthz", "damaged", filepath.Base(asides()[0]), "were saved")
	s.refuse(nil)
	a.run("test", "after the damage", "--profile", "backend")
	s.awaitText(t, "after the damage")
	saved := 0
	for _, x := range s.arrivals() {
		if strings.Contains(x.message.Description, "waiting ") {
			saved++
		}
	}
	t.Logf("%s: %d of %d waiting messages were saved from %d bytes", d.name, saved, n, info.Size())
	if saved == 0 && d.name != "no database at all" {
		t.Errorf("nothing was saved")
	}
	ids := map[string]bool{}
	for _, x := range s.arrivals() {
		if ids[string(x.id)] {
			t.Errorf("message ID %s was given twice", x.id)
		}
		ids[string(x.id)] = true
	}
}
