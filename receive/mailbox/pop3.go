package mailbox

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"strconv"
	"strings"
)

// pop3Box is a mailbox by POP3 (RFC 1939). What is deleted is gone only when the session ends with QUIT.
type pop3Box struct {
	conn   net.Conn
	text   *textproto.Conn
	stop   func() bool
	max    int64
	closed bool
}

// maxList bounds the lines of a list: a mailbox of a million mails is a mistake.
const maxList = 1_000_000

func openPOP3(conn net.Conn, stop func() bool, a address, cfg Config) (box, error) {
	b := &pop3Box{conn: conn, text: textproto.NewConn(conn), stop: stop, max: cfg.MaxSize}
	for _, step := range []func() error{
		func() error { _, err := b.answer(); return err }, // the greeting
		func() error { _, err := b.ask("USER " + a.user); return err },
		func() error { _, err := b.ask("PASS " + cfg.Password.Reveal()); return err },
	} {
		if err := step(); err != nil {
			b.close()
			return nil, fmt.Errorf("log in as %s: %w", a.user, err)
		}
	}
	return b, nil
}

// ask sends one command and reads the first line of its answer.
func (b *pop3Box) ask(command string) (string, error) {
	if strings.ContainsAny(command, "\r\n") {
		return "", errors.New("user name and password must not hold line ends")
	}
	if err := b.text.PrintfLine("%s", command); err != nil {
		return "", err
	}
	return b.answer()
}

func (b *pop3Box) answer() (string, error) {
	line, err := b.text.ReadLine()
	if err != nil {
		return "", err
	}
	if rest, ok := strings.CutPrefix(line, "+OK"); ok {
		return strings.TrimSpace(rest), nil
	}
	return "", fmt.Errorf("the server says %q", strings.TrimSpace(strings.TrimPrefix(line, "-ERR")))
}

// lines reads an answer of several lines "NUMBER WORD".
func (b *pop3Box) lines(command string) (map[uint32]string, error) {
	if _, err := b.ask(command); err != nil {
		return nil, err
	}
	out := map[uint32]string{}
	for range maxList {
		line, err := b.text.ReadLine()
		if err != nil {
			return nil, err
		}
		if line == "." {
			return out, nil
		}
		number, word, _ := strings.Cut(line, " ")
		n, err := strconv.ParseUint(number, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("%s: the line %q is not understood", command, line)
		}
		out[uint32(n)] = word
	}
	return nil, fmt.Errorf("%s: more than %d mails", command, maxList)
}

func (b *pop3Box) list() ([]mail, error) {
	sizes, err := b.lines("LIST")
	if err != nil {
		return nil, err
	}
	uids, err := b.lines("UIDL")
	if err != nil {
		return nil, err
	}
	out := make([]mail, 0, len(sizes))
	for n := uint32(1); len(out) < len(sizes) && n <= maxList; n++ {
		size, ok := sizes[n]
		if !ok {
			continue
		}
		bytes, err := strconv.ParseInt(size, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("LIST: size %q is not understood", size)
		}
		out = append(out, mail{uid: uids[n], number: n, size: bytes})
	}
	return out, nil
}

// dots reads an answer of many lines, at most limit bytes of it; what is beyond is read and left out.
func (b *pop3Box) dots(command string, limit int64) ([]byte, error) {
	if _, err := b.ask(command); err != nil {
		return nil, err
	}
	r := b.text.DotReader()
	body, err := io.ReadAll(io.LimitReader(r, limit))
	if err != nil {
		return nil, err
	}
	_, err = io.Copy(io.Discard, r)
	return body, err
}

func (b *pop3Box) header(m mail) ([]byte, error) {
	return b.dots(fmt.Sprintf("TOP %d 0", m.number), maxHead)
}

func (b *pop3Box) body(m mail) ([]byte, error) {
	return b.dots(fmt.Sprintf("RETR %d", m.number), b.max)
}

func (b *pop3Box) done(m mail, _ string) error {
	_, err := b.ask(fmt.Sprintf("DELE %d", m.number))
	return err
}

func (b *pop3Box) commit() error {
	if b.closed {
		return nil
	}
	_, err := b.ask("QUIT")
	b.close()
	return err
}

func (b *pop3Box) close() {
	if b.closed {
		return
	}
	b.closed = true
	b.stop()
	_ = b.conn.Close()
}
