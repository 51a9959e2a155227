-- +goose Up

-- One thing to tell. notice_key lets none be announced twice; detail is the whole of it as JSON.
CREATE TABLE notices (
  id         INTEGER PRIMARY KEY,
  notice_key TEXT NOT NULL UNIQUE,
  kind       TEXT NOT NULL,
  company_id INTEGER NOT NULL,
  device_id  INTEGER NOT NULL,
  case_id    INTEGER NOT NULL,
  at         INTEGER NOT NULL,
  detail     TEXT NOT NULL
) STRICT;

-- A notice in somebody's inbox.
CREATE TABLE notice_entries (
  id         INTEGER PRIMARY KEY,
  user_id    INTEGER NOT NULL,
  notice_id  INTEGER NOT NULL,
  company_id INTEGER NOT NULL,
  read_at    INTEGER NOT NULL,
  UNIQUE (user_id, notice_id)
) STRICT;
CREATE INDEX notice_entries_user ON notice_entries (user_id, id);
CREATE INDEX notice_entries_unread ON notice_entries (user_id, id) WHERE read_at = 0;
CREATE INDEX notice_entries_notice ON notice_entries (notice_id);

-- How many unread entries a person has: maintained, not counted.
CREATE TABLE notice_unread (
  user_id INTEGER PRIMARY KEY,
  n       INTEGER NOT NULL
) STRICT;

-- A notice for one address: waits till due_at, is in one server's hands until lease_until, then is in the outbox (sent).
-- digest_id: it goes with that digest; 0: by itself.
CREATE TABLE notice_mails (
  id          INTEGER PRIMARY KEY,
  notice_id   INTEGER NOT NULL,
  user_id     INTEGER NOT NULL,
  company_id  INTEGER NOT NULL,
  name        TEXT NOT NULL,
  address     TEXT NOT NULL,
  pager       INTEGER NOT NULL,
  digest_id   INTEGER NOT NULL,
  state       TEXT NOT NULL,
  reason      TEXT NOT NULL,
  added_at    INTEGER NOT NULL,
  due_at      INTEGER NOT NULL,
  lease_until INTEGER NOT NULL
) STRICT;
CREATE INDEX notice_mails_due ON notice_mails (due_at) WHERE state = 'waiting' AND digest_id = 0;
CREATE INDEX notice_mails_digest ON notice_mails (digest_id, id) WHERE digest_id > 0;
CREATE INDEX notice_mails_notice ON notice_mails (notice_id);
CREATE INDEX notice_mails_address ON notice_mails (address, id);

-- One mail of several notices: of one address and one time there is one, and one server sends it.
CREATE TABLE notice_digests (
  id          INTEGER PRIMARY KEY,
  address     TEXT NOT NULL,
  due_at      INTEGER NOT NULL,
  user_id     INTEGER NOT NULL,
  held        INTEGER NOT NULL,
  sent_at     INTEGER NOT NULL,
  lease_until INTEGER NOT NULL,
  UNIQUE (address, due_at, held)
) STRICT;
CREATE INDEX notice_digests_due ON notice_digests (due_at) WHERE sent_at = 0;

-- Mails and pages to one address within one hour.
CREATE TABLE notice_rates (
  address TEXT NOT NULL,
  pages   INTEGER NOT NULL,
  hour    INTEGER NOT NULL,
  n       INTEGER NOT NULL,
  PRIMARY KEY (address, pages, hour)
) STRICT;
CREATE INDEX notice_rates_hour ON notice_rates (hour);

-- What people chose: hour and zone of the digest, and their choices by kind and device group as JSON.
CREATE TABLE notice_settings (
  user_id INTEGER PRIMARY KEY,
  hour    INTEGER NOT NULL,
  zone    TEXT NOT NULL,
  choices TEXT NOT NULL
) STRICT;
