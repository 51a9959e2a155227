package smtpsend

import (
	"io"
	"net"
	"strings"
	"testing"

	"github.com/emersion/go-smtp"
)

type devnull struct{}

func (devnull) Mail(string, *smtp.MailOptions) error { return nil }
func (devnull) Rcpt(string, *smtp.RcptOptions) error { return nil }
func (devnull) Data(r io.Reader) error               { _, err := io.Copy(io.Discard, r); return err }
func (devnull) Reset()                               {}
func (devnull) Logout() error                        { return nil }

func benchSink(b *testing.B) Server {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	srv := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return devnull{}, nil }))
	done := make(chan struct{})
	go func() { defer close(done); _ = srv.Serve(l) }()
	b.Cleanup(func() { _ = srv.Close(); <-done })
	return Server{Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port}
}

var bench8K = note + strings.Repeat("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcd\r\n", 128)

func BenchmarkSend8KiB(b *testing.B) {
	s := newSender(b, nil, Options{}, benchSink(b))
	env := envelope(bench8K)
	b.SetBytes(int64(len(env.Body)))
	b.ReportAllocs()
	for b.Loop() {
		if err := s.Send(b.Context(), env); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSend8KiBParallel(b *testing.B) {
	s := newSender(b, nil, Options{}, benchSink(b))
	env := envelope(bench8K)
	b.SetBytes(int64(len(env.Body)))
	b.ReportAllocs()
	b.SetParallelism(4)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := s.Send(b.Context(), env); err != nil {
				b.Error(err)
				return
			}
		}
	})
}
