package enrol

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/netip"
	"strings"
	"time"
	"unicode"

	"callhome"
)

// The paths that the back end serves on its devices listener, all by POST with a JSON body.
const (
	PathEnrol     = "/enrol/v1/enrol"     // Request with "Authorization: Bearer TOKEN", answered by a Grant
	PathRenew     = "/enrol/v1/renew"     // Renewal by a verified client certificate, answered by a Grant
	PathHeartbeat = "/enrol/v1/heartbeat" // Heartbeat by a verified client certificate, answered by an empty object
)

// Endpoint reports whether path is one of them.
func Endpoint(path string) bool {
	return path == PathEnrol || path == PathRenew || path == PathHeartbeat
}

// HeartbeatEvery is how often the joining side sends a heartbeat. Two that are missing mean trouble.
const HeartbeatEvery = 5 * time.Minute

// Kind is what joins.
type Kind string

// The kinds.
const (
	KindAgent   Kind = "agent"
	KindGateway Kind = "gateway"
)

// Identity is what the joining side says of itself: claims, shown to the operator and never proof.
type Identity struct {
	Hostname string `json:"hostname,omitempty"`
	Model    string `json:"model,omitempty"`
	Serial   string `json:"serial,omitempty"`
	SiteID   string `json:"site_id,omitempty"`
	Customer string `json:"customer_id,omitempty"`
	Contact  string `json:"contact_email,omitempty"`
	Version  string `json:"version,omitempty"` // of the program
}

// Request asks for the first certificate. The token travels as a header, never in the body.
type Request struct {
	Token    callhome.Secret `json:"-"`
	Kind     Kind            `json:"kind"`
	Name     string          `json:"name"` // what it wants to be called, 1..64 printable characters; the Grant's name counts
	CSR      string          `json:"csr"`  // PEM, PKCS #10; its subject is not used
	Identity Identity        `json:"identity,omitzero"`
}

// Renewal asks for the next certificate, for a new key or the same.
type Renewal struct {
	CSR string `json:"csr"` // PEM
}

// Grant is the certificate and what goes with it.
type Grant struct {
	Certificate string    `json:"certificate"` // PEM: the certificate, then its chain without the root
	CA          string    `json:"ca"`          // PEM: the authority's root
	Name        string    `json:"name"`        // what the back end calls it from now on
	RenewAfter  time.Time `json:"renew_after"` // zero: two thirds of its life
}

// Queue tells how much waits.
type Queue struct {
	Depth    int64     `json:"depth"` // messages
	Bytes    int64     `json:"bytes"`
	OldestAt time.Time `json:"oldest_at,omitzero"`
}

// Heartbeat says that the sender lives, and how it is. It is not a message of a device, and never opens anything.
type Heartbeat struct {
	Kind         Kind      `json:"kind"`
	Name         string    `json:"name"`
	Version      string    `json:"version"`
	ConfigDigest string    `json:"config_digest,omitempty"` // SHA-256 of the configuration in effect, hexadecimal; tells drift, nothing else
	StartedAt    time.Time `json:"started_at"`
	Queue        Queue     `json:"queue"`
	Devices      int       `json:"devices"`          // it speaks for, or has heard
	Unwell       []string  `json:"unwell,omitempty"` // one sentence each; at most maxUnwell
	At           time.Time `json:"at"`               // by the sender's clock
}

// Peer is who asks, as the connection shows it. Fingerprint, Serial and Subject are of a verified client certificate,
// empty without one; Enrol is asked without, Renew and Beat never are.
type Peer struct {
	Address     netip.AddrPort
	Fingerprint string // SHA-256 of the certificate, as written by FingerprintOf
	Serial      string // of the certificate, hexadecimal lower case without separators
	Subject     string // common name
}

// Issuer decides. Its methods are called from many goroutines at once; ctx ends when the peer goes or after AnswerTime.
// An error of a callhome.Kind other than internal is told to the peer in its own words; an internal one is not.
type Issuer interface {
	// Enrol grants a certificate for a one-time token. The request was checked: kind, name, and a CSR whose signature
	// holds. A token that was used before with the same public key is granted again, since the first answer may not
	// have arrived; with another key it is denied (KindDenied), as an unknown or expired one is.
	Enrol(ctx context.Context, r Request, from Peer) (Grant, error)
	// Renew grants the next certificate to whoever shows one that was granted and not revoked.
	Renew(ctx context.Context, r Renewal, from Peer) (Grant, error)
	// Beat takes note of a heartbeat.
	Beat(ctx context.Context, b Heartbeat, from Peer) error
}

