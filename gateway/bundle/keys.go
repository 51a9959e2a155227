package bundle

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"callhome"

	"filippo.io/age"
)

// Peer is the other side: who it is, and its public keys as `callhome gateway key` prints them there.
type Peer struct {
	Name      string `yaml:"name" json:"name"`
	SignKey   string `yaml:"sign_key" json:"sign_key"`   // ed25519:BASE64
	Recipient string `yaml:"recipient" json:"recipient"` // age1…
}

const signPrefix = "ed25519:"

// Validate reports what cannot be read.
func (p *Peer) Validate() error {
	var errs []error
	if p.Name == "" {
		errs = append(errs, errors.New("name is missing"))
	}
	if _, err := p.verifyKey(); err != nil {
		errs = append(errs, err)
	}
	if _, err := age.ParseX25519Recipient(p.Recipient); err != nil {
		errs = append(errs, fmt.Errorf("recipient is not a key such as age1…: %w", err))
	}
	return errors.Join(errs...)
}

func (p *Peer) verifyKey() (ed25519.PublicKey, error) {
	raw, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(p.SignKey, signPrefix))
	if err != nil || len(raw) != ed25519.PublicKeySize || !strings.HasPrefix(p.SignKey, signPrefix) {
		return nil, fmt.Errorf("sign_key %q is not of the form ed25519:BASE64", p.SignKey)
	}
	return raw, nil
}

// Keys are the own ones.
type Keys struct {
	sign     ed25519.PrivateKey
	identity *age.X25519Identity
}

// Names of the key files.
const (
	signFile = "sign.key"
	ageFile  = "age.key"
)

// OpenKeys reads the keys in dir, and makes them where there are none.
func OpenKeys(dir string) (*Keys, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	k := &Keys{}
	seed, err := keyText(filepath.Join(dir, signFile), func() (string, error) {
		_, private, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			return "", err
		}
		return base64.StdEncoding.EncodeToString(private.Seed()), nil
	})
	if err != nil {
		return nil, err
	}
	raw, err := base64.StdEncoding.DecodeString(seed)
	if err != nil || len(raw) != ed25519.SeedSize {
		return nil, fmt.Errorf("%s is damaged; restore it, or remove it to make a new key that peers must be told of", filepath.Join(dir, signFile))
	}
	k.sign = ed25519.NewKeyFromSeed(raw)
	text, err := keyText(filepath.Join(dir, ageFile), func() (string, error) {
		id, err := age.GenerateX25519Identity()
		if err != nil {
			return "", err
		}
		return id.String(), nil
	})
	if err != nil {
		return nil, err
	}
	if k.identity, err = age.ParseX25519Identity(text); err != nil {
		return nil, fmt.Errorf("%s is damaged; restore it, or remove it to make a new key that peers must be told of", filepath.Join(dir, ageFile))
	}
	return k, nil
}

func keyText(path string, fresh func() (string, error)) (string, error) {
	b, err := os.ReadFile(path)
	if err == nil {
		return strings.TrimSpace(string(b)), nil
	}
	if !errors.Is(err, os.ErrNotExist) {
		return "", err
	}
	text, err := fresh()
	if err != nil {
		return "", err
	}
	f, err := create(path)
	if err != nil {
		return "", err
	}
	defer f.abort()
	if _, err := f.WriteString(text + "\n"); err != nil {
		return "", err
	}
	return text, f.commit()
}

// Public is what others must know of these keys, under a name.
func (k *Keys) Public(name string) Peer {
	public, _ := k.sign.Public().(ed25519.PublicKey)
	return Peer{Name: name, SignKey: signPrefix + base64.StdEncoding.EncodeToString(public), Recipient: k.identity.Recipient().String()}
}

// whole is a file that appears under its name only when it is whole.
type whole struct {
	*os.File
	path string
}

func create(path string) (*whole, error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*") // 0600
	if err != nil {
		return nil, err
	}
	return &whole{File: f, path: path}, nil
}

func (w *whole) commit() error {
	if err := errors.Join(w.Sync(), w.Close()); err != nil {
		return err
	}
	if err := os.Rename(w.Name(), w.path); err != nil {
		return err
	}
	d, err := os.Open(filepath.Dir(w.path))
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// abort removes the file unless it was committed.
func (w *whole) abort() {
	_ = w.Close()
	_ = os.Remove(w.Name())
}

func invalid(format string, args ...any) error {
	return callhome.Errorf(callhome.KindInvalid, format, args...)
}

func denied(format string, args ...any) error {
	return callhome.Errorf(callhome.KindDenied, format, args...)
}
