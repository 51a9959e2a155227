package callhometest

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// Peers reports whether tests against real programs are asked for; `make test` does.
func Peers() bool { return os.Getenv("CALLHOME_E2E") == "1" }

// Postgres makes an empty database on a PostgreSQL server of our own and gives its address. The server starts with the
// first test that needs it and stops with the last. Without CALLHOME_E2E=1 the test is skipped and says so; with it a
// missing PostgreSQL is a failure.
func Postgres(t testing.TB) string {
	t.Helper()
	if !Peers() {
		t.Skip("tests on PostgreSQL run with CALLHOME_E2E=1")
	}
	c := theCluster.take(t)
	name := fmt.Sprintf("callhome_%d", databases.Add(1))
	c.run(t, "createdb", "-h", c.dir, "-p", c.port, "-U", "postgres", name)
	return fmt.Sprintf("postgres://postgres@127.0.0.1:%s/%s?sslmode=disable", c.port, name)
}

// PostgresServer is a PostgreSQL server that a test may crash.
type PostgresServer struct {
	DSN string // of an empty database
	t   testing.TB
	c   cluster
}

// NewPostgres starts a server of its own for one test; see [Postgres].
func NewPostgres(t testing.TB) *PostgresServer {
	t.Helper()
	if !Peers() {
		t.Skip("tests on PostgreSQL run with CALLHOME_E2E=1")
	}
	s := &PostgresServer{t: t}
	t.Cleanup(s.c.stop)
	s.c.start(t)
	s.c.run(t, "createdb", "-h", s.c.dir, "-p", s.c.port, "-U", "postgres", "callhome")
	s.DSN = fmt.Sprintf("postgres://postgres@127.0.0.1:%s/callhome?sslmode=disable", s.c.port)
	return s
}

// Crash ends the server at once, as `pg_ctl stop -m immediate` does: sessions are cut, nothing is written any more.
func (s *PostgresServer) Crash() {
	_ = s.c.proc.Process.Signal(syscall.SIGQUIT)
	_ = s.c.proc.Wait()
}

// Start starts it again at the same address; it answers when this returns.
func (s *PostgresServer) Start() {
	s.t.Helper()
	s.c.launch(s.t)
}

var (
	theCluster cluster
	databases  atomic.Int64
)

// startTime is ample for a server that shares a small machine with a build.
const startTime = time.Minute

// cluster is one PostgreSQL server in a folder of its own.
type cluster struct {
	mu    sync.Mutex // guards what follows
	users int
	bin   string
	dir   string
	port  string
	proc  *exec.Cmd
}

func (c *cluster) take(t testing.TB) *cluster {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.users == 0 {
		c.start(t)
	}
	c.users++
	t.Cleanup(func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.users--; c.users == 0 {
			c.stop()
		}
	})
	return c
}

func (c *cluster) start(t testing.TB) {
	t.Helper()
	bins, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if len(bins) == 0 {
		t.Fatal("PostgreSQL is not installed; run tools/test-deps.sh")
	}
	c.bin = filepath.Dir(bins[len(bins)-1])
	dir, err := os.MkdirTemp("", "callhome-pg")
	if err != nil {
		t.Fatal(err)
	}
	c.dir = dir
	if who := c.owner(t); who != nil {
		if err := os.Chown(dir, int(who.Uid), int(who.Gid)); err != nil {
			t.Fatal(err)
		}
	}
	c.run(t, "initdb", "-D", filepath.Join(dir, "data"), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C")
	c.port = freePort(t)
	c.launch(t)
}

// launch starts the server on its folder and port, and waits for it to answer.
func (c *cluster) launch(t testing.TB) {
	t.Helper()
	dir := c.dir
	c.proc = c.command("postgres", "-D", filepath.Join(dir, "data"), "-k", dir, "-p", c.port, "-c", "listen_addresses=127.0.0.1", "-c", "max_connections=200")
	var says bytes.Buffer
	c.proc.Stderr = &says
	if err := c.proc.Start(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(startTime); ; time.Sleep(50 * time.Millisecond) {
		if c.command("pg_isready", "-q", "-h", dir, "-p", c.port).Run() == nil {
			return
		}
		if time.Now().After(deadline) {
			c.stop()
			t.Fatalf("PostgreSQL did not start: %s", says.String())
		}
	}
}

func (c *cluster) stop() {
	if c.proc != nil && c.proc.Process != nil {
		_ = c.proc.Process.Signal(syscall.SIGINT) // fast shutdown
		_ = c.proc.Wait()
	}
	_ = os.RemoveAll(c.dir)
}

func (c *cluster) command(name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(context.Background(), filepath.Join(c.bin, name), args...)
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if who := unprivileged(); who != nil {
		cmd.SysProcAttr.Credential = who
	}
	return cmd
}

func (c *cluster) run(t testing.TB, name string, args ...string) {
	t.Helper()
	if out, err := c.command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
}

func (c *cluster) owner(t testing.TB) *syscall.Credential {
	t.Helper()
	who := unprivileged()
	if who == nil && os.Getuid() == 0 {
		t.Fatal("PostgreSQL refuses to run as root, and there is no user postgres")
	}
	return who
}

// unprivileged is the user postgres when we are root, whom PostgreSQL refuses; nil otherwise.
func unprivileged() *syscall.Credential {
	if os.Getuid() != 0 {
		return nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return nil
	}
	uid, _ := strconv.ParseUint(u.Uid, 10, 32)
	gid, _ := strconv.ParseUint(u.Gid, 10, 32)
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
}

func freePort(t testing.TB) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()[strings.LastIndex(l.Addr().String(), ":")+1:]
}
