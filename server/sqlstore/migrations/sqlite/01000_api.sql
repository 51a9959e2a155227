-- +goose Up

-- What was answered to requests with an Idempotency-Key, for a day: the same request again is answered the same and does
-- nothing. Both digests are SHA-256; an empty answer held a secret.
CREATE TABLE api_answers (
  key_digest     TEXT NOT NULL PRIMARY KEY,
  request_digest TEXT NOT NULL,
  answer         BLOB NOT NULL,
  answered_at    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX api_answers_by_time ON api_answers (answered_at);

-- What happened lately, for streams of events: records of one kind and company that one transaction wrote. Streams read
-- it by ID; it holds about a day.
CREATE TABLE feed (
  id         INTEGER NOT NULL PRIMARY KEY,
  kind       TEXT NOT NULL,
  company_id INTEGER NOT NULL,
  objects    TEXT NOT NULL
) STRICT;
