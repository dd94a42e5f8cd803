-- +goose Up

-- Evidence logs that follow the inventory, with the newest checkpoint of each
-- that was noted here.
CREATE TABLE logs (
    name       TEXT COLLATE "C" PRIMARY KEY,
    checkpoint TEXT NOT NULL
);

-- +goose Down
DROP TABLE logs;
