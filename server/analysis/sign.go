package analysis

import (
	"bufio"
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"callhome"
)

// Files of signed packs: pack.yaml has its signature beside it in pack.yaml.sig. Keys and signatures are lines of words:
//
//	callhome-rule-key-1 private <base64 of the 32-byte seed>
//	callhome-rule-key-1 public <base64 of the 32-byte key> <comment>
//	callhome-rule-sig-1 <fingerprint> <base64 of the 64-byte signature>
//
// The signature is Ed25519 (RFC 8032) over signatureContext and the bytes of the pack.
const (
	keyWord          = "callhome-rule-key-1"
	signatureWord    = "callhome-rule-sig-1"
	signatureContext = "callhome rule pack 1\n" // a signature for packs is of no use elsewhere
	SignatureSuffix  = ".sig"
	maxKeyFile       = 64 << 10 // a hundred keys with comments take a fifth of it
)

// PublicKey is a key whose packs are trusted.
type PublicKey struct {
	Key     ed25519.PublicKey
	Comment string
}

// Fingerprint names a key: the first 16 bytes of its SHA-256, in hex.
func (k PublicKey) Fingerprint() string {
	sum := sha256.Sum256(k.Key)
	return hex.EncodeToString(sum[:16])
}

// String is the key's line, as ParsePublicKeys reads it.
func (k PublicKey) String() string {
	return strings.TrimSpace(fmt.Sprintf("%s public %s %s", keyWord, base64.StdEncoding.EncodeToString(k.Key), k.Comment))
}

// GenerateKey makes a key pair; private is the line of the private key.
func GenerateKey(comment string) (private callhome.Secret, public PublicKey, err error) {
	pub, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return callhome.Secret{}, PublicKey{}, err
	}
	line := keyWord + " private " + base64.StdEncoding.EncodeToString(key.Seed())
	return callhome.NewSecret(line), PublicKey{Key: pub, Comment: clean(comment, maxTitle)}, nil
}

