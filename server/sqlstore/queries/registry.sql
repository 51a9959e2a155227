-- Devices are read with the same columns everywhere: see deviceColumns in registry_device.go.

-- name: registry_device_by_key
SELECT id, model, serial, device_id, sys_name, personality, product_family, sw_version, company_id, site, customer_id,
  contract, contact_email, contact_name, user_name, state, state_since, ent_contract, ent_tier, ent_from, ent_until,
  confirmed_by, confirmed_at, owned, mailed_at, origin_enrolment, origin_company, origin_name, conflict, first_seen,
  last_seen, silent_at, version FROM devices
WHERE serial = $1 AND model = $2

-- name: registry_device
SELECT id, model, serial, device_id, sys_name, personality, product_family, sw_version, company_id, site, customer_id,
  contract, contact_email, contact_name, user_name, state, state_since, ent_contract, ent_tier, ent_from, ent_until,
  confirmed_by, confirmed_at, owned, mailed_at, origin_enrolment, origin_company, origin_name, conflict, first_seen,
  last_seen, silent_at, version FROM devices
WHERE id = $1

-- name: registry_add_device
INSERT INTO devices (id, model, serial, serial_key, device_id, sys_name, name_key, personality, product_family,
  sw_version, company_id, site, customer_id, contract, contract_key, contact_email, contact_name, user_name, state,
  state_since, ent_contract, ent_contract_key, ent_tier, ent_from, ent_until, confirmed_by, confirmed_at, owned,
  mailed_at, origin_enrolment, origin_company, origin_name, conflict, first_seen, last_seen, silent_due, silent_at,
  version)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24,
  $25, $26, $27, $28, $29, $30, $31, $32, $33, $34, $35, 0, 0, 1)
ON CONFLICT DO NOTHING

-- name: registry_device_place
SELECT company_id, state FROM devices WHERE id = $1

-- name: registry_put_device
UPDATE devices SET model = $2, serial = $3, serial_key = $4, device_id = $5, sys_name = $6, name_key = $7, personality
  = $8, product_family = $9, sw_version = $10, company_id = $11, site = $12, customer_id = $13, contract = $14,
  contract_key = $15, contact_email = $16, contact_name = $17, user_name = $18, state = $19, state_since = $20,
  ent_contract = $21, ent_contract_key = $22, ent_tier = $23, ent_from = $24, ent_until = $25, confirmed_by = $26,
  confirmed_at = $27, owned = $28, mailed_at = $29, origin_enrolment = $30, origin_company = $31, origin_name = $32,
  conflict = $33, first_seen = $34, last_seen = $35, version = version + 1
WHERE id = $1 AND version = $36

-- name: registry_touch
UPDATE devices SET last_seen = $2 WHERE id = $1 AND last_seen < $2

-- name: registry_watch
UPDATE devices SET silent_due = $2, silent_at = $3 WHERE id = $1 AND (silent_at = 0 OR CAST($3 AS BIGINT) = 0)

-- name: registry_devices_by_serial
SELECT id, model, serial, device_id, sys_name, personality, product_family, sw_version, company_id, site, customer_id,
  contract, contact_email, contact_name, user_name, state, state_since, ent_contract, ent_tier, ent_from, ent_until,
  confirmed_by, confirmed_at, owned, mailed_at, origin_enrolment, origin_company, origin_name, conflict, first_seen,
  last_seen, silent_at, version FROM devices
WHERE serial_key = $1 ORDER BY id LIMIT $2

-- name: registry_devices_of_contract
SELECT id, model, serial, device_id, sys_name, personality, product_family, sw_version, company_id, site, customer_id,
  contract, contact_email, contact_name, user_name, state, state_since, ent_contract, ent_tier, ent_from, ent_until,
  confirmed_by, confirmed_at, owned, mailed_at, origin_enrolment, origin_company, origin_name, conflict, first_seen,
  last_seen, silent_at, version FROM devices
WHERE (contract_key = $1 OR ent_contract_key = $1) AND id > $2 ORDER BY id LIMIT $3

