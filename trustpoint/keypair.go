package trustpoint

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"sync"
	"time"
)

// KeyPair is a certificate and its key in two files, read again when a file changes, so that renewal needs no restart.
type KeyPair struct {
	certFile, keyFile string

	mu    sync.Mutex // guards what follows
	cert  *tls.Certificate
	stamp [2]fileStamp
	fault error // of the last attempt to read anew
}

// fileStamp tells one content of a file from another.
type fileStamp struct {
	modified time.Time
	size     int64
}

// LoadKeyPair reads the PEM files.
func LoadKeyPair(certFile, keyFile string) (*KeyPair, error) {
	kp := &KeyPair{certFile: certFile, keyFile: keyFile}
	if err := kp.reload(); err != nil {
		return nil, err
	}
	return kp, nil
}

// Certificate is the pair as the files have it now. When they cannot be read it stays the last good one and Fault tells.
func (kp *KeyPair) Certificate() *tls.Certificate {
	kp.mu.Lock()
	defer kp.mu.Unlock()
	if kp.stamps() != kp.stamp {
		kp.fault = kp.reload()
	}
	return kp.cert
}

// Leaf is the certificate itself.
func (kp *KeyPair) Leaf() *x509.Certificate { return kp.Certificate().Leaf }

// Fault is why the files that are there now are not used, nil when they are.
func (kp *KeyPair) Fault() error {
	kp.mu.Lock()
	defer kp.mu.Unlock()
	return kp.fault
}

// stamps looks at both files; one that is missing has the zero stamp.
func (kp *KeyPair) stamps() (out [2]fileStamp) {
	for i, name := range []string{kp.certFile, kp.keyFile} {
		if fi, err := os.Stat(name); err == nil {
			out[i] = fileStamp{fi.ModTime(), fi.Size()}
		}
	}
	return out
}

func (kp *KeyPair) reload() error {
	stamp := kp.stamps() // before reading, so that a change in between is seen next time
	cert, err := tls.LoadX509KeyPair(kp.certFile, kp.keyFile)
	if err != nil {
		return fmt.Errorf("certificate %s with key %s: %w", kp.certFile, kp.keyFile, err)
	}
	kp.cert, kp.stamp = &cert, stamp
	return nil
}
