package receive

import (
	"crypto/tls"

	"callhome/trustpoint"
)

// IdentityOf is what a finished handshake knows of the peer; nil without TLS.
func IdentityOf(cs *tls.ConnectionState) *TLSIdentity {
	if cs == nil {
		return nil
	}
	id := &TLSIdentity{Version: tls.VersionName(cs.Version)}
	if len(cs.VerifiedChains) > 0 {
		cert := cs.PeerCertificates[0]
		id.Subject, id.Names, id.Fingerprint = cert.Subject.String(), cert.DNSNames, trustpoint.Fingerprint(cert)
	}
	return id
}
