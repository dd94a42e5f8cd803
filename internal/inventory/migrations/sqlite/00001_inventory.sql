-- +goose Up

-- One row: the newest revision and the time it was recorded at.
CREATE TABLE head (
    id          INTEGER PRIMARY KEY CHECK (id = 1),
    revision    INTEGER NOT NULL,
    recorded_at INTEGER NOT NULL -- microseconds since 1970, UTC
);
INSERT INTO head (id, revision, recorded_at) VALUES (1, 0, 0);

-- What is there now. document is the resource in JSON.
CREATE TABLE resources (
    kind     TEXT NOT NULL,
    name     TEXT NOT NULL,
    owner    TEXT NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (kind, name)
) WITHOUT ROWID;
CREATE INDEX resources_by_owner ON resources (kind, owner, name);

-- Every change there ever was, only added to. document is the resource after
-- the change, NULL when it was deleted; the change before it has the rest.
CREATE TABLE changes (
    revision    INTEGER PRIMARY KEY,
    recorded_at INTEGER NOT NULL,
    actor       TEXT NOT NULL,
    action      TEXT NOT NULL,
    kind        TEXT NOT NULL,
    name        TEXT NOT NULL,
    document    TEXT
);
CREATE INDEX changes_by_resource ON changes (kind, name, revision);
CREATE INDEX changes_by_time ON changes (recorded_at, revision);

-- +goose StatementBegin
CREATE TRIGGER changes_stay BEFORE UPDATE ON changes
BEGIN
    SELECT RAISE(ABORT, 'history is only added to');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER changes_remain BEFORE DELETE ON changes
BEGIN
    SELECT RAISE(ABORT, 'history is only added to');
END;
-- +goose StatementEnd

-- Baselines by NAME@VERSION. A row outlives its resource, so that a version
-- never comes to mean something else.
CREATE TABLE bundles (
    name    TEXT PRIMARY KEY,
    digest  TEXT NOT NULL,
    content BLOB NOT NULL
);

-- +goose Down
DROP TABLE bundles;
DROP TABLE changes;
DROP TABLE resources;
DROP TABLE head;
