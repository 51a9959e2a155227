-- name: api_answer
SELECT request_digest, answer FROM api_answers WHERE key_digest = $1

-- name: api_keep_answer
INSERT INTO api_answers (key_digest, request_digest, answer, answered_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (key_digest) DO NOTHING

-- name: api_forget_answers
DELETE FROM api_answers WHERE key_digest IN (SELECT key_digest FROM api_answers WHERE answered_at < $1 ORDER BY answered_at LIMIT $2)

-- name: feed_add
INSERT INTO feed (id, kind, company_id, objects) VALUES ($1, $2, $3, $4)

-- name: feed_after
SELECT id, kind, company_id, objects FROM feed WHERE id > $1 ORDER BY id LIMIT $2

-- name: feed_head
SELECT COALESCE(MAX(id), 0) FROM feed

-- name: feed_forget
DELETE FROM feed WHERE id IN (SELECT id FROM feed WHERE id < $1 ORDER BY id LIMIT $2)
