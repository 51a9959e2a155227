package outbox

import (
	"fmt"

	"github.com/klauspost/compress/zstd"
)

// Packed bytes start with one byte that says how the rest is kept.
const (
	packedPlain = 0
	packedZstd  = 1
)

const (
	// minPack is the size below which compression saves less than it costs.
	minPack = 256
	// maxUnpacked bounds what a stored body may unfold to: a message of the greatest size (5 MB) and an alert that
	// carries one, with room for JSON's escapes.
	maxUnpacked = 64 << 20
	// packWindow is how far back the compressor looks. Device output repeats itself within a few lines; a small window
	// keeps the compressor's memory at a few hundred KiB.
	packWindow = 128 << 10
)

// packer compresses bodies; it is safe for concurrent use.
type packer struct {
	enc *zstd.Encoder
	dec *zstd.Decoder
}

func newPacker() (*packer, error) {
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithWindowSize(packWindow),
		zstd.WithLowerEncoderMem(true), zstd.WithEncoderCRC(true))
	if err != nil {
		return nil, err
	}
	dec, err := zstd.NewReader(nil, zstd.WithDecoderLowmem(true), zstd.WithDecoderConcurrency(0), zstd.WithDecoderMaxMemory(maxUnpacked))
	if err != nil {
		return nil, err
	}
	return &packer{enc: enc, dec: dec}, nil
}

// pack gives the bytes to store for b: compressed where that makes them fewer.
func (p *packer) pack(b []byte) []byte {
	if len(b) >= minPack {
		packed := p.enc.EncodeAll(b, append(make([]byte, 0, 64+len(b)/2), packedZstd))
		if len(packed) <= len(b) {
			return packed
		}
	}
	return append(append(make([]byte, 0, 1+len(b)), packedPlain), b...)
}

// unpack gives back what was packed; size is a hint of its length.
func (p *packer) unpack(packed []byte, size int) ([]byte, error) {
	switch {
	case len(packed) == 0:
		return nil, fmt.Errorf("stored body is empty")
	case packed[0] == packedPlain:
		return packed[1:], nil
	case packed[0] == packedZstd:
		return p.dec.DecodeAll(packed[1:], make([]byte, 0, min(max(size, 0), maxUnpacked)))
	}
	return nil, fmt.Errorf("stored body begins with byte %d, which this version does not know", packed[0])
}

func (p *packer) close() {
	_ = p.enc.Close() // writes nothing: there is no stream
	p.dec.Close()
}
