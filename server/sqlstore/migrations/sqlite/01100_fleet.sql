-- +goose Up

-- Agents and gateways of ours. claims is what they say of themselves and beat their latest heartbeat, both JSON; heard_at
-- is the time of that heartbeat or, before the first, of joining.
CREATE TABLE enrolments (
  id            INTEGER PRIMARY KEY,
  kind          TEXT NOT NULL,
  company_id    INTEGER NOT NULL,
  name          TEXT NOT NULL,
  name_key      TEXT NOT NULL,
  joined_at     INTEGER NOT NULL,
  revoked_at    INTEGER NOT NULL,
  reason        TEXT NOT NULL,
  by_user       INTEGER NOT NULL,
  claims        TEXT NOT NULL,
  until_at      INTEGER NOT NULL,
  heard_at      INTEGER NOT NULL,
  late_at       INTEGER NOT NULL,
  version       TEXT NOT NULL,
  config_digest TEXT NOT NULL,
  beat          TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX enrolments_name ON enrolments (company_id, kind, name_key) WHERE revoked_at = 0;
CREATE INDEX enrolments_heard ON enrolments (heard_at) WHERE revoked_at = 0 AND late_at = 0;

-- Client certificates that were granted, by fingerprint; grant_json is the whole answer, to give it again.
CREATE TABLE client_certificates (
  fingerprint TEXT PRIMARY KEY,
  enrolment   INTEGER NOT NULL,
  serial      TEXT NOT NULL,
  key_digest  TEXT NOT NULL,
  issued_at   INTEGER NOT NULL,
  until_at    INTEGER NOT NULL,
  revoked_at  INTEGER NOT NULL,
  grant_json  TEXT NOT NULL
) STRICT;
CREATE INDEX client_certificates_key ON client_certificates (enrolment, key_digest, issued_at);

-- One-time tokens for joining, by SHA-256.
CREATE TABLE join_tokens (
  id         INTEGER PRIMARY KEY,
  digest     TEXT NOT NULL UNIQUE,
  prefix     TEXT NOT NULL,
  kind       TEXT NOT NULL,
  company_id INTEGER NOT NULL,
  name       TEXT NOT NULL,
  made_by    INTEGER NOT NULL,
  made_at    INTEGER NOT NULL,
  until_at   INTEGER NOT NULL,
  used_at    INTEGER NOT NULL,
  key_digest TEXT NOT NULL,
  enrolment  INTEGER NOT NULL
) STRICT;
CREATE INDEX join_tokens_company ON join_tokens (company_id, id);
