package smtpsend

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"mime"
	"mime/multipart"
	netmail "net/mail"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/emersion/go-msgauth/dkim"
	"github.com/smallstep/pkcs7"

	"callhome/trustpoint"
)

const plainMail = "From: callhome@ops.example\r\nTo: noc@ops.example\r\nSubject: System Notification From edge-rtr-7\r\n" +
	"Date: Sat, 14 Mar 2026 09:26:53 +0000\r\nMessage-ID: <1@ops.example>\r\nMIME-Version: 1.0\r\n" +
	"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nfan 2 failed =E2=9A=A0\r\n.dot\r\n\r\nend\r\n"

// keyFile writes a key and returns its file.
func keyFile(t testing.TB, key crypto.Signer) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "key.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// verifyDKIM checks the first signature with the key that "DNS" has.
func verifyDKIM(t testing.TB, signed []byte, key crypto.Signer) error {
	t.Helper()
	record := "v=DKIM1; k=rsa; p="
	public, _ := x509.MarshalPKIXPublicKey(key.Public())
	if pub, ok := key.Public().(ed25519.PublicKey); ok {
		record, public = "v=DKIM1; k=ed25519; p=", pub
	}
	found, err := dkim.VerifyWithOptions(bytes.NewReader(signed), &dkim.VerifyOptions{LookupTXT: func(name string) ([]string, error) {
		if name != "s1._domainkey.ops.example" {
			t.Errorf("asked for %s", name)
		}
		return []string{record + base64.StdEncoding.EncodeToString(public)}, nil
	}})
	if err != nil {
		return err
	}
	if len(found) != 1 {
		t.Fatalf("%d signatures", len(found))
	}
	return found[0].Err
}

func TestDKIM(t *testing.T) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []crypto.Signer{rsaKey, edKey} {
		signer, err := NewSigner(SigningConfig{DKIM: &DKIMConfig{Domain: "ops.example", Selector: "s1", KeyFile: keyFile(t, key)}})
		if err != nil {
			t.Fatal(err)
		}
		for _, in := range []string{plainMail, strings.ReplaceAll(plainMail, "\r\n", "\n")} {
			signed, err := signer.Sign([]byte(in))
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.HasSuffix(signed, []byte(plainMail)) {
				t.Error("the mail below the signature differs")
			}
			k := &sink{}
			if err := newSender(t, nil, Options{}, Server{Host: "127.0.0.1", Port: k.start(t, nil, false)}).Send(t.Context(), envelope(string(signed))); err != nil {
				t.Fatal(err)
			}
			if err := verifyDKIM(t, k.got()[0].body, key); err != nil {
				t.Errorf("%T: after sending: %v", key, err)
			}
			if err := verifyDKIM(t, bytes.Replace(signed, []byte("fan 2"), []byte("fan 3"), 1), key); err == nil {
				t.Errorf("%T: a changed mail verifies", key)
			}
		}
	}
}

