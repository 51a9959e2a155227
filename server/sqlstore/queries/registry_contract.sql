-- name: registry_contract
SELECT id, number, company_id, tier, from_at, until_at, name, warned_for, updated_at FROM contracts WHERE number_key = $1

-- name: registry_contracts_covering
SELECT c.id, c.number, c.company_id, c.tier, c.from_at, c.until_at, c.name, c.warned_for, c.updated_at
FROM contract_terms t JOIN contracts c ON c.id = t.contract_id
WHERE t.kind = 'serial' AND t.value_key = $1
ORDER BY CASE WHEN c.until_at = 0 THEN 1 ELSE 0 END DESC, c.until_at DESC, c.id

-- name: registry_terms
SELECT kind, value FROM contract_terms WHERE contract_id = $1 ORDER BY kind, value_key

-- name: registry_add_contract
INSERT INTO contracts (id, number, number_key, company_id, tier, from_at, until_at, name, warned_for, begun_for, ended_for, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, 0, $10) ON CONFLICT DO NOTHING

-- name: registry_put_contract
UPDATE contracts SET number = $2, number_key = $3, company_id = $4, tier = $5, from_at = $6, until_at = $7, name = $8,
  warned_for = $9, updated_at = $10
WHERE id = $1

-- name: registry_drop_terms
DELETE FROM contract_terms WHERE contract_id = $1

-- name: registry_add_term
INSERT INTO contract_terms (contract_id, kind, value_key, value) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING

-- name: registry_delete_contract
DELETE FROM contracts WHERE id = $1

-- name: registry_contracts_ending
SELECT id, number, company_id, tier, from_at, until_at, name, warned_for, updated_at FROM contracts
WHERE until_at > 0 AND (warned_for <> until_at OR ended_for <> until_at) AND warned_for <> until_at AND until_at <= $1
ORDER BY until_at LIMIT $2

-- name: registry_contracts_ended
SELECT id, number, company_id, tier, from_at, until_at, name, warned_for, updated_at FROM contracts
WHERE until_at > 0 AND (warned_for <> until_at OR ended_for <> until_at) AND ended_for <> until_at AND until_at <= $1
ORDER BY until_at LIMIT $2

-- name: registry_contracts_begun
SELECT id, number, company_id, tier, from_at, until_at, name, warned_for, updated_at FROM contracts
WHERE from_at > 0 AND begun_for <> from_at AND from_at <= $1
ORDER BY from_at LIMIT $2

-- name: registry_mark_warned
UPDATE contracts SET warned_for = until_at WHERE id = $1

-- name: registry_mark_begun
UPDATE contracts SET begun_for = from_at WHERE id = $1

-- name: registry_mark_ended
UPDATE contracts SET ended_for = until_at WHERE id = $1

-- name: registry_count_contract_devices
SELECT COUNT(*) FROM devices WHERE ent_contract_key = $1

-- name: registry_add_request
INSERT INTO registration_requests (token, code, device, sent_to, sent_at, until_at, failures) VALUES ($1, $2, $3, $4, $5, $6, 0)

-- name: registry_request
SELECT token, code, device, sent_to, sent_at, until_at, failures FROM registration_requests WHERE token = $1

-- name: registry_requests_of
SELECT token, code, device, sent_to, sent_at, until_at, failures FROM registration_requests WHERE device = $1 ORDER BY sent_at DESC

-- name: registry_fail_requests
UPDATE registration_requests SET failures = failures + 1 WHERE device = $1

-- name: registry_drop_requests
DELETE FROM registration_requests WHERE device = $1

-- name: registry_forget_requests
DELETE FROM registration_requests WHERE token IN (SELECT token FROM registration_requests WHERE until_at < $1 ORDER BY until_at LIMIT $2)

-- name: registry_schedules
SELECT device, alert_group, period, told, last_at, due_at, raised_at, arrivals FROM schedules WHERE device = $1 ORDER BY alert_group

-- name: registry_schedule
SELECT device, alert_group, period, told, last_at, due_at, raised_at, arrivals FROM schedules WHERE device = $1 AND alert_group = $2

-- name: registry_put_schedule
INSERT INTO schedules (device, alert_group, period, told, last_at, due_at, raised_at, arrivals)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (device, alert_group) DO UPDATE SET period = excluded.period, told = excluded.told, last_at = excluded.last_at,
  due_at = excluded.due_at, raised_at = excluded.raised_at, arrivals = excluded.arrivals

-- name: registry_due_schedules
SELECT device, alert_group, period, told, last_at, due_at, raised_at, arrivals FROM schedules
WHERE raised_at = 0 AND due_at > 0 AND due_at <= $1 ORDER BY due_at LIMIT $2

-- name: registry_raise_schedule
UPDATE schedules SET raised_at = $4 WHERE device = $1 AND alert_group = $2 AND raised_at = 0 AND due_at = $3
