-- +goose Up

-- Which process works on a running hunt, 0 for none. It says so again and again in updated_at; whoever is silent loses it.
ALTER TABLE hunts ADD COLUMN owner INTEGER NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE hunts DROP COLUMN owner;
