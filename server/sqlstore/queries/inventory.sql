-- name: inventory_head
SELECT device_id, company_id, number, message_id, at, hash, reading, incomplete, platform, family, model, serial, part_no, hw_version, sw_version, units
FROM inventory_heads WHERE device_id = $1

-- name: inventory_heads
SELECT device_id, company_id, number, message_id, at, hash, reading, incomplete, platform, family, model, serial, part_no, hw_version, sw_version, units
FROM inventory_heads WHERE device_id > $1 ORDER BY device_id LIMIT $2

-- name: inventory_current
SELECT r.inventory FROM inventory_heads h JOIN inventory_revisions r ON r.device_id = h.device_id AND r.number = h.number WHERE h.device_id = $1

-- name: inventory_by_message
SELECT device_id, company_id, number, message_id, at, stored_at, whole, incomplete, hash, changes, inventory
FROM inventory_revisions WHERE device_id = $1 AND message_id = $2 ORDER BY number DESC LIMIT 1

-- name: inventory_revision
SELECT device_id, company_id, number, message_id, at, stored_at, whole, incomplete, hash, changes, inventory
FROM inventory_revisions WHERE device_id = $1 AND number = $2

-- name: inventory_latest
SELECT device_id, company_id, number, message_id, at, stored_at, whole, incomplete, hash, changes, inventory
FROM inventory_revisions WHERE device_id = $1 ORDER BY number DESC LIMIT 1

-- name: inventory_put_revision
INSERT INTO inventory_revisions (device_id, number, company_id, message_id, at, stored_at, whole, incomplete, hash, changes, inventory)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)

-- name: inventory_amend
UPDATE inventory_revisions SET hash = $3, incomplete = $4, inventory = $5 WHERE device_id = $1 AND number = $2

-- name: inventory_put_head
INSERT INTO inventory_heads (device_id, company_id, number, message_id, at, hash, reading, incomplete, platform, family, model, serial, part_no, hw_version, sw_version, units)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
ON CONFLICT (device_id) DO UPDATE SET company_id = excluded.company_id, number = excluded.number, message_id = excluded.message_id, at = excluded.at,
    hash = excluded.hash, reading = excluded.reading, incomplete = excluded.incomplete, platform = excluded.platform, family = excluded.family,
    model = excluded.model, serial = excluded.serial, part_no = excluded.part_no, hw_version = excluded.hw_version, sw_version = excluded.sw_version, units = excluded.units

-- name: inventory_touch
UPDATE inventory_heads SET reading = $2, incomplete = $3 WHERE device_id = $1

-- name: inventory_units_of
SELECT id, unit FROM inventory_units WHERE device_id = $1

-- name: inventory_put_unit
INSERT INTO inventory_units (id, device_id, company_id, slot, serial_key, product_key, part_key, sw_version, since, unit)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)

-- name: inventory_change_unit
UPDATE inventory_units SET product_key = $2, part_key = $3, sw_version = $4, unit = $5 WHERE id = $1

-- name: inventory_drop_unit
DELETE FROM inventory_units WHERE id = $1

-- name: inventory_put_home
INSERT INTO inventory_homes (company_id, serial, device_id, slot, product, since) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (company_id, serial) DO UPDATE SET device_id = excluded.device_id, slot = excluded.slot, product = excluded.product, since = excluded.since

-- name: inventory_move_revisions
UPDATE inventory_revisions SET company_id = $2 WHERE device_id = $1

-- name: inventory_move_head
UPDATE inventory_heads SET company_id = $2 WHERE device_id = $1

-- name: inventory_move_units
UPDATE inventory_units SET company_id = $2 WHERE device_id = $1

-- name: inventory_clear_homes
DELETE FROM inventory_homes WHERE company_id = $2 AND serial IN (SELECT h.serial FROM inventory_homes h WHERE h.device_id = $1 AND h.company_id <> $2)

-- name: inventory_move_homes
UPDATE inventory_homes SET company_id = $2 WHERE device_id = $1

-- name: inventory_forget_revisions
DELETE FROM inventory_revisions WHERE device_id = $1

-- name: inventory_forget_head
DELETE FROM inventory_heads WHERE device_id = $1

-- name: inventory_forget_units
DELETE FROM inventory_units WHERE device_id = $1

-- name: inventory_forget_homes
DELETE FROM inventory_homes WHERE device_id = $1
