-- +goose Up

-- One row: the newest revision and the time it was recorded at. Its lock puts
-- writers in a row, so that revisions become visible in their order.
CREATE TABLE head (
    id          INTEGER PRIMARY KEY CHECK (id = 1),
    revision    BIGINT NOT NULL,
    recorded_at BIGINT NOT NULL -- microseconds since 1970, UTC
);
INSERT INTO head (id, revision, recorded_at) VALUES (1, 0, 0);

-- What is there now. document is the resource in JSON.
CREATE TABLE resources (
    kind     TEXT COLLATE "C" NOT NULL,
    name     TEXT COLLATE "C" NOT NULL,
    owner    TEXT COLLATE "C" NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (kind, name)
);
CREATE INDEX resources_by_owner ON resources (kind, owner, name);

-- Every change there ever was, only added to. document is the resource after
-- the change, NULL when it was deleted; the change before it has the rest.
CREATE TABLE changes (
    revision    BIGINT PRIMARY KEY,
    recorded_at BIGINT NOT NULL,
    actor       TEXT NOT NULL,
    action      TEXT NOT NULL,
    kind        TEXT COLLATE "C" NOT NULL,
    name        TEXT COLLATE "C" NOT NULL,
    document    TEXT
);
CREATE INDEX changes_by_resource ON changes (kind, name, revision);
CREATE INDEX changes_by_time ON changes (recorded_at, revision);

-- +goose StatementBegin
CREATE FUNCTION meridian_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'history is only added to';
END;
$$;
-- +goose StatementEnd
CREATE TRIGGER changes_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON changes
    FOR EACH STATEMENT EXECUTE FUNCTION meridian_refuse_change();

-- Tells every process that watches that there is something to read.
-- +goose StatementBegin
CREATE FUNCTION meridian_notify() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('meridian_inventory', '');
    RETURN NULL;
END;
$$;
-- +goose StatementEnd
CREATE TRIGGER head_moved AFTER UPDATE ON head
    FOR EACH STATEMENT EXECUTE FUNCTION meridian_notify();

-- Baselines by NAME@VERSION. A row outlives its resource, so that a version
-- never comes to mean something else.
CREATE TABLE bundles (
    name    TEXT COLLATE "C" PRIMARY KEY,
    digest  TEXT NOT NULL,
    content BYTEA NOT NULL
);

-- +goose Down
DROP TABLE bundles;
DROP TABLE changes;
DROP TABLE resources;
DROP TABLE head;
DROP FUNCTION meridian_notify();
DROP FUNCTION meridian_refuse_change();
