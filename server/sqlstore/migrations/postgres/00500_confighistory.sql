-- +goose Up

-- Texts of configurations as they came, compressed with zstd, once for each content: many devices start with what they
-- run, and many revisions come back. They hold secrets: only this table does.
CREATE TABLE config_texts (
    hash TEXT    NOT NULL PRIMARY KEY,       -- SHA-256 of the text
    size BIGINT NOT NULL,                   -- bytes of the text
    data BYTEA    NOT NULL
);

-- A configuration from one message until the next revision of its kind. Rows are only added.
CREATE TABLE config_revisions (
    id         BIGINT PRIMARY KEY,
    device_id  BIGINT NOT NULL,
    company_id BIGINT NOT NULL,
    kind       TEXT    NOT NULL,             -- running, running-all, running-set, startup
    number     BIGINT NOT NULL,             -- from 1, for each device and kind
    command    TEXT    NOT NULL,
    message_id TEXT    NOT NULL,
    at         BIGINT NOT NULL,             -- the event's own time
    stored_at  BIGINT NOT NULL,
    form       TEXT    NOT NULL,             -- hash of the normal form: the same for what was configured the same
    blob       TEXT    NOT NULL,             -- config_texts.hash
    size       BIGINT NOT NULL,
    line_count BIGINT NOT NULL,
    added      BIGINT NOT NULL,
    removed    BIGINT NOT NULL
);
CREATE UNIQUE INDEX config_revisions_number ON config_revisions (device_id, kind, number);
CREATE INDEX config_revisions_message ON config_revisions (device_id, message_id);
CREATE INDEX config_revisions_device ON config_revisions (device_id, id);
CREATE INDEX config_revisions_blob ON config_revisions (blob);

-- The latest revision of each kind, and what later messages told that made no revision.
CREATE TABLE config_heads (
    device_id   BIGINT NOT NULL,
    kind        TEXT    NOT NULL,
    company_id  BIGINT NOT NULL,
    revision_id BIGINT NOT NULL,
    seen_at     BIGINT NOT NULL,            -- event time of the last message with this configuration
    salted      TEXT    NOT NULL,            -- hash of its salted hashes
    salted_at   BIGINT NOT NULL,            -- when these changed though nothing else did
    salted_msg  TEXT    NOT NULL,
    PRIMARY KEY (device_id, kind)
);
CREATE INDEX config_heads_company ON config_heads (company_id, revision_id);
CREATE INDEX config_heads_kind ON config_heads (kind, revision_id);
CREATE INDEX config_heads_revision ON config_heads (revision_id);

-- +goose Down
DROP TABLE config_heads;
DROP TABLE config_revisions;
DROP TABLE config_texts;
