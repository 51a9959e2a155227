package archive

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"callhome"
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
	if KeyOf("a", "bc") == KeyOf("ab", "c") || KeyOf("a", "b") == KeyOfBody([]byte("a\x00b")) {
		t.Error("keys of different messages are equal")
	}
	if again := KeyOf("a", "b"); again != KeyOf("a", callhome.MessageID([]byte("b"))) {
		t.Error("the key of the same message is another")
	}
	early, late := KeyOf("z", "M9:FOX:69B528DD"), KeyOf("a", "M1:ABC:69B528DE")
	if bytes.Compare(early[:], late[:]) >= 0 {
		t.Error("keys are not in the order of time")
	}
	for id, want := range map[callhome.MessageID]int64{"M1:FOX:69B528DD": 0x69B528DD, "1:F:OX:69b528dd": 0x69B528DD, "M1:FOX:69B528DD#2": 0x69B528DD, "": 0, "x": 0, "a:b:c": 0, "a:69B528DZ": 0} {
		if got := IDTime(id); got != want {
			t.Errorf("IDTime(%q) = %d, want %d", id, got, want)
		}
	}
}

func FuzzUnpack(f *testing.F) {
	f.Add(Pack(bytes.Repeat([]byte("x"), 999)))
	f.Fuzz(func(_ *testing.T, b []byte) { _, _ = Unpack(b) })
}
