package inventory

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// selectHead reads all of a Head at one instant.
const selectHead = `SELECT h.revision, h.recorded_at, (SELECT count(*) FROM changes),
	(SELECT c.recorded_at FROM changes c WHERE c.revision = h.revision) FROM head h WHERE h.id = 1`

// Head implements Store.
func (d *database) Head(ctx context.Context) (Head, error) {
	var head Head
	var at int64
	var newest sql.NullInt64
	err := d.read.QueryRowContext(ctx, selectHead).Scan(&head.Revision, &at, &head.Changes, &newest)
	head.At = time.UnixMicro(at).UTC()
	if newest.Valid {
		head.Newest = time.UnixMicro(newest.Int64).UTC()
	}
	return head, d.wrap(err, "read the head")
}

// Logs implements Store.
func (d *database) Logs(ctx context.Context) ([]NotedLog, error) {
	rows, err := d.read.QueryContext(ctx, "SELECT name, checkpoint FROM logs ORDER BY name")
	if err != nil {
		return nil, d.wrap(err, "read the noted logs")
	}
	logs, err := collect(rows, func(scan func(...any) error) (log NotedLog, err error) {
		return log, scan(&log.Name, &log.Checkpoint)
	})
	return logs, d.wrap(err, "read the noted logs")
}

// NoteLog implements Store.
func (d *database) NoteLog(ctx context.Context, log NotedLog) error {
	if err := errors.Join(checkText("the name of a log", log.Name), checkText("a checkpoint", log.Checkpoint)); err != nil {
		return err
	}
	_, err := d.write.ExecContext(ctx, `INSERT INTO logs (name, checkpoint) VALUES ($1, $2)
		ON CONFLICT (name) DO UPDATE SET checkpoint = excluded.checkpoint`, log.Name, log.Checkpoint)
	return d.wrap(err, "note the log "+log.Name)
}

// Whole reports whether history is all there: each revision up to the newest
// has one change, and the newest was recorded when the head says.
func (h Head) Whole() error {
	switch {
	case h.Changes != h.Revision:
		return fleet.Errorf(fleet.ErrNeedsHuman, "history has %d changes up to revision %d: some were removed or inserted", h.Changes, h.Revision)
	case h.Revision > 0 && !h.Newest.Equal(h.At):
		return fleet.Errorf(fleet.ErrNeedsHuman, "its newest change is said to be of %s, and is of %s", stamp(h.At), stamp(h.Newest))
	}
	return nil
}

func stamp(at time.Time) string { return at.Format(time.RFC3339Nano) }
