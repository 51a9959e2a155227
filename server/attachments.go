package server

import (
	"context"

	"callhome"
	"callhome/server/account"
	"callhome/server/archive"
	"callhome/server/ingest"
)

// Attachments reads the attachments of an archived message, as the device sent them.
func Attachments(ctx context.Context, rooms Rooms, id int64) ([]callhome.Attachment, error) {
	acc, err := Reread(ctx, rooms, id)
	if err != nil {
		return nil, err
	}
	return acc.Message.Attachments, nil
}

// Reread decodes an archived message again: the archive is the truth.
func Reread(ctx context.Context, rooms Rooms, id int64) (*ingest.Accepted, error) {
	r, ok, err := rooms.Archive().Record(ctx, id, account.Everywhere())
	if err != nil {
		return nil, err
	}
	body, there, err := rooms.Archive().Body(ctx, id)
	if err != nil {
		return nil, err
	}
	if !ok || !there {
		return nil, callhome.Errorf(callhome.KindNotFound, "there is no message %d in the archive", id)
	}
	return ingest.Decode(&archive.Arrival{ID: id, ReceivedAt: r.ReceivedAt, Origin: r.Origin, Body: body}), nil
}
