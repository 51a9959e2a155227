package tee_test

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"net"
	"strings"
	"testing"

	"callhome/agent/tee"
)

var quiet = slog.New(slog.DiscardHandler)

func run(t *testing.T, target string) *tee.Tee {
	t.Helper()
	tt, err := tee.New(target, nil, quiet)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- tt.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	return tt
}

func TestUDPForwardsTheVeryBytes(t *testing.T) {
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer pc.Close()
	tt := run(t, "udp://"+pc.LocalAddr().String())
	line := "<187>13: core1: odd \x00\xff bytes"
	tt.Forward([]byte(line))
	buf := make([]byte, 2048)
	n, _, err := pc.ReadFrom(buf)
	if err != nil || string(buf[:n]) != line {
		t.Errorf("got %q, %v, want %q", buf[:n], err, line)
	}
}

func TestTCPFramesByOctetCountAndReconnects(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	tt := run(t, "tcp://"+ln.Addr().String())
	for _, line := range []string{"<13>one\nwith a line feed", "<13>two"} {
		tt.Forward([]byte(line))
	}
	conn, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	want := "24 <13>one\nwith a line feed7 <13>two"
	got := make([]byte, len(want))
	if _, err := io.ReadFull(bufio.NewReader(conn), got); err != nil || string(got) != want {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
	conn.Close()
}

func TestSlowCollectorNeverHoldsIntake(t *testing.T) {
	tt, err := tee.New("tcp://192.0.2.1:601", nil, quiet) // not running: nothing is read
	if err != nil {
		t.Fatal(err)
	}
	for range 20000 {
		tt.Forward([]byte("x"))
	}
	if _, dropped := tt.Counts(); dropped != 20000-16384 {
		t.Errorf("dropped: got %d, want %d", dropped, 20000-16384)
	}
}

func TestParse(t *testing.T) {
	for _, bad := range []string{"", "udp://", "http://x:1", "udp://host", "tcp://:514"} {
		if _, err := tee.Parse(bad); err == nil || !strings.Contains(err.Error(), "tee:") {
			t.Errorf("%q: got %v, want an error that names the tee", bad, err)
		}
	}
}
