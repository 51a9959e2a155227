-- name: analysis_add
INSERT INTO findings (id, company_id, device_id, message_id, message, rule, pack, version, class, outcome, lowered, level, key, component, title,
    diagnosis, recommendation, state, at, stored_at, case_id, hunt_id, rest)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23)
ON CONFLICT (device_id, message_id, rule, key, state, at, hunt_id) DO NOTHING

-- name: analysis_same
SELECT id FROM findings WHERE device_id = $1 AND message_id = $2 AND rule = $3 AND key = $4 AND state = $5 AND at = $6 AND hunt_id = $7

-- name: analysis_latest
SELECT id, company_id, device_id, message_id, message, rule, pack, version, class, outcome, lowered, level, key, component, title,
    diagnosis, recommendation, state, at, stored_at, case_id, hunt_id, rest
FROM findings WHERE device_id = $1 AND rule = $2 AND key = $3 AND hunt_id = 0 ORDER BY id DESC LIMIT 1

-- name: analysis_set_case
UPDATE findings SET case_id = $2 WHERE id = $1

-- name: analysis_move_device
UPDATE findings SET company_id = $2 WHERE device_id = $1

-- name: analysis_purge
DELETE FROM findings WHERE id IN (SELECT id FROM findings WHERE stored_at < $1 AND case_id = 0 ORDER BY stored_at LIMIT $2)

-- name: analysis_observe
INSERT INTO observations (id, device_id, key, at, keep_until, value) VALUES ($1, $2, $3, $4, $5, $6)

-- name: analysis_count
SELECT COUNT(*) FROM observations WHERE device_id = $1 AND key = $2 AND at >= $3 AND at <= $4

-- name: analysis_series
SELECT value FROM observations WHERE device_id = $1 AND key = $2 AND at >= $3 AND at <= $4 ORDER BY at DESC, id DESC LIMIT $5

-- name: analysis_purge_observations
DELETE FROM observations WHERE id IN (SELECT id FROM observations WHERE keep_until < $1 ORDER BY keep_until LIMIT $2)

-- name: analysis_put_hunt
INSERT INTO hunts (id, company_id, rules, state, started_by, started_at, updated_at, error, progress) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (id) DO UPDATE SET state = excluded.state, updated_at = excluded.updated_at, error = excluded.error, progress = excluded.progress

-- name: analysis_claim_hunt
UPDATE hunts SET owner = $2, updated_at = $3 WHERE id = $1 AND state = 'running' AND (owner = 0 OR owner = $2 OR updated_at < $4)

-- name: analysis_advance_hunt
UPDATE hunts SET state = $3, updated_at = $4, error = $5, progress = $6 WHERE id = $1 AND owner = $2 AND state = 'running'

-- name: analysis_release_hunt
UPDATE hunts SET owner = 0 WHERE id = $1 AND owner = $2

-- name: analysis_cancel_hunt
UPDATE hunts SET state = 'canceled', updated_at = $2, owner = 0 WHERE id = $1 AND state = 'running'

-- name: analysis_free_hunts
SELECT id FROM hunts WHERE state = 'running' AND (owner = 0 OR updated_at < $1) ORDER BY id LIMIT $2
