-- +goose Up

-- Every message that was taken, by the ID of its arrival; the bytes are in bodies, the text that is searched in
-- message_texts.
CREATE TABLE messages (
  id          BIGINT PRIMARY KEY,
  received_at BIGINT NOT NULL,
  event_at    BIGINT NOT NULL,
  company_id  BIGINT NOT NULL,
  device      BIGINT NOT NULL,
  device_id   TEXT NOT NULL,
  sys_name    TEXT NOT NULL,
  message_id  TEXT NOT NULL,
  id_time     BIGINT NOT NULL,
  type        TEXT NOT NULL,
  subtype     TEXT NOT NULL,
  alert_group TEXT NOT NULL,
  severity    BIGINT NOT NULL,
  description TEXT NOT NULL,
  format      TEXT NOT NULL,
  dialect     TEXT NOT NULL,
  gateway     TEXT NOT NULL,
  origin      TEXT NOT NULL,
  size        BIGINT NOT NULL,
  status      TEXT NOT NULL,
  reasons     TEXT NOT NULL,
  case_id     BIGINT NOT NULL,
  joined_into BIGINT NOT NULL
);
CREATE INDEX messages_by_device ON messages (device, id);
CREATE INDEX messages_by_company ON messages (company_id, id);
-- The time that stands in a message ID comes first: IDs of one time lie beside each other.
CREATE INDEX messages_by_message_id ON messages (id_time, message_id);
CREATE INDEX messages_by_group ON messages (alert_group, id);
CREATE INDEX messages_by_severity ON messages (severity, id);
-- Of what is out of the ordinary there is little.
CREATE INDEX messages_by_status ON messages (status, id) WHERE status <> 'processed';
CREATE INDEX messages_by_gateway ON messages (gateway, id) WHERE gateway <> '';
CREATE INDEX messages_by_case ON messages (case_id, id) WHERE case_id <> 0;

-- The bytes as received, compressed.
CREATE TABLE bodies (
  id   BIGINT PRIMARY KEY,
  body BYTEA NOT NULL
);

-- What is searched: names and description, indexed by pieces of three letters. A table of its own, so that a change
-- of a message's status does not touch the index.
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE TABLE message_texts (
  id   BIGINT PRIMARY KEY,
  body TEXT NOT NULL
);
CREATE INDEX message_texts_by_piece ON message_texts USING gin (body gin_trgm_ops);

-- Keys by which a repeat is known, for 45 days.
CREATE TABLE message_keys (
  key         BYTEA PRIMARY KEY,
  id          BIGINT NOT NULL
);
CREATE INDEX message_keys_by_id ON message_keys (id);

-- What was taken and waits to be worked. The key in message_keys is written with it.
CREATE TABLE arrivals (
  id          BIGINT PRIMARY KEY,
  lane        BIGINT NOT NULL,
  received_at BIGINT NOT NULL,
  key         BYTEA NOT NULL,
  origin      TEXT NOT NULL,
  body        BYTEA NOT NULL
);
CREATE INDEX arrivals_by_lane ON arrivals (lane, id);

-- A worker holds the rows of the lanes it works, by the lock of its transaction: arrivals of a lane are worked in order,
-- and a worker that dies lets go.
CREATE TABLE lanes (
  lane      BIGINT PRIMARY KEY,
  worked_at BIGINT NOT NULL
);
INSERT INTO lanes (lane, worked_at) SELECT n, 0 FROM generate_series(0, 63) AS n;
