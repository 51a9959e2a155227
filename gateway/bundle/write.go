package bundle

import (
	"compress/gzip"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"time"

	"callhome"

	"filippo.io/age"
)

// Format is the first word of every header, and goes into what is signed.
const Format = "callhome-bundle/1"

// Kind tells a bundle from a receipt.
type Kind string

// The kinds.
const (
	KindBundle  Kind = "bundle"
	KindReceipt Kind = "receipt"
)

// Header is what is said in the clear.
type Header struct {
	Format    string    `json:"format"`
	Kind      Kind      `json:"kind"`
	ID        string    `json:"id"`     // of the bundle, also in its receipt
	From      string    `json:"from"`   // name the sender gives himself
	Signer    string    `json:"signer"` // his public key, which counts
	To        string    `json:"to"`     // name of the one it is for
	Recipient string    `json:"recipient"`
	CreatedAt time.Time `json:"created_at"`
	Messages  int       `json:"messages"`
	Bytes     int64     `json:"payload_bytes"`
	SHA256    string    `json:"payload_sha256"`
}

// Record is one message in a bundle.
type Record struct {
	Entry     int64               `json:"entry"` // its number in the sender's queue
	MessageID callhome.MessageID  `json:"message_id"`
	Device    string              `json:"device"`
	Group     callhome.AlertGroup `json:"alert_group,omitempty"`
	Transport callhome.Transport  `json:"transport,omitempty"`
	QueuedAt  time.Time           `json:"queued_at"`
	Size      int                 `json:"size"`
	Body      []byte              `json:"-"`
}

// last is the last line of a bundle's payload.
type last struct {
	End      bool `json:"end"`
	Messages int  `json:"messages"`
}

// Receipt says what became of a bundle's messages.
type Receipt struct {
	Bundle  string    `json:"bundle"`
	TakenAt time.Time `json:"taken_at"`
	Taken   []int64   `json:"taken"`             // entries that are safe now, repeats included
	Refused []Refused `json:"refused,omitempty"` // and those that are not
}

// Refused is a message that was not taken.
type Refused struct {
	Entry  int64  `json:"entry"`
	Reason string `json:"reason"`
}

// NewID makes a bundle's number.
func NewID(now time.Time) string {
	raw := make([]byte, 6)
	_, _ = rand.Read(raw)
	return now.UTC().Format("20060102T150405Z") + "-" + hex.EncodeToString(raw)
}

// Write writes a bundle for a peer into a file, which appears when it is whole. next gives the messages and io.EOF behind
// the last one; what it returned is not used after its next call.
func Write(path string, k *Keys, from string, to Peer, id string, now time.Time, next func() (*Record, error)) (*Header, error) {
	h := &Header{Kind: KindBundle, ID: id, From: from, To: to.Name, CreatedAt: now.UTC()}
	err := write(path, k, to, h, func(w io.Writer) error {
		enc := json.NewEncoder(w)
		for {
			r, err := next()
			if errors.Is(err, io.EOF) {
				return enc.Encode(last{End: true, Messages: h.Messages})
			}
			if err != nil {
				return err
			}
			r.Size = len(r.Body)
			if err := enc.Encode(r); err != nil {
				return err
			}
			if _, err := w.Write(append(r.Body, '\n')); err != nil {
				return err
			}
			h.Messages++
		}
	})
	return h, err
}

// WriteReceipt writes the receipt for a bundle.
func WriteReceipt(path string, k *Keys, from string, to Peer, r *Receipt, now time.Time) error {
	h := &Header{Kind: KindReceipt, ID: r.Bundle, From: from, To: to.Name, CreatedAt: now.UTC(), Messages: len(r.Taken)}
	return write(path, k, to, h, func(w io.Writer) error { return json.NewEncoder(w).Encode(r) })
}

// write makes the payload first, since the header tells its length and sum, and then the file.
func write(path string, k *Keys, to Peer, h *Header, payload func(io.Writer) error) error {
	recipient, err := age.ParseX25519Recipient(to.Recipient)
	if err != nil {
		return invalid("recipient of %s: %w", to.Name, err)
	}
	body, err := create(path + ".payload")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	defer body.abort()
	sum := &counted{Hash: sha256.New()}
	if err := seal(io.MultiWriter(body, sum), recipient, payload); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	own := k.Public(h.From)
	h.Format, h.Signer, h.Recipient = Format, own.SignKey, to.Recipient
	h.Bytes, h.SHA256 = sum.n, hex.EncodeToString(sum.Sum(nil))
	line, err := json.Marshal(h)
	if err != nil {
		return err
	}
	out, err := create(path)
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	defer out.abort()
	signature := base64.StdEncoding.EncodeToString(ed25519.Sign(k.sign, signed(line)))
	if _, err := out.WriteString(string(line) + "\n" + signature + "\n"); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if _, err := body.Seek(0, io.SeekStart); err != nil {
		return err
	}
	if _, err := io.Copy(out, body); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return out.commit()
}

// signed is what is signed: the header and what it is a header of.
func signed(line []byte) []byte { return append([]byte(Format+"\n"), line...) }

func seal(w io.Writer, to age.Recipient, payload func(io.Writer) error) error {
	sealed, err := age.Encrypt(w, to)
	if err != nil {
		return err
	}
	packed := gzip.NewWriter(sealed)
	if err := payload(packed); err != nil {
		return err
	}
	return errors.Join(packed.Close(), sealed.Close())
}

// counted is a hash that counts what it was given.
type counted struct {
	hash.Hash
	n int64
}

func (c *counted) Write(b []byte) (int, error) {
	c.n += int64(len(b))
	return c.Hash.Write(b)
}
