-- +goose Up

-- What a device was made of, from one message until the next revision. Rows are only added, but for details (see
-- inventory.Store.Amend). changes and inventory are JSON.
CREATE TABLE inventory_revisions (
    device_id  BIGINT NOT NULL,
    number     BIGINT NOT NULL,             -- from 1, without gaps
    company_id BIGINT NOT NULL,
    message_id TEXT    NOT NULL,
    at         BIGINT NOT NULL,             -- the event's own time
    stored_at  BIGINT NOT NULL,
    whole      BIGINT NOT NULL,             -- it came from a full inventory
    incomplete BIGINT NOT NULL,
    hash       TEXT    NOT NULL,
    changes    TEXT    NOT NULL,
    inventory  TEXT    NOT NULL,
    PRIMARY KEY (device_id, number)
);
CREATE INDEX inventory_revisions_message ON inventory_revisions (device_id, message_id);

-- The latest revision of each device without its units: read for every message, shown in lists.
CREATE TABLE inventory_heads (
    device_id  BIGINT PRIMARY KEY,
    company_id BIGINT NOT NULL,
    number     BIGINT NOT NULL,
    message_id TEXT    NOT NULL,
    at         BIGINT NOT NULL,
    hash       TEXT    NOT NULL,
    reading    TEXT    NOT NULL,             -- hash of the last message's reading: the same again changes nothing
    incomplete BIGINT NOT NULL,
    platform   TEXT    NOT NULL,
    family     TEXT    NOT NULL,
    model      TEXT    NOT NULL,
    serial     TEXT    NOT NULL,
    part_no    TEXT    NOT NULL,
    hw_version TEXT    NOT NULL,
    sw_version TEXT    NOT NULL,
    units      BIGINT NOT NULL              -- how many
);
CREATE INDEX inventory_heads_company ON inventory_heads (company_id, device_id);
CREATE INDEX inventory_heads_platform ON inventory_heads (platform, device_id);
CREATE INDEX inventory_heads_family ON inventory_heads (family, device_id);
CREATE INDEX inventory_heads_model ON inventory_heads (model, device_id);
CREATE INDEX inventory_heads_version ON inventory_heads (sw_version, device_id);
CREATE INDEX inventory_heads_incomplete ON inventory_heads (incomplete, device_id);

-- The units of the latest revisions, and the chassis with an empty slot. A row lives as long as its unit stays in its
-- slot. The keys are in upper case, as bytes, so that both engines order them alike and find beginnings by the index.
CREATE TABLE inventory_units (
    id          BIGINT PRIMARY KEY,
    device_id   BIGINT NOT NULL,
    company_id  BIGINT NOT NULL,
    slot        TEXT    NOT NULL,
    serial_key  BYTEA    NOT NULL,
    product_key BYTEA    NOT NULL,
    part_key    BYTEA    NOT NULL,
    sw_version  TEXT    NOT NULL,
    since       BIGINT NOT NULL,
    unit        TEXT    NOT NULL             -- JSON
);
CREATE INDEX inventory_units_device ON inventory_units (device_id, id);
CREATE INDEX inventory_units_company ON inventory_units (company_id, id);
CREATE INDEX inventory_units_serial ON inventory_units (serial_key, id);
CREATE INDEX inventory_units_product ON inventory_units (product_key, id);
CREATE INDEX inventory_units_part ON inventory_units (part_key, id);
CREATE INDEX inventory_units_version ON inventory_units (sw_version, id);

-- Where each serial number of a company was seen last, also when it is gone from there: so a unit is followed from one
-- device to another whichever of the two speaks first.
CREATE TABLE inventory_homes (
    company_id BIGINT NOT NULL,
    serial     TEXT    NOT NULL,
    device_id  BIGINT NOT NULL,
    slot       TEXT    NOT NULL,
    product    TEXT    NOT NULL,
    since      BIGINT NOT NULL,
    PRIMARY KEY (company_id, serial)
);
CREATE INDEX inventory_homes_device ON inventory_homes (device_id);

-- +goose Down
DROP TABLE inventory_homes;
DROP TABLE inventory_units;
DROP TABLE inventory_heads;
DROP TABLE inventory_revisions;
