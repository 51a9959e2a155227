package main

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"

	"callhome"
	"callhome/agent"
	"callhome/config"
	"callhome/resolve"
)

// nameless is a sender that never finds a name server.
type nameless struct{}

func (nameless) Send(context.Context, *callhome.Envelope) error { return resolve.ErrNoNameServer }
func (nameless) Close() error                                   { return nil }

// The reminder of missing name servers comes once for a message, and shows no password.
func TestReminder(t *testing.T) {
	var out strings.Builder
	s := &swap{log: slog.New(slog.NewTextHandler(&out, nil))}
	s.replace(nameless{})
	env := &callhome.Envelope{MessageID: "M1", Destination: callhome.Destination{Transport: callhome.TransportHTTP, Address: "https://ops:hunter2@x.example/y"}}
	for range 3 {
		if err := s.Send(t.Context(), env); err == nil {
			t.Fatal("want the sender's error")
		}
	}
	if got := out.String(); strings.Contains(got, "hunter2") || strings.Count(got, "no name server") != 1 || !strings.Contains(got, "x.example") {
		t.Errorf("got %q, want one line that names the destination without its password", got)
	}
}

// Reloads by a signal, by the file and by an operator may meet; the race detector watches.
func TestReloadsMeet(t *testing.T) {
	dir := t.TempDir()
	load := func() *config.Agent {
		cfg, err := config.Parse(dir+"/callhome.yaml", []byte("call_home: {}\ndevices: [{hostname: core-1, address: 192.0.2.7, personality: ios, ssh: {username: ro, password: x}}]\n"))
		if err != nil {
			t.Fatal(err)
		}
		return cfg
	}
	d, err := construct(t.Context(), load(), slog.New(slog.DiscardHandler), func(agent.Happening) {})
	if err != nil {
		t.Fatal(err)
	}
	defer d.close()
	var reloads sync.WaitGroup
	for range 4 {
		cfg := load()
		reloads.Go(func() {
			if _, err := d.replace(cfg); err != nil {
				t.Error(err)
			}
		})
	}
	reloads.Wait()
}

// A reload tells what is in use, and again and again what waits for a restart.
func TestReloadTellsWhatNeedsARestart(t *testing.T) {
	dir := t.TempDir()
	load := func(more string) *config.Agent {
		cfg, err := config.Parse(dir+"/callhome.yaml", []byte("devices: [{hostname: core-1, address: 192.0.2.7}]\ncall_home: {profiles: [{name: a, email: [noc@ops.example]}]}\n"+more))
		if err != nil {
			t.Fatal(err)
		}
		return cfg
	}
	d, err := construct(t.Context(), load(""), slog.New(slog.DiscardHandler), func(agent.Happening) {})
	if err != nil {
		t.Fatal(err)
	}
	defer d.close()
	for _, c := range []struct {
		more string
		want []string
	}{
		{"", nil},
		{"metrics: {listen: \"127.0.0.1:9464\"}\n", []string{"metrics"}},
		{"metrics: {listen: \"127.0.0.1:9464\"}\nqueue: {max_bytes: 1073741824}\n", []string{"metrics", "queue"}},
		{"", nil},
	} {
		got, err := d.replace(load(c.more))
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got.Restart, c.want) || got.Profiles != 1 || got.Devices != 1 || len(got.Warnings) != 2 {
			t.Errorf("after %q: got %+v, want restart of %v, one profile, one device and two warnings", c.more, got, c.want)
		}
	}
}
