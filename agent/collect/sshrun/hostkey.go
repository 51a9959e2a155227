package sshrun

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"sync"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

// HostKeyError says that a host showed a key that is not known, or not the known one.
type HostKeyError struct {
	Host  string
	Key   ssh.PublicKey
	File  string
	Known bool // another key is known: somebody may be in between
}

// Error names the key's fingerprint and what to do.
func (e *HostKeyError) Error() string {
	print256 := ssh.FingerprintSHA256(e.Key)
	if e.Known {
		return fmt.Sprintf("host key of %s is %s %s, not the one in %s: if the device was replaced remove its line there, else somebody is in between", e.Host, e.Key.Type(), print256, e.File)
	}
	return fmt.Sprintf("host key of %s is not known (%s %s): compare it with the device and add it to %s (ssh-keyscan prints the line), or set trust_on_first_use", e.Host, e.Key.Type(), print256, e.File)
}

// learning is held while a known hosts file is read again and extended, so that two sessions do not both add a key.
var learning sync.Mutex

// hostKeys makes the check of a host's key against the login's file, and the key types to ask the host for: those that
// are known, because a host with several keys would else show us one we cannot judge.
func (l Login) hostKeys(host string) (ssh.HostKeyCallback, []string, error) {
	known, err := l.readKnownHosts()
	if err != nil {
		return nil, nil, err
	}
	check := func(name string, remote net.Addr, key ssh.PublicKey) error {
		err := known(name, remote, key)
		var unknown *knownhosts.KeyError
		if err == nil || !errors.As(err, &unknown) {
			return err
		}
		if len(unknown.Want) == 0 && l.TrustOnFirstUse {
			return l.learn(name, remote, key)
		}
		return &HostKeyError{Host: name, Key: key, File: l.KnownHosts, Known: len(unknown.Want) > 0}
	}
	return check, keyTypes(known, host), nil
}

func (l Login) readKnownHosts() (ssh.HostKeyCallback, error) {
	if l.KnownHosts == "" {
		return knownhosts.New()
	}
	known, err := knownhosts.New(l.KnownHosts)
	if errors.Is(err, os.ErrNotExist) {
		return knownhosts.New()
	}
	if err != nil {
		return nil, fmt.Errorf("known hosts: %w", err)
	}
	return known, nil
}

// learn adds a key, unless another session just added one.
func (l Login) learn(name string, remote net.Addr, key ssh.PublicKey) error {
	learning.Lock()
	defer learning.Unlock()
	known, err := l.readKnownHosts()
	if err != nil {
		return err
	}
	var unknown *knownhosts.KeyError
	if err := known(name, remote, key); err == nil {
		return nil
	} else if errors.As(err, &unknown) && len(unknown.Want) > 0 {
		return &HostKeyError{Host: name, Key: key, File: l.KnownHosts, Known: true}
	}
	f, err := os.OpenFile(l.KnownHosts, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("remember host key of %s: %w", name, err)
	}
	_, werr := fmt.Fprintln(f, knownhosts.Line([]string{knownhosts.Normalize(name)}, key))
	if err := errors.Join(werr, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("remember host key of %s: %w", name, err)
	}
	return nil
}

// keyTypes asks the known hosts with a key that nobody has; the refusal lists the keys there are.
func keyTypes(known ssh.HostKeyCallback, host string) []string {
	probe, err := ssh.NewPublicKey(ed25519.PublicKey(make([]byte, ed25519.PublicKeySize)))
	if err != nil {
		return nil
	}
	var refusal *knownhosts.KeyError
	if !errors.As(known(host, &net.TCPAddr{IP: net.IPv4zero}, probe), &refusal) {
		return nil
	}
	var types []string
	for _, k := range refusal.Want {
		algorithms := []string{k.Key.Type()}
		if k.Key.Type() == ssh.KeyAlgoRSA {
			algorithms = []string{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256, ssh.KeyAlgoRSA}
		}
		for _, a := range algorithms {
			if !slices.Contains(types, a) {
				types = append(types, a)
			}
		}
	}
	return types
}
