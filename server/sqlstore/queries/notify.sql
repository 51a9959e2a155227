-- name: notify_add_notice
INSERT INTO notices (id, notice_key, kind, company_id, device_id, case_id, at, detail) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (notice_key) DO NOTHING

-- name: notify_add_entry
INSERT INTO notice_entries (id, user_id, notice_id, company_id, read_at) VALUES ($1, $2, $3, $4, 0)
ON CONFLICT (user_id, notice_id) DO NOTHING

-- name: notify_count_unread
INSERT INTO notice_unread (user_id, n) VALUES ($1, $2)
ON CONFLICT (user_id) DO UPDATE SET n = notice_unread.n + excluded.n

-- name: notify_unread
SELECT n FROM notice_unread WHERE user_id = $1

-- name: notify_add_mail
INSERT INTO notice_mails (id, notice_id, user_id, company_id, name, address, pager, digest_id, state, reason, added_at, due_at, lease_until)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 0)

-- The update changes nothing but locks the row, on both engines.
-- name: notify_take_digest
INSERT INTO notice_digests (id, address, due_at, user_id, held, sent_at, lease_until) VALUES ($1, $2, $3, $4, $5, 0, 0)
ON CONFLICT (address, due_at, held) DO UPDATE SET user_id = notice_digests.user_id
RETURNING id, sent_at, lease_until

-- name: notify_ready_mails
SELECT id FROM notice_mails WHERE state = 'waiting' AND digest_id = 0 AND due_at <= $1 AND lease_until <= $1
ORDER BY due_at LIMIT $2

-- name: notify_lease_mail
UPDATE notice_mails SET lease_until = $3 WHERE id = $1 AND state = 'waiting' AND lease_until <= $2
RETURNING id

-- name: notify_mail
SELECT m.id, m.notice_id, m.user_id, m.name, m.address, m.pager, m.digest_id, m.state, m.reason, m.added_at, m.due_at, n.detail
FROM notice_mails m JOIN notices n ON n.id = m.notice_id WHERE m.id = $1

-- name: notify_ready_digests
SELECT id FROM notice_digests WHERE sent_at = 0 AND due_at <= $1 AND lease_until <= $1 ORDER BY due_at LIMIT $2

-- name: notify_lease_digest
UPDATE notice_digests SET lease_until = $3 WHERE id = $1 AND sent_at = 0 AND lease_until <= $2
RETURNING id, address, due_at, user_id, held

-- name: notify_digest_mails
SELECT m.id, m.notice_id, m.user_id, m.name, m.address, m.pager, m.digest_id, m.state, m.reason, m.added_at, m.due_at, n.detail
FROM notice_mails m JOIN notices n ON n.id = m.notice_id WHERE m.digest_id = $1 AND m.state = 'waiting' ORDER BY m.id LIMIT $2

-- name: notify_digest_total
SELECT COUNT(1) FROM notice_mails WHERE digest_id = $1 AND state = 'waiting'

-- name: notify_digest_companies
SELECT company_id, COUNT(1) FROM notice_mails WHERE digest_id = $1 AND state = 'waiting' GROUP BY company_id

-- name: notify_send_digest_mails
UPDATE notice_mails SET state = 'sent', lease_until = 0 WHERE digest_id = $1 AND state = 'waiting'

-- name: notify_send_digest
UPDATE notice_digests SET sent_at = $2, lease_until = 0 WHERE id = $1

-- name: notify_count_send
INSERT INTO notice_rates (address, pages, hour, n) VALUES ($1, $2, $3, 1)
ON CONFLICT (address, pages, hour) DO UPDATE SET n = notice_rates.n + 1
RETURNING n

-- name: notify_forget_rates
DELETE FROM notice_rates WHERE hour < $1

-- name: notify_put_mail
UPDATE notice_mails SET state = $2, reason = $3, digest_id = $4, due_at = $5, lease_until = 0 WHERE id = $1

-- name: notify_mark_read
UPDATE notice_entries SET read_at = $3 WHERE user_id = $1 AND id = $2 AND read_at = 0

-- name: notify_mark_all_read
UPDATE notice_entries SET read_at = $2 WHERE user_id = $1 AND read_at = 0

-- name: notify_settings
SELECT user_id, hour, zone, choices FROM notice_settings WHERE user_id = $1

-- name: notify_put_settings
INSERT INTO notice_settings (user_id, hour, zone, choices) VALUES ($1, $2, $3, $4)
ON CONFLICT (user_id) DO UPDATE SET hour = excluded.hour, zone = excluded.zone, choices = excluded.choices

-- name: notify_old
SELECT n.id FROM notices n WHERE n.id < $1
AND NOT EXISTS (SELECT 1 FROM notice_mails m WHERE m.notice_id = n.id AND m.state = 'waiting') ORDER BY n.id LIMIT $2

-- name: notify_drop_unread
SELECT user_id FROM notice_entries WHERE notice_id = $1 AND read_at = 0

-- name: notify_drop_entries
DELETE FROM notice_entries WHERE notice_id = $1

-- name: notify_drop_mails
DELETE FROM notice_mails WHERE notice_id = $1

-- name: notify_drop_notice
DELETE FROM notices WHERE id = $1

-- name: notify_drop_digests
DELETE FROM notice_digests WHERE sent_at > 0 AND sent_at < $1
