package archive

import (
	"fmt"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// MaxBody bounds what is unpacked: no listener takes more, and a damaged row must not fill the memory.
const MaxBody = 64 << 20

var (
	packer = sync.OnceValue(func() *zstd.Encoder {
		e, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(4), zstd.WithLowerEncoderMem(true))
		if err != nil {
			panic(err) // the options are constants
		}
		return e
	})
	unpacker = sync.OnceValue(func() *zstd.Decoder {
		d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecoderMaxMemory(MaxBody))
		if err != nil {
			panic(err) // the options are constants
		}
		return d
	})
)

// The first byte of a packed body says how the rest is kept.
const (
	packedPlain = 0
	packedZstd  = 1
)

// packMin is the size below which compression gains nothing worth its time.
const packMin = 256

// Pack compresses a body for storing.
func Pack(body []byte) []byte {
	if len(body) >= packMin {
		packed := packer().EncodeAll(body, append(make([]byte, 0, len(body)/2+64), packedZstd))
		if len(packed) < len(body) {
			return packed
		}
	}
	return append([]byte{packedPlain}, body...)
}

// Unpack gives the bytes back.
func Unpack(packed []byte) ([]byte, error) {
	if len(packed) == 0 {
		return nil, fmt.Errorf("unpack body: it is empty")
	}
	switch packed[0] {
	case packedPlain:
		return packed[1:], nil
	case packedZstd:
		body, err := unpacker().DecodeAll(packed[1:], nil)
		if err != nil {
			return nil, fmt.Errorf("unpack body: %w", err)
		}
		return body, nil
	}
	return nil, fmt.Errorf("unpack body: its form %d is not known", packed[0])
}
