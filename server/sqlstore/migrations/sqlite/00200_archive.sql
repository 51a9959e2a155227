-- +goose Up

-- Every message that was taken, by the ID of its arrival; the bytes are in bodies, the text that is searched in
-- message_texts.
CREATE TABLE messages (
  id          INTEGER PRIMARY KEY,
  received_at INTEGER NOT NULL,
  event_at    INTEGER NOT NULL,
  company_id  INTEGER NOT NULL,
  device      INTEGER NOT NULL,
  device_id   TEXT NOT NULL,
  sys_name    TEXT NOT NULL,
  message_id  TEXT NOT NULL,
  id_time     INTEGER NOT NULL,
  type        TEXT NOT NULL,
  subtype     TEXT NOT NULL,
  alert_group TEXT NOT NULL,
  severity    INTEGER NOT NULL,
  description TEXT NOT NULL,
  format      TEXT NOT NULL,
  dialect     TEXT NOT NULL,
  gateway     TEXT NOT NULL,
  origin      TEXT NOT NULL,
  size        INTEGER NOT NULL,
  status      TEXT NOT NULL,
  reasons     TEXT NOT NULL,
  case_id     INTEGER NOT NULL,
  joined_into INTEGER NOT NULL
) STRICT;
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
  id   INTEGER PRIMARY KEY,
  body BLOB NOT NULL
) STRICT;

-- What is searched: names and description, cut into pieces of three letters.
CREATE VIRTUAL TABLE message_texts USING fts5 (body, content = '', contentless_delete = 1, tokenize = 'trigram', detail = 'none');
-- Writing goes before reading: pieces of the index are joined sixteen at a time.
INSERT INTO message_texts (message_texts, rank) VALUES ('automerge', 16);

-- Keys by which a repeat is known, for 45 days.
CREATE TABLE message_keys (
  key         BLOB PRIMARY KEY,
  id          INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX message_keys_by_id ON message_keys (id);

-- Up to where the journal was worked; one row.
CREATE TABLE journal_position (
  one          INTEGER PRIMARY KEY,
  segment      INTEGER NOT NULL,
  place        INTEGER NOT NULL
) STRICT;
