-- name: archive_position
SELECT segment, place FROM journal_position WHERE one = 1

-- name: archive_set_position
INSERT INTO journal_position (one, segment, place) VALUES (1, $1, $2)
ON CONFLICT (one) DO UPDATE SET segment = excluded.segment, place = excluded.place
