-- name: casework_next_number
INSERT INTO case_numbers (name, last) VALUES ('case', 1)
ON CONFLICT (name) DO UPDATE SET last = case_numbers.last + 1
RETURNING last

-- The first write of a cause's transaction: it locks the row, on both engines.
-- name: casework_lock_slot
INSERT INTO case_slots (device_id, rule, part, company_id, case_id, held_due, detail) VALUES ($1, $2, $3, $4, 0, 0, '')
ON CONFLICT (device_id, rule, part) DO UPDATE SET company_id = excluded.company_id
RETURNING device_id, rule, part, company_id, case_id, held_due, detail

-- name: casework_lock_slots
UPDATE case_slots SET detail = detail WHERE device_id = $1 AND rule = $2
RETURNING device_id, rule, part, company_id, case_id, held_due, detail

-- name: casework_lock_held
SELECT device_id, rule, part, company_id, case_id, held_due, detail FROM case_slots
WHERE held_due > 0 AND held_due <= $1 ORDER BY held_due LIMIT $2

-- name: casework_put_slot
UPDATE case_slots SET case_id = $4, held_due = $5, detail = $6 WHERE device_id = $1 AND rule = $2 AND part = $3

-- name: casework_rouse_held
UPDATE case_slots SET held_due = $1 WHERE held_due > $1

-- name: casework_add_deed
INSERT INTO case_deeds (id, device_id, message, rule, part, company_id, archive_id, at, event_at, disposition, case_id, level, title, evidence)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
ON CONFLICT (device_id, message, rule, part) DO NOTHING

-- name: casework_put_deed
UPDATE case_deeds SET disposition = $5, case_id = $6 WHERE device_id = $1 AND message = $2 AND rule = $3 AND part = $4

-- name: casework_drop_deeds
DELETE FROM case_deeds WHERE id IN (
  SELECT d.id FROM case_deeds d LEFT JOIN cases c ON c.id = d.case_id
  WHERE d.id < $1 AND (c.id IS NULL OR c.state = 'closed') ORDER BY d.id LIMIT $2)

-- name: casework_add_case
INSERT INTO cases (id, number, company_id, device_id, rule, site, state, active, level, team, assignee, words, opened_at, due_at, version, detail)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, 0, $15)

-- name: casework_lock_case
UPDATE cases SET version = version + 1 WHERE id = $1 RETURNING detail

-- name: casework_case_standing
SELECT company_id, team, state, level FROM cases WHERE id = $1

-- name: casework_put_case
UPDATE cases SET site = $2, state = $3, active = $4, level = $5, team = $6, assignee = $7, words = $8, due_at = $9, detail = $10
WHERE id = $1

-- name: casework_add_event
INSERT INTO case_events (id, case_id, seq, company_id, at, who, via, kind, was, became, body)
SELECT $1, $2, $3, company_id, $4, $5, $6, $7, $8, $9, $10 FROM cases WHERE id = $2

-- name: casework_take_code
INSERT INTO case_codes (hash, case_id) VALUES ($1, $2) ON CONFLICT (hash) DO NOTHING

-- name: casework_free_code
DELETE FROM case_codes WHERE case_id = $1

-- name: casework_case_of_code
SELECT case_id FROM case_codes WHERE hash = $1

-- name: casework_due
SELECT id FROM cases WHERE due_at > 0 AND due_at <= $1 ORDER BY due_at LIMIT $2

-- name: casework_add_window
INSERT INTO case_windows (id, company_id, scope, target, from_at, until_at, reason, made_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)

-- name: casework_window
SELECT id, company_id, scope, target, from_at, until_at, reason, made_by FROM case_windows WHERE id = $1

-- name: casework_end_window
UPDATE case_windows SET until_at = $2 WHERE id = $1 AND until_at > $2

-- name: casework_drop_window
DELETE FROM case_windows WHERE id = $1

-- name: casework_windows_at
SELECT id, company_id, scope, target, from_at, until_at, reason, made_by FROM case_windows
WHERE company_id = $1 AND until_at > $2 AND from_at <= $2

