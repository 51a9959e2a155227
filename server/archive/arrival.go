package archive

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"hash/fnv"
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

// Key tells a repeat: equal for two arrivals that are the same message of the same device.
type Key [16]byte

// KeyOf is the key of a message with an ID.
func KeyOf(device callhome.DeviceID, id callhome.MessageID) Key {
	return keyOf([]byte(device), []byte{0}, []byte(id))
}

// KeyOfBody is the key of what has no message ID.
func KeyOfBody(body []byte) Key { return keyOf([]byte{1}, body) }

func keyOf(parts ...[]byte) (k Key) {
	h := sha256.New()
	for _, p := range parts {
		h.Write(p)
	}
	copy(k[:], h.Sum(nil))
	return k
}

// Lanes is the number of lanes: as many workers can work at once at most, and each looks this number up when it claims.
const Lanes = 64

// LaneOf is the lane of a device, or of a sender whose device is not known.
func LaneOf(device string) uint8 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(device))
	return uint8(h.Sum32() % Lanes)
}

// ShortKey is a key as a number, for indexes in memory.
func (k Key) ShortKey() uint64 { return binary.LittleEndian.Uint64(k[:]) }

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
