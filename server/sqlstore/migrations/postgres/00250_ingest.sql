-- +goose Up

-- Blocks of messages that came in several, while their siblings are missing.
CREATE TABLE waiting_blocks (
  block_group TEXT NOT NULL,
  number      BIGINT NOT NULL,
  is_last     BIGINT NOT NULL,
  id          BIGINT NOT NULL,
  came_at     BIGINT NOT NULL,
  PRIMARY KEY (block_group, number)
);
CREATE INDEX waiting_blocks_by_time ON waiting_blocks (came_at);