-- name: casework_add_override
INSERT INTO case_overrides (id, rota, person, from_at, until_at, made_by) VALUES ($1, $2, $3, $4, $5, $6)

-- name: casework_drop_override
DELETE FROM case_overrides WHERE id = $1

-- name: casework_overrides_at
SELECT id, rota, person, from_at, until_at, made_by FROM case_overrides WHERE until_at > $1 AND from_at <= $1

-- name: casework_add_link
INSERT INTO case_links (case_id, adapter, company_id, number, remote, url, state, remote_at, added_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (case_id, adapter) DO NOTHING

-- name: casework_put_link
UPDATE case_links SET remote = $3, url = $4, state = $5, remote_at = $6 WHERE case_id = $1 AND adapter = $2

-- name: casework_links_of
SELECT case_id, adapter, company_id, number, remote, url, state, remote_at, added_at FROM case_links WHERE case_id = $1 ORDER BY adapter

-- name: casework_link_of
SELECT case_id, adapter, company_id, number, remote, url, state, remote_at, added_at FROM case_links WHERE case_id = $1 AND adapter = $2

-- name: casework_link_by_remote
SELECT case_id, adapter, company_id, number, remote, url, state, remote_at, added_at FROM case_links WHERE adapter = $1 AND remote = $2

-- name: casework_add_push
INSERT INTO case_pushes (id, case_id, adapter, seq, company_id, kind, push_key, state, tries, added_at, due_at, lease_until, last_error, snapshot)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 0, $12, $13)

-- name: casework_ready_pushes
SELECT id FROM case_pushes p
WHERE state = 'waiting' AND due_at <= $1 AND lease_until <= $1 AND NOT EXISTS (
  SELECT 1 FROM case_pushes e WHERE e.case_id = p.case_id AND e.adapter = p.adapter AND e.seq < p.seq AND e.state = 'waiting')
ORDER BY due_at LIMIT $2

-- name: casework_lease_push
UPDATE case_pushes SET lease_until = $3 WHERE id = $1 AND state = 'waiting' AND lease_until <= $2
RETURNING id, case_id, adapter, seq, company_id, kind, push_key, state, tries, added_at, due_at, last_error, snapshot

-- name: casework_put_push
UPDATE case_pushes SET state = $2, tries = $3, due_at = $4, last_error = $5, lease_until = 0 WHERE id = $1

-- name: casework_state_pending
SELECT COUNT(1) FROM case_pushes WHERE case_id = $1 AND adapter = $2 AND state = 'waiting' AND kind = 'state'

-- name: casework_drop_pushes
DELETE FROM case_pushes WHERE id IN (SELECT id FROM case_pushes WHERE id < $1 AND state <> 'waiting' ORDER BY id LIMIT $2)

-- name: casework_add_inbound
INSERT INTO case_inbound (adapter, event, at) VALUES ($1, $2, $3) ON CONFLICT (adapter, event) DO NOTHING

-- name: casework_drop_inbound
DELETE FROM case_inbound WHERE at < $1

-- name: casework_claim_poll
INSERT INTO case_polls (adapter, due_at, since) VALUES ($1, $3, 0)
ON CONFLICT (adapter) DO UPDATE SET due_at = excluded.due_at WHERE case_polls.due_at <= $2
RETURNING since

-- name: casework_put_poll
UPDATE case_polls SET since = $2 WHERE adapter = $1

-- name: casework_old_cases
SELECT id, company_id, team, state, level FROM cases WHERE id < $1 AND state = 'closed' ORDER BY id LIMIT $2

-- name: casework_drop_slots_case
UPDATE case_slots SET case_id = 0 WHERE case_id = $1

-- name: casework_drop_case_events
DELETE FROM case_events WHERE case_id = $1

-- name: casework_drop_case_deeds
DELETE FROM case_deeds WHERE case_id = $1

-- name: casework_drop_case_links
DELETE FROM case_links WHERE case_id = $1

-- name: casework_drop_case_pushes
DELETE FROM case_pushes WHERE case_id = $1

-- name: casework_drop_case
DELETE FROM cases WHERE id = $1
