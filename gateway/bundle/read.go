package bundle

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"filippo.io/age"
)

// Limits of what is read before and after its signature is known to be good.
const (
	maxHeader   = 16 << 10
	maxPayload  = 64 << 30 // a full memory stick
	maxLine     = 64 << 10
	maxBody     = 64 << 20 // far above the largest message that any listener takes
	maxMessages = 50_000_000
)

// File is a bundle or receipt whose signature, length and sum are good and that is for us.
type File struct {
	Header Header
	From   Peer // the configured peer whose key signed it

	file *os.File
	at   int64 // where the payload begins
	keys *Keys
}

// Open opens a file and proves it: it is signed by one of the peers, it is for these keys, and nothing of it is missing or
// changed. The error is of kind invalid (no such file, cut off, changed) or denied (an unknown signer, not for us).
func Open(path string, k *Keys, peers []Peer) (_ *File, err error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, invalid("%s cannot be read: %w", path, errors.Unwrap(err))
	}
	defer func() {
		if err != nil {
			_ = file.Close()
			err = fmt.Errorf("%s: %w", path, err)
		}
	}()
	f := &File{file: file, keys: k}
	r := bufio.NewReaderSize(io.LimitReader(file, maxHeader), maxHeader)
	line, err := r.ReadBytes('\n')
	if err != nil {
		return nil, invalid("this is no bundle, or its header is cut off")
	}
	sigLine, err := r.ReadBytes('\n')
	if err != nil {
		return nil, invalid("this is no bundle, or its signature is cut off")
	}
	f.at = int64(len(line) + len(sigLine))
	line = bytes.TrimSuffix(line, []byte("\n"))
	if err := json.Unmarshal(line, &f.Header); err != nil || f.Header.Format != Format {
		return nil, invalid("this is no bundle of a form that is known here (%s)", Format)
	}
	if err := f.prove(line, bytes.TrimSpace(sigLine), peers); err != nil {
		return nil, err
	}
	return f, f.sum()
}

// prove checks the signature by the configured key, never by the one in the header.
func (f *File) prove(line, sigLine []byte, peers []Peer) error {
	signature, err := base64.StdEncoding.DecodeString(string(sigLine))
	if err != nil {
		return invalid("the signature cannot be read: the file was changed or damaged")
	}
	known := false
	for _, p := range peers {
		if p.SignKey != f.Header.Signer {
			continue
		}
		key, err := p.verifyKey()
		if err != nil {
			return err
		}
		if !ed25519.Verify(key, signed(line), signature) {
			return invalid("the signature is wrong: the file was changed or damaged")
		}
		f.From, known = p, true
	}
	if !known {
		return denied("signed by %q with a key that is none of bundles.peers; add that peer if you know it", f.Header.From)
	}
	if own := f.keys.Public(""); f.Header.Recipient != own.Recipient {
		return denied("it is for %q, not for this gateway", f.Header.To)
	}
	return nil
}

// sum compares the payload with what the header says of it.
func (f *File) sum() error {
	if f.Header.Bytes < 0 || f.Header.Bytes > maxPayload {
		return invalid("the header names a payload of %d bytes", f.Header.Bytes)
	}
	h := sha256.New()
	if _, err := f.file.Seek(f.at, io.SeekStart); err != nil {
		return err
	}
	n, err := io.Copy(h, f.file)
	switch {
	case err != nil:
		return invalid("it cannot be read: %w", err)
	case n < f.Header.Bytes:
		return invalid("it is cut off: %d of %d bytes are there", n, f.Header.Bytes)
	case n > f.Header.Bytes || hex.EncodeToString(h.Sum(nil)) != f.Header.SHA256:
		return invalid("its payload is not what was signed: the file was changed or damaged")
	}
	return nil
}

// Close closes the file.
func (f *File) Close() error { return f.file.Close() }

func (f *File) payload() (*bufio.Reader, error) {
	if _, err := f.file.Seek(f.at, io.SeekStart); err != nil {
		return nil, err
	}
	open, err := age.Decrypt(bufio.NewReader(f.file), f.keys.identity)
	if err != nil {
		return nil, denied("it cannot be decrypted with this gateway's key: %w", err)
	}
	unpacked, err := gzip.NewReader(open)
	if err != nil {
		return nil, invalid("its payload cannot be unpacked: %w", err)
	}
	return bufio.NewReaderSize(unpacked, maxLine), nil
}

// Each gives every message of a bundle to take, in order, until take fails. The record belongs to take.
func (f *File) Each(take func(*Record) error) error {
	if f.Header.Kind != KindBundle {
		return invalid("it is a %s, not a bundle", f.Header.Kind)
	}
	r, err := f.payload()
	if err != nil {
		return err
	}
	for n := 0; n <= maxMessages; n++ {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return invalid("its payload ends early: %w", err)
		}
		var end last
		if json.Unmarshal(line, &end) == nil && end.End {
			if end.Messages != n || f.Header.Messages != n {
				return invalid("it holds %d messages, not %d", n, f.Header.Messages)
			}
			return nil
		}
		rec := &Record{}
		if err := json.Unmarshal(line, rec); err != nil || rec.Size < 0 || rec.Size > maxBody {
			return invalid("message %d of it has no readable header", n+1)
		}
		rec.Body = make([]byte, rec.Size)
		if _, err := io.ReadFull(r, rec.Body); err != nil {
			return invalid("its payload ends early: %w", err)
		}
		if c, err := r.ReadByte(); err != nil || c != '\n' {
			return invalid("message %d of it is not as long as its header says", n+1)
		}
		if err := take(rec); err != nil {
			return err
		}
	}
	return invalid("it holds more than %d messages", maxMessages)
}

// maxReceipt bounds a receipt: some twenty bytes for each message.
const maxReceipt = 1 << 30

// Receipt reads a receipt.
func (f *File) Receipt() (*Receipt, error) {
	if f.Header.Kind != KindReceipt {
		return nil, invalid("it is a %s, not a receipt", f.Header.Kind)
	}
	r, err := f.payload()
	if err != nil {
		return nil, err
	}
	var out Receipt
	if err := json.NewDecoder(io.LimitReader(r, maxReceipt)).Decode(&out); err != nil {
		return nil, invalid("its payload cannot be read: %w", err)
	}
	if out.Bundle != f.Header.ID {
		return nil, invalid("it is signed for bundle %s and speaks of %s", f.Header.ID, out.Bundle)
	}
	return &out, nil
}
