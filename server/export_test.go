package server

import "context"

// KeepHouse does all housekeeping once.
func (s *Server) KeepHouse(ctx context.Context) error {
	for _, c := range s.chores() {
		if err := s.round(ctx, c); err != nil {
			return err
		}
	}
	return nil
}
