package e2e

import (
	"archive/zip"
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"callhome/callhometest"
	"callhome/codec/aml"
	"callhome/receive/httprecv"
)

// hostileMemory bounds the back end at its worst: some messages of 10 MiB at once, each with its parsed form, the caches of
// the database, and the runtime's room for all of it.
const hostileMemory = 512 << 20

var updateDocs = flag.Bool("update", false, "write the table of docs/security.md anew")

// TestSecurityTable holds the table of docs/security.md to the rows that TestE2EHostile proves.
func TestSecurityTable(t *testing.T) {
	var table strings.Builder
	table.WriteString("| By | What is sent | What it gets |\n|---|---|---|\n")
	for _, r := range hostileRows {
		fmt.Fprintf(&table, "| %s | %s | %s |\n", r.class, strings.ReplaceAll(r.what, "|", "\\|"), r.gets)
	}
	file := filepath.Join(callhometest.Root(t), "docs", "security.md")
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	const begin, end = "<!-- table of e2e/hostile_rows_test.go -->\n", "<!-- end of table -->"
	from, to := strings.Index(string(b), begin), strings.Index(string(b), end)
	if from < 0 || to < from {
		t.Fatalf("%s has no table", file)
	}
	want := string(b[:from]) + begin + table.String() + string(b[to:])
	if *updateDocs {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil { //nolint:gosec // a page for everyone
			t.Fatal(err)
		}
	} else if want != string(b) {
		t.Error("the table of docs/security.md is not that of hostileRows; run go test ./e2e -run TestSecurityTable -update")
	}
}

// target is a back end that is treated badly.
type target struct {
	*daemon
	t      *testing.T
	mail   string
	l      *ledger
	client *http.Client
	number int
}

// TestE2EHostile runs the table of docs/security.md against a back end on SQLite, and on PostgreSQL, which takes other
// texts than SQLite. After each row it still serves, and at the end its memory has stayed within bounds.
func TestE2EHostile(t *testing.T) {
	needE2E(t)
	t.Run("SQLite", func(t *testing.T) { runHostile(t, "") })
	t.Run("PostgreSQL", func(t *testing.T) { runHostile(t, callhometest.Postgres(t)) })
}

func runHostile(t *testing.T, dsn string) {
	dir, mail := t.TempDir(), freePort(t, "127.0.0.1")
	config := replaced(serverConfig, `listen: {`, `listen: {smtp: ["`+mail+`"], `) + "http_server: {header_timeout: 2s, body_timeout: 5s, idle_timeout: 5s}\n"
	database := filepath.Join(dir, "data", "server.db")
	if dsn != "" {
		config, database = config+"database: "+dsn+"\n", dsn
	}
	h := &target{t: t, daemon: newDaemon(t, "server", dir, config), mail: mail}
	h.client = &http.Client{Timeout: patience, Transport: &http.Transport{}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	t.Cleanup(h.client.CloseIdleConnections)
	h.start()
	h.l = openLedger(t, database)
	for _, row := range hostileRows {
		if err := row.try(h); err != nil {
			t.Errorf("%s: %v; want: %s", row.what, err, row.gets)
		}
		if err := h.serves(); err != nil {
			t.Fatalf("after %s it does not serve: %v", row.what, err)
		}
	}
	peak, err := h.peakMemory()
	if err != nil || peak > hostileMemory {
		t.Errorf("it took %d MiB at its worst, want at most %d; %v", peak>>20, hostileMemory>>20, err)
	}
	t.Logf("%d rows, %d MiB at the worst", len(hostileRows), peak>>20)
}

// serves sees that a good message is taken, and worked.
func (h *target) serves() error {
	sh, text := shapes[0].of(fmt.Sprintf("S%d", h.next()), shapes[0].text(h.t))
	if status, answer, err := h.post(text); err != nil || status != http.StatusOK {
		return fmt.Errorf("a good message gets %d %s, %w", status, answer, err)
	}
	return h.worked(sh)
}

// worked waits for what comes of a message.
func (h *target) worked(sh shape) error {
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		err := h.l.arrived(sh, "HTTP")
		if err == nil || time.Now().After(deadline) {
			return err
		}
	}
}

