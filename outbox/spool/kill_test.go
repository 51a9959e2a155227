package spool_test

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"callhome"
	"callhome/outbox"
)

// killEnv makes the test binary a child that is to be killed: its value is the folder of the spool.
const killEnv = "CALLHOME_KILL_CHILD"

// soakEnv, set to anything, makes the soak long.
const soakEnv = "CALLHOME_SOAK"

const (
	killRounds     = 20
	killRoundsSoak = 1000
	killDevices    = 5
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(killEnv); dir != "" {
		if err := killChild(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	if dir := os.Getenv(straceEnv); dir != "" {
		if err := straceChild(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// journal is a child's record: each line is one write, which a kill does not take back.
type journal struct {
	mu sync.Mutex
	f  *os.File
}

func (j *journal) line(words ...string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	_, _ = j.f.WriteString(strings.Join(words, " ") + "\n") // to the page cache, in one write
}

// killChild works an outbox until it is killed: it notes "acked DEVICE TEXT" after an alert was acknowledged and
// "sent DEVICE TEXT MESSAGEID" when a message leaves, before that is settled.
func killChild(dir string) error {
	f, err := os.OpenFile(filepath.Join(dir, "journal"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	j := &journal{f: f}
	s, q, err := openPlain(filepath.Join(dir, "outbox.db"))
	if err != nil {
		return err
	}
	if s.Rescued() != nil {
		return fmt.Errorf("a kill damaged the database: %v", s.Rescued())
	}
	ctx := context.Background()
	errs := make(chan error)
	run, _ := strconv.Atoi(os.Getenv(killEnv + "_ROUND"))
	for d := range killDevices {
		device := fmt.Sprint("device-", d)
		go func() { errs <- killPut(ctx, q, j, device, run) }()
		go func() { errs <- killCollect(ctx, q) }()
		go func() { errs <- killDeliver(ctx, q, j) }()
	}
	return <-errs
}

func killPut(ctx context.Context, q *outbox.Queue, j *journal, device string, run int) error {
	for i := 0; ; i++ {
		text := fmt.Sprintf("%06d-%06d", run, i) // grows over the rounds
		a := callhome.Alert{Event: callhome.Event{Device: device, Text: text}, Group: callhome.GroupSyslog, Profiles: []callhome.ProfileName{"noc"}}
		if err := q.PutAlert(ctx, a); err != nil {
			return err
		}
		j.line("acked", device, text)
	}
}

func killCollect(ctx context.Context, q *outbox.Queue) error {
	for {
		p, err := q.NextAlert(ctx)
		if err != nil {
			return err
		}
		e := callhome.Envelope{
			MessageID: callhome.MakeMessageID("M", p.MessageNumber("noc"), "QXA2613K0PZ", p.AcceptedAt), Profile: "noc",
			Group: p.Alert.Group, Destination: benchDest, Body: []byte(p.Alert.Text),
		}
		if err := q.Retire(ctx, p.Alert.ID, []callhome.Envelope{e}, nil); err != nil {
			return err
		}
	}
}

func killDeliver(ctx context.Context, q *outbox.Queue, j *journal) error {
	for {
		l, err := q.Lease(ctx, outbox.Limits{Entries: 5})
		if err != nil {
			return err
		}
		for i := range l.Entries {
			e := &l.Entries[i].Envelope
			if rand.IntN(50) == 0 {
				l.RetryAt(i, time.Now().Add(time.Millisecond), fmt.Errorf("not now"))
				break
			}
			j.line("sent", l.Device, string(e.Body), string(e.MessageID))
			l.Delivered(i)
		}
		if err := q.Settle(ctx, l); err != nil {
			return err
		}
	}
}

// TestKill kills a working process with SIGKILL at random moments, again and again on the same spool, and then audits
// what it had acknowledged.
func TestKill(t *testing.T) {
	rounds := killRounds
	if os.Getenv(soakEnv) != "" {
		rounds = killRoundsSoak
	}
	dir := t.TempDir()
	for round := range rounds {
		before := sizeOf(filepath.Join(dir, "journal"))
		c := exec.Command(os.Args[0])
		c.Env = append(os.Environ(), killEnv+"="+dir, killEnv+"_ROUND="+strconv.Itoa(round))
		var complaint strings.Builder
		c.Stderr = &complaint
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		if round%4 != 0 { // the others may die before they have done anything
			awaitGrowth(t, filepath.Join(dir, "journal"), before)
		}
		time.Sleep(time.Duration(20+rand.IntN(150)) * time.Millisecond) // the moment of the kill is the test
		if err := c.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		if _ = c.Wait(); complaint.Len() > 0 {
			t.Fatalf("round %d: the child complains: %s", round, complaint.String())
		}
	}
	finish(t, dir)
	audit(t, filepath.Join(dir, "journal"), rounds)
}

// sizeOf is the size of a file, 0 of none.
func sizeOf(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}

// awaitGrowth waits until a process has acknowledged something, however long a busy machine takes to start it.
func awaitGrowth(t *testing.T, path string, before int64) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); sizeOf(path) <= before; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the child has done nothing for a minute")
		}
	}
}

// finish delivers what the killed processes left.
func finish(t *testing.T, dir string) {
	t.Helper()
	f, err := os.OpenFile(filepath.Join(dir, "journal"), os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	_, q, err := openPlain(filepath.Join(dir, "outbox.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	for range killDevices {
		go func() { _ = killCollect(ctx, q) }()
		go func() { _ = killDeliver(ctx, q, &journal{f: f}) }()
	}
	for deadline := time.Now().Add(time.Minute); ; {
		d, err := q.Depth(ctx)
		if err != nil || time.Now().After(deadline) {
			t.Fatalf("not drained: %+v, %v", d, err)
		}
		if d.Alerts == 0 && d.Entries == 0 {
			return
		}
		time.Sleep(10 * time.Millisecond) // polls a real process's work
	}
}

// audit reads the journal: every acknowledged alert was sent, its repeats have the same MessageID, no MessageID was used
// for two alerts, and the first sendings of a device are in order.
func audit(t *testing.T, path string, rounds int) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	acked, sent, owner, last := map[string]bool{}, map[string]string{}, map[string]string{}, map[string]string{}
	repeats := 0
	for lines := bufio.NewScanner(f); lines.Scan(); {
		w := strings.Fields(lines.Text())
		key := w[1] + " " + w[2]
		switch {
		case w[0] == "acked":
			acked[key] = true
		case sent[key] != "":
			repeats++
			if sent[key] != w[3] {
				t.Errorf("%s was sent as %s and as %s", key, sent[key], w[3])
			}
		default:
			sent[key] = w[3]
			if owner[w[3]] != "" {
				t.Errorf("%s names %s and %s", w[3], owner[w[3]], key)
			}
			owner[w[3]] = key
			if w[2] < last[w[1]] {
				t.Errorf("order of %s: %s after %s", w[1], w[2], last[w[1]])
			}
			last[w[1]] = w[2]
		}
	}
	lost := 0
	for key := range acked {
		if sent[key] == "" {
			lost++
			t.Errorf("lost: %s was acknowledged and never sent", key)
		}
	}
	if len(acked) < rounds {
		t.Fatalf("only %d alerts in %d rounds: the test tests nothing", len(acked), rounds)
	}
	t.Logf("%d kills: %d alerts acknowledged, %d lost, %d repeats, all with their MessageID", rounds, len(acked), lost, repeats)
}
