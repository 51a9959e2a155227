package stand

import (
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"callhome/bench/proc"
)

// Server is our own back end.
type Server struct {
	Callhome        // its process, data and metrics
	Addr     string // of the device endpoint
	API      string // base URL of portal and API
}

// ServerOptions say how the back end runs.
type ServerOptions struct {
	Database string // sqlite or a PostgreSQL address
	Cert     *Certificate
	Wrap     []string // before its command, for strace
	Data     string   // its data folder; empty: one beside its configuration
}

// StartServer runs bin as a back end in dir.
func StartServer(dir, bin string, o ServerOptions) (*Server, error) {
	path, err := proc.Find(bin)
	if err != nil {
		return nil, fmt.Errorf("%s is not there; make build makes it: %w", bin, err)
	}
	devices, portal := Address(proc.FreePort()), Address(proc.FreePort())
	s := &Server{Callhome: Callhome{data: filepath.Join(dir, "data"), metrics: Address(proc.FreePort())}, Addr: devices, API: "http://" + portal}
	if o.Data != "" {
		s.data = o.Data
	}
	scheme, tls := "http", ""
	if o.Cert != nil {
		scheme, tls = "https", fmt.Sprintf("tls: {cert_file: %s, key_file: %s}\n", o.Cert.CertFile, o.Cert.KeyFile)
	}
	if o.Database == "" {
		o.Database = "sqlite"
	}
	conf, err := write(dir, "server.yaml", fmt.Sprintf("role: server\ndata_dir: %s\ncontrol: %s/server.sock\ndatabase: %q\nlisten:\n  devices: [%q]\n  portal: [%q]\nmetrics: {listen: %s}\nhttp_server: {max_connections_per_peer: 1000}\n%s",
		s.data, dir, o.Database, scheme+"://"+devices, s.API, s.metrics, tls))
	if err != nil {
		return nil, err
	}
	if s.p, err = proc.Start(dir, "callhome", nil, append(slices.Clone(o.Wrap), path, "server", "--config", conf)...); err != nil {
		return nil, err
	}
	s.p.Wrapped = len(o.Wrap) > 0
	if s.Listening, err = proc.AwaitPort(s.p, devices, listenTime); err != nil {
		s.p.Kill()
		return nil, err
	}
	return s, nil
}

// AwaitWorked waits until so many messages were worked in all.
func (s *Server) AwaitWorked(n int64, most time.Duration) error {
	for deadline := time.Now().Add(most); ; time.Sleep(20 * time.Millisecond) {
		got, err := s.Metric("callhome_server_messages_total")
		if err != nil || got >= n {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%d of %d messages were worked in %v", got, n, most)
		}
	}
}

// Floor is the least that a durable back end does.
type Floor struct {
	p    *proc.Process
	Addr string
}

// StartFloor runs the floor program in dir.
func StartFloor(dir, bin string, cert *Certificate, wrap []string) (*Floor, error) {
	f := &Floor{Addr: Address(proc.FreePort())}
	args := append(slices.Clone(wrap), bin, "-listen", f.Addr, "-file", filepath.Join(dir, "floor.log"))
	if cert != nil {
		args = append(args, "-cert", cert.CertFile, "-key", cert.KeyFile)
	}
	var err error
	if f.p, err = proc.Start(dir, "floor", nil, args...); err != nil {
		return nil, err
	}
	f.p.Wrapped = len(wrap) > 0
	if _, err = proc.AwaitPort(f.p, f.Addr, listenTime); err != nil {
		f.p.Kill()
		return nil, err
	}
	return f, nil
}

// Stop ends it.
func (f *Floor) Stop() { f.p.Stop() }
