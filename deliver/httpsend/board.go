package httpsend

import (
	"slices"
	"strings"
	"sync"
	"time"
)

// maxBoard bounds the addresses that are remembered; they come from the configuration and from operators.
const maxBoard = 1000

// Status is what is known of one address.
type Status struct {
	URL         string    `json:"url"` // without password
	Sent        int64     `json:"sent"`
	Failed      int64     `json:"failed"`
	LastSuccess time.Time `json:"last_success,omitzero"`
	LastFailure time.Time `json:"last_failure,omitzero"`
	LastError   string    `json:"last_error,omitempty"`
	LastFault   string    `json:"last_fault,omitempty"` // SOAP fault in an answer of success
}

// board remembers how each address fared.
type board struct {
	now func() time.Time

	mu    sync.Mutex // guards byURL
	byURL map[string]*Status
}

// line finds the entry of an address; the mutex is held.
func (b *board) line(url string) *Status {
	if st, ok := b.byURL[url]; ok {
		return st
	}
	if b.byURL == nil || len(b.byURL) >= maxBoard {
		b.byURL = make(map[string]*Status)
	}
	st := &Status{URL: url}
	b.byURL[url] = st
	return st
}

func (b *board) note(url string, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	st := b.line(url)
	if err != nil {
		st.Failed++
		st.LastFailure, st.LastError = b.now(), err.Error()
		return
	}
	st.Sent++
	st.LastSuccess = b.now()
}

func (b *board) fault(url, reason string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.line(url).LastFault = oneLine(reason)
}

// Status describes the addresses that were used, by address.
func (s *Sender) Status() []Status {
	s.board.mu.Lock()
	defer s.board.mu.Unlock()
	out := make([]Status, 0, len(s.board.byURL))
	for _, st := range s.board.byURL {
		out = append(out, *st)
	}
	slices.SortFunc(out, func(a, b Status) int { return strings.Compare(a.URL, b.URL) })
	return out
}
