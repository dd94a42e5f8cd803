package inventory

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// selectChanges reads changes with the document before each, which is the one
// the previous change of the same resource left.
const selectChanges = `SELECT c.revision, c.recorded_at, c.actor, c.action, c.kind, c.name, c.document,
	(SELECT p.document FROM changes p WHERE p.kind = c.kind AND p.name = c.name AND p.revision < c.revision
		ORDER BY p.revision DESC LIMIT 1)
	FROM changes c `

// History implements Store.
func (d *database) History(ctx context.Context, ref fleet.Ref) ([]fleet.Change, error) {
	if err := checkRef(ref); err != nil {
		return nil, err
	}
	changes, err := d.changes(ctx, "WHERE c.kind = $1 AND c.name = $2 ORDER BY c.revision", string(ref.Kind), ref.Name)
	if err == nil && len(changes) == 0 {
		return nil, notFound(ref)
	}
	return changes, d.wrap(err, "read the history of "+ref.String())
}

// changesAfter returns the next changes of some kinds (all when empty).
func (d *database) changesAfter(ctx context.Context, kinds []fleet.Kind, after int64, limit int) ([]fleet.Change, error) {
	where, arguments := laterThan(kinds, after)
	return d.changes(ctx, fmt.Sprintf("WHERE %s ORDER BY c.revision LIMIT %d", where, limit), arguments...)
}

// laterThan is the condition on changes c of some kinds (all when empty) after
// a revision, and its arguments.
func laterThan(kinds []fleet.Kind, after int64) (where string, arguments []any) {
	where, arguments = "c.revision > $1", []any{after}
	if len(kinds) == 0 {
		return where, arguments
	}
	var places []string
	for _, kind := range kinds {
		arguments = append(arguments, string(kind))
		places = append(places, fmt.Sprintf("$%d", len(arguments)))
	}
	return where + " AND c.kind IN (" + strings.Join(places, ", ") + ")", arguments
}

// Changes implements Store.
func (d *database) Changes(ctx context.Context, query ChangeQuery) ([]RawChange, error) {
	where, arguments := laterThan(query.Kinds, query.After)
	if !query.Until.IsZero() {
		arguments = append(arguments, query.Until.UnixMicro())
		where += fmt.Sprintf(" AND c.recorded_at <= $%d", len(arguments))
	}
	statement := "SELECT c.revision, c.recorded_at, c.actor, c.action, c.kind, c.name, c.document FROM changes c WHERE " + where + " ORDER BY c.revision"
	if query.Limit > 0 {
		statement += fmt.Sprintf(" LIMIT %d", query.Limit)
	}
	rows, err := d.read.QueryContext(ctx, statement, arguments...)
	if err != nil {
		return nil, d.wrap(err, "read changes")
	}
	changes, err := collect(rows, scanRaw)
	return changes, d.wrap(err, "read changes")
}

func scanRaw(scan func(...any) error) (RawChange, error) {
	var change RawChange
	var at int64
	var kind string
	var document sql.NullString
	err := scan(&change.Revision, &at, &change.Actor, &change.Action, &kind, &change.Ref.Name, &document)
	change.At, change.Ref.Kind = time.UnixMicro(at).UTC(), fleet.Kind(kind)
	if document.Valid {
		change.Document = []byte(document.String)
	}
	return change, err
}

func (d *database) changes(ctx context.Context, where string, arguments ...any) ([]fleet.Change, error) {
	rows, err := d.read.QueryContext(ctx, selectChanges+where, arguments...)
	if err != nil {
		return nil, err
	}
	return collect(rows, scanChange)
}

func scanChange(scan func(...any) error) (fleet.Change, error) {
	var change fleet.Change
	var at int64
	var kind string
	var after, before sql.NullString
	err := scan(&change.Revision, &at, &change.Actor, &change.Action, &kind, &change.Ref.Name, &after, &before)
	if err != nil {
		return change, err
	}
	change.At, change.Ref.Kind = time.UnixMicro(at).UTC(), fleet.Kind(kind)
	if change.After, err = optionalResource(after); err != nil {
		return change, err
	}
	change.Before, err = optionalResource(before)
	return change, err
}

func optionalResource(document sql.NullString) (*fleet.Resource, error) {
	if !document.Valid {
		return nil, nil
	}
	resource, err := decodeResource(document.String)
	return &resource, err
}
