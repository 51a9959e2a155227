package syslogd

import (
	"net"
	"os"
	"testing"
	"time"
)

// A certificate that was replaced on disk is shown a minute later; one that cannot be read leaves the old one.
func TestCertificateIsRenewed(t *testing.T) {
	p, other := newPKI(t), newPKI(t)
	now := time.Now()
	cfg, err := TLS{CertFile: p.cert, KeyFile: p.key}.serverConfig(func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	shown := func() string {
		c, err := cfg.GetCertificate(nil)
		if err != nil {
			t.Fatal(err)
		}
		return string(c.Certificate[0])
	}
	replace := func(from, to string) {
		b, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(to, now, now.Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	first := shown()
	replace(other.cert, p.cert) // the key is still the old one
	now = now.Add(recheckTime)
	if shown() != first {
		t.Error("a certificate without its key was taken up")
	}
	replace(other.key, p.key)
	if shown() != first {
		t.Error("looked before a minute was over")
	}
	now = now.Add(recheckTime)
	if shown() == first {
		t.Error("the new certificate was not taken up")
	}
}

func TestSameAddress(t *testing.T) {
	udp4, udp6 := &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 514}, &net.UDPAddr{IP: net.IPv6unspecified, Port: 514}
	tcp := &net.TCPAddr{IP: net.ParseIP("::1"), Port: 6514}
	path := &net.UnixAddr{Name: "/run/log", Net: "unixgram"}
	tests := []struct {
		bound net.Addr
		entry string
		want  bool
	}{
		{udp4, "udp://127.0.0.1:514", true}, {udp4, "udp://127.0.0.1:515", false}, {udp4, "tcp://127.0.0.1:514", false},
		{udp6, "udp://0.0.0.0:514", true}, {udp6, "udp://:514", true}, {udp6, "udp://127.0.0.1:514", false},
		{tcp, "tls://[::1]:6514", true}, {tcp, "tcp://[::1]:6514", true}, {tcp, "udp://[::1]:6514", false},
		{path, "unixgram:///run/log", true}, {path, "unix:///run/log", false},
	}
	for _, tt := range tests {
		a, err := parseAddress(tt.entry)
		if err != nil {
			t.Fatal(err)
		}
		if got := sameAddress(tt.bound, a); got != tt.want {
			t.Errorf("%s for %s: got %v", tt.bound, tt.entry, got)
		}
	}
}
