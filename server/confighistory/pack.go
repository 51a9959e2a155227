package confighistory

import (
	"crypto/sha256"
	"encoding/hex"
	"sync"

	"callhome"

	"github.com/klauspost/compress/zstd"
)

// Blob is a text as it is kept: compressed, named by what it holds.
type Blob struct {
	Hash string // of the text
	Size int    // bytes of the text
	Data []byte // zstd
}

var (
	packer = sync.OnceValue(func() *zstd.Encoder {
		e, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedDefault), zstd.WithEncoderConcurrency(2), zstd.WithLowerEncoderMem(true))
		if err != nil { // the options are constant
			panic(err)
		}
		return e
	})
	unpacker = sync.OnceValue(func() *zstd.Decoder {
		d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecoderMaxMemory(MaxText+1))
		if err != nil {
			panic(err)
		}
		return d
	})
)

func pack(text string) Blob {
	sum := sha256.Sum256([]byte(text))
	return Blob{Hash: hex.EncodeToString(sum[:]), Size: len(text), Data: packer().EncodeAll([]byte(text), nil)}
}

func unpack(data []byte) (string, error) {
	text, err := unpacker().DecodeAll(data, nil)
	if err != nil {
		return "", callhome.Errorf(callhome.KindInternal, "read a stored configuration: %w", err)
	}
	return string(text), nil
}
