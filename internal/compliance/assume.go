package compliance

import (
	"context"
	"encoding/json"
	"time"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/inventory"
)

// assume returns a view as if documents had been changed and deleted at an
// instant, which is to be the present of the questioner.
func (o *Office) assume(ctx context.Context, before *view, recorded time.Time, changed []fleet.Resource, deleted []fleet.Ref) (*view, error) {
	after := newView(before.ledger, before.revision, before.at, before.known)
	for _, resource := range changed {
		one, err := assumed(resource, recorded, len(before.versions(resource.Ref())) == 0)
		if err != nil {
			return nil, err
		}
		after.assumed[resource.Ref()] = []*version{one}
	}
	for _, ref := range deleted {
		after.assumed[ref] = []*version{{recorded: recorded, action: "deleted", ref: ref, deleted: true, begins: recorded}}
	}
	if !concernsRegions(after.assumed) {
		after.catalog, after.places = before.catalog, before.places
		o.compile(ctx, after)
		return after, nil
	}
	return after, o.rule(ctx, after)
}

func concernsRegions(assumed map[fleet.Ref][]*version) bool {
	for ref := range assumed {
		if ref.Kind == fleet.KindRegion {
			return true
		}
	}
	return false
}

// assumed is the version a document would be.
func assumed(resource fleet.Resource, recorded time.Time, first bool) (*version, error) {
	document, err := json.Marshal(resource)
	if err != nil {
		return nil, fleet.Errorf(fleet.ErrInvalid, "not JSON: %w", err).On(resource.Ref().String())
	}
	return read(inventory.RawChange{At: recorded, Action: "updated", Ref: resource.Ref(), Document: document}, first), nil
}
