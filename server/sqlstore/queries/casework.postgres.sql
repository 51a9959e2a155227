-- Several servers take what is due at the same time: each leaves out what another holds.
-- name: casework_due
SELECT id FROM cases WHERE due_at > 0 AND due_at <= $1 ORDER BY due_at LIMIT $2 FOR UPDATE SKIP LOCKED

-- name: casework_lock_held
SELECT device_id, rule, part, company_id, case_id, held_due, detail FROM case_slots
WHERE held_due > 0 AND held_due <= $1 ORDER BY held_due LIMIT $2 FOR UPDATE SKIP LOCKED

-- name: casework_ready_pushes
SELECT id FROM case_pushes p
WHERE state = 'waiting' AND due_at <= $1 AND lease_until <= $1 AND NOT EXISTS (
  SELECT 1 FROM case_pushes e WHERE e.case_id = p.case_id AND e.adapter = p.adapter AND e.seq < p.seq AND e.state = 'waiting')
ORDER BY due_at LIMIT $2 FOR UPDATE OF p SKIP LOCKED
