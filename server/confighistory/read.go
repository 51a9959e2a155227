package confighistory

import (
	"context"
	"fmt"
	"strings"
	"time"

	"callhome"
	"callhome/server/account"
)

// label names a revision in a difference.
func label(r Revision) string {
	return fmt.Sprintf("%s revision %d, %s", r.Kind, r.Number, r.At.UTC().Format(time.RFC3339))
}

// Text gives a configuration as it came, without its secrets unless the reader may see them. Number 0 is the latest.
func Text(ctx context.Context, store Store, reach account.Reach, device int64, kind Kind, number int, unmasked bool) (Revision, string, error) {
	rev, err := store.Revision(ctx, reach, device, kind, number)
	if err != nil {
		return rev, "", err
	}
	text, err := textOf(ctx, store, rev.Blob)
	if err == nil && !unmasked {
		text = Mask(text)
	}
	return rev, text, err
}

// Diff gives the difference between two revisions of a kind as diff -u prints it, "" when nothing was configured
// differently. Number 0 is the latest.
func Diff(ctx context.Context, store Store, reach account.Reach, device int64, kind Kind, from, to int, unmasked bool) (string, error) {
	a, before, err := Text(ctx, store, reach, device, kind, from, true)
	if err != nil {
		return "", err
	}
	b, after, err := Text(ctx, store, reach, device, kind, to, true)
	if err != nil {
		return "", err
	}
	return Unified(label(a), label(b), before, after, unmasked), nil
}

// Drift is how the running configuration differs from the one that a device starts with.
type Drift struct {
	Device           int64
	Startup, Running Revision
	Same             bool
	Diff             string // from startup to running, as diff -u prints it
}

// DriftOf compares the latest startup configuration with the latest running one. It is NotFound when the device has not
// sent both.
func DriftOf(ctx context.Context, store Store, reach account.Reach, device int64, unmasked bool) (Drift, error) {
	d := Drift{Device: device}
	var from, to string
	var err error
	if d.Startup, from, err = Text(ctx, store, reach, device, Startup, 0, true); err != nil {
		return d, err
	}
	if d.Running, to, err = Text(ctx, store, reach, device, Running, 0, true); err != nil {
		return d, err
	}
	if d.Same = Normalise(from).Hash == Normalise(to).Hash; !d.Same {
		d.Diff = Unified(label(d.Startup), label(d.Running), from, to, unmasked)
	}
	return d, nil
}

// Hit is a line of a configuration in which something was found.
type Hit struct {
	Device   int64  `json:"device_id"`
	Kind     Kind   `json:"kind"`
	Revision int    `json:"revision"`
	Line     int    `json:"line"` // from 1
	Text     string `json:"text"`
}

// Bounds of a search.
const (
	minNeedle = 3 // bytes; shorter ones are in every configuration
	// searchedAtOnce bounds the configurations that one call unpacks: some hundred milliseconds.
	searchedAtOnce = 200
	// hitsEach bounds the lines shown of one configuration.
	hitsEach = 20
)

// Search looks for a text, whatever its case, in the latest configurations. It looks through some hundred of them at most
// and gives next to go on with, 0 at the end: a call without a hit is not the end. Without the right to see secrets the
// masked texts are searched, so that a secret cannot be guessed.
func Search(ctx context.Context, store Store, reach account.Reach, kind Kind, needle string, unmasked bool, page account.Page) (hits []Hit, next int64, err error) {
	if len(needle) < minNeedle {
		return nil, 0, callhome.Errorf(callhome.KindInvalid, "search for at least %d characters", minNeedle)
	}
	limit := page.Limited()
	heads, err := store.Heads(ctx, reach, 0, kind, account.Page{After: page.After, Limit: searchedAtOnce})
	if err != nil {
		return nil, 0, err
	}
	lower := strings.ToLower(needle)
	for _, h := range heads {
		text, err := textOf(ctx, store, h.Blob)
		if err != nil {
			return nil, 0, err
		}
		hits = append(hits, searchText(h.Revision, text, lower, unmasked)...)
		if next = h.ID; len(hits) >= limit {
			return hits, next, nil
		}
	}
	if len(heads) < searchedAtOnce {
		next = 0
	}
	return hits, next, nil
}

func searchText(r Revision, text, lower string, unmasked bool) []Hit {
	if !strings.Contains(strings.ToLower(text), lower) {
		return nil
	}
	if !unmasked {
		text = Mask(text)
	}
	var hits []Hit
	for n, line := range strings.Split(text, "\n") {
		if strings.Contains(strings.ToLower(line), lower) {
			if hits = append(hits, Hit{r.Device, r.Kind, r.Number, n + 1, strings.TrimRight(line, "\r")}); len(hits) == hitsEach {
				break
			}
		}
	}
	return hits
}

// Latest gives the text that the rooms behind match against: the latest running configuration of a device, with defaults
// if it sends only that, "" when there is none. It is not masked and must not leave the back end.
func Latest(ctx context.Context, store Store, device int64) (string, error) {
	for _, kind := range []Kind{Running, RunningAll, RunningSet, Startup} {
		h, ok, err := store.Head(ctx, device, kind)
		if err != nil {
			return "", err
		}
		if ok {
			return textOf(ctx, store, h.Blob)
		}
	}
	return "", nil
}
