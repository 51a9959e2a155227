package archive

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

func TestPack(t *testing.T) {
	noise := make([]byte, 5000)
	for i := range noise {
		noise[i] = byte(rand.Uint32())
	}
	for name, body := range map[string][]byte{
		"empty": {}, "short": []byte("<a/>"), "text": bytes.Repeat([]byte("show interfaces "), 1000), "noise": noise,
	} {
		packed := Pack(body)
		got, err := Unpack(packed)
		if err != nil || !bytes.Equal(got, body) {
			t.Errorf("%s: %d bytes come back as %d, %v", name, len(body), len(got), err)
		}
		if name == "text" && len(packed) > len(body)/10 {
			t.Errorf("%d bytes of text are packed into %d", len(body), len(packed))
		}
	}
	for _, bad := range [][]byte{nil, {9, 1}, {packedS2}, {packedS2, 0xff, 0xff, 0xff, 0xff, 0x0f, 1}, Pack(bytes.Repeat([]byte("x"), 999))[:10]} {
		if _, err := Unpack(bad); err == nil {
			t.Errorf("%v is unpacked", bad)
		}
	}
}

func TestKeys(t *testing.T) {
	if KeyOf("a", "bc") == KeyOf("ab", "c") || KeyOf("a", "b") == KeyOfBody([]byte("a\x00b")) || KeyOf("a", "b") != KeyOf("a", "b") {
		t.Error("keys of different messages are equal, or of the same not")
	}
}

func FuzzUnpack(f *testing.F) {
	f.Add(Pack(bytes.Repeat([]byte("x"), 999)))
	f.Fuzz(func(_ *testing.T, b []byte) { _, _ = Unpack(b) })
}
