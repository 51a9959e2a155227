-- +goose Up

-- What rules found in messages, and in the archive by hunts. A row is only added, but for its case. The same finding of
-- the same message is stored once, however often the message is worked on. rest is JSON.
CREATE TABLE findings (
    id             BIGINT  PRIMARY KEY,
    company_id     BIGINT  NOT NULL,
    device_id      BIGINT  NOT NULL,
    message_id     BIGINT  NOT NULL,         -- of the archive, 0 for a message that did not come
    message        TEXT    NOT NULL,         -- the device's own message ID
    rule           TEXT    NOT NULL,
    pack           TEXT    NOT NULL,
    version        TEXT    NOT NULL,         -- of the pack
    class          TEXT    NOT NULL,
    outcome        TEXT    NOT NULL,
    lowered        BIGINT  NOT NULL,         -- a service request was asked for that this group never opens
    level          BIGINT  NOT NULL,         -- 0 to 9, up is worse
    key            TEXT    NOT NULL,         -- what it is about
    component      TEXT    NOT NULL,
    title          TEXT    NOT NULL,
    diagnosis      TEXT    NOT NULL,
    recommendation TEXT    NOT NULL,
    state          TEXT    NOT NULL,         -- raise, clear or none
    at             BIGINT  NOT NULL,         -- of the event
    stored_at      BIGINT  NOT NULL,
    case_id        BIGINT  NOT NULL,         -- 0: none
    hunt_id        BIGINT  NOT NULL,         -- 0: found when the message came
    rest           TEXT    NOT NULL
);
CREATE UNIQUE INDEX findings_once ON findings (device_id, message_id, rule, key, state, at, hunt_id);
CREATE INDEX findings_latest ON findings (device_id, rule, key, hunt_id, id);
CREATE INDEX findings_device ON findings (device_id, id);
CREATE INDEX findings_company ON findings (company_id, id);
CREATE INDEX findings_message ON findings (message_id, id);
CREATE INDEX findings_rule ON findings (rule, id);
CREATE INDEX findings_case ON findings (case_id, id);
CREATE INDEX findings_hunt ON findings (hunt_id, id);
CREATE INDEX findings_stored ON findings (stored_at);

-- What rules with a history counted: one row for each message that hit. Rows are dropped when no rule looks back that far.
CREATE TABLE observations (
    id         BIGINT  PRIMARY KEY,
    device_id  BIGINT  NOT NULL,
    key        TEXT    NOT NULL,             -- the rule and what it is about
    at         BIGINT  NOT NULL,             -- of the event
    keep_until BIGINT  NOT NULL,
    value      DOUBLE PRECISION NOT NULL              -- the number of a trend
);
CREATE INDEX observations_key ON observations (device_id, key, at);
CREATE INDEX observations_keep ON observations (keep_until);

-- Rules that are run over the archive. progress is JSON, and all that a hunt needs to go on.
CREATE TABLE hunts (
    id         BIGINT  PRIMARY KEY,
    company_id BIGINT  NOT NULL,
    rules      TEXT    NOT NULL,             -- JSON
    state      TEXT    NOT NULL,             -- running, done, canceled or failed
    started_by TEXT    NOT NULL,
    started_at BIGINT  NOT NULL,
    updated_at BIGINT  NOT NULL,
    error      TEXT    NOT NULL,
    progress   TEXT    NOT NULL
);
CREATE INDEX hunts_company ON hunts (company_id, id);

-- +goose Down
DROP TABLE hunts;
DROP TABLE observations;
DROP TABLE findings;
