-- name: advisory_by_ident
SELECT id, body FROM advisory_notices WHERE ident_key = $1

-- name: advisory_notice
SELECT id, body FROM advisory_notices WHERE id = $1

-- name: advisory_put_notice
INSERT INTO advisory_notices (id, ident_key, sort, status, impact, ident, stored_at, body) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (id) DO UPDATE SET ident_key = excluded.ident_key, sort = excluded.sort, status = excluded.status, impact = excluded.impact,
    ident = excluded.ident, stored_at = excluded.stored_at, body = excluded.body

-- name: advisory_put_edition
INSERT INTO advisory_editions (id, notice_id, version, status, stored_at, hash, body) VALUES ($1, $2, $3, $4, $5, $6, $7)

-- name: advisory_editions
SELECT version, status, stored_at, hash FROM advisory_editions WHERE notice_id = $1 ORDER BY id DESC

-- name: advisory_drop_keys
DELETE FROM advisory_keys WHERE notice_id = $1

-- name: advisory_put_key
INSERT INTO advisory_keys (word, notice_id) VALUES ($1, $2) ON CONFLICT (word, notice_id) DO NOTHING

-- name: advisory_answers_of
SELECT id, notice_id, device_id, company_id, sort, state, since, checked_at, answer FROM advisory_answers WHERE device_id = $1

-- name: advisory_answers_for
SELECT id, notice_id, device_id, company_id, sort, state, since, checked_at, answer
FROM advisory_answers WHERE notice_id = $1 AND device_id > $2 ORDER BY device_id LIMIT $3

-- name: advisory_state
SELECT company_id, state FROM advisory_answers WHERE notice_id = $1 AND device_id = $2

-- name: advisory_put_answer
INSERT INTO advisory_answers (id, notice_id, device_id, company_id, sort, state, since, checked_at, answer) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (notice_id, device_id) DO UPDATE SET company_id = excluded.company_id, sort = excluded.sort, state = excluded.state, since = excluded.since,
    checked_at = excluded.checked_at, answer = excluded.answer

-- name: advisory_move_answers
UPDATE advisory_answers SET company_id = $2 WHERE device_id = $1

-- name: advisory_forget_answers
DELETE FROM advisory_answers WHERE device_id = $1
