package api

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strconv"

	"callhome"
)

// secretive is an output that must not be kept: it shows a secret once.
type secretive interface{ secretive() }

// once does what a request asks for, unless a request with the same key did: then it gives that one's answer.
func once[I, O any](ctx context.Context, d *deed, r Route, in *I, f func() (*O, error)) (*O, error) {
	k, ok := any(in).(keyed)
	if !ok || k.idempotencyKey() == "" {
		return f()
	}
	text, err := json.Marshal(in)
	if err != nil {
		return nil, err
	}
	key := digest(strconv.FormatInt(int64(d.User), 10), d.Name, r.Method, r.Path, k.idempotencyKey())
	request := digest(string(text))
	before, answer, known, err := d.Answer(ctx, key)
	if err != nil {
		return nil, err
	}
	if known {
		d.roomNotes() // the first time
		return repeated[O](before, request, answer)
	}
	out, err := f()
	if err != nil || d.failure != nil {
		return out, err
	}
	if _, secret := any(out).(secretive); !secret {
		if answer, err = json.Marshal(out); err != nil {
			return nil, err
		}
	}
	return out, d.KeepAnswer(ctx, key, request, answer, d.api.now())
}

func repeated[O any](before, request string, answer []byte) (*O, error) {
	if before != request {
		return nil, callhome.Errorf(callhome.KindConflict, "the Idempotency-Key was used for another request")
	}
	if len(answer) == 0 {
		return nil, callhome.Errorf(callhome.KindConflict, "this was done before with the same Idempotency-Key; its secret was shown then and cannot be shown again")
	}
	out := new(O)
	return out, json.Unmarshal(answer, out)
}

// digest joins texts so that none can pass for a part of another.
func digest(texts ...string) string {
	h := sha256.New()
	for _, t := range texts {
		_, _ = h.Write([]byte(strconv.Itoa(len(t)) + ":" + t)) // never fails
	}
	return hex.EncodeToString(h.Sum(nil))
}
