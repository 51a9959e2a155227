package journal

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"time"

	"callhome/server/archive"
)

const (
	headerSize = 16
	// fixedSize is the part of a payload before its origin: ID, time, key, lane, length of the origin.
	fixedSize = 8 + 8 + 16 + 1 + 4
	align     = 8
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// mark begins every frame of one segment and is found nowhere else: whoever sends messages cannot know it, so no bytes
// of a body are ever taken for a frame, nor is what an older segment left in a file that is used again.
type mark [8]byte

// appendFrame appends an arrival as a frame of the segment with a mark.
func appendFrame(dst []byte, m mark, a *archive.Arrival) ([]byte, error) {
	origin, err := json.Marshal(a.Origin)
	if err != nil {
		return dst, err
	}
	start := len(dst)
	length := fixedSize + len(origin) + len(a.Body)
	dst = append(dst, m[:]...)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(length))
	dst = binary.LittleEndian.AppendUint32(dst, 0)
	dst = binary.LittleEndian.AppendUint64(dst, uint64(a.ID))
	dst = binary.LittleEndian.AppendUint64(dst, uint64(a.ReceivedAt.UnixMicro()))
	dst = append(dst, a.Key[:]...)
	dst = append(dst, a.Lane)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(origin)))
	dst = append(dst, origin...)
	dst = append(dst, a.Body...)
	frame := dst[start:]
	binary.LittleEndian.PutUint32(frame[12:], checksum(frame))
	for (len(dst)-start)%align != 0 {
		dst = append(dst, 0)
	}
	return dst, nil
}

// checksum is that of a frame whose length is known to be right; padding does not count.
func checksum(frame []byte) uint32 {
	sum := crc32.Update(0, castagnoli, frame[headerSize:headerSize+lengthOf(frame)])
	return crc32.Update(sum, castagnoli, frame[:12])
}

// lengthOf is the length of the payload as a header says it.
func lengthOf(frame []byte) int { return int(binary.LittleEndian.Uint32(frame[8:])) }

// frameSize is the size of a frame with its padding.
func frameSize(payload int) int { return (headerSize + payload + align - 1) / align * align }

// frameAt is the size of the frame at the beginning of b, 0 when there is no whole and sound one with the mark.
func frameAt(b []byte, m mark) int {
	if len(b) < headerSize+fixedSize || !bytes.Equal(b[:len(m)], m[:]) {
		return 0
	}
	length := lengthOf(b)
	if length < fixedSize || length > len(b)-headerSize || checksum(b) != binary.LittleEndian.Uint32(b[12:]) {
		return 0
	}
	return frameSize(length)
}

// decode reads a sound frame. The body is a slice of it.
func decode(frame []byte) (archive.Arrival, error) {
	p := frame[headerSize : headerSize+lengthOf(frame)]
	a := archive.Arrival{
		ID:         int64(binary.LittleEndian.Uint64(p)),
		ReceivedAt: time.UnixMicro(int64(binary.LittleEndian.Uint64(p[8:]))).UTC(),
		Key:        archive.Key(p[16:32]),
		Lane:       p[32],
	}
	origin := int(binary.LittleEndian.Uint32(p[33:]))
	if origin > len(p)-fixedSize {
		return a, fmt.Errorf("arrival %d: its origin is longer than its frame", a.ID)
	}
	if err := json.Unmarshal(p[fixedSize:fixedSize+origin], &a.Origin); err != nil {
		return a, fmt.Errorf("arrival %d: origin: %w", a.ID, err)
	}
	a.Body = p[fixedSize+origin:]
	return a, nil
}
