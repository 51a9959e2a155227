package trustpoint

import (
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"callhome"
)

const (
	dirMode  = 0o700
	fileMode = 0o600
	suffix   = ".pem"
)

// Store keeps the trust points that operators import, as files. Its methods may be called at once from several
// goroutines of one process.
type Store struct {
	dir   string
	inUse func(name string) (by string)

	mu sync.Mutex // guards the folder against two writers of this process
}

// OpenStore opens the folder dir and makes it where it is missing. inUse says what needs a trust point, such as
// "anonymous reporting", or "" when nothing does; it may be nil.
func OpenStore(dir string, inUse func(name string) (by string)) (*Store, error) {
	if err := os.MkdirAll(dir, dirMode); err != nil {
		return nil, fmt.Errorf("open trust points: %w", err)
	}
	if err := os.Chmod(dir, dirMode); err != nil {
		return nil, fmt.Errorf("open trust points: %w", err)
	}
	if inUse == nil {
		inUse = func(string) string { return "" }
	}
	return &Store{dir: dir, inUse: inUse}, nil
}

// Import keeps the certificates of a PEM bundle under name, in place of what was there. The error is of KindInvalid when
// name or bundle are not usable.
func (s *Store) Import(name string, bundle []byte) (Info, error) {
	if err := checkName(name); err != nil {
		return Info{}, callhome.Errorf(callhome.KindInvalid, "import: %w", err)
	}
	certs, err := parseBundle(bundle)
	if err != nil {
		return Info{}, callhome.Errorf(callhome.KindInvalid, "import trust point %s: %w", name, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := writeFile(s.path(name), encodeBundle(certs)); err != nil {
		return Info{}, fmt.Errorf("import trust point %s: %w", name, err)
	}
	return describe(name, OriginImported, certs), nil
}

// InstallServerCA makes sure that [ServerCA] is there when anonymous reporting is enabled. What is there already stays;
// installed then is false.
func (s *Store) InstallServerCA(bundle []byte) (info Info, installed bool, err error) {
	certs, err := s.certs(ServerCA)
	switch {
	case err == nil:
		return describe(ServerCA, OriginImported, certs), false, nil
	case callhome.KindOf(err) != callhome.KindNotFound:
		return Info{}, false, err
	}
	info, err = s.Import(ServerCA, bundle)
	return info, err == nil, err
}

// Remove deletes a trust point. The error is of KindConflict while something needs it, KindNotFound when it is not there.
func (s *Store) Remove(name string) error {
	if err := checkName(name); err != nil {
		return callhome.Errorf(callhome.KindInvalid, "remove: %w", err)
	}
	if by := s.inUse(name); by != "" {
		return callhome.Errorf(callhome.KindConflict, "trust point %s cannot be removed: %s uses it; disable that first", name, by)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	err := os.Remove(s.path(name))
	if errors.Is(err, fs.ErrNotExist) {
		return callhome.Errorf(callhome.KindNotFound, "trust point %s is not there", name)
	}
	if err != nil {
		return fmt.Errorf("remove trust point %s: %w", name, err)
	}
	return syncDir(s.dir)
}

// List describes all trust points, by name. A file that cannot be read is described with its fault.
func (s *Store) List() ([]Info, error) {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return nil, fmt.Errorf("list trust points: %w", err)
	}
	var infos []Info
	for _, e := range entries {
		name, ok := strings.CutSuffix(e.Name(), suffix)
		if !ok || checkName(name) != nil {
			continue
		}
		certs, err := s.certs(name)
		info := describe(name, OriginImported, certs)
		if err != nil {
			info.Fault = err.Error()
		}
		infos = append(infos, info)
	}
	return infos, nil
}

// certs reads one trust point; KindNotFound when there is none.
func (s *Store) certs(name string) ([]*x509.Certificate, error) {
	data, err := os.ReadFile(s.path(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, callhome.Errorf(callhome.KindNotFound, "trust point %s is not there", name)
	}
	if err != nil {
		return nil, fmt.Errorf("read trust point %s: %w", name, err)
	}
	certs, err := parseBundle(data)
	if err != nil {
		return nil, callhome.Errorf(callhome.KindInvalid, "%s: %w", s.path(name), err)
	}
	return certs, nil
}

func (s *Store) path(name string) string { return filepath.Join(s.dir, name+suffix) }

// writeFile replaces path in one step, so that a crash leaves the old or the new content.
func writeFile(path string, data []byte) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), ".new-*") // CreateTemp makes it 0600
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(tmp.Name()) }() // fails once renamed
	if _, err = tmp.Write(data); err == nil {
		err = tmp.Sync()
	}
	if err = errors.Join(err, tmp.Chmod(fileMode), tmp.Close()); err != nil {
		return err
	}
	if err := os.Rename(tmp.Name(), path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

func syncDir(dir string) error {
	d, err := os.Open(dir) // the store's own folder
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Origin says where a trust point comes from.
type Origin string

// The origins.
const (
	OriginConfig   Origin = "configuration"
	OriginImported Origin = "imported"
)

// Info describes a trust point to people.
type Info struct {
	Name         string     `json:"name"`
	Origin       Origin     `json:"origin"`
	Certificates []CertInfo `json:"certificates,omitempty"`
	Pins         []string   `json:"pins,omitempty"`
	Device       *CertInfo  `json:"device_certificate,omitempty"`
	Fault        string     `json:"fault,omitempty"`
}

// CertInfo describes one certificate.
type CertInfo struct {
	Subject     string    `json:"subject"`
	Issuer      string    `json:"issuer"`
	NotBefore   time.Time `json:"not_before"`
	NotAfter    time.Time `json:"not_after"`
	Fingerprint string    `json:"fingerprint_sha256"`
	Pin         string    `json:"pin"`
}

func describe(name string, origin Origin, certs []*x509.Certificate) Info {
	info := Info{Name: name, Origin: origin}
	for _, c := range certs {
		info.Certificates = append(info.Certificates, describeCert(c))
	}
	return info
}

func describeCert(c *x509.Certificate) CertInfo {
	return CertInfo{
		Subject: c.Subject.String(), Issuer: c.Issuer.String(),
		NotBefore: c.NotBefore.UTC(), NotAfter: c.NotAfter.UTC(),
		Fingerprint: Fingerprint(c), Pin: PinOf(c).String(),
	}
}
