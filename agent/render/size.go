package render

import (
	"fmt"
	"slices"
	"sort"
	"strconv"
	"unicode/utf8"

	"callhome"
)

// Sizes is a platform's range of message size limits, in bytes.
type Sizes struct {
	Min, Max, Default int
	ZeroUnlimited     bool // a configured 0 means no limit
}

// SizeLimit is the limit that counts for a profile: what it configures, else the platform's default; 0 means none. The
// error, of kind invalid, names the range.
func SizeLimit(configured *int, s Sizes) (int, error) {
	switch {
	case configured == nil:
		return s.Default, nil
	case *configured == 0 && s.ZeroUnlimited:
		return 0, nil
	case *configured < s.Min || *configured > s.Max:
		return 0, callhome.Errorf(callhome.KindInvalid, "message_size_limit: %d bytes is outside %d to %d", *configured, s.Min, s.Max)
	}
	return *configured, nil
}

// cutMark ends a description that was cut.
const cutMark = "..."

// notice stands in place of an attachment that was too large.
func notice(bytes int) string { return "[truncated: " + strconv.Itoa(bytes) + " bytes removed]" }

// fit renders m within limit bytes. What is too large loses its attachments from the last one backwards, each leaving a
// notice, and then the end of its description. A message that does not fit even so is dropped.
func fit(m *callhome.Message, f form, limit int) (body []byte, truncated bool, err error) {
	body, err = f.write(make([]byte, 0, sizeHint(m)), m)
	if err != nil || limit == 0 || len(body) <= limit {
		return body, false, err
	}
	s := shrinker{form: f, limit: limit, least: len(body), buf: body[:0]}
	switch {
	case f.shorten != nil:
		body = s.withFewerCharacters(m)
	default:
		if body = s.withFewer(m); body == nil {
			body = s.withShorter(withoutLast(m, len(m.Attachments)))
		}
	}
	switch {
	case s.err != nil:
		return nil, false, s.err
	case body != nil:
		return body, true, nil
	}
	return nil, false, &Dropped{
		Reason: callhome.ReasonSize,
		Detail: fmt.Sprintf("message %s needs %d bytes without attachments and description, its profile's message_size_limit is %d", m.MessageID, s.least, limit),
	}
}

// sizeHint is about what m takes in any form.
func sizeHint(m *callhome.Message) int {
	const frame = 6 << 10 // bytes of elements and identity
	n := frame + len(m.Description)
	for i := range m.Attachments {
		n += len(m.Attachments[i].Text) + 256
	}
	return n
}

// shrinker tries smaller versions of a message in one buffer.
type shrinker struct {
	form  form
	limit int
	buf   []byte
	least int // size of the smallest version tried
	err   error
}

func (s *shrinker) fits(m *callhome.Message) bool {
	b, err := s.form.write(s.buf[:0], m)
	if err != nil {
		s.err = err
		return false
	}
	s.buf, s.least = b, min(s.least, len(b))
	return len(b) <= s.limit
}

// withFewer removes as few attachments as it can, the last ones; nil when all of them are not enough. Sizes fall with
// every attachment removed, so the number is found by halving.
func (s *shrinker) withFewer(m *callhome.Message) []byte {
	total := len(m.Attachments)
	n := sort.Search(total+1, func(n int) bool { return s.fits(withoutLast(m, n)) })
	if n > total || s.err != nil || !s.fits(withoutLast(m, n)) {
		return nil
	}
	return s.buf
}

// withoutLast is m with notices in place of its last n attachments. One that is no longer than its notice stays.
func withoutLast(m *callhome.Message, n int) *callhome.Message {
	out := *m
	out.Attachments = slices.Clone(m.Attachments)
	for i := len(out.Attachments) - n; i < len(out.Attachments); i++ {
		a := &out.Attachments[i]
		if mark := notice(len(a.Text)); len(mark) < len(a.Text) {
			a.Text, a.Encoding = mark, ""
		}
	}
	return &out
}

// withFewerCharacters shortens a text by characters until its bytes fit; nil when it cannot.
func (s *shrinker) withFewerCharacters(m *callhome.Message) []byte {
	const widest = utf8.UTFMax
	for n := s.limit; n > 0; {
		b := s.form.shorten(m, n)
		s.least = min(s.least, len(b))
		over := len(b) - s.limit
		if over <= 0 {
			return b
		}
		n -= max(1, over/widest)
	}
	return nil
}

// withShorter cuts the description as little as it can, between characters; nil when leaving it out is not enough.
func (s *shrinker) withShorter(m *callhome.Message) []byte {
	text := m.Description
	cut := func(n int) *callhome.Message {
		out := *m
		out.Description = ""
		if n > 0 {
			for n < len(text) && !utf8.RuneStart(text[n]) {
				n--
			}
			out.Description = text[:n] + cutMark
		}
		return &out
	}
	tooLong := sort.Search(len(text), func(n int) bool { return !s.fits(cut(n)) })
	if tooLong == 0 || s.err != nil || !s.fits(cut(tooLong-1)) {
		return nil
	}
	return s.buf
}
