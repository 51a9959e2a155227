package sqlstore

import (
	"context"
	"time"

	"callhome"
)

// Answer is what was answered to a request's key, with the digest of the request.
func (t *Tx) Answer(ctx context.Context, key string) (request string, answer []byte, ok bool, err error) {
	ok, err = found(t.row(ctx, "api_answer", key).Scan(&request, &answer))
	return request, answer, ok, err
}

// KeepAnswer keeps an answer; KindConflict when the key has one.
func (t *Tx) KeepAnswer(ctx context.Context, key, request string, answer []byte, at time.Time) error {
	if answer == nil {
		answer = []byte{}
	}
	n, err := t.exec(ctx, "api_keep_answer", key, request, answer, micros(at))
	if err == nil && n == 0 {
		err = callhome.Errorf(callhome.KindConflict, "a request with this Idempotency-Key is being worked; ask again")
	}
	return err
}

// ForgetAnswers removes up to limit answers given before a moment.
func (t *Tx) ForgetAnswers(ctx context.Context, before time.Time, limit int) (int64, error) {
	return t.exec(ctx, "api_forget_answers", micros(before), limit)
}
