package analysis

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"callhome"
)

const smallPack = "name: small\nversion: '1'\nrules:\n  - id: small-rule\n    name: R\n    class: hardware\n    outcome: information\n    title: T\n    diagnosis: D\n    match: {on: '%SYS-RELOAD'}\n"

func TestSignedPacks(t *testing.T) {
	private, public, err := GenerateKey("noc")
	if err != nil {
		t.Fatal(err)
	}
	_, stranger, err := GenerateKey("someone else")
	if err != nil {
		t.Fatal(err)
	}
	signature, signer, err := Sign([]byte(smallPack), private)
	if err != nil || signer.Fingerprint() != public.Fingerprint() {
		t.Fatalf("Sign: %v, key %s, want %s", err, signer.Fingerprint(), public.Fingerprint())
	}
	for _, c := range []struct {
		name      string
		pack      string
		signature string // "" no file
		trusted   []PublicKey
		unsigned  bool
		words     string // of the refusal, "" none
		signer    string
	}{
		{"signed", smallPack, string(signature), []PublicKey{stranger, public}, false, "", public.Fingerprint()},
		{"changed", smallPack + "# x\n", string(signature), []PublicKey{public}, false, "was changed after", ""},
		{"changed, though unsigned packs are allowed", smallPack + "# x\n", string(signature), []PublicKey{public}, true, "was changed after", ""},
		{"stranger", smallPack, string(signature), []PublicKey{stranger}, true, "is not trusted", ""},
		{"damaged", smallPack, "callhome-rule-sig-1 x y\n", []PublicKey{public}, false, "is damaged", ""},
		{"no signature file form", smallPack, "hello", []PublicKey{public}, false, "is damaged", ""},
		{"unsigned, refused", smallPack, "", []PublicKey{public}, false, "is not signed", ""},
		{"unsigned, allowed", smallPack, "", []PublicKey{public}, true, "", ""},
		{"no key", smallPack, string(signature), nil, false, "no key is trusted", ""},
		{"no key, allowed", smallPack, string(signature), nil, true, "", ""},
	} {
		dir := t.TempDir()
		write(t, filepath.Join(dir, "small.yaml"), c.pack)
		if c.signature != "" {
			write(t, filepath.Join(dir, "small.yaml.sig"), c.signature)
		}
		packs, err := LoadDir(dir, c.trusted, c.unsigned)
		switch {
		case c.words != "":
			if err == nil || !strings.Contains(err.Error(), c.words) || callhome.KindOf(err) != callhome.KindDenied || packs != nil {
				t.Errorf("%s: got %v, %v; want a refusal with %q", c.name, packs, err, c.words)
			}
		case err != nil || len(packs) != 1 || packs[0].Signer != c.signer:
			t.Errorf("%s: got %v, %v; want the pack with signer %q", c.name, packs, err, c.signer)
		}
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestParsePublicKeys(t *testing.T) {
	private, public, err := GenerateKey("noc of acme")
	if err != nil {
		t.Fatal(err)
	}
	keys, err := ParsePublicKeys("keys", []byte("# ours\n\n"+public.String()+"\n"))
	if err != nil || len(keys) != 1 || keys[0].Fingerprint() != public.Fingerprint() || keys[0].Comment != "noc of acme" {
		t.Errorf("got %v, %v", keys, err)
	}
	for text, words := range map[string]string{
		private.Reveal():                      "this is a private key",
		"ssh-ed25519 AAAA":                    "no public key",
		"callhome-rule-key-1 public AAAA noc": "is damaged",
	} {
		if _, err := ParsePublicKeys("keys", []byte("\n"+text)); err == nil || !strings.Contains(err.Error(), words) || !strings.HasPrefix(err.Error(), "keys:2:1: ") {
			t.Errorf("got %v, want keys:2:1: …%s…", err, words)
		}
	}
	if _, _, err := Sign([]byte(smallPack), callhome.NewSecret(public.String())); callhome.KindOf(err) != callhome.KindInvalid {
		t.Errorf("Sign with a public key: %v", err)
	}
}

func TestLoadDirRefusesWhatIsNoFile(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "x.yaml"), 0o700); err != nil {
		t.Fatal(err)
	}
	if packs, err := LoadDir(dir, nil, true); err != nil || packs != nil {
		t.Errorf("a folder called x.yaml: %v, %v", packs, err)
	}
	if _, err := LoadFile(filepath.Join(dir, "x.yaml"), nil, true); callhome.KindOf(err) != callhome.KindInvalid {
		t.Errorf("LoadFile of a folder: %v", err)
	}
	if _, err := LoadDir(filepath.Join(dir, "nothing"), nil, true); callhome.KindOf(err) != callhome.KindNotFound {
		t.Errorf("LoadDir of nothing: %v", err)
	}
	write(t, filepath.Join(dir, "big.yaml"), strings.Repeat("#\n", maxPackBytes))
	if _, err := LoadDir(dir, nil, true); err == nil || !strings.Contains(err.Error(), "longer than") {
		t.Errorf("a pack of %d bytes: %v", 2*maxPackBytes, err)
	}
}