-- name: registry_due_devices
SELECT id, model, serial, device_id, sys_name, personality, product_family, sw_version, company_id, site, customer_id,
  contract, contact_email, contact_name, user_name, state, state_since, ent_contract, ent_tier, ent_from, ent_until,
  confirmed_by, confirmed_at, owned, mailed_at, origin_enrolment, origin_company, origin_name, conflict, first_seen,
  last_seen, silent_at, version FROM devices
WHERE silent_at = 0 AND silent_due > 0 AND silent_due <= $1 ORDER BY silent_due LIMIT $2

-- name: registry_add_exception
INSERT INTO exceptions (id, day, device, source, reason, company_id, device_id, sys_name, serial, detail, transport, gateway, peer,
  first_at, last_at, n, archive_id)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
ON CONFLICT (device, source, reason, day) DO UPDATE SET company_id = excluded.company_id, sys_name = excluded.sys_name,
  detail = excluded.detail, transport = excluded.transport, gateway = excluded.gateway, peer = excluded.peer,
  last_at = excluded.last_at, n = exceptions.n + excluded.n, archive_id = excluded.archive_id

-- name: registry_count_anonymous
INSERT INTO anonymous_counts (day, model, alert_group, node, n) VALUES ($1, $2, $3, $4, 1)
ON CONFLICT (day, model, alert_group, node) DO UPDATE SET n = anonymous_counts.n + 1

-- name: registry_anonymous_counts
SELECT day, model, alert_group, SUM(n) FROM anonymous_counts WHERE day >= $1
GROUP BY day, model, alert_group ORDER BY day DESC, model, alert_group LIMIT $2

-- name: registry_add_conflict
INSERT INTO conflicts (id, device, kind, evidence, other, serial, company_id, was, claim_enrolment, claim_company, claim_name,
  claim_contract, peer, archive_id, first_at, last_at, n, state, resolved_by, resolved_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, 1, $17, 0, 0)
ON CONFLICT (device, kind, evidence) DO UPDATE SET peer = excluded.peer, archive_id = excluded.archive_id,
  last_at = excluded.last_at, n = conflicts.n + 1
RETURNING id, device, kind, evidence, other, serial, company_id, was, claim_enrolment, claim_company, claim_name, claim_contract,
  peer, archive_id, first_at, last_at, n, state, resolved_by, resolved_at

-- name: registry_conflict
SELECT id, device, kind, evidence, other, serial, company_id, was, claim_enrolment, claim_company, claim_name, claim_contract,
  peer, archive_id, first_at, last_at, n, state, resolved_by, resolved_at
FROM conflicts WHERE id = $1

-- name: registry_resolve_conflict
UPDATE conflicts SET state = $2, resolved_by = $3, resolved_at = $4 WHERE id = $1 AND state = 'open'

-- name: registry_add_group
INSERT INTO device_groups (id, company_id, kind, name, name_key, rule, owners, address, contact)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING

-- name: registry_put_group
UPDATE device_groups SET name = $2, name_key = $3, rule = $4, owners = $5, address = $6, contact = $7 WHERE id = $1

-- name: registry_delete_group
DELETE FROM device_groups WHERE id = $1

-- name: registry_delete_members
DELETE FROM group_members WHERE group_id = $1

-- name: registry_group
SELECT id, company_id, kind, name, rule, owners, address, contact FROM device_groups WHERE id = $1

-- name: registry_add_member
INSERT INTO group_members (group_id, device) VALUES ($1, $2) ON CONFLICT DO NOTHING

-- name: registry_drop_member
DELETE FROM group_members WHERE group_id = $1 AND device = $2

-- name: registry_groups_by_hand
SELECT group_id FROM group_members WHERE device = $1 ORDER BY group_id




-- name: registry_move_exceptions
UPDATE exceptions SET company_id = $2 WHERE device = $1

-- name: registry_move_conflicts
UPDATE conflicts SET company_id = $2 WHERE device = $1
