package server

import (
	"context"
	"time"

	"callhome/server/casework"
	"callhome/server/registry"
)

// tellNotices hands the registry's notices to the people they are for.
func (s *Server) tellNotices(context.Context, Rooms, []registry.Notice) error { return nil }

// tellHappenings tells people what happened to cases.
func (s *Server) tellHappenings(context.Context, Rooms, []casework.Happening) error { return nil }

// silence raises the event of a device that should have spoken.
func (s *Server) silence(context.Context, Rooms, *registry.Silence, time.Time) error { return nil }
