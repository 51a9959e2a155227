package account

import (
	"context"
	"strings"
	"unicode/utf8"

	"github.com/alexedwards/argon2id"

	"callhome"
)

// Rules of passwords: length counts, composition does not (NIST SP 800-63B, section 5.1.1.2).
const (
	minPassword = 12
	maxPassword = 256 // hashing longer ones only costs time
	minLetters  = 5   // different characters: neither "aaaaaaaaaaaa" nor "121212121212"
)

// hashing costs 64 MiB and some 60 ms a time; see the figures of argon2id.DefaultParams. Parallelism is fixed, so that a
// hash does not depend on the machine that made it.
var hashing = &argon2id.Params{Memory: 64 * 1024, Iterations: 1, Parallelism: 2, SaltLength: 16, KeyLength: 32}

// hashersAtOnce bounds the memory that sign-ins take together: strangers can ask for them.
const hashersAtOnce = 3

// hashers lets hashersAtOnce of them work.
var hashers = make(chan struct{}, hashersAtOnce)

func withHasher(ctx context.Context, f func() error) error {
	select {
	case hashers <- struct{}{}:
	case <-ctx.Done():
		return callhome.Errorf(callhome.KindUnavailable, "too many sign-ins at once; try again")
	}
	defer func() { <-hashers }()
	return f()
}

// commonPasswords are beginnings and whole words that guessers try first, of the length that passes otherwise.
var commonPasswords = []string{
	"123456789012", "1234567890123", "password1234", "passwordpassword", "qwertyuiop12", "qwertyuiopas", "administrator", "letmeinletmein",
	"iloveyou1234", "welcome12345", "changeme1234", "adminadmin12", "cisco1234567", "ciscocisco12", "callhome1234", "abcdefghijkl", "1q2w3e4r5t6y",
	"default12345", "supersecret1", "secretsecret", "masterpassword", "monitoring12",
}

// CheckPassword names what is wrong with a password for a person, as an error of KindInvalid.
func CheckPassword(password string, u *User) error {
	n := utf8.RuneCountInString(password)
	lower := strings.ToLower(password)
	switch {
	case !utf8.ValidString(password):
		return callhome.Errorf(callhome.KindInvalid, "the password is not text")
	case n < minPassword:
		return callhome.Errorf(callhome.KindInvalid, "the password has %d characters; it needs at least %d, such as four words in a row", n, minPassword)
	case len(password) > maxPassword:
		return callhome.Errorf(callhome.KindInvalid, "the password is longer than %d bytes", maxPassword)
	case differentRunes(password) < minLetters:
		return callhome.Errorf(callhome.KindInvalid, "the password repeats the same characters")
	}
	for _, common := range commonPasswords {
		if strings.HasPrefix(lower, common) {
			return callhome.Errorf(callhome.KindInvalid, "the password is one that is tried first")
		}
	}
	local, _, _ := strings.Cut(strings.ToLower(u.Email), "@")
	for _, own := range []string{strings.ToLower(u.Name), local} {
		if len(own) >= 4 && strings.Contains(lower, own) {
			return callhome.Errorf(callhome.KindInvalid, "the password contains the user's name or mail address")
		}
	}
	return nil
}

func differentRunes(s string) int {
	seen := map[rune]bool{}
	for _, r := range s {
		seen[r] = true
	}
	return len(seen)
}

// hashPassword is what is stored of a password.
func hashPassword(ctx context.Context, password string) (hash string, err error) {
	err = withHasher(ctx, func() error {
		hash, err = argon2id.CreateHash(password, hashing)
		return err
	})
	return hash, err
}

// nobody is the hash of a password that nobody has: a sign-in with an unknown name takes as long as any other.
var nobody = "$argon2id$v=19$m=65536,t=1,p=2$bm9ib2R5bm9ib2R5bm9ibw$" + strings.Repeat("A", 43)

// verifyPassword reports whether a password fits a hash, in a time that does not depend on either.
func verifyPassword(ctx context.Context, password, hash string) (fits bool, err error) {
	known := hash != ""
	if !known {
		hash = nobody
	}
	err = withHasher(ctx, func() error {
		fits, err = argon2id.ComparePasswordAndHash(password[:min(len(password), maxPassword+1)], hash)
		return err
	})
	return fits && known, err
}
