-- +goose Up

-- Names of cases are counted: SR-000001, SR-000002 ... One row, locked by the transaction that opens a case.
CREATE TABLE case_numbers (
  name TEXT PRIMARY KEY,
  last BIGINT NOT NULL
);

-- A cause: device, rule, part. The row is locked while the cause is worked and names its latest case, so that two cases
-- of one cause are never open at a time. detail: counts of flapping, and what maintenance held back until held_due.
CREATE TABLE case_slots (
  device_id  BIGINT NOT NULL,
  rule       TEXT NOT NULL,
  part       TEXT NOT NULL,
  company_id BIGINT NOT NULL,
  case_id    BIGINT NOT NULL,
  held_due   BIGINT NOT NULL,
  detail     TEXT NOT NULL,
  PRIMARY KEY (device_id, rule, part)
);
CREATE INDEX case_slots_case ON case_slots (case_id);
CREATE INDEX case_slots_held ON case_slots (held_due) WHERE held_due > 0;

-- What became of each finding of each message: the unique key lets none be acted on twice. Also the evidence of a case.
CREATE TABLE case_deeds (
  id          BIGINT PRIMARY KEY,
  device_id   BIGINT NOT NULL,
  message     TEXT NOT NULL,
  rule        TEXT NOT NULL,
  part        TEXT NOT NULL,
  company_id  BIGINT NOT NULL,
  archive_id  BIGINT NOT NULL,
  at          BIGINT NOT NULL,
  event_at    BIGINT NOT NULL,
  disposition TEXT NOT NULL,
  case_id     BIGINT NOT NULL,
  level       BIGINT NOT NULL,
  title       TEXT NOT NULL,
  evidence    TEXT NOT NULL
);
CREATE UNIQUE INDEX case_deeds_once ON case_deeds (device_id, message, rule, part);
CREATE INDEX case_deeds_case ON case_deeds (case_id, id);

-- A case (service request). The columns are what lists filter by; detail is the whole of it as JSON.
CREATE TABLE cases (
  id         BIGINT PRIMARY KEY,
  number     TEXT NOT NULL UNIQUE,
  company_id BIGINT NOT NULL,
  device_id  BIGINT NOT NULL,
  rule       TEXT NOT NULL,
  site       TEXT NOT NULL,
  state      TEXT NOT NULL,
  active     BIGINT NOT NULL,
  level      BIGINT NOT NULL,
  team       TEXT NOT NULL,
  assignee   TEXT NOT NULL,
  words      TEXT NOT NULL,
  opened_at  BIGINT NOT NULL,
  due_at     BIGINT NOT NULL,
  version    BIGINT NOT NULL,
  detail     TEXT NOT NULL
);
CREATE INDEX cases_company ON cases (company_id, active, id);
CREATE INDEX cases_active ON cases (active, id);
CREATE INDEX cases_device ON cases (device_id, id);
CREATE INDEX cases_due ON cases (due_at) WHERE due_at > 0;

-- The history of a case: lines are added, never changed. seq counts them within the case.
CREATE TABLE case_events (
  id         BIGINT PRIMARY KEY,
  case_id    BIGINT NOT NULL,
  seq        BIGINT NOT NULL,
  company_id BIGINT NOT NULL,
  at         BIGINT NOT NULL,
  who        TEXT NOT NULL,
  via        TEXT NOT NULL,
  kind       TEXT NOT NULL,
  was        TEXT NOT NULL,
  became     TEXT NOT NULL,
  body       TEXT NOT NULL,
  UNIQUE (case_id, seq)
);
CREATE INDEX case_events_case ON case_events (case_id, id);

-- Short codes of cases that are not closed, by digest.
CREATE TABLE case_codes (
  hash    TEXT PRIMARY KEY,
  case_id BIGINT NOT NULL
);
CREATE INDEX case_codes_case ON case_codes (case_id);

-- Maintenance windows that people made.
CREATE TABLE case_windows (
  id         BIGINT PRIMARY KEY,
  company_id BIGINT NOT NULL,
  scope      TEXT NOT NULL,
  target     TEXT NOT NULL,
  from_at    BIGINT NOT NULL,
  until_at   BIGINT NOT NULL,
  reason     TEXT NOT NULL,
  made_by    TEXT NOT NULL
);
CREATE INDEX case_windows_until ON case_windows (company_id, until_at);

-- Who is on call out of turn.
CREATE TABLE case_overrides (
  id       BIGINT PRIMARY KEY,
  rota     TEXT NOT NULL,
  person   TEXT NOT NULL,
  from_at  BIGINT NOT NULL,
  until_at BIGINT NOT NULL,
  made_by  TEXT NOT NULL
);
CREATE INDEX case_overrides_until ON case_overrides (until_at);

-- A case in another ticket system; remote is its name there, empty until it was created.
CREATE TABLE case_links (
  case_id    BIGINT NOT NULL,
  adapter    TEXT NOT NULL,
  company_id BIGINT NOT NULL,
  number     TEXT NOT NULL,
  remote     TEXT NOT NULL,
  url        TEXT NOT NULL,
  state      TEXT NOT NULL,
  remote_at  BIGINT NOT NULL,
  added_at   BIGINT NOT NULL,
  PRIMARY KEY (case_id, adapter)
);
CREATE INDEX case_links_remote ON case_links (adapter, remote);

-- What ticket systems still have to be told, and for a while what they were told. Of one case and system the lowest seq
-- goes first; a push is in one server's hands until lease_until.
CREATE TABLE case_pushes (
  id          BIGINT PRIMARY KEY,
  case_id     BIGINT NOT NULL,
  adapter     TEXT NOT NULL,
  seq         BIGINT NOT NULL,
  company_id  BIGINT NOT NULL,
  kind        TEXT NOT NULL,
  push_key    TEXT NOT NULL,
  state       TEXT NOT NULL,
  tries       BIGINT NOT NULL,
  added_at    BIGINT NOT NULL,
  due_at      BIGINT NOT NULL,
  lease_until BIGINT NOT NULL,
  last_error  TEXT NOT NULL,
  snapshot    TEXT NOT NULL,
  UNIQUE (case_id, adapter, seq)
);
CREATE INDEX case_pushes_due ON case_pushes (due_at) WHERE state = 'waiting';

-- Events of other systems that were taken: none is taken twice.
CREATE TABLE case_inbound (
  adapter TEXT NOT NULL,
  event   TEXT NOT NULL,
  at      BIGINT NOT NULL,
  PRIMARY KEY (adapter, event)
);
CREATE INDEX case_inbound_at ON case_inbound (at);

-- Whose turn it is to ask another system, and up to when its changes are known.
CREATE TABLE case_polls (
  adapter TEXT PRIMARY KEY,
  due_at  BIGINT NOT NULL,
  since   BIGINT NOT NULL
);
