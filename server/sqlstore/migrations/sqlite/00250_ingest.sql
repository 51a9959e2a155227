-- +goose Up

-- Blocks of messages that came in several, while their siblings are missing.
CREATE TABLE waiting_blocks (
  block_group TEXT NOT NULL,
  number      INTEGER NOT NULL,
  is_last     INTEGER NOT NULL,
  id          INTEGER NOT NULL,
  came_at     INTEGER NOT NULL,
  PRIMARY KEY (block_group, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX waiting_blocks_by_time ON waiting_blocks (came_at);
