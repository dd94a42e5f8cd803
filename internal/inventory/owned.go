package inventory

import (
	"bytes"
	"context"
	"errors"
	"slices"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// ReplaceOwned implements Store.
func (d *database) ReplaceOwned(ctx context.Context, actor string, kind fleet.Kind, owner string, resources []fleet.Resource) error {
	wanted, err := prepareOwned(kind, owner, resources)
	if err != nil {
		return err
	}
	return d.transact(ctx, actor, func(tx *transaction) error {
		gone, err := tx.ownedNames(ctx, kind, owner)
		if err != nil {
			return err
		}
		for _, resource := range wanted {
			if err := tx.observe(ctx, resource); err != nil {
				return err
			}
			gone = slices.DeleteFunc(gone, func(name string) bool { return name == resource.Metadata.Name })
		}
		for _, name := range gone {
			if err := tx.remove(ctx, fleet.Ref{Kind: kind, Name: name}); err != nil {
				return err
			}
		}
		return nil
	})
}

// prepareOwned checks the resources and gives them kind and owner.
func prepareOwned(kind fleet.Kind, owner string, resources []fleet.Resource) ([]fleet.Resource, error) {
	faults := []error{checkText("owner", owner), checkRef(fleet.Ref{Kind: kind, Name: "any"})}
	seen := map[string]bool{}
	prepared := make([]fleet.Resource, 0, len(resources))
	for _, resource := range resources {
		if resource.Kind == "" {
			resource.Kind = kind
		}
		resource.Metadata.Owner = owner
		next, err := normalise(resource)
		if err == nil && (resource.Kind != kind || seen[resource.Metadata.Name]) {
			err = fleet.Errorf(fleet.ErrInvalid, "is not a %s or is given twice", kind).On(resource.Ref().String())
		}
		faults = append(faults, err)
		seen[resource.Metadata.Name] = true
		prepared = append(prepared, next)
	}
	return prepared, errors.Join(faults...)
}

// observe makes a resource what it was observed to be, status included.
func (tx *transaction) observe(ctx context.Context, resource fleet.Resource) error {
	current, found, err := tx.find(ctx, resource.Ref())
	if err != nil {
		return err
	}
	action := actionCreated
	switch {
	case !found:
	case current.Metadata.Owner != resource.Metadata.Owner:
		return fleet.Errorf(fleet.ErrConflict, "belongs to %q, not to %q", current.Metadata.Owner, resource.Metadata.Owner).On(resource.Ref().String())
	case !sameSpec(current, resource):
		action = actionUpdated
	case bytes.Equal(current.Status, resource.Status):
		return nil
	default:
		action = actionStatus
	}
	resource.Metadata.CreatedAt = current.Metadata.CreatedAt
	return tx.save(ctx, action, resource)
}

func (tx *transaction) ownedNames(ctx context.Context, kind fleet.Kind, owner string) ([]string, error) {
	rows, err := tx.QueryContext(ctx, "SELECT name FROM resources WHERE kind = $1 AND owner = $2 ORDER BY name", string(kind), owner)
	if err != nil {
		return nil, err
	}
	return collect(rows, func(scan func(...any) error) (name string, err error) { return name, scan(&name) })
}
