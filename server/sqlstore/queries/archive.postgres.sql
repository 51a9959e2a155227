-- name: archive_add_text
INSERT INTO message_texts (id, body) VALUES ($1, $2)

-- name: archive_delete_text
DELETE FROM message_texts WHERE id = $1

-- name: archive_claim_lanes
SELECT lane FROM lanes WHERE EXISTS (SELECT 1 FROM arrivals WHERE arrivals.lane = lanes.lane)
ORDER BY worked_at LIMIT $1 FOR UPDATE SKIP LOCKED

-- name: archive_worked_lane
UPDATE lanes SET worked_at = $2 WHERE lane = $1

-- name: archive_lane_arrivals
SELECT id, lane, received_at, key, origin, body FROM arrivals WHERE lane = $1 ORDER BY id LIMIT $2

-- name: archive_backlog
SELECT count(id), COALESCE(sum(length(body)), 0), COALESCE(min(received_at), 0) FROM arrivals
