package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"callhome/bench/load"
	"callhome/bench/stand"
	"callhome/callhometest"
	"callhome/server/account"
	"callhome/server/registry"
	"callhome/server/sqlstore"
)

const (
	// bigMessage is the size of messages in rows 13 to 16.
	bigMessage = 8 << 10
	// fleet is how many devices send them.
	fleet = 200
)

// stored is how fast messages became durable.
type stored struct {
	rate     float64
	p50, p99 time.Duration
	failed   int
	worked   float64 // messages a second to the end of all work; 0: not measured
	cpu      float64 // ms of our process for a message, its work included
}

func (t stored) String() string {
	s := fmt.Sprintf("%.0f msgs/s, p50 %.1f ms, p99 %.1f ms", t.rate, ms(t.p50), ms(t.p99))
	if t.failed > 0 {
		s += fmt.Sprintf(", %d refused", t.failed)
	}
	return s
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// serverLoad is one load of a back end and of its peers.
type serverLoad struct {
	conns, n int
	cert     *stand.Certificate
	delay    time.Duration // of each sync
	database string
	entitled bool // the devices are registered: the whole service is due
	rate     float64
}

func (l serverLoad) post(addr string, n int) (load.Posted, error) {
	o := load.PostOptions{Count: n, Conns: l.conns, Size: bigMessage, Devices: fleet, Rate: l.rate}
	if l.cert != nil {
		o.TLS = clientTLS(l.cert)
	}
	return load.Post(addr, o)
}

func clientTLS(c *stand.Certificate) *tls.Config {
	pool := x509.NewCertPool()
	if b, err := os.ReadFile(c.CertFile); err == nil {
		pool.AppendCertsFromPEM(b)
	}
	return &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
}

// ourServer loads our back end.
func (b *bench) ourServer(l serverLoad) (stored, error) {
	dir, err := b.folder("server")
	if err != nil {
		return stored{}, err
	}
	o := stand.ServerOptions{Database: l.database, Cert: l.cert}
	if l.delay > 0 {
		if o.Wrap, err = traced(filepath.Join(dir, "trace"), l.delay); err != nil {
			return stored{}, err
		}
	}
	if l.entitled {
		if err := entitle(filepath.Join(dir, "data"), l.database); err != nil {
			return stored{}, err
		}
	}
	s, err := stand.StartServer(dir, b.bin, o)
	if err != nil {
		return stored{}, err
	}
	defer s.Stop()
	began, cpu := time.Now(), s.Process().CPU()
	p, err := l.post(s.Addr, l.n)
	if err != nil {
		return stored{}, err
	}
	t := stored{rate: p.Rate(), p50: p.Quantile(0.5), p99: p.Quantile(0.99), failed: p.Failed}
	if l.delay == 0 {
		if err := s.AwaitWorked(int64(p.Answered), 5*time.Minute); err != nil {
			return t, err
		}
		t.worked = float64(p.Answered) / time.Since(began).Seconds()
		t.cpu = (s.Process().CPU() - cpu).Seconds() * 1000 / float64(p.Answered)
	}
	return t, nil
}

// theFloor loads the least that a durable back end does.
func (b *bench) theFloor(l serverLoad) (stored, error) {
	dir, err := b.folder("floor")
	if err != nil {
		return stored{}, err
	}
	var wrap []string
	if l.delay > 0 {
		if wrap, err = traced(filepath.Join(dir, "trace"), l.delay); err != nil {
			return stored{}, err
		}
	}
	bin, err := b.floorProgram()
	if err != nil {
		return stored{}, err
	}
	f, err := stand.StartFloor(dir, bin, l.cert, wrap)
	if err != nil {
		return stored{}, err
	}
	defer f.Stop()
	p, err := l.post(f.Addr, l.n)
	return stored{rate: p.Rate(), p50: p.Quantile(0.5), p99: p.Quantile(0.99), failed: p.Failed}, err
}

// floorProgram builds the floor.
func (b *bench) floorProgram() (string, error) {
	bin := filepath.Join(b.scratch, "floor")
	if _, err := os.Stat(bin); err == nil {
		return bin, nil
	}
	out, err := exec.Command("go", "build", "-o", bin, "./bench/floor").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build the floor: %w: %s", err, out)
	}
	return bin, nil
}

// entitle makes a company, a contract, and the devices of the load, confirmed.
func entitle(data, database string) error {
	if database == "" {
		if err := os.MkdirAll(data, 0o700); err != nil {
			return err
		}
		database = filepath.Join(data, "server.db")
	}
	ctx := context.Background()
	store, err := sqlstore.Open(ctx, database, sqlstore.Options{})
	if err != nil {
		return err
	}
	defer func() { _ = store.Close() }() // what was committed stays
	return store.InTx(ctx, func(tx *sqlstore.Tx) error {
		c := &account.Company{Name: "Bench"}
		if err := tx.Account().AddCompany(ctx, c); err != nil {
			return err
		}
		r := &registry.Registrar{}
		if _, err := r.PutContract(ctx, tx.Registry(), &registry.Contract{Number: "K-BENCH", Company: c.ID, Covers: []registry.Cover{{Kind: registry.CoverProduct, Value: "*"}}}); err != nil {
			return err
		}
		for n := range fleet {
			m := load.PostMessage("1", n, 0)
			m.Group, m.Type, m.Subtype = "inventory", "inventory", "full"
			id, err := r.Identify(ctx, tx.Registry(), &registry.Input{Message: &m, Personality: "ios", ReceivedAt: time.Now(), ArchiveID: 1})
			if err != nil {
				return err
			}
			if _, err := r.Assign(ctx, tx.Registry(), id.Device.ID, c.ID, "K-BENCH"); err != nil {
				return err
			}
			if _, _, err := r.Confirm(ctx, tx.Registry(), registry.ConfirmOrder{
				Device: id.Device.ID, Contract: "K-BENCH", Agreed: true, By: account.Principal{Name: "bench", Role: account.RoleOperator, Scope: account.ScopeAdmin},
			}); err != nil {
				return err
			}
		}
		return nil
	})
}

