-- Two machines with one token wait for each other. SQLite has one writer anyway.

-- name: fleet_join_token
SELECT id, digest, prefix, kind, company_id, name, made_by, made_at, until_at, used_at, key_digest, enrolment FROM join_tokens WHERE digest = $1 FOR UPDATE
