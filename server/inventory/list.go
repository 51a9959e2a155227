package inventory

import (
	"context"

	"callhome/server/account"
)

// Diff compares two revisions of a device; 0 is the latest.
func Diff(ctx context.Context, store Store, reach account.Reach, device int64, from, to int) ([]Change, error) {
	a, err := store.Revision(ctx, reach, device, from)
	if err != nil {
		return nil, err
	}
	b, err := store.Revision(ctx, reach, device, to)
	if err != nil {
		return nil, err
	}
	return Compare(a.Inventory, b.Inventory), nil
}
