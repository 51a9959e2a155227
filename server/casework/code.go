package casework

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"math/big"
	"strings"
	"sync"
	"time"

	"callhome"
)

// codeAlphabet leaves out what is mistaken for another character when read from a pager or said on the phone.
const codeAlphabet = "23456789ABCDEFGHJKMNPQRSTVWXYZ"

// codeLength: 30^6 codes are 729 million. With a thousand open cases and the rate below, a guesser needs about eight
// days for one hit on average, and wins that somebody is taken to have seen a page.
const codeLength = 6

func newCode() (string, error) {
	b := make([]byte, codeLength)
	for i := range b {
		n, err := rand.Int(rand.Reader, big.NewInt(int64(len(codeAlphabet))))
		if err != nil {
			return "", err
		}
		b[i] = codeAlphabet[n.Int64()]
	}
	return string(b), nil
}

// normalCode reads a code as people type it: lower case, blanks, dashes, and the letters that the alphabet leaves out.
func normalCode(s string) (string, bool) {
	s = strings.NewReplacer(" ", "", "-", "").Replace(strings.ToUpper(s))
	if len(s) != codeLength {
		return "", false
	}
	for i := range len(s) {
		if strings.IndexByte(codeAlphabet, s[i]) < 0 {
			return "", false
		}
	}
	return s, true
}

// CodeHash is what a store finds a code by: a digest, so that the time of the search tells nothing about the code.
func CodeHash(code string) string {
	sum := sha256.Sum256([]byte("callhome case code " + code))
	return hex.EncodeToString(sum[:])
}

// SameText compares codes and marks in constant time.
func SameText(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// Rates of tries to acknowledge by code: a person mistypes twice, a program guesses.
const (
	triesPerSource = 5
	triesTogether  = 60
	triesWindow    = time.Minute
	maxSources     = 4096 // remembered at a time; beyond it only the common rate holds
)

// tries counts who tried codes within the last minute. It belongs to one process: several servers allow so much each.
type tries struct {
	mu      sync.Mutex
	since   time.Time
	all     int
	sources map[string]int
}

// allow counts a try and says whether it may go on.
func (t *tries) allow(source string, now time.Time) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if now.Sub(t.since) >= triesWindow || now.Before(t.since) {
		t.since, t.all, t.sources = now, 0, map[string]int{}
	}
	t.all++
	if _, known := t.sources[source]; known || len(t.sources) < maxSources {
		t.sources[source]++
	}
	if t.all > triesTogether || t.sources[source] > triesPerSource {
		return callhome.Errorf(callhome.KindUnavailable, "too many codes were tried; try again in a minute")
	}
	return nil
}
