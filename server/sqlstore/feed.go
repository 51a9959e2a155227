package sqlstore

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"callhome/server/account"
)

// The feed tells streams of events what was written. Stores publish what they write; the rows are made at the end of the
// transaction, one for many records, so that a batch of messages costs one row for each company.

// feedObjects bounds the records of one row.
const feedObjects = 100

// feedIDBits are those of an ID below its milliseconds.
const feedIDBits = nodeBits + counterBits

type feedKey struct {
	kind    string
	company account.CompanyID
}

// publish tells streams that a record was written.
func (t *Tx) publish(kind string, company account.CompanyID, object int64) {
	if t.published == nil {
		t.published = map[feedKey][]int64{}
	}
	k := feedKey{kind, company}
	if list := t.published[k]; len(list) == 0 || list[len(list)-1] != object {
		t.published[k] = append(list, object)
	}
}

// flushFeed writes what was published, in an order that all transactions share.
func (t *Tx) flushFeed(ctx context.Context) error {
	keys := make([]feedKey, 0, len(t.published))
	for k := range t.published {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b feedKey) int { return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.company, b.company)) })
	for _, k := range keys {
		list := t.published[k]
		slices.Sort(list)
		for part := range slices.Chunk(slices.Compact(list), feedObjects) {
			words := make([]string, len(part))
			for i, n := range part {
				words[i] = strconv.FormatInt(n, 10)
			}
			if _, err := t.exec(ctx, "feed_add", t.NewID(), k.kind, int64(k.company), strings.Join(words, " ")); err != nil {
				return err
			}
		}
	}
	t.published = nil
	return nil
}

// FeedAfter calls f for up to limit entries with an ID above after, in the order of their IDs.
func (t *Tx) FeedAfter(ctx context.Context, after int64, limit int, f func(id int64, kind string, company account.CompanyID, objects []int64)) error {
	rows, err := t.query(ctx, "feed_after", after, limit)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var id, company int64
		var kind, words string
		if err := rows.Scan(&id, &kind, &company, &words); err != nil {
			return err
		}
		var objects []int64
		for word := range strings.FieldsSeq(words) {
			n, err := strconv.ParseInt(word, 10, 64)
			if err != nil {
				return err
			}
			objects = append(objects, n)
		}
		f(id, kind, account.CompanyID(company), objects)
	}
	return rows.Err()
}

// FeedHead is the newest entry's ID, 0 when there is none.
func (t *Tx) FeedHead(ctx context.Context) (id int64, err error) {
	return id, t.row(ctx, "feed_head").Scan(&id)
}

// Rewind is an ID as it could have been made a while before another.
func (t *Tx) Rewind(id int64, by time.Duration) int64 {
	return max(0, id>>feedIDBits-by.Milliseconds()) << feedIDBits
}

// ForgetFeed removes up to limit entries with an ID below before.
func (t *Tx) ForgetFeed(ctx context.Context, before int64, limit int) (int64, error) {
	return t.exec(ctx, "feed_forget", before, limit)
}
