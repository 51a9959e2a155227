package server

import (
	"context"

	"callhome/server/casework"
	"callhome/server/registry"
)

// TellNotices hands notices of the registry to the people they are for, within the caller's transaction: what a person
// does in the portal or at the control socket makes notices outside the conductor's own work.
func (s *Server) TellNotices(ctx context.Context, rooms Rooms, notices []registry.Notice) error {
	return s.tellNotices(ctx, rooms, notices)
}

// TellHappenings hands what happened to service requests to the people who should hear of it, within the caller's
// transaction.
func (s *Server) TellHappenings(ctx context.Context, rooms Rooms, told []casework.Happening) error {
	return s.tellHappenings(ctx, rooms, told)
}