func TestSMIMEAndDKIM(t *testing.T) {
	ca, err := trustpoint.NewCA("mail CA", nil)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := ca.Issue(trustpoint.Request{CommonName: "callhome", Client: true})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	certFile, smimeKey := filepath.Join(dir, "c.pem"), filepath.Join(dir, "k.pem")
	if err := trustpoint.WriteKeyPair(cert, certFile, smimeKey); err != nil {
		t.Fatal(err)
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := NewSigner(SigningConfig{
		SMIME: &SMIMEConfig{CertFile: certFile, KeyFile: smimeKey},
		DKIM:  &DKIMConfig{Domain: "ops.example", Selector: "s1", KeyFile: keyFile(t, rsaKey)},
	})
	if err != nil {
		t.Fatal(err)
	}
	signed, err := signer.Sign([]byte(plainMail))
	if err != nil {
		t.Fatal(err)
	}
	if err := verifyDKIM(t, signed, rsaKey); err != nil {
		t.Errorf("DKIM: %v", err)
	}
	msg, err := netmail.ReadMessage(bytes.NewReader(signed))
	if err != nil {
		t.Fatal(err)
	}
	if got := msg.Header.Get("Subject"); got != "System Notification From edge-rtr-7" {
		t.Errorf("subject %q", got)
	}
	media, params, err := mime.ParseMediaType(msg.Header.Get("Content-Type"))
	if err != nil || media != "multipart/signed" || params["micalg"] != "sha-256" {
		t.Fatalf("%s %v %v", media, params, err)
	}
	_, after, _ := bytes.Cut(signed, []byte("--"+params["boundary"]+"\r\n"))
	entity, _, _ := bytes.Cut(after, []byte("\r\n--"+params["boundary"]))
	parts := multipart.NewReader(msg.Body, params["boundary"])
	if _, err := parts.NextPart(); err != nil {
		t.Fatal(err)
	}
	sig, err := parts.NextPart()
	if err != nil {
		t.Fatal(err)
	}
	var raw bytes.Buffer
	_, _ = raw.ReadFrom(sig)
	der, err := base64.StdEncoding.DecodeString(strings.ReplaceAll(raw.String(), "\r\n", ""))
	if err != nil {
		t.Fatal(err)
	}
	p7, err := pkcs7.Parse(der)
	if err != nil {
		t.Fatal(err)
	}
	p7.Content = entity
	pool := x509.NewCertPool()
	pool.AddCert(ca.Cert)
	if err := p7.VerifyWithChain(pool); err != nil {
		t.Errorf("S/MIME: %v", err)
	}
	if !bytes.HasPrefix(entity, []byte("Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nfan 2")) {
		t.Errorf("the signed entity begins %q", entity[:80])
	}
	p7.Content = append(bytes.Clone(entity), 'x')
	if p7.VerifyWithChain(pool) == nil {
		t.Error("changed content verifies")
	}
}

func TestSignerFaults(t *testing.T) {
	short, err := rsa.GenerateKey(rand.Reader, 1024) // what is refused
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []SigningConfig{
		{DKIM: &DKIMConfig{Domain: "d", Selector: "s"}},
		{DKIM: &DKIMConfig{Domain: "d", Selector: "s", KeyFile: "nowhere"}},
		{DKIM: &DKIMConfig{Domain: "d", Selector: "s", KeyFile: keyFile(t, short)}},
		{SMIME: &SMIMEConfig{CertFile: "nowhere"}},
		{SMIME: &SMIMEConfig{CertFile: "nowhere", KeyFile: "nowhere"}},
	} {
		if _, err := NewSigner(c); err == nil {
			t.Errorf("%+v: no fault", c)
		}
	}
	if s, err := NewSigner(SigningConfig{}); s != nil || err != nil {
		t.Errorf("nothing to sign: %v, %v", s, err)
	}
}

func FuzzSplitEntity(f *testing.F) {
	f.Add([]byte(plainMail))
	f.Add([]byte("a\r\n\r\n"))
	f.Add([]byte(" folded first\r\nContent-type: x\r\n y\r\n\r\n"))
	f.Fuzz(func(t *testing.T, in []byte) {
		mail := canonicalLines(in)
		if bytes.Count(mail, []byte("\n")) != bytes.Count(mail, []byte("\r\n")) || bytes.Count(mail, []byte("\r")) != bytes.Count(mail, []byte("\r\n")) {
			t.Fatalf("line ends of %q", mail)
		}
		if !bytes.Equal(canonicalLines(mail), mail) {
			t.Fatal("canonical lines change again")
		}
		_, entity, err := splitEntity(mail)
		if err != nil {
			return
		}
		_, body, _ := bytes.Cut(mail, []byte("\r\n\r\n"))
		if !bytes.HasSuffix(entity, body) {
			t.Fatal("the body changed")
		}
	})
}
