-- Statements of the spool. Those that change rows are prepared on the writing connection, the others on the reading
-- ones. Lists of entries and of dead letters have the same columns.

-- name: begin
BEGIN IMMEDIATE;

-- name: commit
COMMIT;

-- name: rollback
ROLLBACK;

-- name: load_mark
SELECT last_alert, last_number, last_entry, last_road, alerts, alert_bytes, entries, entry_bytes, dead_letters,
	dead_bytes, last_sent_at
FROM mark WHERE id = 1;

-- name: load_statistics
SELECT alert_group, transport, status, reason, n FROM statistic;

-- name: load_destinations
SELECT id, transport, address FROM destination ORDER BY id;

-- name: forget_destinations
DELETE FROM destination
WHERE NOT EXISTS (SELECT 1 FROM entry WHERE entry.road = destination.id)
	AND NOT EXISTS (SELECT 1 FROM dead_letter WHERE dead_letter.road = destination.id);

-- name: set_mark
INSERT OR REPLACE INTO mark (id, last_alert, last_number, last_entry, last_road, alerts, alert_bytes, entries,
	entry_bytes, dead_letters, dead_bytes, last_sent_at)
VALUES (1, $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11);

-- name: add_destination
INSERT INTO destination (id, transport, address) VALUES ($1, $2, $3);

-- name: add_alert
INSERT INTO alert (id, device, first_number, accepted_at, retry_at, packed) VALUES ($1, $2, $3, $4, 0, $5);

-- name: delay_alert
UPDATE alert SET retry_at = $2 WHERE id = $1;

-- name: delete_alert
DELETE FROM alert WHERE id = $1;

-- name: add_entry
INSERT INTO entry (id, road, device, message_id, alert_id, profile, alert_group, format, mail_from, content_type, truncated, anonymous,
	size, queued_at, attempts, tried_at, retry_at, last_error, packed)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, 0, 0, 0, '', $15);

-- name: delete_entry
DELETE FROM entry WHERE id = $1;

-- name: fail_entry
UPDATE entry SET attempts = $2, tried_at = $3, retry_at = $4, last_error = $5 WHERE id = $1;

-- name: bury_entry
INSERT INTO dead_letter (id, road, device, message_id, alert_id, profile, alert_group, format, mail_from, content_type, truncated, anonymous,
	size, queued_at, attempts, tried_at, retry_at, last_error, packed, reason, died_at)
SELECT id, road, device, message_id, alert_id, profile, alert_group, format, mail_from, content_type, truncated, anonymous,
	size, queued_at, $3, tried_at, 0, $5, packed, $2, $4
FROM entry WHERE id = $1;

-- name: revive_letter
INSERT INTO entry (id, road, device, message_id, alert_id, profile, alert_group, format, mail_from, content_type, truncated, anonymous,
	size, queued_at, attempts, tried_at, retry_at, last_error, packed)
SELECT $2, road, device, message_id, alert_id, profile, alert_group, format, mail_from, content_type, truncated, anonymous,
	size, $3, 0, 0, 0, '', packed
FROM dead_letter WHERE id = $1;

-- name: delete_letter
DELETE FROM dead_letter WHERE id = $1;

-- name: add_line
INSERT INTO ledger (at, status, reason, alert_id, message_id, device, alert_group, profile, transport, address, attempts,
	queued_at, detail)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13);

-- name: forget_lines
DELETE FROM ledger WHERE id IN (
	SELECT id FROM (SELECT id, at FROM ledger ORDER BY id LIMIT $3)
	WHERE at < $1 OR id <= (SELECT max(id) FROM ledger) - $2
);

-- name: add_statistic
INSERT INTO statistic (alert_group, transport, status, reason, n) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (alert_group, transport, status, reason) DO UPDATE SET n = n + excluded.n;

-- name: first_alert
SELECT id, device, first_number, accepted_at, retry_at, packed FROM alert WHERE device = $1 ORDER BY id LIMIT 1;

-- name: first_entries
SELECT entry.id, entry.road, destination.transport, destination.address, entry.device, entry.message_id, entry.alert_id,
	entry.profile, entry.alert_group, entry.format, entry.mail_from, entry.content_type, entry.truncated, entry.anonymous,
	entry.size, length(entry.packed), entry.queued_at, entry.attempts, entry.tried_at, entry.retry_at, entry.last_error, entry.packed
FROM entry JOIN destination ON destination.id = entry.road
WHERE entry.road = $1 AND entry.device = $2 ORDER BY entry.id LIMIT $3;

-- name: one_entry
SELECT entry.id, entry.road, destination.transport, destination.address, entry.device, entry.message_id, entry.alert_id,
	entry.profile, entry.alert_group, entry.format, entry.mail_from, entry.content_type, entry.truncated, entry.anonymous,
	entry.size, length(entry.packed), entry.queued_at, entry.attempts, entry.tried_at, entry.retry_at, entry.last_error, '', 0, entry.packed
FROM entry JOIN destination ON destination.id = entry.road
WHERE entry.id = $1;

