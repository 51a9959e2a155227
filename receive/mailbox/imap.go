package mailbox

import (
	"errors"
	"fmt"
	"net"
	"strconv"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
)

// imapBox is a folder by IMAP.
type imapBox struct {
	client   *imapclient.Client
	stop     func() bool
	validity uint32
	max      int64
	closed   bool
}

func openIMAP(conn net.Conn, stop func() bool, a address, cfg Config) (box, error) {
	c := imapclient.New(conn, nil)
	b := &imapBox{client: c, stop: stop, max: cfg.MaxSize}
	if err := c.Login(a.user, cfg.Password.Reveal()).Wait(); err != nil {
		b.close()
		return nil, fmt.Errorf("log in as %s: %w", a.user, err)
	}
	data, err := c.Select(a.folder, nil).Wait()
	if err != nil {
		b.close()
		return nil, fmt.Errorf("open folder %s: %w", a.folder, err)
	}
	b.validity = data.UIDValidity
	return b, nil
}

func (b *imapBox) list() ([]mail, error) {
	all := imap.SeqSet{}
	all.AddRange(1, 0) // to the last one
	cmd := b.client.Fetch(all, &imap.FetchOptions{UID: true, RFC822Size: true})
	var out []mail
	for {
		data := cmd.Next()
		if data == nil {
			break
		}
		m, err := data.Collect()
		if err != nil {
			return nil, errors.Join(err, cmd.Close())
		}
		out = append(out, mail{uid: fmt.Sprintf("%d-%d", b.validity, m.UID), number: uint32(m.UID), size: m.RFC822Size})
	}
	if err := cmd.Close(); err != nil {
		var no *imap.Error
		if errors.As(err, &no) && len(out) == 0 { // some servers call 1:* wrong in an empty folder
			return nil, nil
		}
		return nil, err
	}
	return out, nil
}

// fetch reads one section of a mail, without marking it as read, and no more than limit bytes of it.
func (b *imapBox) fetch(m mail, what imap.PartSpecifier, limit int64) ([]byte, error) {
	section := &imap.FetchItemBodySection{Specifier: what, Peek: true, Partial: &imap.SectionPartial{Size: limit}}
	got, err := b.client.Fetch(imap.UIDSetNum(imap.UID(m.number)), &imap.FetchOptions{UID: true, BodySection: []*imap.FetchItemBodySection{section}}).Collect()
	if err != nil {
		return nil, err
	}
	if len(got) != 1 || len(got[0].BodySection) != 1 {
		return nil, fmt.Errorf("mail %d is not there any more", m.number)
	}
	return got[0].BodySection[0].Bytes, nil
}

func (b *imapBox) header(m mail) ([]byte, error) {
	return b.fetch(m, imap.PartSpecifierHeader, maxHead)
}

// maxHead bounds a header: those of mails that came through many relays have some ten KiB.
const maxHead = 64 << 10

func (b *imapBox) body(m mail) ([]byte, error) { return b.fetch(m, imap.PartSpecifierNone, b.max) }

func (b *imapBox) done(m mail, folder string) error {
	uid := imap.UIDSetNum(imap.UID(m.number))
	if folder != "" {
		return b.move(uid, folder)
	}
	flag := &imap.StoreFlags{Op: imap.StoreFlagsAdd, Flags: []imap.Flag{imap.FlagDeleted}, Silent: true}
	if err := b.client.Store(uid, flag, nil).Close(); err != nil {
		return err
	}
	if b.client.Caps().Has(imap.CapUIDPlus) {
		return b.client.UIDExpunge(uid).Close()
	}
	return b.client.Expunge().Close()
}

// move moves a mail; a folder that is missing is made.
func (b *imapBox) move(uid imap.UIDSet, folder string) error {
	_, err := b.client.Move(uid, folder).Wait()
	var no *imap.Error
	if errors.As(err, &no) && no.Code == imap.ResponseCodeTryCreate {
		if err := b.client.Create(folder, nil).Wait(); err != nil {
			return fmt.Errorf("make folder %s: %w", strconv.Quote(folder), err)
		}
		_, err = b.client.Move(uid, folder).Wait()
	}
	return err
}

// commit says good-bye: IMAP does everything at once.
func (b *imapBox) commit() error {
	if b.closed {
		return nil
	}
	err := b.client.Logout().Wait()
	b.close()
	return err
}

func (b *imapBox) close() {
	if b.closed {
		return
	}
	b.closed = true
	b.stop()
	_ = b.client.Close()
}
