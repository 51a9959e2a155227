-- name: fleet_add_enrolment
INSERT INTO enrolments (id, kind, company_id, name, name_key, joined_at, revoked_at, reason, by_user, claims, until_at, heard_at,
  late_at, version, config_digest, beat)
VALUES ($1, $2, $3, $4, $5, $6, 0, '', $7, $8, 0, $6, 0, '', '', '')

-- name: fleet_enrolment
SELECT id, kind, company_id, name, joined_at, revoked_at, reason, by_user, claims, until_at, beat FROM enrolments WHERE id = $1

-- name: fleet_enrolment_by_name
SELECT id, kind, company_id, name, joined_at, revoked_at, reason, by_user, claims, until_at, beat FROM enrolments
WHERE company_id = $1 AND kind = $2 AND name_key = $3 AND revoked_at = 0

-- name: fleet_enrolment_by_fingerprint
SELECT e.id, e.kind, e.company_id, e.name, e.joined_at, e.revoked_at, e.reason, e.by_user, e.claims, e.until_at, e.beat
FROM client_certificates k JOIN enrolments e ON e.id = k.enrolment WHERE k.fingerprint = $1

-- name: fleet_revoke
UPDATE enrolments SET revoked_at = $2, reason = $3 WHERE id = $1 AND revoked_at = 0

-- name: fleet_revoke_certificates
UPDATE client_certificates SET revoked_at = $2 WHERE enrolment = $1 AND revoked_at = 0

-- name: fleet_put_beat
UPDATE enrolments SET heard_at = $2, late_at = 0, version = $3, config_digest = $4, beat = $5 WHERE id = $1

-- name: fleet_late
SELECT id, kind, company_id, name, joined_at, revoked_at, reason, by_user, claims, until_at, beat FROM enrolments
WHERE revoked_at = 0 AND late_at = 0 AND heard_at < $1 ORDER BY heard_at LIMIT $2

-- name: fleet_raise_late
UPDATE enrolments SET late_at = $2 WHERE id = $1 AND late_at = 0

-- name: fleet_add_certificate
INSERT INTO client_certificates (fingerprint, enrolment, serial, key_digest, issued_at, until_at, revoked_at, grant_json)
VALUES ($1, $2, $3, $4, $5, $6, 0, $7)

-- name: fleet_set_until
UPDATE enrolments SET until_at = $2 WHERE id = $1

-- name: fleet_certificate
SELECT fingerprint, enrolment, serial, key_digest, issued_at, until_at, revoked_at, grant_json FROM client_certificates WHERE fingerprint = $1

-- name: fleet_certificate_by_key
SELECT fingerprint, enrolment, serial, key_digest, issued_at, until_at, revoked_at, grant_json FROM client_certificates
WHERE enrolment = $1 AND key_digest = $2 ORDER BY issued_at DESC LIMIT 1

-- name: fleet_add_join_token
INSERT INTO join_tokens (id, digest, prefix, kind, company_id, name, made_by, made_at, until_at, used_at, key_digest, enrolment)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, '', 0)

-- name: fleet_join_token
SELECT id, digest, prefix, kind, company_id, name, made_by, made_at, until_at, used_at, key_digest, enrolment FROM join_tokens WHERE digest = $1

-- name: fleet_use_join_token
UPDATE join_tokens SET used_at = $2, key_digest = $3, enrolment = $4 WHERE id = $1 AND used_at = 0

-- name: fleet_join_token_company
SELECT company_id FROM join_tokens WHERE id = $1

-- name: fleet_delete_join_token
DELETE FROM join_tokens WHERE id = $1
