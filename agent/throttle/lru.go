package throttle

import "container/list"

// lru is a map of bounded size that forgets what was used longest ago.
type lru[V any] struct {
	max   int
	order *list.List // of entry[V], the latest first
	at    map[string]*list.Element
}

type entry[V any] struct {
	key   string
	value V
}

func newLRU[V any](limit int) *lru[V] {
	return &lru[V]{max: limit, order: list.New(), at: map[string]*list.Element{}}
}

// get finds a value and makes it the latest.
func (l *lru[V]) get(key string) (v V, ok bool) {
	e, ok := l.at[key]
	if !ok {
		return v, false
	}
	l.order.MoveToFront(e)
	return e.Value.(*entry[V]).value, true
}

// peek finds a value.
func (l *lru[V]) peek(key string) (v V, ok bool) {
	e, ok := l.at[key]
	if !ok {
		return v, false
	}
	return e.Value.(*entry[V]).value, true
}

// put stores a value as the latest. gone is the key of the one that had to go, if any.
func (l *lru[V]) put(key string, v V) (gone string, full bool) {
	if e, ok := l.at[key]; ok {
		e.Value.(*entry[V]).value = v
		l.order.MoveToFront(e)
		return "", false
	}
	l.at[key] = l.order.PushFront(&entry[V]{key, v})
	if l.order.Len() <= l.max {
		return "", false
	}
	last := l.order.Back()
	gone = last.Value.(*entry[V]).key
	l.remove(gone)
	return gone, true
}

func (l *lru[V]) remove(key string) {
	if e, ok := l.at[key]; ok {
		l.order.Remove(e)
		delete(l.at, key)
	}
}

// keys lists all keys, the oldest first.
func (l *lru[V]) keys() []string {
	out := make([]string, 0, l.order.Len())
	for e := l.order.Back(); e != nil; e = e.Prev() {
		out = append(out, e.Value.(*entry[V]).key)
	}
	return out
}
