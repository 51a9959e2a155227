-- +goose Up

-- A process on this database holds one number, which makes its IDs its own.
CREATE TABLE nodes (
  node       INTEGER PRIMARY KEY,
  name       TEXT NOT NULL,
  started_at INTEGER NOT NULL,
  seen_at    INTEGER NOT NULL
) STRICT;

-- Maintained counters; each process adds to its own rows. bucket is an hour, 0 for all time.
CREATE TABLE tallies (
  kind       TEXT NOT NULL,
  company_id INTEGER NOT NULL,
  word       TEXT NOT NULL,
  bucket     INTEGER NOT NULL,
  node       INTEGER NOT NULL,
  n          INTEGER NOT NULL,
  PRIMARY KEY (kind, company_id, bucket, word, node)
) STRICT, WITHOUT ROWID;
