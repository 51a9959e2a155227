-- +goose Up

-- What makers published, in its latest version. body is the whole notice as JSON; the columns are what lists show and
-- choose by.
CREATE TABLE advisory_notices (
    id        INTEGER PRIMARY KEY,
    ident_key TEXT    NOT NULL,              -- publisher and ID in lower case: names a notice for good
    sort      TEXT    NOT NULL,              -- security-advisory, field-notice, end-of-life
    status    TEXT    NOT NULL,
    impact    TEXT    NOT NULL,
    ident     TEXT    NOT NULL,              -- in lower case
    stored_at INTEGER NOT NULL,
    body      TEXT    NOT NULL
) STRICT;
CREATE UNIQUE INDEX advisory_notices_ident_key ON advisory_notices (ident_key);
CREATE INDEX advisory_notices_ident ON advisory_notices (ident, id);
CREATE INDEX advisory_notices_sort ON advisory_notices (sort, id);
CREATE INDEX advisory_notices_status ON advisory_notices (status, id);
CREATE INDEX advisory_notices_impact ON advisory_notices (impact, id);

-- Every version of a notice that was taken. Rows are only added.
CREATE TABLE advisory_editions (
    id        INTEGER PRIMARY KEY,
    notice_id INTEGER NOT NULL,
    version   TEXT    NOT NULL,
    status    TEXT    NOT NULL,
    stored_at INTEGER NOT NULL,
    hash      TEXT    NOT NULL,
    body      TEXT    NOT NULL
) STRICT;
CREATE INDEX advisory_editions_notice ON advisory_editions (notice_id, id);

-- What notices are found by: platforms, products, parts, names (advisory/facts.go tells the forms) and vulnerabilities.
CREATE TABLE advisory_keys (
    word      TEXT    NOT NULL,
    notice_id INTEGER NOT NULL,
    PRIMARY KEY (word, notice_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX advisory_keys_notice ON advisory_keys (notice_id);

-- The answer for a notice and a device. Where a device never was affected there is no row. answer is JSON.
CREATE TABLE advisory_answers (
    id         INTEGER PRIMARY KEY,
    notice_id  INTEGER NOT NULL,
    device_id  INTEGER NOT NULL,
    company_id INTEGER NOT NULL,
    sort       TEXT    NOT NULL,
    state      TEXT    NOT NULL,             -- affected, not-affected, unknown
    since      INTEGER NOT NULL,
    checked_at INTEGER NOT NULL,
    answer     TEXT    NOT NULL
) STRICT;
CREATE UNIQUE INDEX advisory_answers_pair ON advisory_answers (notice_id, device_id);
CREATE INDEX advisory_answers_notice ON advisory_answers (notice_id, state, id);
CREATE INDEX advisory_answers_device ON advisory_answers (device_id, id);
CREATE INDEX advisory_answers_company ON advisory_answers (company_id, id);
CREATE INDEX advisory_answers_state ON advisory_answers (state, sort, id);

-- +goose Down
DROP TABLE advisory_answers;
DROP TABLE advisory_keys;
DROP TABLE advisory_editions;
DROP TABLE advisory_notices;
