-- +goose Up

-- Registrations. A device is a product model and a serial number. What its contract gives is copied here (ent_*), so that
-- a message needs no other table. No index holds last_seen: hearing a device changes no index. version counts changes.
CREATE TABLE devices (
  id               INTEGER PRIMARY KEY,
  model            TEXT NOT NULL,
  serial           TEXT NOT NULL,
  serial_key       TEXT NOT NULL,
  device_id        TEXT NOT NULL,
  sys_name         TEXT NOT NULL,
  name_key         TEXT NOT NULL,
  personality      TEXT NOT NULL,
  product_family   TEXT NOT NULL,
  sw_version       TEXT NOT NULL,
  company_id       INTEGER NOT NULL,
  site             TEXT NOT NULL,
  customer_id      TEXT NOT NULL,
  contract         TEXT NOT NULL,
  contract_key     TEXT NOT NULL,
  contact_email    TEXT NOT NULL,
  contact_name     TEXT NOT NULL,
  user_name        TEXT NOT NULL,
  state            TEXT NOT NULL,
  state_since      INTEGER NOT NULL,
  ent_contract     TEXT NOT NULL,
  ent_contract_key TEXT NOT NULL,
  ent_tier         TEXT NOT NULL,
  ent_from         INTEGER NOT NULL,
  ent_until        INTEGER NOT NULL,
  confirmed_by     INTEGER NOT NULL,
  confirmed_at     INTEGER NOT NULL,
  owned            INTEGER NOT NULL,
  mailed_at        INTEGER NOT NULL,
  origin_enrolment INTEGER NOT NULL,
  origin_company   INTEGER NOT NULL,
  origin_name      TEXT NOT NULL,
  conflict         INTEGER NOT NULL,
  first_seen       INTEGER NOT NULL,
  last_seen        INTEGER NOT NULL,
  silent_due       INTEGER NOT NULL,
  silent_at        INTEGER NOT NULL,
  version          INTEGER NOT NULL,
  UNIQUE (serial, model)
) STRICT;
CREATE INDEX devices_serial ON devices (serial_key, id);
CREATE INDEX devices_company ON devices (company_id, id);
CREATE INDEX devices_state ON devices (state, id);
CREATE INDEX devices_contract ON devices (contract_key, id);
CREATE INDEX devices_ent_contract ON devices (ent_contract_key, id);
CREATE INDEX devices_name ON devices (name_key, id);
CREATE INDEX devices_due ON devices (silent_due) WHERE silent_at = 0 AND silent_due > 0;
CREATE INDEX devices_silent ON devices (company_id) WHERE silent_at > 0;

-- Messages with a fault: one row for a device (or, without one, a peer), a reason and a day, with their number.
CREATE TABLE exceptions (
  id         INTEGER PRIMARY KEY,
  day        TEXT NOT NULL,
  device     INTEGER NOT NULL,
  source     TEXT NOT NULL,
  reason     TEXT NOT NULL,
  company_id INTEGER NOT NULL,
  device_id  TEXT NOT NULL,
  sys_name   TEXT NOT NULL,
  serial     TEXT NOT NULL,
  detail     TEXT NOT NULL,
  transport  TEXT NOT NULL,
  gateway    TEXT NOT NULL,
  peer       TEXT NOT NULL,
  first_at   INTEGER NOT NULL,
  last_at    INTEGER NOT NULL,
  n          INTEGER NOT NULL,
  archive_id INTEGER NOT NULL,
  UNIQUE (device, source, reason, day)
) STRICT;
CREATE INDEX exceptions_company ON exceptions (company_id, id);
CREATE INDEX exceptions_reason ON exceptions (reason, id);

-- Anonymous messages, counted and nothing else. Each process counts in rows of its own.
CREATE TABLE anonymous_counts (
  day         TEXT NOT NULL,
  model       TEXT NOT NULL,
  alert_group TEXT NOT NULL,
  node        INTEGER NOT NULL,
  n           INTEGER NOT NULL,
  PRIMARY KEY (day, model, alert_group, node)
) STRICT, WITHOUT ROWID;

