-- name: archive_position
SELECT segment, place FROM journal_position WHERE one = 1

-- name: archive_set_position
INSERT INTO journal_position (one, segment, place) VALUES (1, $1, $2)
ON CONFLICT (one) DO UPDATE SET segment = excluded.segment, place = excluded.place

-- name: archive_count_keys
SELECT count(id) FROM message_keys

-- name: archive_keys_after
SELECT key, id FROM message_keys WHERE id > $1 ORDER BY id LIMIT $2