// ParsePublicKeys reads a file of public keys, one a line; empty lines and those that begin with # are passed over.
func ParsePublicKeys(file string, text []byte) ([]PublicKey, error) {
	var out []PublicKey
	scan := bufio.NewScanner(bytes.NewReader(text[:min(len(text), maxKeyFile)]))
	for n := 1; scan.Scan(); n++ {
		line := strings.TrimSpace(scan.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		words := strings.Fields(line)
		bad := func(why string) error {
			return &callhome.Error{Kind: callhome.KindInvalid, Path: fmt.Sprintf("%s:%d:1", file, n), Msg: why}
		}
		if len(words) >= 2 && words[0] == keyWord && words[1] == "private" {
			return nil, bad("this is a private key: give the file of the public key")
		}
		if len(words) < 3 || words[0] != keyWord || words[1] != "public" {
			return nil, bad("no public key; a line looks like: " + keyWord + " public BASE64 COMMENT")
		}
		key, err := base64.StdEncoding.DecodeString(words[2])
		if err != nil || len(key) != ed25519.PublicKeySize {
			return nil, bad("the key is damaged")
		}
		out = append(out, PublicKey{Key: key, Comment: strings.Join(words[3:], " ")})
	}
	return out, scan.Err()
}

// Sign makes the signature file of a pack. private is the content of the private key's file.
func Sign(pack []byte, private callhome.Secret) ([]byte, PublicKey, error) {
	words := strings.Fields(private.Reveal())
	if len(words) != 3 || words[0] != keyWord || words[1] != "private" {
		return nil, PublicKey{}, callhome.Errorf(callhome.KindInvalid, "that is no private key; make one with `callhome admin rule keygen`")
	}
	seed, err := base64.StdEncoding.DecodeString(words[2])
	if err != nil || len(seed) != ed25519.SeedSize {
		return nil, PublicKey{}, callhome.Errorf(callhome.KindInvalid, "the private key is damaged")
	}
	key := ed25519.NewKeyFromSeed(seed)
	public := PublicKey{Key: key.Public().(ed25519.PublicKey)}
	sig := ed25519.Sign(key, append([]byte(signatureContext), pack...))
	return []byte(signatureWord + " " + public.Fingerprint() + " " + base64.StdEncoding.EncodeToString(sig) + "\n"), public, nil
}

// Verify gives the key that signed a pack. Its errors have the kind Denied and say what to do.
func Verify(pack, signature []byte, trusted []PublicKey) (PublicKey, error) {
	words := strings.Fields(string(signature[:min(len(signature), maxKeyFile)]))
	if len(words) != 3 || words[0] != signatureWord {
		return PublicKey{}, callhome.Errorf(callhome.KindDenied, "the signature file is damaged; sign the pack again")
	}
	sig, err := base64.StdEncoding.DecodeString(words[2])
	if err != nil {
		return PublicKey{}, callhome.Errorf(callhome.KindDenied, "the signature file is damaged; sign the pack again")
	}
	i := slices.IndexFunc(trusted, func(k PublicKey) bool { return k.Fingerprint() == words[1] })
	if i < 0 {
		return PublicKey{}, callhome.Errorf(callhome.KindDenied, "signed with key %s, which is not trusted; add its public key if it should be", clean(words[1], 64))
	}
	if !ed25519.Verify(trusted[i].Key, append([]byte(signatureContext), pack...), sig) {
		return PublicKey{}, callhome.Errorf(callhome.KindDenied, "does not fit its signature: it was changed after key %s signed it", words[1])
	}
	return trusted[i], nil
}

// LoadFile reads one pack with its signature, if it has one. Without trusted keys a signature cannot be judged and counts
// as none.
func LoadFile(path string, trusted []PublicKey, allowUnsigned bool) (*Pack, error) {
	text, err := readBounded(path, maxPackBytes+1)
	if err != nil {
		return nil, err
	}
	signature, err := readBounded(path+SignatureSuffix, maxKeyFile)
	signed := err == nil && len(trusted) > 0
	var signer PublicKey
	switch {
	case err != nil && callhome.KindOf(err) != callhome.KindNotFound:
		return nil, err
	case signed:
		if signer, err = Verify(text, signature, trusted); err != nil {
			return nil, &callhome.Error{Kind: callhome.KindDenied, Path: path, Err: err}
		}
	case !allowUnsigned && err != nil:
		return nil, &callhome.Error{Kind: callhome.KindDenied, Path: path, Msg: "is not signed; sign it with `callhome admin rule sign`, or allow unsigned packs"}
	case !allowUnsigned:
		return nil, &callhome.Error{Kind: callhome.KindDenied, Path: path, Msg: "is signed, but no key is trusted; name the public key"}
	}
	p, err := ParsePack(path, text)
	if err == nil && signed {
		p.Signer = signer.Fingerprint()
	}
	return p, err
}

// LoadDir reads every *.yaml and *.yml of a folder, in order of their names. Each pack that is refused gives an error;
// then no pack is given.
func LoadDir(dir string, trusted []PublicKey, allowUnsigned bool) ([]*Pack, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fileError(dir, err)
	}
	var packs []*Pack
	var errs []error
	for _, e := range entries {
		if ext := filepath.Ext(e.Name()); e.IsDir() || ext != ".yaml" && ext != ".yml" {
			continue
		}
		p, err := LoadFile(filepath.Join(dir, e.Name()), trusted, allowUnsigned)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		packs = append(packs, p)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return packs, nil
}

func readBounded(path string, limit int64) ([]byte, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, fileError(path, err)
	case !info.Mode().IsRegular():
		return nil, &callhome.Error{Kind: callhome.KindInvalid, Path: path, Msg: "is no regular file"}
	case info.Size() > limit:
		return nil, &callhome.Error{Kind: callhome.KindInvalid, Path: path, Msg: fmt.Sprintf("is longer than %d bytes", limit)}
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fileError(path, err)
	}
	return text, nil
}

func fileError(path string, err error) error {
	kind := callhome.KindInvalid
	if errors.Is(err, os.ErrNotExist) {
		kind = callhome.KindNotFound
	}
	var pe *os.PathError
	if errors.As(err, &pe) {
		err = pe.Err
	}
	return &callhome.Error{Kind: kind, Path: path, Msg: "cannot be read", Err: err}
}
