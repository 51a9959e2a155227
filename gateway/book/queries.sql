-- name: seen
SELECT at FROM seen WHERE key = $1;

-- name: add_seen
INSERT INTO seen (key, at) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET at = excluded.at;

-- name: forget_seen_before
DELETE FROM seen WHERE key IN (SELECT key FROM seen WHERE at < $1 ORDER BY at LIMIT $2);

-- name: forget_seen_oldest
DELETE FROM seen WHERE key IN (SELECT key FROM seen ORDER BY at LIMIT $1);

-- name: count_seen
SELECT count(*) FROM seen;

-- name: device
SELECT hostname, serial, product, source, transport, first_seen, last_seen, total, last_type, result, result_at, rhythm, period
FROM devices WHERE key = $1;

-- name: put_device
INSERT INTO devices (key, hostname, serial, product, source, transport, first_seen, last_seen, total, last_type, result, result_at, rhythm, period)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
ON CONFLICT (key) DO UPDATE SET hostname = excluded.hostname, serial = excluded.serial, product = excluded.product,
    source = excluded.source, transport = excluded.transport, last_seen = excluded.last_seen, total = excluded.total,
    last_type = excluded.last_type, result = excluded.result, result_at = excluded.result_at, rhythm = excluded.rhythm, period = excluded.period;

-- name: list_devices
SELECT key, hostname, serial, product, source, transport, first_seen, last_seen, total, last_type, result, result_at, rhythm, period
FROM devices WHERE key > $1 ORDER BY key LIMIT $2;

-- name: list_silent
SELECT key, hostname, serial, product, source, transport, first_seen, last_seen, total, last_type, result, result_at, rhythm, period
FROM devices WHERE key > $1 AND (last_seen < $2 OR (period > 0 AND last_seen + period * $3 < $4)) ORDER BY key LIMIT $5;

-- name: count_devices
SELECT count(*) FROM devices;

-- name: forget_device
DELETE FROM devices WHERE key = $1;

-- name: forget_devices_oldest
DELETE FROM devices WHERE key IN (SELECT key FROM devices ORDER BY last_seen LIMIT $1);

-- name: shelve
INSERT INTO shelf (at, source, transport, reason, detail, size, body) VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id;

-- name: shelf_size
SELECT count(*), coalesce(sum(size), 0) FROM shelf;

-- name: shelf_oldest
DELETE FROM shelf WHERE id = (SELECT min(id) FROM shelf);

-- name: list_shelf
SELECT id, at, source, transport, reason, detail, size FROM shelf WHERE id > $1 ORDER BY id LIMIT $2;

-- name: shelved
SELECT id, at, source, transport, reason, detail, size, body FROM shelf WHERE id = $1;

-- name: unshelve
DELETE FROM shelf WHERE id = $1;

-- name: count
INSERT INTO counts (kind, word, n) VALUES ($1, $2, $3) ON CONFLICT (kind, word) DO UPDATE SET n = counts.n + excluded.n;

-- name: list_counts
SELECT kind, word, n FROM counts ORDER BY kind, word;

-- name: put_bundle
INSERT INTO bundles (id, direction, peer, at, messages, bytes, state, settled_at, answer) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (id) DO UPDATE SET state = excluded.state, settled_at = excluded.settled_at, answer = excluded.answer;

-- name: bundle
SELECT id, direction, peer, at, messages, bytes, state, settled_at, answer FROM bundles WHERE id = $1;

-- name: list_bundles
SELECT id, direction, peer, at, messages, bytes, state, settled_at, answer FROM bundles ORDER BY at DESC, id LIMIT $1;

-- name: put_bundled
INSERT INTO bundled (entry, bundle) VALUES ($1, $2) ON CONFLICT (entry) DO UPDATE SET bundle = excluded.bundle;

-- name: bundled_after
SELECT entry FROM bundled WHERE entry > $1 ORDER BY entry LIMIT $2;

-- name: bundled_in
SELECT entry FROM bundled WHERE bundle = $1 ORDER BY entry;

-- name: unbundle
DELETE FROM bundled WHERE entry = $1;

-- name: fact
SELECT value FROM facts WHERE name = $1;

-- name: put_fact
INSERT INTO facts (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value;
