package main

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"callhome"
	"callhome/deliver"
	"callhome/resolve"
)

const (
	// oldSenderTime lets messages under way end before their connections are closed.
	oldSenderTime = 2 * time.Minute
	// maxReminded bounds which messages are remembered as warned of; then some are warned of once more.
	maxReminded = 4096
)

// swap is a sender that a reload may replace. Messages under way end with the old one. It also reminds the operator,
// once for each message, when it could not be sent because no name server is configured.
type swap struct {
	log *slog.Logger

	mu       sync.Mutex // guards what follows
	current  closingSender
	reminded map[callhome.MessageID]bool
}

type closingSender interface {
	deliver.Sender
	Close() error
}

// Send sends by the current sender.
func (s *swap) Send(ctx context.Context, env *callhome.Envelope) error {
	s.mu.Lock()
	current := s.current
	s.mu.Unlock()
	err := current.Send(ctx, env)
	if errors.Is(err, resolve.ErrNoNameServer) {
		s.remind(env)
	}
	return err
}

func (s *swap) remind(env *callhome.Envelope) {
	s.mu.Lock()
	known := s.reminded[env.MessageID]
	if len(s.reminded) >= maxReminded || s.reminded == nil {
		s.reminded = map[callhome.MessageID]bool{}
	}
	s.reminded[env.MessageID] = true
	s.mu.Unlock()
	if !known && s.log != nil {
		s.log.Warn("a message cannot be sent because no name server is configured; configure DNS, or resolver.servers", "message_id", env.MessageID, "destination", callhome.MaskURL(env.Destination.Address))
	}
}

func (s *swap) replace(by closingSender) {
	s.mu.Lock()
	old := s.current
	s.current = by
	s.mu.Unlock()
	if old != nil {
		time.AfterFunc(oldSenderTime, func() { _ = old.Close() })
	}
}

// close ends the current sender.
func (s *swap) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current != nil {
		_ = s.current.Close()
	}
}