-- name: one_letter
SELECT dead_letter.id, dead_letter.road, destination.transport, destination.address, dead_letter.device, dead_letter.message_id, dead_letter.alert_id,
	dead_letter.profile, dead_letter.alert_group, dead_letter.format, dead_letter.mail_from, dead_letter.content_type, dead_letter.truncated, dead_letter.anonymous,
	dead_letter.size, length(dead_letter.packed), dead_letter.queued_at, dead_letter.attempts, dead_letter.tried_at, dead_letter.retry_at, dead_letter.last_error, dead_letter.reason, dead_letter.died_at, dead_letter.packed
FROM dead_letter JOIN destination ON destination.id = dead_letter.road
WHERE dead_letter.id = $1;

-- name: list_entries
SELECT entry.id, entry.road, destination.transport, destination.address, entry.device, entry.message_id, entry.alert_id,
	entry.profile, entry.alert_group, entry.format, entry.mail_from, entry.content_type, entry.truncated, entry.anonymous,
	entry.size, length(entry.packed), entry.queued_at, entry.attempts, entry.tried_at, entry.retry_at, entry.last_error, '', 0
FROM entry JOIN destination ON destination.id = entry.road
WHERE TRUE;

-- name: list_letters
SELECT dead_letter.id, dead_letter.road, destination.transport, destination.address, dead_letter.device, dead_letter.message_id, dead_letter.alert_id,
	dead_letter.profile, dead_letter.alert_group, dead_letter.format, dead_letter.mail_from, dead_letter.content_type, dead_letter.truncated, dead_letter.anonymous,
	dead_letter.size, length(dead_letter.packed), dead_letter.queued_at, dead_letter.attempts, dead_letter.tried_at, dead_letter.retry_at, dead_letter.last_error, dead_letter.reason, dead_letter.died_at
FROM dead_letter JOIN destination ON destination.id = dead_letter.road
WHERE TRUE;

-- Devices are found by stepping through the index from one to the next: a lane of 100 000 rows is one step.

-- name: alert_devices_from_start
WITH RECURSIVE step (device) AS (
	SELECT min(alert.device) FROM alert
	UNION ALL
	SELECT (SELECT min(alert.device) FROM alert WHERE alert.device > step.device) FROM step WHERE step.device IS NOT NULL
)
SELECT device FROM step WHERE device IS NOT NULL LIMIT $1;

-- name: alert_devices_after
WITH RECURSIVE step (device) AS (
	SELECT min(alert.device) FROM alert WHERE alert.device > $2
	UNION ALL
	SELECT (SELECT min(alert.device) FROM alert WHERE alert.device > step.device) FROM step WHERE step.device IS NOT NULL
)
SELECT device FROM step WHERE device IS NOT NULL LIMIT $1;

-- name: entry_devices_from_start
WITH RECURSIVE step (device) AS (
	SELECT min(entry.device) FROM entry WHERE entry.road = $2
	UNION ALL
	SELECT (SELECT min(entry.device) FROM entry WHERE entry.road = $2 AND entry.device > step.device)
	FROM step WHERE step.device IS NOT NULL
)
SELECT device FROM step WHERE device IS NOT NULL LIMIT $1;

-- name: entry_devices_after
WITH RECURSIVE step (device) AS (
	SELECT min(entry.device) FROM entry WHERE entry.road = $2 AND entry.device > $3
	UNION ALL
	SELECT (SELECT min(entry.device) FROM entry WHERE entry.road = $2 AND entry.device > step.device)
	FROM step WHERE step.device IS NOT NULL
)
SELECT device FROM step WHERE device IS NOT NULL LIMIT $1;

-- name: ledger_newest
SELECT id, at, status, reason, alert_id, message_id, device, alert_group, profile, transport, address, attempts,
	queued_at, detail
FROM ledger WHERE id < $1 ORDER BY id DESC LIMIT $2;

-- name: ledger_of_message
SELECT id, at, status, reason, alert_id, message_id, device, alert_group, profile, transport, address, attempts,
	queued_at, detail
FROM ledger WHERE id < $1 AND message_id = $3 AND message_id <> '' ORDER BY id DESC LIMIT $2;

-- name: oldest
SELECT coalesce((SELECT queued_at FROM entry ORDER BY id LIMIT 1), (SELECT accepted_at FROM alert ORDER BY id LIMIT 1), 0);

-- After a salvage totals and numbers are taken from the rows themselves.

-- name: recount
SELECT
	(SELECT coalesce(max(id), 0) FROM alert),
	(SELECT coalesce(max(first_number), 0) FROM alert),
	(SELECT max(coalesce((SELECT max(id) FROM entry), 0), coalesce((SELECT max(id) FROM dead_letter), 0))),
	(SELECT coalesce(max(id), 0) FROM destination),
	(SELECT count(id) FROM alert), (SELECT coalesce(sum(length(packed)), 0) FROM alert),
	(SELECT count(id) FROM entry), (SELECT coalesce(sum(length(packed)), 0) FROM entry),
	(SELECT count(id) FROM dead_letter), (SELECT coalesce(sum(length(packed)), 0) FROM dead_letter);

-- name: delete_queued_statistics
DELETE FROM statistic WHERE status = 'queued';

-- name: recount_queued_statistics
INSERT INTO statistic (alert_group, transport, status, reason, n)
SELECT entry.alert_group, destination.transport, 'queued', '', count(entry.id)
FROM entry JOIN destination ON destination.id = entry.road
GROUP BY entry.alert_group, destination.transport;