func (h *target) next() int {
	h.number++
	return h.number
}

// post posts a body with further header fields, given as name and value.
func (h *target) post(body []byte, fields ...string) (status int, answer string, err error) {
	return h.postTo(httprecv.PathDDCE, body, fields...)
}

func (h *target) postTo(path string, body []byte, fields ...string) (status int, answer string, err error) {
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, h.URL+path, bytes.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	req.Header.Set("Content-Type", "text/xml")
	for i := 0; i+1 < len(fields); i += 2 {
		req.Header.Set(fields[i], fields[i+1])
	}
	resp, err := h.client.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(b), err
}

// refused wants a status for a body.
func refused(status int, body func() []byte, fields ...string) func(*target) error {
	return func(h *target) error {
		got, answer, err := h.post(body(), fields...)
		if err == nil && got != status {
			err = fmt.Errorf("it gets %d %.200s", got, answer)
		}
		return err
	}
}

// raw writes bytes and gives all that comes back until the other side closes, or nothing comes for a while.
func (h *target) raw(address, text string) (string, error) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	go func() { _, _ = io.WriteString(conn, text) }()
	_ = conn.SetReadDeadline(time.Now().Add(8 * time.Second))
	b, err := io.ReadAll(conn)
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		return string(b), errOpen
	}
	return string(b), nil
}

var errOpen = errors.New("the connection stays open")

func (h *target) address() string { return strings.TrimPrefix(h.URL, "http://") }

// message is a good message of a device of its own, with some of its text replaced.
func (h *target) message(oldNew ...string) (sh shape, text []byte) {
	sh, text = shapes[0].of(fmt.Sprintf("T%d", h.next()), shapes[0].text(h.t))
	return sh, []byte(replaced(string(text), oldNew...))
}

// stored posts a message with some of its text replaced and gives columns of its record, when it was worked.
func (h *target) stored(oldNew ...string) (name, description, status, reasons string, level int, event int64, err error) {
	sh, text := h.message(oldNew...)
	if code, answer, err := h.post(text); err != nil || code != http.StatusOK {
		return "", "", "", "", 0, 0, fmt.Errorf("it gets %d %.200s, %w", code, answer, err)
	}
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		err = h.l.db.Read.QueryRow("SELECT sys_name, description, status, reasons, severity, event_at FROM messages WHERE message_id = $1", sh.id).
			Scan(&name, &description, &status, &reasons, &level, &event)
		if err == nil || time.Now().After(deadline) {
			return name, description, status, reasons, level, event, err
		}
	}
}

// talk speaks SMTP: it sends lines as they are and gives the replies to each.
func (h *target) talk(steps ...string) ([]string, error) {
	conn, err := net.Dial("tcp", h.mail)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(patience))
	r := bufio.NewReader(conn)
	reply := func() (string, error) {
		for {
			line, err := r.ReadString('\n')
			if err != nil || len(line) < 4 || line[3] != '-' {
				return strings.TrimSpace(line), err
			}
		}
	}
	if _, err := reply(); err != nil {
		return nil, err
	}
	var replies []string
	for _, s := range steps {
		if _, err := io.WriteString(conn, s); err != nil {
			return replies, err
		}
		line, err := reply()
		replies = append(replies, line)
		if err != nil {
			return replies, err
		}
	}
	return replies, nil
}

// zipBomb is an archive that unpacks to a hundred times its size and more.
func zipBomb() []byte {
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	f, err := w.Create("zeros")
	if err == nil {
		_, err = io.Copy(f, io.LimitReader(zeros{}, 200<<20))
	}
	if err = errors.Join(err, w.Close()); err != nil {
		panic(err) // memory takes everything
	}
	return out.Bytes()
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func base64Of(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

// acknowledged wants that a message was taken.
func acknowledged(status int, answer string, err error, want aml.Result) error {
	if err != nil || status != http.StatusOK {
		return fmt.Errorf("it gets %d %.200s, %w", status, answer, err)
	}
	if ack, err := aml.ParseAck([]byte(answer)); err != nil || ack.Result != want {
		return fmt.Errorf("it is answered %q, %w", ack.Result, err)
	}
	return nil
}
