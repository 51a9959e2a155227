package outbox

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"sync/atomic"

	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
)

// Packed bytes start with one byte that says how the rest is kept.
const (
	packedPlain = 0
	packedZstd  = 1
	packedS2    = 2
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
	// shortQueue is what is stored, in bytes, up to which bodies are packed quickly: they will be gone in a moment. In a
	// longer queue they are packed small.
	shortQueue = 8 << 20
)

// packer compresses bodies; it is safe for concurrent use.
type packer struct {
	enc   *zstd.Encoder
	dec   *zstd.Decoder
	quick atomic.Bool // the queue is short
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
	p := &packer{enc: enc, dec: dec}
	p.quick.Store(true)
	return p, nil
}

// pack gives the bytes to store for b: compressed where that makes them fewer.
func (p *packer) pack(b []byte) []byte {
	if len(b) >= minPack {
		if p.quick.Load() {
			if packed := packQuick(b); len(packed) <= len(b) {
				return packed
			}
		}
		packed := p.enc.EncodeAll(b, append(make([]byte, 0, 64+len(b)/2), packedZstd))
		if len(packed) <= len(b) {
			return packed
		}
	}
	return append(append(make([]byte, 0, 1+len(b)), packedPlain), b...)
}

// quickHead is what stands before a quickly packed body: its first byte and the checksum of the body, which S2 has not.
const quickHead = 1 + crc32.Size

var checksums = crc32.MakeTable(crc32.Castagnoli)

func packQuick(b []byte) []byte {
	packed := make([]byte, quickHead+s2.MaxEncodedLen(len(b)))
	packed[0] = packedS2
	binary.LittleEndian.PutUint32(packed[1:], crc32.Checksum(b, checksums))
	return packed[:quickHead+len(s2.Encode(packed[quickHead:], b))]
}

func unpackQuick(packed []byte) ([]byte, error) {
	if len(packed) < quickHead {
		return nil, errors.New("stored body is cut off")
	}
	if n, err := s2.DecodedLen(packed[quickHead:]); err != nil || n > maxUnpacked {
		return nil, fmt.Errorf("stored body does not unfold: %w", cmp.Or(err, s2.ErrTooLarge))
	}
	b, err := s2.Decode(nil, packed[quickHead:])
	if err == nil && crc32.Checksum(b, checksums) != binary.LittleEndian.Uint32(packed[1:]) {
		err = errors.New("stored body has changed: its checksum differs")
	}
	return b, err
}

// unpack gives back what was packed; size is a hint of its length.
func (p *packer) unpack(packed []byte, size int) ([]byte, error) {
	switch {
	case len(packed) == 0:
		return nil, fmt.Errorf("stored body is empty")
	case packed[0] == packedPlain:
		return packed[1:], nil
	case packed[0] == packedS2:
		return unpackQuick(packed)
	case packed[0] == packedZstd:
		return p.dec.DecodeAll(packed[1:], make([]byte, 0, min(max(size, 0), maxUnpacked)))
	}
	return nil, fmt.Errorf("stored body begins with byte %d, which this version does not know", packed[0])
}

func (p *packer) close() {
	_ = p.enc.Close() // writes nothing: there is no stream
	p.dec.Close()
}
