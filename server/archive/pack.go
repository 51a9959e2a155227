package archive

import (
	"fmt"

	"github.com/klauspost/compress/s2"
)

// MaxBody bounds what is unpacked: no listener takes more, and a damaged row must not fill the memory.
const MaxBody = 64 << 20

// The first byte of a packed body says how the rest is kept.
const (
	packedPlain = 0
	packedS2    = 1
)

// packMin is the size below which compression gains nothing worth its time.
const packMin = 256

// Pack compresses a body for storing, with S2 (klauspost/compress): it gains less than zstd and takes less time, and the
// time is what bounds how many messages a back end takes.
func Pack(body []byte) []byte {
	if len(body) >= packMin {
		dst := make([]byte, 1+s2.MaxEncodedLen(len(body)))
		dst[0] = packedS2
		if packed := s2.Encode(dst[1:], body); len(packed) < len(body) {
			return dst[:1+len(packed)]
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
	case packedS2:
		size, err := s2.DecodedLen(packed[1:])
		if err == nil && size > MaxBody {
			err = fmt.Errorf("it has %d bytes, more than any message may have", size)
		}
		if err != nil {
			return nil, fmt.Errorf("unpack body: %w", err)
		}
		body, err := s2.Decode(nil, packed[1:])
		if err != nil {
			return nil, fmt.Errorf("unpack body: %w", err)
		}
		return body, nil
	}
	return nil, fmt.Errorf("unpack body: its form %d is not known", packed[0])
}
