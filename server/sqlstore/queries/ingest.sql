-- name: ingest_add_block
INSERT INTO waiting_blocks (block_group, number, is_last, id, came_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (block_group, number) DO UPDATE SET is_last = excluded.is_last, id = excluded.id, came_at = excluded.came_at

-- name: ingest_blocks
SELECT number, is_last, id, came_at FROM waiting_blocks WHERE block_group = $1 ORDER BY number

-- name: ingest_drop_blocks
DELETE FROM waiting_blocks WHERE block_group = $1

-- name: ingest_overdue
SELECT DISTINCT block_group FROM waiting_blocks WHERE came_at < $1 LIMIT $2
