-- Appends follow each other: the head stays locked until the transaction that reads it ends. SQLite has one writer anyway.

-- name: account_audit_lock
SELECT seq, hash, at FROM audit_head WHERE id = 1 FOR UPDATE
