package inventory

import (
	"context"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// Referring lists the resources that need another one, so that it can be told
// why that one must not be deleted: regions and clusters of a profile, clusters
// of a region, regions and clusters that have or should have a baseline, and
// rollouts under way of a strategy, a baseline or over a cluster.
func Referring(ctx context.Context, store Store, to fleet.Ref) ([]fleet.Ref, error) {
	var referring []fleet.Ref
	for _, kind := range []fleet.Kind{fleet.KindRegion, fleet.KindCluster, fleet.KindRollout} {
		resources, err := store.List(ctx, kind, Query{})
		if err != nil {
			return nil, err
		}
		for _, resource := range resources {
			needs, err := needsOf(resource)
			if err != nil {
				return nil, err
			}
			if needs[to] {
				referring = append(referring, resource.Ref())
			}
		}
	}
	return referring, nil
}

// needsOf are the resources one refers to.
func needsOf(resource fleet.Resource) (map[fleet.Ref]bool, error) {
	needs := map[fleet.Ref]bool{}
	need := func(kind fleet.Kind, name string) {
		if name != "" {
			needs[fleet.Ref{Kind: kind, Name: name}] = true
		}
	}
	switch resource.Kind {
	case fleet.KindRegion:
		spec, err := fleet.SpecOf[fleet.RegionSpec](resource)
		need(fleet.KindClusterProfile, spec.Profile)
		need(fleet.KindBaseline, spec.Baseline)
		return needs, err
	case fleet.KindCluster:
		return needs, clusterNeeds(resource, need)
	case fleet.KindRollout:
		return needs, rolloutNeeds(resource, need)
	}
	return needs, nil
}

func clusterNeeds(resource fleet.Resource, need func(fleet.Kind, string)) error {
	spec, err := fleet.SpecOf[fleet.ClusterSpec](resource)
	if err != nil {
		return err
	}
	need(fleet.KindRegion, spec.Region)
	need(fleet.KindClusterProfile, spec.Profile)
	status, err := fleet.StatusOf[fleet.ClusterStatus](resource)
	if err == nil && status.Baseline != nil {
		need(fleet.KindBaseline, status.Baseline.Target)
		need(fleet.KindBaseline, status.Baseline.Applied)
	}
	return err
}

func rolloutNeeds(resource fleet.Resource, need func(fleet.Kind, string)) error {
	status, err := fleet.StatusOf[fleet.RolloutStatus](resource)
	if err != nil || status.Phase.Done() {
		return err
	}
	spec, err := fleet.SpecOf[fleet.RolloutSpec](resource)
	need(fleet.KindBaseline, spec.Baseline)
	need(fleet.KindRolloutStrategy, spec.Strategy)
	for _, wave := range status.Waves {
		for _, cluster := range wave.Clusters {
			need(fleet.KindCluster, cluster)
		}
	}
	return err
}