-- Serial numbers that appeared from elsewhere. evidence is what appeared, in words.
CREATE TABLE conflicts (
  id              INTEGER PRIMARY KEY,
  device          INTEGER NOT NULL,
  kind            TEXT NOT NULL,
  evidence        TEXT NOT NULL,
  other           INTEGER NOT NULL,
  serial          TEXT NOT NULL,
  company_id      INTEGER NOT NULL,
  was             TEXT NOT NULL,
  claim_enrolment INTEGER NOT NULL,
  claim_company   INTEGER NOT NULL,
  claim_name      TEXT NOT NULL,
  claim_contract  TEXT NOT NULL,
  peer            TEXT NOT NULL,
  archive_id      INTEGER NOT NULL,
  first_at        INTEGER NOT NULL,
  last_at         INTEGER NOT NULL,
  n               INTEGER NOT NULL,
  state           TEXT NOT NULL,
  resolved_by     INTEGER NOT NULL,
  resolved_at     INTEGER NOT NULL,
  UNIQUE (device, kind, evidence)
) STRICT;
CREATE INDEX conflicts_state ON conflicts (state, id);
CREATE INDEX conflicts_company ON conflicts (company_id, id);

-- Device groups and sites of a company. rule and owners are JSON.
CREATE TABLE device_groups (
  id         INTEGER PRIMARY KEY,
  company_id INTEGER NOT NULL,
  kind       TEXT NOT NULL,
  name       TEXT NOT NULL,
  name_key   TEXT NOT NULL,
  rule       TEXT NOT NULL,
  owners     TEXT NOT NULL,
  address    TEXT NOT NULL,
  contact    TEXT NOT NULL,
  UNIQUE (company_id, kind, name_key)
) STRICT;

-- Devices that somebody put into a group by hand.
CREATE TABLE group_members (
  group_id INTEGER NOT NULL,
  device   INTEGER NOT NULL,
  PRIMARY KEY (group_id, device)
) STRICT, WITHOUT ROWID;
CREATE INDEX group_members_device ON group_members (device, group_id);

-- Agreements on service. warned_for, begun_for and ended_for are the dates that were dealt with: another date is new.
CREATE TABLE contracts (
  id         INTEGER PRIMARY KEY,
  number     TEXT NOT NULL,
  number_key TEXT NOT NULL UNIQUE,
  company_id INTEGER NOT NULL,
  tier       TEXT NOT NULL,
  from_at    INTEGER NOT NULL,
  until_at   INTEGER NOT NULL,
  name       TEXT NOT NULL,
  warned_for INTEGER NOT NULL,
  begun_for  INTEGER NOT NULL,
  ended_for  INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX contracts_company ON contracts (company_id, id);
CREATE INDEX contracts_from ON contracts (from_at) WHERE from_at > 0 AND begun_for <> from_at;
CREATE INDEX contracts_until ON contracts (until_at) WHERE until_at > 0 AND (warned_for <> until_at OR ended_for <> until_at);

-- What a contract covers (serial, product) and who may claim it (email, user).
CREATE TABLE contract_terms (
  contract_id INTEGER NOT NULL,
  kind        TEXT NOT NULL,
  value_key   TEXT NOT NULL,
  value       TEXT NOT NULL,
  PRIMARY KEY (contract_id, kind, value_key)
) STRICT, WITHOUT ROWID;
CREATE INDEX contract_terms_value ON contract_terms (kind, value_key, contract_id);

-- Questions to contacts whether to register a device; token and code are digests.
CREATE TABLE registration_requests (
  token    TEXT PRIMARY KEY,
  code     TEXT NOT NULL,
  device   INTEGER NOT NULL,
  sent_to  TEXT NOT NULL,
  sent_at  INTEGER NOT NULL,
  until_at INTEGER NOT NULL,
  failures INTEGER NOT NULL
) STRICT;
CREATE INDEX registration_requests_device ON registration_requests (device, sent_at);
CREATE INDEX registration_requests_old ON registration_requests (until_at);

-- When a device's messages of a group are due. period is in microseconds, 0 while it is not known; arrivals is JSON.
CREATE TABLE schedules (
  device      INTEGER NOT NULL,
  alert_group TEXT NOT NULL,
  period      INTEGER NOT NULL,
  told        INTEGER NOT NULL,
  last_at     INTEGER NOT NULL,
  due_at      INTEGER NOT NULL,
  raised_at   INTEGER NOT NULL,
  arrivals    TEXT NOT NULL,
  PRIMARY KEY (device, alert_group)
) STRICT, WITHOUT ROWID;
CREATE INDEX schedules_due ON schedules (due_at) WHERE raised_at = 0 AND due_at > 0;
CREATE INDEX schedules_raised ON schedules (device) WHERE raised_at > 0;
