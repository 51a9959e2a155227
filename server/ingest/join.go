package ingest

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"callhome"
	"callhome/server/account"
	"callhome/server/archive"
)

const (
	// JoinTime is how long blocks wait for their siblings: a device sends them one after the other.
	JoinTime = time.Hour
	// maxBlocks bounds the blocks of one message: the largest message is a few MiB, and blocks are not small.
	maxBlocks = 64
	// flagIncomplete marks a message some of whose blocks never came.
	flagIncomplete = "blocks_missing"
)

// Waiting is a block that came before its siblings.
type Waiting struct {
	Group  string // device and group ID
	Number int
	IsLast bool
	ID     int64 // of its record in the archive
	At     time.Time
}

// Store keeps the blocks that wait. All is called within the transaction of the message.
type Store interface {
	// AddBlock keeps a block; the same number of the same group replaces it.
	AddBlock(ctx context.Context, w Waiting) error
	// Blocks gives the blocks of a group by number.
	Blocks(ctx context.Context, group string) ([]Waiting, error)
	// DropBlocks forgets a group.
	DropBlocks(ctx context.Context, group string) error
	// OverdueBlocks names up to limit groups whose first block came before a moment.
	OverdueBlocks(ctx context.Context, before time.Time, limit int) ([]string, error)
}

// IsBlock reports whether a message is one of several.
func (acc *Accepted) IsBlock() bool {
	b := acc.Message.Block
	return acc.Fault == "" && b != nil && (b.Number != 0 || !b.IsLast)
}

func blockName(b *callhome.Block) string { return strconv.Itoa(b.Number) }

// Joined is a message whose blocks have all come, or will not come any more.
type Joined struct {
	*Accepted         // with the record of the first block
	Others    []int64 // records of the other blocks
}

// Join keeps a block and, when it was the last one missing, gives the whole message; nil while others are missing. The
// block's own record must be stored, as its siblings' are.
func Join(ctx context.Context, s Store, bodies archive.Store, acc *Accepted) (*Joined, error) {
	b := acc.Message.Block
	group := blockGroup(acc)
	w := Waiting{Group: group, Number: b.Number, IsLast: b.IsLast, ID: acc.Record.ID, At: acc.Record.ReceivedAt}
	if b.Number < 0 || b.Number >= maxBlocks {
		return nil, callhome.Errorf(callhome.KindInvalid, "block %d of %s: a message has at most %d blocks", b.Number, group, maxBlocks)
	}
	if err := s.AddBlock(ctx, w); err != nil {
		return nil, err
	}
	blocks, err := s.Blocks(ctx, group)
	if err != nil || !whole(blocks) {
		return nil, err
	}
	return gather(ctx, s, bodies, group, blocks)
}

// JoinOverdue gives a message of which some blocks did not come in time; nil when nothing of it is left.
func JoinOverdue(ctx context.Context, s Store, bodies archive.Store, group string) (*Joined, error) {
	blocks, err := s.Blocks(ctx, group)
	if err != nil || len(blocks) == 0 {
		return nil, err
	}
	return gather(ctx, s, bodies, group, blocks)
}

func blockGroup(acc *Accepted) string {
	m := &acc.Message
	group := m.GroupID
	if group == "" {
		group = string(m.MessageID)
	}
	// What was proved counts: a stranger's block never completes the message of somebody who showed a certificate.
	o := &acc.Record.Origin
	return strings.Join([]string{string(acc.Record.DeviceID), group, o.Certificate, o.Gateway}, " ")
}

// whole reports whether blocks 0 to the last one are there.
func whole(blocks []Waiting) bool {
	for i, b := range blocks {
		if b.Number != i {
			return false
		}
		if b.IsLast {
			return i == len(blocks)-1
		}
	}
	return false
}

// gather reads the blocks again and makes one message of them.
func gather(ctx context.Context, s Store, bodies archive.Store, group string, blocks []Waiting) (*Joined, error) {
	var parts []*Accepted
	for _, b := range blocks {
		body, ok, err := bodies.Body(ctx, b.ID)
		if err != nil {
			return nil, err
		}
		if !ok { // purged meanwhile
			continue
		}
		r, ok, err := bodies.Record(ctx, b.ID, account.Everywhere())
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		part := Decode(&archive.Arrival{ID: b.ID, ReceivedAt: b.At, Body: body, Origin: r.Origin})
		if part.Fault == "" {
			parts = append(parts, part)
		}
	}
	if err := s.DropBlocks(ctx, group); err != nil || len(parts) == 0 {
		return nil, err
	}
	messages := make([]callhome.Message, len(parts))
	for i, p := range parts {
		messages[i] = p.Message
	}
	first := slices.IndexFunc(parts, func(p *Accepted) bool { return p.Message.Block != nil && p.Message.Block.IsPrimary })
	if first < 0 {
		first = 0
	}
	joined := &Joined{Accepted: parts[first]}
	joined.Message = *merge(messages)
	if !whole(blocks) {
		joined.Message.Flags = append(joined.Message.Flags, flagIncomplete)
	}
	joined.describe()
	for i, p := range parts {
		if i != first {
			joined.Others = append(joined.Others, p.Record.ID)
		}
	}
	return joined, nil
}

// merge makes one message of its blocks: what the primary one says, and the attachments, units and unknown parts of all
// in the order of their numbers.
func merge(blocks []callhome.Message) *callhome.Message {
	slices.SortStableFunc(blocks, func(a, b callhome.Message) int { return cmp.Compare(number(&a), number(&b)) })
	primary := slices.IndexFunc(blocks, func(m callhome.Message) bool { return m.Block != nil && m.Block.IsPrimary })
	if primary < 0 {
		primary = 0
	}
	m := blocks[primary]
	m.Block, m.Attachments, m.FRUs, m.Unknown = nil, nil, nil, nil
	for i := range blocks {
		m.Attachments = append(m.Attachments, blocks[i].Attachments...)
		m.FRUs = append(m.FRUs, blocks[i].FRUs...)
		m.Unknown = append(m.Unknown, blocks[i].Unknown...)
	}
	m.Flags = slices.DeleteFunc(slices.Clone(m.Flags), func(f string) bool { return f == "more_blocks" })
	return &m
}

func number(m *callhome.Message) int {
	if m.Block == nil {
		return 0
	}
	return m.Block.Number
}
