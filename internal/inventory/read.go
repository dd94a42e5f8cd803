package inventory

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// Get implements Store.
func (d *database) Get(ctx context.Context, ref fleet.Ref, at AsOf) (fleet.Resource, error) {
	if err := checkRef(ref); err != nil {
		return fleet.Resource{}, err
	}
	query, arguments := "SELECT document FROM resources WHERE kind = $1 AND name = $2", []any{string(ref.Kind), ref.Name}
	if instant := time.Time(at); !instant.IsZero() {
		query = `SELECT document FROM changes WHERE kind = $1 AND name = $2 AND recorded_at <= $3
			ORDER BY revision DESC LIMIT 1`
		arguments = append(arguments, instant.UnixMicro())
	}
	var document sql.NullString
	err := d.read.QueryRowContext(ctx, query, arguments...).Scan(&document)
	if errors.Is(err, sql.ErrNoRows) || err == nil && !document.Valid {
		return fleet.Resource{}, notFound(ref)
	}
	if err != nil {
		return fleet.Resource{}, d.wrap(err, "read "+ref.String())
	}
	return decodeStored(ref, document.String)
}

// List implements Store.
func (d *database) List(ctx context.Context, kind fleet.Kind, query Query) ([]fleet.Resource, error) {
	statement, arguments := "SELECT name, document, owner FROM resources WHERE kind = $1 ORDER BY name", []any{string(kind)}
	switch instant := time.Time(query.AsOf); {
	case !instant.IsZero():
		statement = `SELECT c.name, c.document, NULL FROM changes c JOIN
			(SELECT name, max(revision) AS revision FROM changes WHERE kind = $1 AND recorded_at <= $2 GROUP BY name) newest
			ON c.revision = newest.revision WHERE c.document IS NOT NULL ORDER BY c.name`
		arguments = append(arguments, instant.UnixMicro())
	case query.Owner != "":
		statement = "SELECT name, document, owner FROM resources WHERE kind = $1 AND owner = $2 ORDER BY name"
		arguments = append(arguments, query.Owner)
	}
	rows, err := d.read.QueryContext(ctx, statement, arguments...)
	if err != nil {
		return nil, d.wrap(err, "list")
	}
	resources, err := collect(rows, scanStored(kind))
	if err != nil {
		return nil, d.wrap(err, "list")
	}
	return matching(resources, query), nil
}

// matching keeps the resources a query asks for.
func matching(resources []fleet.Resource, query Query) []fleet.Resource {
	kept := resources[:0]
	for _, resource := range resources {
		if (query.Owner == "" || resource.Metadata.Owner == query.Owner) && fleet.HasLabels(resource.Metadata.Labels, query.MatchLabels) {
			kept = append(kept, resource)
		}
	}
	return kept
}

// Revision implements Store.
func (d *database) Revision(ctx context.Context) (revision int64, err error) {
	err = d.read.QueryRowContext(ctx, "SELECT revision FROM head WHERE id = 1").Scan(&revision)
	return revision, d.wrap(err, "read the revision")
}

// scanStored reads the name and the document of a row, and the owner it is
// filed under, which history has none of.
func scanStored(kind fleet.Kind) func(scan func(...any) error) (fleet.Resource, error) {
	return func(scan func(...any) error) (fleet.Resource, error) {
		var name, document string
		var owner sql.NullString
		if err := scan(&name, &document, &owner); err != nil {
			return fleet.Resource{}, err
		}
		resource, err := decodeStored(fleet.Ref{Kind: kind, Name: name}, document)
		if err == nil && owner.Valid && owner.String != resource.Metadata.Owner {
			err = fleet.Errorf(fleet.ErrNeedsHuman, "its row in the inventory has the owner %q, it says %q", owner.String, resource.Metadata.Owner).
				On(resource.Ref().String())
		}
		return resource, err
	}
}

// collect reads all rows and closes them.
func collect[T any](rows *sql.Rows, read func(scan func(...any) error) (T, error)) ([]T, error) {
	defer func() { _ = rows.Close() }() // rows.Err tells what went wrong
	var all []T
	for rows.Next() {
		one, err := read(rows.Scan)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, rows.Err()
}
