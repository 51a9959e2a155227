package device

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	gossh "golang.org/x/crypto/ssh"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func login(t *testing.T, cfg Config) (*Device, *gossh.Client) {
	t.Helper()
	d, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- d.Serve(l) }()
	c, err := gossh.Dial("tcp", l.Addr().String(), &gossh.ClientConfig{
		User: "lab", Auth: []gossh.AuthMethod{gossh.Password("pw")}, HostKeyCallback: gossh.FixedHostKey(d.HostKey()), Timeout: 5 * time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.Close()
		d.Close()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return d, c
}

// typed sends keys to a shell and returns all it printed until it ended.
func typed(t *testing.T, c *gossh.Client, keys string) string {
	t.Helper()
	s, err := c.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var out bytes.Buffer
	s.Stdout = &out
	in, err := s.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.RequestPty("vt100", 24, 80, nil); err != nil {
		t.Fatal(err)
	}
	if err := s.Shell(); err != nil {
		t.Fatal(err)
	}
	io.WriteString(in, keys)
	s.Wait()
	return out.String()
}

func TestDialogue(t *testing.T) {
	var rows strings.Builder
	for i := range 5 {
		fmt.Fprintf(&rows, "row %d\n", i)
	}
	d, c := login(t, Config{Hostname: "lab-1", Passwords: map[string]string{"lab": "pw"}, Enable: "sesame", PageLines: 2,
		Answer: Answers(map[string]string{"show rows": rows.String()})})
	erase := strings.Repeat("\b", 10) + strings.Repeat(" ", 10) + strings.Repeat("\b", 10)
	tests := []struct{ name, keys, want string }{
		{"user mode", "show  nothing\rexit\r", "lab-1>show  nothing\r\n" + ciscoInvalid + "lab-1>exit\r\n"},
		{"enable", "enable\rguess\rsesame\rexit\r", "lab-1>enable\r\nPassword: \r\nPassword: \r\nlab-1#exit\r\n"},
		{"wrong secret", "enable\ra\rb\rc\rexit\r", "lab-1>enable\r\nPassword: \r\nPassword: \r\nPassword: \r\n% Bad secrets\r\n\r\nlab-1>exit\r\n"},
		{"pages", "show rows\r  exit\r", "lab-1>show rows\r\nrow 0\r\nrow 1\r\n --More-- " + erase + "row 2\r\nrow 3\r\n --More-- " + erase + "row 4\r\nlab-1>exit\r\n"},
		{"quit", "show rows\rqexit\r", "lab-1>show rows\r\nrow 0\r\nrow 1\r\n --More-- \r\nlab-1>exit\r\n"},
		{"paging off", "terminal length 0\rshow rows\rexit\r", "lab-1>terminal length 0\r\nlab-1>show rows\r\nrow 0\r\nrow 1\r\nrow 2\r\nrow 3\r\nrow 4\r\nlab-1>exit\r\n"},
		{"editing", "shov\bw rows\x03exit\r", "lab-1>shov\b \bw rows^C\r\nlab-1>exit\r\n"},
	}
	for _, tt := range tests {
		if got := typed(t, c, tt.keys); got != tt.want {
			t.Errorf("%s:\ngot  %q\nwant %q", tt.name, got, tt.want)
		}
	}
	s, err := c.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	if out, err := s.Output("show rows"); err != nil || strings.Count(string(out), "row") != 5 {
		t.Errorf("exec: got %q, %v", out, err)
	}
	if logins, failures, most := d.Stats(); logins != len(tests)+1 || failures != 0 || most < 1 {
		t.Errorf("stats: %d, %d, %d", logins, failures, most)
	}
}

func TestWrongPassword(t *testing.T) {
	d, c := login(t, Config{Hostname: "lab-1", Passwords: map[string]string{"lab": "pw"}})
	_, err := gossh.Dial("tcp", c.RemoteAddr().String(), &gossh.ClientConfig{
		User: "lab", Auth: []gossh.AuthMethod{gossh.Password("guess")}, HostKeyCallback: gossh.FixedHostKey(d.HostKey()), Timeout: 5 * time.Second,
	})
	if err == nil {
		t.Error("a wrong password was taken")
	}
}
