-- name: core_nodes
SELECT node FROM nodes ORDER BY node

-- name: core_forget_nodes
DELETE FROM nodes WHERE seen_at < $1

-- name: core_take_node
INSERT INTO nodes (node, name, started_at, seen_at) VALUES ($1, $2, $3, $3)

-- name: core_beat_node
UPDATE nodes SET seen_at = $2 WHERE node = $1

-- name: core_leave_node
DELETE FROM nodes WHERE node = $1

-- name: core_tally
INSERT INTO tallies (kind, company_id, word, bucket, node, n) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (kind, company_id, bucket, word, node) DO UPDATE SET n = tallies.n + excluded.n
