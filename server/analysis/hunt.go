package analysis

import (
	"context"
	"fmt"
	"time"
)

// ArchivedMessage is a message of the archive on its way through a hunt.
type ArchivedMessage struct {
	ID      int64 // grows with the time of receipt
	Subject Subject
}

// Archive gives messages for a hunt.
type Archive interface {
	// Messages gives at most limit messages with IDs above after, in the order of their IDs; none is the end. A message
	// that cannot be decoded any more is left out.
	Messages(ctx context.Context, after int64, limit int) ([]ArchivedMessage, error)
	// Total is how many messages there are above after, as far as that is known cheaply; it may be wrong.
	Total(ctx context.Context, after int64) (int64, error)
}

// Progress is how far a hunt is. It is all that is needed to go on from there.
type Progress struct {
	Position int64 `json:"position"` // ID of the last message that was looked at
	Rewind   int64 `json:"rewind"`   // where to begin again so that what history rules counted is known again
	Until    int64 `json:"until"`    // ID of the last message to look at; 0: all there are

	Done     int64   `json:"done"`  // messages looked at
	Total    int64   `json:"total"` // messages there were at the start
	Findings int64   `json:"findings"`
	Faults   int64   `json:"faults"` // rules that failed at run time
	Rate     float64 `json:"rate"`   // messages a second since the hunt was started or went on
	Finished bool    `json:"finished"`
}

// Hunt runs rules over messages that are in the archive already. Its history is its own: what it counts begins at the
// first message, and nothing of it is mixed with what was counted when the messages came.
type Hunt struct {
	Engine  *Engine // with the rules to hunt for: see Engine.Only
	Archive Archive
	// Found stores the findings of one batch together with the progress, in one transaction. An error stops the hunt, and
	// the batch counts as not looked at.
	Found func(ctx context.Context, batch []HuntFinding, p Progress) error
	Batch int // messages at a time; 0: 500
	Now   func() time.Time

	memory  Memory
	window  time.Duration // the longest of the rules
	started time.Time
	fresh   int64 // messages looked at since started
	trail   []step
}

// HuntFinding is a finding with its message.
type HuntFinding struct {
	Message int64
	Device  int64
	Finding Finding
}

// step is when a message of the trail happened: the trail tells where to rewind to.
type step struct {
	id int64
	at time.Time
}

const (
	huntBatch = 500
	maxTrail  = 4096 // steps; each stands for some messages where more came within the window
)

// Run looks at messages from p on until there are no more, the context ends or something fails; p is where it is then,
// and may be given to Run of a new Hunt to go on. Findings are given once, whatever was interrupted.
func (h *Hunt) Run(ctx context.Context, p Progress) (Progress, error) {
	if h.Now == nil {
		h.Now = time.Now
	}
	if h.Batch <= 0 {
		h.Batch = huntBatch
	}
	h.memory, h.trail, h.fresh, h.started = Memory{}, nil, 0, h.Now()
	h.window = h.Engine.longestWindow()
	if p.Done == 0 {
		total, err := h.Archive.Total(ctx, p.Position)
		if err != nil {
			return p, fmt.Errorf("hunt: count messages: %w", err)
		}
		p.Total, p.Rewind = total, p.Position
	}
	after := p.Position
	if h.window > 0 && p.Rewind < p.Position {
		after = p.Rewind
	}
	for !p.Finished {
		if err := ctx.Err(); err != nil {
			return p, err
		}
		next, err := h.batch(ctx, &p, after)
		if err != nil {
			return p, err
		}
		after = next
	}
	return p, nil
}

// batch looks at some messages. Those up to the position were looked at before and are only counted again.
func (h *Hunt) batch(ctx context.Context, p *Progress, after int64) (next int64, err error) {
	messages, err := h.Archive.Messages(ctx, after, h.Batch)
	if err != nil {
		return after, fmt.Errorf("hunt: read messages after %d: %w", after, err)
	}
	now := *p
	var found []HuntFinding
	for i := range messages {
		m := &messages[i]
		if p.Until > 0 && m.ID > p.Until {
			messages = messages[:i]
			now.Finished = true
			break
		}
		result, err := h.Engine.Evaluate(ctx, &m.Subject, &h.memory)
		if err != nil {
			return after, fmt.Errorf("hunt: message %d: %w", m.ID, err)
		}
		h.memory.Add(m.Subject.Device, m.Subject.ReceivedAt, result.Observations...)
		after = m.ID
		h.remember(m)
		if m.ID <= p.Position {
			continue
		}
		now.Position = m.ID
		now.Done++
		h.fresh++
		now.Faults += int64(len(result.Faults))
		now.Findings += int64(len(result.Findings))
		for _, f := range result.Findings {
			found = append(found, HuntFinding{Message: m.ID, Device: m.Subject.Device, Finding: f})
		}
	}
	now.Finished = now.Finished || len(messages) == 0
	now.Rewind = h.rewind(now.Position)
	if spent := h.Now().Sub(h.started).Seconds(); spent > 0 {
		now.Rate = float64(h.fresh) / spent
	}
	if h.Found != nil && (now.Position > p.Position || now.Finished) {
		if err := h.Found(ctx, found, now); err != nil {
			return after, fmt.Errorf("hunt: store findings up to message %d: %w", now.Position, err)
		}
	}
	*p = now
	return after, nil
}

// remember keeps the trail as long as the longest window, and drops what lies before it from the memory.
func (h *Hunt) remember(m *ArchivedMessage) {
	if h.window == 0 {
		return
	}
	at := m.Subject.ReceivedAt
	h.trail = append(h.trail, step{m.ID, at})
	// A message may have been under way for a while, so twice the window is kept. What is later still is not counted.
	horizon := at.Add(-2 * h.window)
	n := 0
	for n < len(h.trail)-1 && h.trail[n].at.Before(horizon) {
		n++
	}
	if n > len(h.trail)/2 {
		h.trail = append([]step(nil), h.trail[n:]...)
		h.memory.Forget(horizon)
	}
	if len(h.trail) > maxTrail {
		thin := h.trail[:0]
		for i := 0; i < len(h.trail); i += 2 {
			thin = append(thin, h.trail[i])
		}
		h.trail = thin
	}
}

// rewind is the ID before the first message that history rules may still need.
func (h *Hunt) rewind(position int64) int64 {
	if len(h.trail) == 0 {
		return position
	}
	return min(h.trail[0].id-1, position)
}

// longestWindow is the longest time that a rule looks back.
func (e *Engine) longestWindow() (w time.Duration) {
	for _, c := range e.rules {
		if c.Match.History != nil {
			w = max(w, c.Match.History.Within)
		}
		if c.Match.Trend != nil {
			w = max(w, c.Match.Trend.Within)
		}
	}
	return w
}
