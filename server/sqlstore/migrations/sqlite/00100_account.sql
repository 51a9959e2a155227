-- +goose Up

-- Customers of whoever runs the back end. name_key is the name in lower case.
CREATE TABLE companies (
  id         INTEGER PRIMARY KEY,
  name       TEXT NOT NULL,
  name_key   TEXT NOT NULL UNIQUE,
  created_at INTEGER NOT NULL,
  disabled   INTEGER NOT NULL
) STRICT;

-- People. password is an argon2id hash, empty for those who sign in at an identity provider only.
CREATE TABLE users (
  id         INTEGER PRIMARY KEY,
  name       TEXT NOT NULL,
  name_key   TEXT NOT NULL UNIQUE,
  email      TEXT NOT NULL,
  email_key  TEXT NOT NULL,
  full_name  TEXT NOT NULL,
  role       TEXT NOT NULL,
  time_zone  TEXT NOT NULL,
  disabled   INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  last_seen  INTEGER NOT NULL,
  password   TEXT NOT NULL,
  issuer     TEXT NOT NULL,
  subject    TEXT NOT NULL
) STRICT;
CREATE INDEX users_email ON users (email_key);
CREATE UNIQUE INDEX users_identity ON users (issuer, subject) WHERE subject <> '';

-- Which companies a person belongs to: one, or several of a partner.
CREATE TABLE user_companies (
  user_id    INTEGER NOT NULL,
  company_id INTEGER NOT NULL,
  PRIMARY KEY (user_id, company_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX user_companies_of ON user_companies (company_id, user_id);

-- Failed sign-ins by name, whether somebody has it or not.
CREATE TABLE signin_attempts (
  name     TEXT PRIMARY KEY,
  failures INTEGER NOT NULL,
  last_at  INTEGER NOT NULL
) STRICT;
CREATE INDEX signin_attempts_old ON signin_attempts (last_at);

-- API tokens. digest is the SHA-256 of the token, which is kept nowhere. user_id is 0 for a token of nobody.
CREATE TABLE api_tokens (
  id         INTEGER PRIMARY KEY,
  name       TEXT NOT NULL,
  prefix     TEXT NOT NULL,
  digest     TEXT NOT NULL UNIQUE,
  scope      TEXT NOT NULL,
  user_id    INTEGER NOT NULL,
  company_id INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  until_at   INTEGER NOT NULL,
  last_used  INTEGER NOT NULL
) STRICT;
CREATE INDEX api_tokens_user ON api_tokens (user_id, id);

-- Signed-in browsers, by the SHA-256 of the cookie's value.
CREATE TABLE sessions (
  digest     TEXT PRIMARY KEY,
  user_id    INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  last_seen  INTEGER NOT NULL,
  address    TEXT NOT NULL,
  agent      TEXT NOT NULL
) STRICT;
CREATE INDEX sessions_user ON sessions (user_id);
CREATE INDEX sessions_old ON sessions (last_seen);

-- Invitations that nobody has answered yet. company_id is the first of companies (JSON), for listing.
CREATE TABLE invitations (
  id         INTEGER PRIMARY KEY,
  digest     TEXT NOT NULL UNIQUE,
  email      TEXT NOT NULL,
  role       TEXT NOT NULL,
  company_id INTEGER NOT NULL,
  companies  TEXT NOT NULL,
  by_user    INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  until_at   INTEGER NOT NULL
) STRICT;
CREATE INDEX invitations_company ON invitations (company_id, id);
CREATE INDEX invitations_old ON invitations (until_at);

-- Sign-ins at an identity provider that began and did not come back yet.
CREATE TABLE oidc_flows (
  digest    TEXT PRIMARY KEY,
  nonce     TEXT NOT NULL,
  verifier  TEXT NOT NULL,
  return_to TEXT NOT NULL,
  until_at  INTEGER NOT NULL
) STRICT;
CREATE INDEX oidc_flows_old ON oidc_flows (until_at);

-- The audit log: a chain without gaps. hash covers all other columns.
CREATE TABLE audit (
  seq        INTEGER PRIMARY KEY,
  at         INTEGER NOT NULL,
  actor      TEXT NOT NULL,
  action     TEXT NOT NULL,
  object     TEXT NOT NULL,
  company_id INTEGER NOT NULL,
  detail     TEXT NOT NULL,
  prev       TEXT NOT NULL,
  hash       TEXT NOT NULL
) STRICT;
CREATE INDEX audit_company ON audit (company_id, seq);
CREATE INDEX audit_actor ON audit (actor, seq);

-- The newest entry: one row, which every append locks, so that appends follow each other.
CREATE TABLE audit_head (
  id   INTEGER PRIMARY KEY,
  seq  INTEGER NOT NULL,
  hash TEXT NOT NULL,
  at   INTEGER NOT NULL
) STRICT;
INSERT INTO audit_head (id, seq, hash, at) VALUES (1, 0, '', 0);