// n scales a load down for quick runs.
func (b *bench) n(full int) int {
	if b.quick {
		return full / 5
	}
	return full
}

// acceptHTTP is row 13.
func (b *bench) acceptHTTP() ([]Result, error) {
	return b.acceptRow("13", "back end: durable accept, 8 KiB, 16 connections", serverLoad{conns: 16, n: b.n(100_000)})
}

// acceptHTTPS is row 14.
func (b *bench) acceptHTTPS() ([]Result, error) {
	dir, err := b.folder("cert")
	if err != nil {
		return nil, err
	}
	cert, err := stand.MakeCertificate(dir)
	if err != nil {
		return nil, err
	}
	return b.acceptRow("14", "back end: durable accept, 8 KiB, HTTPS, 64 connections", serverLoad{conns: 64, n: b.n(100_000), cert: cert})
}

func (b *bench) acceptRow(id, figure string, l serverLoad) ([]Result, error) {
	floor, err := b.theFloor(l)
	if err != nil {
		return nil, err
	}
	ours, err := b.ourServer(l)
	if err != nil {
		return nil, err
	}
	out := []Result{b.accepted(id, figure, floor, ours)}
	pg, stop, err := b.postgres()
	if err != nil {
		return out, err
	}
	defer stop()
	l.database, l.n = pg, l.n/4
	onPG, err := b.ourServer(l)
	if err != nil {
		return out, err
	}
	r := b.accepted(id, figure+"; on PostgreSQL", floor, onPG)
	r.Goal, r.Verdict = "", Shown
	return append(out, r), nil
}

func (b *bench) accepted(id, figure string, floor, ours stored) Result {
	ratio := ours.rate / floor.rate
	tail := float64(ours.p99) / float64(floor.p99)
	verdict := atLeast(ratio, 0.5, 0.8)
	if v := atMost(tail, 2, 1.2); v == Missed || verdict == Stretch && v == Met {
		verdict = v
	}
	return Result{Row: id, Figure: figure, Goal: "≥ 0.5× the floor, p99 ≤ 2×; ≥ 0.8×, ≤ 1.2×", Peer: "floor " + floor.String(), Ours: fmt.Sprintf("%s; p99 %.2f×", ours, tail), Ratio: ratio, Verdict: verdict}
}

// slowAccept is row 15 of the back end: 5 ms for each sync.
func (b *bench) slowAccept() ([]Result, error) {
	l := serverLoad{conns: 32, n: b.n(20_000), delay: 5 * time.Millisecond}
	floor, err := b.theFloor(l)
	if err != nil {
		return nil, err
	}
	ours, err := b.ourServer(l)
	if err != nil {
		return nil, err
	}
	ratio := ours.rate / floor.rate
	verdict := atLeast(ratio, 0.8, 1)
	if ours.p99 > 4*l.delay {
		verdict = Missed
	}
	return []Result{{Row: "15", Figure: "back end: durable accept with 5 ms for each sync, 32 connections", Goal: "≥ 0.8× the floor, p99 ≤ 4 syncs; ≥ 1.0×",
		Peer: "floor " + floor.String(), Ours: ours.String(), Ratio: ratio, Verdict: verdict}}, nil
}

// wholePath is row 16.
func (b *bench) wholePath() ([]Result, error) {
	var out []Result
	for _, engine := range []string{"SQLite", "PostgreSQL"} {
		l := serverLoad{conns: 16, n: b.n(40_000), entitled: true}
		stop := func() {}
		if engine == "PostgreSQL" {
			var err error
			if l.database, stop, err = b.postgres(); err != nil {
				return out, err
			}
		}
		t, err := b.ourServer(l)
		stop()
		if err != nil {
			return out, err
		}
		r := Result{Row: "16", Figure: "back end: accept, decode, register, 8 KiB, all rules, searchable; " + engine, Goal: "≥ 6 k msgs/s; ≥ 12 k", Peer: "–",
			Ours: fmt.Sprintf("%.0f msgs/s worked, %.0f accepted, %.3f ms CPU each", t.worked, t.rate, t.cpu), Verdict: atLeast(t.worked, 6000, 12000)}
		if engine != "SQLite" {
			r.Goal, r.Verdict = "", Shown
		}
		out = append(out, r)
	}
	return out, nil
}

// postgres starts a server for a row.
func (b *bench) postgres() (dsn string, stop func(), err error) {
	c, err := callhometest.StartCluster()
	if err != nil {
		return "", nil, fmt.Errorf("%w", err)
	}
	if dsn, err = c.Create("bench"); err != nil {
		c.Stop()
		return "", nil, err
	}
	return dsn, c.Stop, nil
}
