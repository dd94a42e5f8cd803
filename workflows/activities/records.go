package activities

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/inventory"
	"github.com/meridian-fleet/meridian/workflows"
)

// update changes a resource's typed status.
func update[T any](ctx context.Context, store inventory.Store, actor string, ref fleet.Ref, change func(*T)) error {
	return store.UpdateStatus(ctx, actor, ref, func(current json.RawMessage) (any, error) {
		status, err := fleet.StatusOf[T](fleet.Resource{Kind: ref.Kind, Metadata: fleet.Metadata{Name: ref.Name}, Status: current})
		if err != nil {
			return nil, err
		}
		change(&status)
		return status, nil
	})
}

// get reads a resource with its typed spec and status.
func get[Spec, Status any](ctx context.Context, store inventory.Store, kind fleet.Kind, name string) (declared[Spec, Status], error) {
	resource, err := store.Get(ctx, fleet.Ref{Kind: kind, Name: name}, inventory.AsOf{})
	if err != nil {
		return declared[Spec, Status]{}, err
	}
	return decode[Spec, Status](resource)
}

// list reads all resources of a kind.
func list[Spec, Status any](ctx context.Context, store inventory.Store, kind fleet.Kind) ([]declared[Spec, Status], error) {
	resources, err := store.List(ctx, kind, inventory.Query{})
	if err != nil {
		return nil, err
	}
	decoded := make([]declared[Spec, Status], 0, len(resources))
	for _, resource := range resources {
		one, err := decode[Spec, Status](resource)
		if err != nil {
			return nil, err
		}
		decoded = append(decoded, one)
	}
	return decoded, nil
}

func decode[Spec, Status any](resource fleet.Resource) (declared[Spec, Status], error) {
	spec, specErr := fleet.SpecOf[Spec](resource)
	status, statusErr := fleet.StatusOf[Status](resource)
	return declared[Spec, Status]{resource.Metadata, spec, status}, errors.Join(specErr, statusErr)
}

// declared is a resource with typed spec and status.
type declared[Spec, Status any] struct {
	meta   fleet.Metadata
	spec   Spec
	status Status
}

type (
	region  = declared[fleet.RegionSpec, fleet.RegionStatus]
	cluster = declared[fleet.ClusterSpec, fleet.ClusterStatus]
)

func (a *Activities) region(ctx context.Context, name string) (region, error) {
	return get[fleet.RegionSpec, fleet.RegionStatus](ctx, a.Inventory, fleet.KindRegion, name)
}

func (a *Activities) cluster(ctx context.Context, name string) (cluster, error) {
	return get[fleet.ClusterSpec, fleet.ClusterStatus](ctx, a.Inventory, fleet.KindCluster, name)
}

func (a *Activities) clusters(ctx context.Context) ([]cluster, error) {
	return list[fleet.ClusterSpec, fleet.ClusterStatus](ctx, a.Inventory, fleet.KindCluster)
}

func (a *Activities) regions(ctx context.Context) (map[string]region, error) {
	all, err := list[fleet.RegionSpec, fleet.RegionStatus](ctx, a.Inventory, fleet.KindRegion)
	byName := make(map[string]region, len(all))
	for _, one := range all {
		byName[one.meta.Name] = one
	}
	return byName, err
}

func (a *Activities) updateCluster(ctx context.Context, actor, name string, change func(*fleet.ClusterStatus)) error {
	return update(ctx, a.Inventory, actor, fleet.Ref{Kind: fleet.KindCluster, Name: name}, change)
}

func (a *Activities) updateRegion(ctx context.Context, actor, name string, change func(*fleet.RegionStatus)) error {
	return update(ctx, a.Inventory, actor, fleet.Ref{Kind: fleet.KindRegion, Name: name}, change)
}

// updateChange changes a ClusterChange's status. One that was deleted
// meanwhile is not missed: the cluster's own status has the outcome.
func (a *Activities) updateChange(ctx context.Context, actor, name string, change func(*fleet.ClusterChangeStatus)) error {
	err := update(ctx, a.Inventory, actor, fleet.Ref{Kind: fleet.KindClusterChange, Name: name}, change)
	if errors.Is(err, fleet.ErrNotFound) {
		return nil
	}
	return err
}

// RecordRegion writes a region's status. What a step found out earlier stays.
func (a *Activities) RecordRegion(ctx context.Context, record workflows.RegionRecord) error {
	return a.updateRegion(ctx, record.Actor, record.Region, func(status *fleet.RegionStatus) {
		next := record.Status
		if next.Facts == nil {
			next.Facts = status.Facts
		}
		if next.OnboardedAt == nil {
			next.OnboardedAt = status.OnboardedAt
		}
		*status = next
	})
}

// RecordRollout writes a rollout's status and skips the clusters it will not
// reach.
func (a *Activities) RecordRollout(ctx context.Context, record workflows.RolloutRecord) error {
	actor := workflows.RolloutID(record.Rollout)
	for _, cluster := range record.Skipped {
		change := workflows.ChangeInput{Operation: record.Rollout, Cluster: cluster}
		err := a.updateChange(ctx, actor, change.Name(), func(status *fleet.ClusterChangeStatus) {
			status.Phase, status.Message = fleet.PhaseSkipped, "the rollout ended before its turn"
		})
		if err != nil {
			return err
		}
	}
	ref := fleet.Ref{Kind: fleet.KindRollout, Name: record.Rollout}
	return update(ctx, a.Inventory, actor, ref, func(status *fleet.RolloutStatus) {
		next := record.Status
		keep(&next.RequestedBy, status.RequestedBy)
		keep(&next.PlanHash, status.PlanHash)
		keep(&next.Digest, status.Digest)
		if next.StartedAt == nil {
			next.StartedAt = status.StartedAt
		}
		*status = next
	})
}

func keep(next *string, present string) {
	if *next == "" {
		*next = present
	}
}

// DeclareChanges makes an operation's ClusterChange resources, all pending.
func (a *Activities) DeclareChanges(ctx context.Context, input workflows.DeclareInput) error {
	var resources []fleet.Resource
	for _, spec := range input.Changes {
		name := workflows.ChangeInput{Operation: input.Operation, Cluster: spec.Cluster}.Name()
		resource, err := fleet.NewResource(fleet.KindClusterChange, name, spec, fleet.ClusterChangeStatus{Phase: fleet.PhasePending})
		if err != nil {
			return err
		}
		resources = append(resources, resource)
	}
	return a.Inventory.ReplaceOwned(ctx, input.Actor, fleet.KindClusterChange, input.Operation, resources)
}

// RecordChange writes the state of a change.
func (a *Activities) RecordChange(ctx context.Context, record workflows.ChangeRecord) error {
	return a.updateChange(ctx, record.Actor, record.Name, func(status *fleet.ClusterChangeStatus) {
		status.Phase, status.Message, status.Blocking = record.Phase, record.Message, record.Blocking
		if record.Phase.Done() {
			now := a.now()
			status.FinishedAt = &now
		}
	})
}
