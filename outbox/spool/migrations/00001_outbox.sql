-- +goose Up

-- All times are microseconds since 1970-01-01 UTC; 0 is none.

-- mark has one row: the highest numbers given out, so that none is given twice even when its row is long gone, and the
-- totals, so that nobody counts a long queue.
CREATE TABLE mark (
	id           INTEGER PRIMARY KEY CHECK (id = 1),
	last_alert   INTEGER NOT NULL,
	last_number  INTEGER NOT NULL,
	last_entry   INTEGER NOT NULL,
	last_road    INTEGER NOT NULL,
	alerts       INTEGER NOT NULL,
	alert_bytes  INTEGER NOT NULL,
	entries      INTEGER NOT NULL,
	entry_bytes  INTEGER NOT NULL,
	dead_letters INTEGER NOT NULL,
	dead_bytes   INTEGER NOT NULL,
	last_sent_at INTEGER NOT NULL
) STRICT;

-- alert is a judged event whose messages are not rendered yet. A row appears before its commands run and goes in the
-- transaction that brings its entries. The oldest row of a device is worked first; retry_at holds back the device.
CREATE TABLE alert (
	id           INTEGER PRIMARY KEY,
	device       TEXT    NOT NULL,
	first_number INTEGER NOT NULL, -- of the message numbers reserved for it
	accepted_at  INTEGER NOT NULL,
	retry_at     INTEGER NOT NULL,
	packed       BLOB    NOT NULL  -- JSON, see outbox/pack.go
) STRICT;

CREATE INDEX alert_lane ON alert (device, id);

-- destination gives a number to an address. Rows that nothing refers to go at the next start.
CREATE TABLE destination (
	id        INTEGER PRIMARY KEY,
	transport TEXT NOT NULL,
	address   TEXT NOT NULL,
	UNIQUE (transport, address)
) STRICT;

-- entry is a rendered message on its way to one destination. Rows of the same road (destination) and device are a lane
-- and leave in the order of their ids. attempts, tried_at, retry_at and last_error change when a try fails; the row
-- goes when the message is delivered, dropped, or moved to dead_letter.
CREATE TABLE entry (
	id           INTEGER PRIMARY KEY,
	road         INTEGER NOT NULL, -- destination.id
	device       TEXT    NOT NULL,
	message_id   TEXT    NOT NULL,
	alert_id     TEXT    NOT NULL,
	profile      TEXT    NOT NULL,
	alert_group  TEXT    NOT NULL,
	format       TEXT    NOT NULL,
	mail_from    TEXT    NOT NULL,
	content_type TEXT    NOT NULL,
	truncated    INTEGER NOT NULL,
	anonymous    INTEGER NOT NULL,
	size         INTEGER NOT NULL, -- bytes of the body before packing
	queued_at    INTEGER NOT NULL,
	attempts     INTEGER NOT NULL,
	tried_at     INTEGER NOT NULL,
	retry_at     INTEGER NOT NULL,
	last_error   TEXT    NOT NULL,
	packed       BLOB    NOT NULL
) STRICT;

CREATE INDEX entry_lane ON entry (road, device, id);

-- dead_letter is an entry that was given up: refused for good (no reason) or too old (expired). An operator puts it
-- back as a new entry or deletes it; the oldest go by themselves beyond the limits of the configuration.
CREATE TABLE dead_letter (
	id           INTEGER PRIMARY KEY, -- the entry's
	road         INTEGER NOT NULL,
	device       TEXT    NOT NULL,
	message_id   TEXT    NOT NULL,
	alert_id     TEXT    NOT NULL,
	profile      TEXT    NOT NULL,
	alert_group  TEXT    NOT NULL,
	format       TEXT    NOT NULL,
	mail_from    TEXT    NOT NULL,
	content_type TEXT    NOT NULL,
	truncated    INTEGER NOT NULL,
	anonymous    INTEGER NOT NULL,
	size         INTEGER NOT NULL,
	queued_at    INTEGER NOT NULL,
	attempts     INTEGER NOT NULL,
	tried_at     INTEGER NOT NULL,
	retry_at     INTEGER NOT NULL,
	last_error   TEXT    NOT NULL,
	packed       BLOB    NOT NULL,
	reason       TEXT    NOT NULL,
	died_at      INTEGER NOT NULL
) STRICT;

-- ledger tells what became of each message, or of an alert for one profile: a line is written once, when it is
-- decided, and never changed. The oldest lines go beyond the limits of the configuration.
CREATE TABLE ledger (
	id          INTEGER PRIMARY KEY,
	at          INTEGER NOT NULL,
	status      TEXT    NOT NULL, -- sent, dropped, dead
	reason      TEXT    NOT NULL,
	alert_id    TEXT    NOT NULL,
	message_id  TEXT    NOT NULL,
	device      TEXT    NOT NULL,
	alert_group TEXT    NOT NULL,
	profile     TEXT    NOT NULL,
	transport   TEXT    NOT NULL,
	address     TEXT    NOT NULL,
	attempts    INTEGER NOT NULL,
	queued_at   INTEGER NOT NULL,
	detail      TEXT    NOT NULL
) STRICT;

CREATE INDEX ledger_message ON ledger (message_id) WHERE message_id <> '';

-- statistic counts messages for the show commands; a cell is added to in the transaction that changes the message.
CREATE TABLE statistic (
	alert_group TEXT    NOT NULL,
	transport   TEXT    NOT NULL,
	status      TEXT    NOT NULL,
	reason      TEXT    NOT NULL,
	n           INTEGER NOT NULL,
	PRIMARY KEY (alert_group, transport, status, reason)
) STRICT, WITHOUT ROWID;

-- +goose Down
DROP TABLE statistic;
DROP TABLE ledger;
DROP TABLE dead_letter;
DROP TABLE entry;
DROP TABLE destination;
DROP TABLE alert;
DROP TABLE mark;
