package callhometest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
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
	dsn, err := shared.take(t).Create(fmt.Sprintf("callhome_%d", databases.Add(1)))
	if err != nil {
		t.Fatal(err)
	}
	return dsn
}

// PostgresServer is a PostgreSQL server that a test may crash.
type PostgresServer struct {
	DSN string // of an empty database
	t   testing.TB
	c   *Cluster
}

// NewPostgres starts a server of its own for one test; see [Postgres].
func NewPostgres(t testing.TB) *PostgresServer {
	t.Helper()
	if !Peers() {
		t.Skip("tests on PostgreSQL run with CALLHOME_E2E=1")
	}
	c, err := StartCluster()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Stop)
	dsn, err := c.Create("callhome")
	if err != nil {
		t.Fatal(err)
	}
	return &PostgresServer{DSN: dsn, t: t, c: c}
}

// Crash ends the server at once, as `pg_ctl stop -m immediate` does: sessions are cut, nothing is written any more.
func (s *PostgresServer) Crash() { s.c.Crash() }

// Start starts it again at the same address; it answers when this returns.
func (s *PostgresServer) Start() {
	s.t.Helper()
	if err := s.c.Start(); err != nil {
		s.t.Fatal(err)
	}
}

var (
	shared    sharedCluster
	databases atomic.Int64
)

// sharedCluster is the server that the tests of one program share.
type sharedCluster struct {
	mu    sync.Mutex // guards what follows
	users int
	*Cluster
}

func (s *sharedCluster) take(t testing.TB) *Cluster {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.users == 0 {
		c, err := StartCluster()
		if err != nil {
			t.Fatal(err)
		}
		s.Cluster = c
	}
	s.users++
	t.Cleanup(func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.users--; s.users == 0 {
			s.Stop()
		}
	})
	return s.Cluster
}

// startTime is ample for a server that shares a small machine with a build.
const startTime = time.Minute

// Cluster is one PostgreSQL server in a folder of its own, with its standard settings.
type Cluster struct {
	bin  string
	dir  string
	port string
	proc *exec.Cmd
}

// StartCluster starts a PostgreSQL server of the installed version on a free port.
func StartCluster() (*Cluster, error) {
	bins, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if len(bins) == 0 {
		return nil, errors.New("PostgreSQL is not installed; run tools/test-deps.sh")
	}
	who := unprivileged()
	if who == nil && os.Getuid() == 0 {
		return nil, errors.New("PostgreSQL refuses to run as root, and there is no user postgres")
	}
	dir, err := os.MkdirTemp("", "callhome-pg")
	if err != nil {
		return nil, err
	}
	c := &Cluster{bin: filepath.Dir(bins[len(bins)-1]), dir: dir, port: strconv.Itoa(freePort())}
	if who != nil {
		if err := os.Chown(dir, int(who.Uid), int(who.Gid)); err != nil {
			return nil, err
		}
	}
	if err := c.run("initdb", "-D", filepath.Join(dir, "data"), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C"); err != nil {
		return nil, err
	}
	return c, c.Start()
}

// Start starts the server, again after Stop or Crash.
func (c *Cluster) Start() error {
	c.proc = c.command("postgres", "-D", filepath.Join(c.dir, "data"), "-k", c.dir, "-p", c.port, "-c", "listen_addresses=127.0.0.1", "-c", "max_connections=200")
	var says bytes.Buffer
	c.proc.Stderr = &says
	if err := c.proc.Start(); err != nil {
		return err
	}
	for deadline := time.Now().Add(startTime); ; time.Sleep(50 * time.Millisecond) {
		if c.command("pg_isready", "-q", "-h", c.dir, "-p", c.port).Run() == nil {
			return nil
		}
		if time.Now().After(deadline) {
			c.Stop()
			return fmt.Errorf("PostgreSQL did not start: %s", says.String())
		}
	}
}

// Create makes an empty database and gives its address.
func (c *Cluster) Create(name string) (string, error) {
	err := c.run("createdb", "-h", c.dir, "-p", c.port, "-U", "postgres", name)
	return fmt.Sprintf("postgres://postgres@127.0.0.1:%s/%s?sslmode=disable", c.port, name), err
}

// Stop ends the server and removes its folder.
func (c *Cluster) Stop() {
	c.signal(syscall.SIGINT) // fast shutdown
	_ = os.RemoveAll(c.dir)
}

// Crash ends the server at once, as a power cut does; Start brings it back.
func (c *Cluster) Crash() { c.signal(syscall.SIGQUIT) }

func (c *Cluster) signal(s syscall.Signal) {
	if c.proc != nil && c.proc.Process != nil {
		_ = c.proc.Process.Signal(s)
		_ = c.proc.Wait()
	}
}

func (c *Cluster) command(name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(context.Background(), filepath.Join(c.bin, name), args...)
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if who := unprivileged(); who != nil {
		cmd.SysProcAttr.Credential = who
	}
	return cmd
}

func (c *Cluster) run(name string, args ...string) error {
	if out, err := c.command(name, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", name, err, out)
	}
	return nil
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

// freePort is a port that nobody uses; 0 when there is none, which the server then says.
func freePort() int {
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return 0
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port //nolint:errcheck // a TCP listener has a TCP address
}
