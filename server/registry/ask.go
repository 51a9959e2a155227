package registry

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"net/mail"
	"strings"
	"time"

	"callhome"
)

// What a contact is sent.
const (
	tokenBytes = 32 // 256 bits: nobody guesses a link
	codeLength = 10 // 50 bits in letters that are not mistaken for each other, typed by hand
	// maxFailures wrong codes end all codes of a device; a new inventory message brings new ones.
	maxFailures = 10
)

// codeLetters are 32: no I, L, O, U, which are misread.
const codeLetters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

func newToken() string {
	var b [tokenBytes]byte
	_, _ = rand.Read(b[:]) // never fails
	return base64.RawURLEncoding.EncodeToString(b[:])
}

func newCode() string {
	var b [codeLength]byte
	_, _ = rand.Read(b[:])
	for i := range b {
		b[i] = codeLetters[b[i]&31]
	}
	return string(b[:])
}

func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

// codeDigest binds a code to its link, so that equal codes differ.
func codeDigest(tokenDigest, code string) string {
	return digest(tokenDigest + "\x00" + plainCode(code))
}

// plainCode is a code as typed by a person.
func plainCode(code string) string {
	return strings.NewReplacer("-", "", " ", "", "O", "0", "I", "1", "L", "1").Replace(strings.ToUpper(strings.TrimSpace(code)))
}

// maxAddress is the longest mail address (RFC 5321, section 4.5.3.1.3, without its brackets).
const maxAddress = 254

// plainAddress reports whether s is one mail address and nothing else.
func plainAddress(s string) bool {
	if s == "" || len(s) > maxAddress {
		return false
	}
	a, err := mail.ParseAddress(s)
	return err == nil && a.Address == s && a.Name == ""
}

// askContact makes the question to a device's contact: link and code in the notice, their digests in the store.
func askContact(ctx context.Context, s Requests, d *Device, at time.Time) (Notice, error) {
	token, code := newToken(), newCode()
	r := &Request{Token: digest(token), Device: d.ID, To: d.ContactEmail, SentAt: at, Until: at.Add(linkLifetime)}
	r.Code = codeDigest(r.Token, code)
	if err := s.AddRequest(ctx, r); err != nil {
		return Notice{}, err
	}
	d.MailedAt = at
	n := noticeOf(NoticeRegistrationRequired, d)
	n.To, n.Until, n.Link, n.Code = d.ContactEmail, r.Until, callhome.NewSecret(token), callhome.NewSecret(code)
	if n.Contract == "" {
		n.Contract = d.Contract
	}
	return n, nil
}

// possession reports whether a token or a code proves that its bearer reads the contact's mail.
func possession(ctx context.Context, s Requests, o *ConfirmOrder, d *Device, at time.Time) (bool, error) {
	requests, err := s.RequestsOf(ctx, d.ID)
	if err != nil {
		return false, err
	}
	for k := range requests {
		r := &requests[k]
		switch {
		case !at.Before(r.Until), r.Failures >= maxFailures:
		case o.Token.Reveal() != "" && equal(r.Token, digest(o.Token.Reveal())):
			return true, nil
		case o.Code.Reveal() != "" && equal(r.Code, codeDigest(r.Token, o.Code.Reveal())):
			return true, nil
		}
	}
	return false, nil
}

func equal(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }
