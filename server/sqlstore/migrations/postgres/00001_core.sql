-- +goose Up

-- A process on this database holds one number, which makes its IDs its own.
CREATE TABLE nodes (
  node       BIGINT PRIMARY KEY,
  name       TEXT NOT NULL,
  started_at BIGINT NOT NULL,
  seen_at    BIGINT NOT NULL
);

-- Maintained counters; each process adds to its own rows. bucket is an hour, 0 for all time.
CREATE TABLE tallies (
  kind       TEXT NOT NULL,
  company_id BIGINT NOT NULL,
  word       TEXT NOT NULL,
  bucket     BIGINT NOT NULL,
  node       BIGINT NOT NULL,
  n          BIGINT NOT NULL,
  PRIMARY KEY (kind, company_id, bucket, word, node)
);
