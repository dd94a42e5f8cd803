package inventory

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// Apply implements Store.
func (d *database) Apply(ctx context.Context, actor string, resources []fleet.Resource, options ApplyOptions) ([]Outcome, error) {
	return d.ApplyAll(ctx, actor, resources, nil, options)
}

// ApplyAll implements Store. Outcomes come in the order of the arguments,
// resources first. Bundles are written first, as resources may name them.
func (d *database) ApplyAll(ctx context.Context, actor string, resources []fleet.Resource, bundles []Bundle, options ApplyOptions) ([]Outcome, error) {
	resources, bundles, err := prepare(resources, bundles)
	if err != nil {
		return nil, err
	}
	var outcomes []Outcome
	err = d.transact(ctx, actor, func(tx *transaction) error {
		if err := tx.refuseMoved(ctx, options.Unless); err != nil {
			return err
		}
		ofBundles, err := tx.putAll(ctx, bundles)
		if err != nil {
			return err
		}
		outcomes = make([]Outcome, 0, len(resources)+len(bundles))
		for _, resource := range resources {
			action, err := tx.apply(ctx, resource)
			if err != nil {
				return err
			}
			outcomes = append(outcomes, Outcome{Ref: resource.Ref(), Action: action})
		}
		outcomes = append(outcomes, ofBundles...)
		if options.DryRun {
			return errDiscard
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return outcomes, nil
}

// refuseMoved ends a write when what it rests on is no longer so. The writer's
// turn has begun: nobody changes it between this and the commit.
func (tx *transaction) refuseMoved(ctx context.Context, moved *Moved) error {
	if moved == nil {
		return nil
	}
	where, arguments := laterThan(moved.Kinds, moved.Since)
	if moved.Name != "" {
		arguments = append(arguments, moved.Name)
		where += fmt.Sprintf(" AND c.name = $%d", len(arguments))
	}
	for _, kind := range moved.Unobserved {
		arguments = append(arguments, actionStatus, string(kind))
		where += fmt.Sprintf(" AND NOT (c.action = $%d AND c.kind = $%d)", len(arguments)-1, len(arguments))
	}
	var kind, name string
	row := tx.QueryRowContext(ctx, "SELECT c.kind, c.name FROM changes c WHERE "+where+" ORDER BY c.revision LIMIT 1", arguments...)
	if err := row.Scan(&kind, &name); errors.Is(err, sql.ErrNoRows) {
		return nil
	} else if err != nil {
		return err
	}
	return fleet.Errorf(fleet.ErrConflict, "changed meanwhile").On(fleet.Ref{Kind: fleet.Kind(kind), Name: name}.String()).
		Advise("try again")
}

// prepare checks everything that can be checked without the database and
// reports all faults at once.
func prepare(resources []fleet.Resource, bundles []Bundle) ([]fleet.Resource, []Bundle, error) {
	var faults []error
	seen := map[fleet.Ref]bool{}
	once := func(ref fleet.Ref) {
		if seen[ref] {
			faults = append(faults, fleet.Errorf(fleet.ErrInvalid, "given twice").On(ref.String()))
		}
		seen[ref] = true
	}
	preparedResources := make([]fleet.Resource, 0, len(resources))
	for _, resource := range resources {
		prepared, err := normalise(resource)
		if err == nil && resource.Kind == fleet.KindBaseline {
			err = fleet.Errorf(fleet.ErrInvalid, "a baseline is stored with its content").On(resource.Ref().String())
		}
		faults = append(faults, err)
		once(resource.Ref())
		preparedResources = append(preparedResources, prepared)
	}
	preparedBundles := make([]Bundle, 0, len(bundles))
	for _, bundle := range bundles {
		prepared, err := checkBundle(bundle)
		faults = append(faults, err)
		once(bundle.Resource.Ref())
		preparedBundles = append(preparedBundles, prepared)
	}
	return preparedResources, preparedBundles, errors.Join(faults...)
}

// apply writes a resource's metadata and spec and keeps its status.
func (tx *transaction) apply(ctx context.Context, resource fleet.Resource) (string, error) {
	current, found, err := tx.find(ctx, resource.Ref())
	if err != nil {
		return "", err
	}
	if found && sameSpec(current, resource) {
		return actionUnchanged, nil
	}
	action := actionCreated
	if found {
		action = actionUpdated
	}
	resource.Status, resource.Metadata.CreatedAt = current.Status, current.Metadata.CreatedAt
	return action, tx.save(ctx, action, resource)
}

// UpdateStatus implements Store.
func (d *database) UpdateStatus(ctx context.Context, actor string, ref fleet.Ref, update func(json.RawMessage) (any, error)) error {
	if err := checkRef(ref); err != nil {
		return err
	}
	return d.transact(ctx, actor, func(tx *transaction) error {
		resource, found, err := tx.find(ctx, ref)
		if err != nil {
			return err
		}
		if !found {
			return notFound(ref)
		}
		status, err := newStatus(ref, resource.Status, update)
		if err != nil || bytes.Equal(status, resource.Status) {
			return err
		}
		resource.Status = status
		return tx.save(ctx, actionStatus, resource)
	})
}

// newStatus asks for a resource's next status. The caller's function gets a
// copy and its error goes back as it is.
func newStatus(ref fleet.Ref, current json.RawMessage, update func(json.RawMessage) (any, error)) (json.RawMessage, error) {
	next, err := update(bytes.Clone(current))
	if err != nil {
		return nil, &callerError{err}
	}
	raw, err := json.Marshal(next)
	if err != nil {
		return nil, fleet.Errorf(fleet.ErrInvalid, "not JSON: %w", err).On(ref.String()).At(fleet.Position{}, "status")
	}
	return canonical(ref, "status", raw)
}

// Delete implements Store.
func (d *database) Delete(ctx context.Context, actor string, ref fleet.Ref, unless *Moved) error {
	if err := checkRef(ref); err != nil {
		return err
	}
	return d.transact(ctx, actor, func(tx *transaction) error {
		if err := tx.refuseMoved(ctx, unless); err != nil {
			return err
		}
		_, found, err := tx.find(ctx, ref)
		if err != nil {
			return err
		}
		if !found {
			return notFound(ref)
		}
		return tx.remove(ctx, ref)
	})
}

func notFound(ref fleet.Ref) error {
	return fleet.Errorf(fleet.ErrNotFound, "not in the inventory").On(ref.String())
}
