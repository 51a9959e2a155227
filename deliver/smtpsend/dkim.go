package smtpsend

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/rsa"

	"github.com/emersion/go-msgauth/dkim"

	"callhome"
)

// dkimFields are signed: those that tell what the mail is. A field that is missing is signed as missing.
var dkimFields = []string{
	"From", "Reply-To", "To", "Subject", "Date", "Message-ID",
	"MIME-Version", "Content-Type", "Content-Transfer-Encoding",
}

// minRSABits is the least that receivers accept, RFC 8301 section 3.2.
const minRSABits = 2048

type dkimSigner struct{ options dkim.SignOptions }

func newDKIM(c DKIMConfig) (Signer, error) {
	key, err := loadKey(c.KeyFile)
	if err != nil {
		return nil, err
	}
	switch k := key.(type) {
	case *rsa.PrivateKey:
		if k.N.BitLen() < minRSABits {
			return nil, callhome.Errorf(callhome.KindInvalid, "key %s has %d bits, %d are needed", c.KeyFile, k.N.BitLen(), minRSABits)
		}
	case *ecdsa.PrivateKey:
		return nil, callhome.Errorf(callhome.KindInvalid, "key %s is ECDSA; DKIM knows RSA and Ed25519", c.KeyFile)
	}
	return &dkimSigner{dkim.SignOptions{
		Domain: c.Domain, Selector: c.Selector, Signer: key, HeaderKeys: dkimFields,
		HeaderCanonicalization: dkim.CanonicalizationRelaxed, BodyCanonicalization: dkim.CanonicalizationRelaxed,
	}}, nil
}

// Sign puts a DKIM-Signature field before the mail, RFC 6376.
func (s *dkimSigner) Sign(mail []byte) ([]byte, error) {
	var out bytes.Buffer
	out.Grow(len(mail) + 1024)
	options := s.options
	if err := dkim.Sign(&out, bytes.NewReader(mail), &options); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
