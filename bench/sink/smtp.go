package sink

import (
	"bufio"
	"bytes"
	"net"
	"strings"
)

// SMTP is a server that takes mail from and to anybody. It offers PIPELINING and 8BITMIME, as Postfix's sink does.
type SMTP struct {
	Tally
	Addr string
	l    net.Listener
}

// ListenSMTP serves on loopback.
func ListenSMTP() (*SMTP, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &SMTP{Addr: l.Addr().String(), l: l}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return // closed
			}
			go s.serve(c)
		}
	}()
	return s, nil
}

// Port is where it listens.
func (s *SMTP) Port() int { return s.l.Addr().(*net.TCPAddr).Port }

// Close ends listening; connections end with their clients.
func (s *SMTP) Close() { _ = s.l.Close() }

func (s *SMTP) serve(c net.Conn) {
	defer c.Close()
	r, w := bufio.NewReaderSize(c, 64<<10), bufio.NewWriter(c)
	say := func(line string) error {
		_, _ = w.WriteString(line + "\r\n") // a failure shows at Flush
		if r.Buffered() > 0 {
			return nil // the client pipelines: answer together
		}
		return w.Flush()
	}
	if say("220 sink.example ESMTP") != nil {
		return
	}
	var body []byte
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		answer := "250 ok"
		switch verb, _, _ := strings.Cut(strings.ToUpper(strings.TrimSpace(line)), " "); verb {
		case "EHLO":
			answer = "250-sink.example\r\n250-PIPELINING\r\n250-SIZE 33554432\r\n250 8BITMIME"
		case "DATA":
			_, _ = w.WriteString("354 go on\r\n")
			if w.Flush() != nil {
				return
			}
			if body, err = readData(body[:0], r); err != nil {
				return
			}
			s.take(body)
		case "QUIT":
			_ = say("221 bye") // the client may be gone
			return
		}
		if say(answer) != nil {
			return
		}
	}
}

// readData reads up to the line with a single dot.
func readData(dst []byte, r *bufio.Reader) ([]byte, error) {
	for {
		line, err := r.ReadSlice('\n')
		if err != nil && err != bufio.ErrBufferFull { //nolint:errorlint // bufio returns it as it is
			return dst, err
		}
		if bytes.Equal(line, []byte(".\r\n")) && (len(dst) == 0 || dst[len(dst)-1] == '\n') {
			return dst, nil
		}
		dst = append(dst, line...)
	}
}
