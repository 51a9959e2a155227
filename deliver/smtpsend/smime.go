package smtpsend

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/smallstep/pkcs7"
)

type smimeSigner struct {
	cert  *x509.Certificate
	chain []*x509.Certificate
	key   crypto.PrivateKey
}

func newSMIME(c SMIMEConfig) (Signer, error) {
	pair, err := tls.LoadX509KeyPair(c.CertFile, c.KeyFile)
	if err != nil {
		return nil, err
	}
	s := &smimeSigner{cert: pair.Leaf, key: pair.PrivateKey}
	for _, der := range pair.Certificate[1:] {
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, err
		}
		s.chain = append(s.chain, cert)
	}
	return s, nil
}

// Sign wraps the content of the mail into multipart/signed, RFC 8551 section 3.5.3. The other header fields stay
// outside, where relays and filters look for them.
func (s *smimeSigner) Sign(mail []byte) ([]byte, error) {
	outer, entity, err := splitEntity(mail)
	if err != nil {
		return nil, err
	}
	signature, err := s.detached(entity)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(entity)
	boundary := fmt.Sprintf("signed-%x", sum[:16]) // of the content, so that it cannot be in it
	var out bytes.Buffer
	out.Grow(len(mail) + 2*len(signature) + 1024)
	out.Write(outer)
	fmt.Fprintf(&out, "Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\";\r\n micalg=\"sha-256\"; boundary=%q\r\n\r\n", boundary)
	fmt.Fprintf(&out, "--%s\r\n%s\r\n--%s\r\n", boundary, entity, boundary)
	out.WriteString("Content-Type: application/pkcs7-signature; name=\"smime.p7s\"\r\nContent-Transfer-Encoding: base64\r\n" +
		"Content-Disposition: attachment; filename=\"smime.p7s\"\r\n\r\n")
	writeBase64(&out, signature)
	fmt.Fprintf(&out, "--%s--\r\n", boundary)
	return out.Bytes(), nil
}

func (s *smimeSigner) detached(content []byte) ([]byte, error) {
	sd, err := pkcs7.NewSignedData(content)
	if err != nil {
		return nil, err
	}
	sd.SetDigestAlgorithm(pkcs7.OIDDigestAlgorithmSHA256)
	if err := sd.AddSigner(s.cert, s.key, pkcs7.SignerInfoConfig{}); err != nil {
		return nil, err
	}
	for _, c := range s.chain {
		sd.AddCertificate(c)
	}
	sd.Detach()
	return sd.Finish()
}

// base64Line is the length of a line, RFC 2045 section 6.8.
const base64Line = 76

func writeBase64(out *bytes.Buffer, data []byte) {
	text := base64.StdEncoding.EncodeToString(data)
	for len(text) > 0 {
		n := min(base64Line, len(text))
		out.WriteString(text[:n])
		out.WriteString("\r\n")
		text = text[n:]
	}
}

// splitEntity parts a mail into the header fields that stay outside and the entity that is signed: the Content- fields,
// an empty line and the body. Line ends are CRLF.
func splitEntity(mail []byte) (outer, entity []byte, err error) {
	header, body, ok := bytes.Cut(mail, []byte("\r\n\r\n"))
	if !ok {
		return nil, nil, errors.New("the mail has no empty line after its header")
	}
	var inner []byte
	mimeVersion, typed, target := false, false, &outer
	for line := range bytes.Lines(append(bytes.Clone(header), '\r', '\n')) {
		if line[0] != ' ' && line[0] != '\t' {
			name := strings.ToLower(string(line[:max(bytes.IndexByte(line, ':'), 0)]))
			target = &outer
			if strings.HasPrefix(name, "content-") {
				target = &inner
			}
			mimeVersion = mimeVersion || name == "mime-version"
			typed = typed || name == "content-type"
		}
		*target = append(*target, line...)
	}
	if !mimeVersion {
		outer = append(outer, "MIME-Version: 1.0\r\n"...)
	}
	if !typed {
		inner = append(inner, "Content-Type: text/plain; charset=us-ascii\r\n"...)
	}
	entity = append(append(inner, '\r', '\n'), body...)
	return outer, entity, nil
}
