-- name: archive_add
INSERT INTO messages (id, received_at, event_at, company_id, device, device_id, sys_name, message_id, type, subtype, alert_group,
  severity, description, format, dialect, gateway, origin, size, status, reasons, case_id, joined_into, id_time)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23)

-- name: archive_add_body
INSERT INTO bodies (id, body) VALUES ($1, $2)

-- name: archive_add_text
INSERT INTO message_texts (rowid, body) VALUES ($1, $2)

-- name: archive_add_key
INSERT INTO message_keys (key, id) VALUES ($1, $2) ON CONFLICT (key) DO NOTHING

-- name: archive_change
UPDATE messages SET status = $2, reasons = $3, company_id = $4, device = $5, case_id = $6, joined_into = $7 WHERE id = $1

-- name: archive_key
SELECT id FROM message_keys WHERE key = $1

-- name: archive_body
SELECT body FROM bodies WHERE id = $1

-- name: archive_forget_keys
DELETE FROM message_keys WHERE key IN (SELECT key FROM message_keys WHERE id < $1 ORDER BY id LIMIT $2)

-- name: archive_delete
DELETE FROM messages WHERE id = $1

-- name: archive_delete_body
DELETE FROM bodies WHERE id = $1

-- name: archive_delete_text
DELETE FROM message_texts WHERE rowid = $1
