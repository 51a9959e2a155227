-- +goose Up

-- Agents and gateways of ours. claims is what they say of themselves and beat their latest heartbeat, both JSON; heard_at
-- is the time of that heartbeat or, before the first, of joining.
CREATE TABLE enrolments (
  id            BIGINT PRIMARY KEY,
  kind          TEXT NOT NULL,
  company_id    BIGINT NOT NULL,
  name          TEXT NOT NULL,
  name_key      TEXT NOT NULL,
  joined_at     BIGINT NOT NULL,
  revoked_at    BIGINT NOT NULL,
  reason        TEXT NOT NULL,
  by_user       BIGINT NOT NULL,
  claims        TEXT NOT NULL,
  until_at      BIGINT NOT NULL,
  heard_at      BIGINT NOT NULL,
  late_at       BIGINT NOT NULL,
  version       TEXT NOT NULL,
  config_digest TEXT NOT NULL,
  beat          TEXT NOT NULL
);
CREATE UNIQUE INDEX enrolments_name ON enrolments (company_id, kind, name_key) WHERE revoked_at = 0;
CREATE INDEX enrolments_heard ON enrolments (heard_at) WHERE revoked_at = 0 AND late_at = 0;

-- Client certificates that were granted, by fingerprint; grant_json is the whole answer, to give it again.
CREATE TABLE client_certificates (
  fingerprint TEXT PRIMARY KEY,
  enrolment   BIGINT NOT NULL,
  serial      TEXT NOT NULL,
  key_digest  TEXT NOT NULL,
  issued_at   BIGINT NOT NULL,
  until_at    BIGINT NOT NULL,
  revoked_at  BIGINT NOT NULL,
  grant_json  TEXT NOT NULL
);
CREATE INDEX client_certificates_key ON client_certificates (enrolment, key_digest, issued_at);

-- One-time tokens for joining, by SHA-256.
CREATE TABLE join_tokens (
  id         BIGINT PRIMARY KEY,
  digest     TEXT NOT NULL UNIQUE,
  prefix     TEXT NOT NULL,
  kind       TEXT NOT NULL,
  company_id BIGINT NOT NULL,
  name       TEXT NOT NULL,
  made_by    BIGINT NOT NULL,
  made_at    BIGINT NOT NULL,
  until_at   BIGINT NOT NULL,
  used_at    BIGINT NOT NULL,
  key_digest TEXT NOT NULL,
  enrolment  BIGINT NOT NULL
);
CREATE INDEX join_tokens_company ON join_tokens (company_id, id);
