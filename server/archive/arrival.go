package archive

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"hash/fnv"
	"strconv"
	"strings"
	"time"

	"callhome"
)

// Arrival is a message that was taken and waits to be worked.
type Arrival struct {
	ID         int64 // grows with time
	ReceivedAt time.Time
	Origin     Origin
	Key        Key
	Lane       uint8 // arrivals of one lane are worked in the order of their IDs
	Body       []byte

	Read any // what a worker made of it ahead of the transaction; not kept
}

// Prepare reads arrivals ahead of their transaction and leaves what it made in Read; it must not need the database.
type Prepare func([]Arrival)

// Origin says where an arrival came from. What a peer says of itself is a claim; what TLS says was proved.
type Origin struct {
	Transport   callhome.Transport `json:"transport"`
	Peer        string             `json:"peer,omitempty"` // address of the sender
	Path        string             `json:"path,omitempty"` // HTTP
	UserAgent   string             `json:"user_agent,omitempty"`
	MailFrom    string             `json:"mail_from,omitempty"`
	MailTo      string             `json:"mail_to,omitempty"`
	TLS         string             `json:"tls,omitempty"`         // version, "" in the clear
	Certificate string             `json:"certificate,omitempty"` // fingerprint of the verified client certificate
	Gateway     string             `json:"gateway,omitempty"`     // name in that certificate, or of the token that was shown
	Refused     string             `json:"refused,omitempty"`     // why the sender was refused; the bytes are kept for people
}

// Key tells a repeat: equal for two arrivals that are the same message of the same device. It begins with the time that
// stands in the message's ID: keys of messages that arrive about the same time lie beside each other in an index, which
// then need not be read from all over the disk.
type Key [16]byte

// KeyOf is the key of a message with an ID.
func KeyOf(device callhome.DeviceID, id callhome.MessageID) Key {
	return keyOf(IDTime(id), []byte(device), []byte{0}, []byte(id))
}

// KeyOfBody is the key of what has no message ID.
func KeyOfBody(body []byte) Key { return keyOf(0, []byte{1}, body) }

func keyOf(seconds int64, parts ...[]byte) (k Key) {
	h := sha256.New()
	for _, p := range parts {
		h.Write(p)
	}
	binary.BigEndian.PutUint64(k[:8], uint64(seconds))
	var sum [sha256.Size]byte
	copy(k[8:], h.Sum(sum[:0]))
	return k
}

// idTimeDigits is the length of the time in a message ID.
const idTimeDigits = 8

// IDTime is the time at the end of a message ID of the form M<n>:<serial>:<hexadecimal seconds>, 0 of others.
func IDTime(id callhome.MessageID) int64 {
	i := strings.LastIndexByte(string(id), ':')
	if i < 0 || len(id)-i-1 < idTimeDigits {
		return 0
	}
	seconds, err := strconv.ParseUint(string(id[i+1:i+1+idTimeDigits]), 16, 32)
	if err != nil {
		return 0
	}
	return int64(seconds)
}

// Lanes is the number of lanes: as many workers can work at once at most, and each looks this number up when it claims.
const Lanes = 64

// LaneOf is the lane of a device, or of a sender whose device is not known.
func LaneOf(device string) uint8 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(device))
	return uint8(h.Sum32() % Lanes)
}

// Put is what became of an arrival that was handed to an Intake.
type Put struct {
	ID        int64 // of the arrival, or of the one it repeats when that is known
	Duplicate bool  // it is here already, durably
}

// Intake keeps arrivals until they are worked.
type Intake interface {
	// Put makes an arrival durable; it is when nil is returned. The ID is given by the Intake. A repeat of a key within
	// [DuplicateWindow] is not kept again. An error of callhome.KindUnavailable means full or broken: the sender keeps
	// its message.
	Put(ctx context.Context, a *Arrival) (Put, error)

	// Backlog is how many arrivals wait, and since when the oldest does.
	Backlog(ctx context.Context) (Backlog, error)
}

// Backlog is what waits to be worked.
type Backlog struct {
	Arrivals int64     `json:"arrivals"`
	Bytes    int64     `json:"bytes"`
	OldestAt time.Time `json:"oldest_at,omitzero"`
}

// DuplicateWindow is how long a message is recognised as a repeat: three times what a device's agent tries for.
const DuplicateWindow = 45 * 24 * time.Hour
