-- name: config_head
SELECT r.id, r.device_id, r.company_id, r.kind, r.number, r.command, r.message_id, r.at, r.stored_at, r.form, r.blob, r.size, r.line_count, r.added, r.removed,
    h.seen_at, h.salted, h.salted_at, h.salted_msg
FROM config_heads h JOIN config_revisions r ON r.id = h.revision_id WHERE h.device_id = $1 AND h.kind = $2

-- name: config_by_message
SELECT id, device_id, company_id, kind, number, command, message_id, at, stored_at, form, blob, size, line_count, added, removed
FROM config_revisions WHERE device_id = $1 AND message_id = $2 AND kind = $3 ORDER BY number DESC LIMIT 1

-- name: config_revision
SELECT id, device_id, company_id, kind, number, command, message_id, at, stored_at, form, blob, size, line_count, added, removed
FROM config_revisions WHERE device_id = $1 AND kind = $2 AND number = $3

-- name: config_latest
SELECT id, device_id, company_id, kind, number, command, message_id, at, stored_at, form, blob, size, line_count, added, removed
FROM config_revisions WHERE device_id = $1 AND kind = $2 ORDER BY number DESC LIMIT 1

-- name: config_put_text
INSERT INTO config_texts (hash, size, data) VALUES ($1, $2, $3) ON CONFLICT (hash) DO NOTHING

-- name: config_text
SELECT data FROM config_texts WHERE hash = $1

-- name: config_put_revision
INSERT INTO config_revisions (id, device_id, company_id, kind, number, command, message_id, at, stored_at, form, blob, size, line_count, added, removed)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)

-- name: config_put_head
INSERT INTO config_heads (device_id, kind, company_id, revision_id, seen_at, salted, salted_at, salted_msg) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (device_id, kind) DO UPDATE SET company_id = excluded.company_id, revision_id = excluded.revision_id, seen_at = excluded.seen_at,
    salted = excluded.salted, salted_at = excluded.salted_at, salted_msg = excluded.salted_msg

-- name: config_touch
UPDATE config_heads SET seen_at = $3, salted = $4, salted_at = $5, salted_msg = $6 WHERE device_id = $1 AND kind = $2

-- name: config_move_revisions
UPDATE config_revisions SET company_id = $2 WHERE device_id = $1

-- name: config_move_heads
UPDATE config_heads SET company_id = $2 WHERE device_id = $1

-- name: config_forget_texts
DELETE FROM config_texts WHERE hash IN (SELECT a.blob FROM config_revisions a WHERE a.device_id = $1)
    AND NOT EXISTS (SELECT 1 FROM config_revisions b WHERE b.blob = config_texts.hash AND b.device_id <> $1)

-- name: config_forget_heads
DELETE FROM config_heads WHERE device_id = $1

-- name: config_forget_revisions
DELETE FROM config_revisions WHERE device_id = $1
