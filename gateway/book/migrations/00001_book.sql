-- +goose Up

-- A message that was taken: 16 bytes of SHA-256 over device, message ID and block. A repeat within the window is known by
-- it. The oldest rows go when there are too many or when they are older than the window.
CREATE TABLE seen (
    key BLOB PRIMARY KEY,
    at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX seen_at ON seen (at);

-- A device that was heard. It is entered by its first message that was let through the filters and stays until an
-- operator forgets it, or until there are too many, when the one that was silent for longest goes.
CREATE TABLE devices (
    key        TEXT PRIMARY KEY,
    hostname   TEXT NOT NULL,
    serial     TEXT NOT NULL,
    product    TEXT NOT NULL,
    source     TEXT NOT NULL,
    transport  TEXT NOT NULL,
    first_seen INTEGER NOT NULL,
    last_seen  INTEGER NOT NULL,
    total      INTEGER NOT NULL,
    last_type  TEXT NOT NULL,
    result     TEXT NOT NULL,
    result_at  INTEGER NOT NULL,
    rhythm     TEXT NOT NULL, -- JSON: what was learnt of its periodic messages, by type
    period     INTEGER NOT NULL -- seconds of the shortest rhythm that is known, 0 for none
) STRICT, WITHOUT ROWID;
CREATE INDEX devices_last_seen ON devices (last_seen);

-- A message that was refused and whose bytes are kept for an operator to look at. The oldest go when there is no room.
CREATE TABLE shelf (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    at        INTEGER NOT NULL,
    source    TEXT NOT NULL,
    transport TEXT NOT NULL,
    reason    TEXT NOT NULL,
    detail    TEXT NOT NULL,
    size      INTEGER NOT NULL,
    body      BLOB NOT NULL
) STRICT;

-- A counter that outlives a restart; it only grows.
CREATE TABLE counts (
    kind TEXT NOT NULL,
    word TEXT NOT NULL,
    n    INTEGER NOT NULL,
    PRIMARY KEY (kind, word)
) STRICT, WITHOUT ROWID;

-- A bundle that was written (out) or taken (in). An outgoing one is open until its receipt comes; an incoming one is
-- entered when all of it is in the queue.
CREATE TABLE bundles (
    id         TEXT PRIMARY KEY,
    direction  TEXT NOT NULL,
    peer       TEXT NOT NULL,
    at         INTEGER NOT NULL,
    messages   INTEGER NOT NULL,
    bytes      INTEGER NOT NULL,
    state      TEXT NOT NULL,
    settled_at INTEGER NOT NULL,
    answer     BLOB NOT NULL -- of an incoming one: its receipt, so that it can be given again
) STRICT, WITHOUT ROWID;

-- An entry of the queue that is in an outgoing bundle; it goes when the receipt confirms or refuses it.
CREATE TABLE bundled (
    entry  INTEGER PRIMARY KEY,
    bundle TEXT NOT NULL
) STRICT;
CREATE INDEX bundled_bundle ON bundled (bundle);

-- A fact about the book itself: who we are, and up to when nothing is missing.
CREATE TABLE facts (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- +goose Down
DROP TABLE facts;
DROP TABLE bundled;
DROP TABLE bundles;
DROP TABLE counts;
DROP TABLE shelf;
DROP TABLE devices;
DROP TABLE seen;
