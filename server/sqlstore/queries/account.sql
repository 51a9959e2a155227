-- name: account_add_company
INSERT INTO companies (id, name, name_key, created_at, disabled) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING

-- name: account_put_company
UPDATE companies SET name = $2, name_key = $3, disabled = $4 WHERE id = $1

-- name: account_company
SELECT id, name, created_at, disabled FROM companies WHERE id = $1

-- name: account_company_by_name
SELECT id, name, created_at, disabled FROM companies WHERE name_key = $1

-- name: account_add_user
INSERT INTO users (id, name, name_key, email, email_key, full_name, role, time_zone, disabled, created_at, last_seen, password, issuer, subject)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) ON CONFLICT DO NOTHING

-- name: account_put_user
UPDATE users SET name = $2, name_key = $3, email = $4, email_key = $5, full_name = $6, role = $7, time_zone = $8, disabled = $9,
  created_at = $10, last_seen = $11, password = $12, issuer = $13, subject = $14
WHERE id = $1

-- name: account_user
SELECT id, name, email, full_name, role, time_zone, disabled, created_at, last_seen, password, issuer, subject FROM users WHERE id = $1

-- name: account_user_by_name
SELECT id, name, email, full_name, role, time_zone, disabled, created_at, last_seen, password, issuer, subject FROM users WHERE name_key = $1

-- name: account_users_by_email
SELECT id, name, email, full_name, role, time_zone, disabled, created_at, last_seen, password, issuer, subject FROM users
WHERE email_key = $1 ORDER BY id LIMIT 2

-- name: account_user_by_identity
SELECT id, name, email, full_name, role, time_zone, disabled, created_at, last_seen, password, issuer, subject FROM users
WHERE issuer = $1 AND subject = $2 AND subject <> ''

-- name: account_count_users
SELECT COUNT(*) FROM user_companies WHERE company_id = $1

-- name: account_see_user
UPDATE users SET last_seen = $2 WHERE id = $1

-- name: account_delete_user
DELETE FROM users WHERE id = $1

-- name: account_drop_user_companies
DELETE FROM user_companies WHERE user_id = $1

-- name: account_add_user_company
INSERT INTO user_companies (user_id, company_id) VALUES ($1, $2) ON CONFLICT DO NOTHING

-- name: account_user_companies
SELECT company_id FROM user_companies WHERE user_id = $1 ORDER BY company_id

-- name: account_attempts
SELECT failures, last_at FROM signin_attempts WHERE name = $1

-- name: account_put_attempts
INSERT INTO signin_attempts (name, failures, last_at) VALUES ($1, $2, $3)
ON CONFLICT (name) DO UPDATE SET failures = excluded.failures, last_at = excluded.last_at

-- name: account_drop_attempts
DELETE FROM signin_attempts WHERE name = $1

-- name: account_add_token
INSERT INTO api_tokens (id, name, prefix, digest, scope, user_id, company_id, created_at, until_at, last_used)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0)

-- name: account_token
SELECT id, name, prefix, digest, scope, user_id, company_id, created_at, until_at, last_used FROM api_tokens WHERE id = $1

-- name: account_token_by_digest
SELECT id, name, prefix, digest, scope, user_id, company_id, created_at, until_at, last_used FROM api_tokens WHERE digest = $1

-- name: account_use_token
UPDATE api_tokens SET last_used = $2 WHERE id = $1 AND last_used < $2

-- name: account_delete_token
DELETE FROM api_tokens WHERE id = $1

-- name: account_delete_tokens_of
DELETE FROM api_tokens WHERE user_id = $1

-- name: account_add_session
INSERT INTO sessions (digest, user_id, created_at, last_seen, address, agent) VALUES ($1, $2, $3, $4, $5, $6)

-- name: account_session
SELECT digest, user_id, created_at, last_seen, address, agent FROM sessions WHERE digest = $1

-- name: account_see_session
UPDATE sessions SET last_seen = $2 WHERE digest = $1 AND last_seen < $2

-- name: account_delete_session
DELETE FROM sessions WHERE digest = $1

-- name: account_delete_sessions_of
DELETE FROM sessions WHERE user_id = $1

-- name: account_add_invitation
INSERT INTO invitations (id, digest, email, role, company_id, companies, by_user, created_at, until_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)

-- name: account_invitation_by_digest
SELECT id, digest, email, role, companies, by_user, created_at, until_at FROM invitations WHERE digest = $1

-- name: account_delete_invitation
DELETE FROM invitations WHERE id = $1

-- name: account_add_flow
INSERT INTO oidc_flows (digest, nonce, verifier, return_to, until_at) VALUES ($1, $2, $3, $4, $5)

-- name: account_take_flow
DELETE FROM oidc_flows WHERE digest = $1 RETURNING digest, nonce, verifier, return_to, until_at

-- name: account_forget_sessions
DELETE FROM sessions WHERE digest IN (SELECT digest FROM sessions WHERE last_seen < $1 ORDER BY last_seen LIMIT $2)

-- name: account_forget_invitations
DELETE FROM invitations WHERE id IN (SELECT id FROM invitations WHERE until_at < $1 ORDER BY until_at LIMIT $2)

-- name: account_forget_flows
DELETE FROM oidc_flows WHERE digest IN (SELECT digest FROM oidc_flows WHERE until_at < $1 ORDER BY until_at LIMIT $2)

-- name: account_forget_attempts
DELETE FROM signin_attempts WHERE name IN (SELECT name FROM signin_attempts WHERE last_at < $1 ORDER BY last_at LIMIT $2)

-- name: account_audit_head
SELECT seq, hash, at FROM audit_head WHERE id = 1

-- name: account_audit_lock
SELECT seq, hash, at FROM audit_head WHERE id = 1

-- name: account_set_audit_head
UPDATE audit_head SET seq = $1, hash = $2, at = $3 WHERE id = 1 AND seq = $1 - 1

-- name: account_add_audit
INSERT INTO audit (seq, at, actor, action, object, company_id, detail, prev, hash) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)

-- name: account_audit_from
SELECT seq, at, actor, action, object, company_id, detail, prev, hash FROM audit WHERE seq >= $1 ORDER BY seq LIMIT $2