// Limits of what is taken from strangers.
const (
	maxBody   = 64 << 10 // a CSR with a 4096-bit key and its identity take 4 KiB
	maxName   = 64       // the longest common name of RFC 5280
	maxField  = 256      // of any other text
	maxToken  = 512
	minToken  = 16 // shorter ones can be guessed
	maxUnwell = 32
	// AnswerTime is how long an Issuer may take.
	AnswerTime = 20 * time.Second
)

// Validate reports what is wrong with a request, its CSR included.
func (r Request) Validate() error {
	if r.Kind != KindAgent && r.Kind != KindGateway {
		return callhome.Errorf(callhome.KindInvalid, "kind %q is not agent or gateway", clip(string(r.Kind)))
	}
	if !plain(r.Name, maxName) || strings.TrimSpace(r.Name) != r.Name || r.Name == "" {
		return callhome.Errorf(callhome.KindInvalid, "name: 1 to %d printable characters are needed", maxName)
	}
	if n := len(r.Token.Reveal()); n < minToken || n > maxToken {
		return callhome.Errorf(callhome.KindDenied, "a one-time token is needed: Authorization: Bearer TOKEN")
	}
	i := r.Identity
	for _, s := range []string{i.Hostname, i.Model, i.Serial, i.SiteID, i.Customer, i.Contact, i.Version} {
		if !plain(s, maxField) {
			return callhome.Errorf(callhome.KindInvalid, "identity: each field is at most %d printable characters", maxField)
		}
	}
	_, err := ParseCSR(r.CSR)
	return err
}

// Validate reports what is wrong with a heartbeat.
func (b Heartbeat) Validate() error {
	if b.Kind != KindAgent && b.Kind != KindGateway {
		return callhome.Errorf(callhome.KindInvalid, "kind %q is not agent or gateway", clip(string(b.Kind)))
	}
	if len(b.Unwell) > maxUnwell || b.Queue.Depth < 0 || b.Queue.Bytes < 0 || b.Devices < 0 {
		return callhome.Errorf(callhome.KindInvalid, "the heartbeat's numbers are out of range")
	}
	for _, s := range append([]string{b.Name, b.Version, b.ConfigDigest}, b.Unwell...) {
		if !plain(s, 2*maxField) {
			return callhome.Errorf(callhome.KindInvalid, "each text of a heartbeat is at most %d printable characters", 2*maxField)
		}
	}
	return nil
}

func plain(s string, limit int) bool {
	return len(s) <= limit && !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
}

// clip bounds what an error quotes of a stranger's words.
func clip(s string) string { return s[:min(len(s), 32)] }

// ParseCSR reads a PEM request, and proves that who asks has the key. Taken are ECDSA on P-256 and P-384, Ed25519, and
// RSA of at least 2048 bits.
func ParseCSR(text string) (*x509.CertificateRequest, error) {
	block, rest := pem.Decode([]byte(text))
	if block == nil || block.Type != "CERTIFICATE REQUEST" || strings.TrimSpace(string(rest)) != "" {
		return nil, callhome.Errorf(callhome.KindInvalid, "csr: one PEM block CERTIFICATE REQUEST is needed")
	}
	csr, err := x509.ParseCertificateRequest(block.Bytes)
	if err != nil {
		return nil, callhome.Errorf(callhome.KindInvalid, "csr: %w", err)
	}
	if !strongKey(csr.PublicKey) {
		return nil, callhome.Errorf(callhome.KindInvalid, "csr: the key must be ECDSA on P-256 or P-384, Ed25519, or RSA of 2048 to 8192 bits")
	}
	if err := csr.CheckSignature(); err != nil {
		return nil, callhome.Errorf(callhome.KindInvalid, "csr: %w", err)
	}
	return csr, nil
}

func strongKey(public any) bool {
	switch k := public.(type) {
	case *ecdsa.PublicKey:
		return k.Curve == elliptic.P256() || k.Curve == elliptic.P384()
	case ed25519.PublicKey:
		return true
	case *rsa.PublicKey:
		return k.N.BitLen() >= 2048 && k.N.BitLen() <= 8192
	}
	return false
}

// FingerprintOf is a certificate's SHA-256 as operators compare it: hexadecimal pairs joined by colons.
func FingerprintOf(cert *x509.Certificate) string {
	sum := sha256.Sum256(cert.Raw)
	var b strings.Builder
	for i, v := range sum {
		if i > 0 {
			b.WriteByte(':')
		}
		fmt.Fprintf(&b, "%02X", v)
	}
	return b.String()
}

// SerialOf is a certificate's serial number as Peer has it.
func SerialOf(cert *x509.Certificate) string { return cert.SerialNumber.Text(16) }
