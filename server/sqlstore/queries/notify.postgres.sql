-- Several servers take what is due at the same time: each leaves out what another holds.
-- name: notify_ready_mails
SELECT id FROM notice_mails WHERE state = 'waiting' AND digest_id = 0 AND due_at <= $1 AND lease_until <= $1
ORDER BY due_at LIMIT $2 FOR UPDATE SKIP LOCKED

-- name: notify_ready_digests
SELECT id FROM notice_digests WHERE sent_at = 0 AND due_at <= $1 AND lease_until <= $1 ORDER BY due_at LIMIT $2
FOR UPDATE SKIP LOCKED
