package outbox

import (
	"bytes"
	"strings"
	"testing"
)

func newTestPacker(t testing.TB) *packer {
	t.Helper()
	p, err := newPacker()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.close)
	return p
}

func FuzzPack(f *testing.F) {
	p := newTestPacker(f)
	f.Add([]byte{})
	f.Add([]byte("short"))
	f.Add([]byte(strings.Repeat("GigabitEthernet0/1 is up\n", 100)))
	f.Fuzz(func(t *testing.T, body []byte) {
		p.quick.Store(len(body)%2 == 0)
		packed := p.pack(body)
		if len(packed) > len(body)+1 {
			t.Errorf("packed %d bytes into %d", len(body), len(packed))
		}
		for _, hint := range []int{len(body), 0, -1} {
			if got, err := p.unpack(packed, hint); err != nil || !bytes.Equal(got, body) {
				t.Errorf("round trip: got %q (%v), want %q", got, err, body)
			}
		}
		_, _ = p.unpack(body, 10) // whatever a disk gives back: no panic
	})
}

func TestUnpackRefusesBombs(t *testing.T) {
	for _, quick := range []bool{true, false} {
		p := newTestPacker(t)
		p.quick.Store(quick)
		refusesBombs(t, p)
	}
}

func TestADamagedBodyIsNotGiven(t *testing.T) {
	p := newTestPacker(t)
	body := []byte(strings.Repeat("GigabitEthernet0/1 is up, line protocol is up\n", 20))
	for _, quick := range []bool{true, false} {
		p.quick.Store(quick)
		packed := p.pack(body)
		for i := range packed {
			damaged := bytes.Clone(packed)
			damaged[i] ^= 0x20
			if got, err := p.unpack(damaged, len(body)); err == nil && !bytes.Equal(got, body) {
				t.Fatalf("quick %v: byte %d: got %q", quick, i, got)
			}
		}
	}
}

func refusesBombs(t *testing.T, p *packer) {
	bomb := p.pack(make([]byte, maxUnpacked+1))
	if len(bomb) > 1<<20 {
		t.Fatalf("the bomb has %d bytes", len(bomb))
	}
	if _, err := p.unpack(bomb, 0); err == nil {
		t.Error("a body beyond the limit was unpacked")
	}
	for _, bad := range [][]byte{nil, {9, 1, 2}, {packedZstd}, {packedZstd, 1, 2, 3}, {packedS2}, {packedS2, 1, 2, 3, 4}, {packedS2, 1, 2, 3, 4, 0xff, 0xff, 0xff, 0xff, 0xf}} {
		if got, err := p.unpack(bad, 0); err == nil && len(got) > 0 {
			t.Errorf("unpack(%v): got %q", bad, got)
		}
	}
}
