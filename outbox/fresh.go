package outbox

// maxFresh bounds the bodies that are kept in memory for whoever leases them next: what a busy moment brings, and little
// beside the process.
const maxFresh = 4 << 20

// freshOverhead is what a kept entry costs beside its body.
const freshOverhead = 1 << 10

// fresh are the first entries of a lane as they were stored, so that a lease need not read them. They are always the
// oldest of the lane, without a gap; what the store holds beyond them is read when they are gone. beyond says that there
// may be such.
//
// An entry gets in when it is committed and the lane is known to hold nothing that is not in here: a lane without a
// record holds nothing, and one that was read to its end holds nothing after readTo. Whenever an entry of a lane stays
// behind, is changed or deleted by another hand, the lane forgets what it has here.
type fresh struct {
	entries []Entry // with bodies
	beyond  bool
	readTo  EntryID // entries up to here were read from the store
}

// keep adds an entry that was just committed, with its body.
func (b *board) keep(r *road, l *lane, e *Entry, body []byte) {
	f := &l.fresh
	switch {
	case e.ID <= f.readTo:
		return
	case f.beyond, r.probing, b.fresh+len(body)+freshOverhead > maxFresh:
		f.beyond = true
		return
	}
	kept := *e
	kept.Envelope.Body, kept.Packed = body, nil
	f.entries = append(f.entries, kept)
	b.fresh += len(body) + freshOverhead
}

// takeFresh gives the first entries of a lane that are at hand, as many as a lease may have; rest says that the lane may
// hold more. ok is false when they have to be read.
func (b *board) takeFresh(l *lane, limit, maxBytes int) (entries []Entry, rest, ok bool) {
	f := &l.fresh
	if len(f.entries) == 0 {
		return nil, f.beyond, !f.beyond
	}
	n, bytes := 0, 0
	for n < len(f.entries) && n < limit && bytes < maxBytes {
		bytes += f.entries[n].Stored
		b.fresh -= len(f.entries[n].Envelope.Body) + freshOverhead
		n++
	}
	entries = f.entries[:n:n]
	f.entries = f.entries[n:]
	if len(f.entries) == 0 {
		f.entries = nil
	}
	return entries, f.beyond || len(f.entries) > 0, true
}

// readAll notes that a leased lane was read to its end, which is last. What was committed while it was being read may or
// may not be part of that.
func (l *lane) readAll(last EntryID) {
	if !l.again {
		l.fresh = fresh{readTo: last}
	}
}

// forgetAll lets go of what is at hand of a road whose destination does not answer.
func (b *board) forgetAll(r *road) {
	for _, l := range r.lanes {
		b.forget(l)
	}
}

// forget lets go of what is at hand of a lane.
func (b *board) forget(l *lane) {
	for i := range l.fresh.entries {
		b.fresh -= len(l.fresh.entries[i].Envelope.Body) + freshOverhead
	}
	l.fresh = fresh{beyond: true}
}
