package inventory

import (
	"context"
	"errors"
	"time"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// Referring lists the resources that need another one, so that it can be told
// why that one must not be deleted: regions and clusters of a profile, clusters
// of a region, regions and clusters that have or should have a baseline,
// rollouts under way of a strategy, a baseline or over a cluster, documents
// that name a class, a group or a dataset, and exceptions from a policy that
// have not ended.
func Referring(ctx context.Context, store Store, to fleet.Ref) ([]fleet.Ref, error) {
	var referring []fleet.Ref
	for _, kind := range referringKinds {
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

// referringKinds are the kinds whose resources need others. What a placement
// names was found so, and needs nothing.
var referringKinds = []fleet.Kind{
	fleet.KindRegion, fleet.KindCluster, fleet.KindRollout, fleet.KindResidencyPolicy, fleet.KindJurisdictionGroup,
	fleet.KindDataClass, fleet.KindDataset, fleet.KindWorkload, fleet.KindException,
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
		return needs, errors.Join(err, namedNeeds(resource, need))
	case fleet.KindCluster:
		return needs, clusterNeeds(resource, need)
	case fleet.KindRollout:
		return needs, rolloutNeeds(resource, need)
	case fleet.KindException:
		if ended, err := exceptionEnded(resource, time.Now()); ended || err != nil {
			return needs, err
		}
	}
	return needs, namedNeeds(resource, need)
}

// namedNeeds are what documents about residency name. They do not keep each
// other alive: an exception outlives the subject it is for, and places are the
// catalog's.
func namedNeeds(resource fleet.Resource, need func(fleet.Kind, string)) error {
	mentions, err := fleet.Mentions(resource)
	for _, mention := range mentions {
		subject := mention.Ref.Kind == fleet.KindDataset || mention.Ref.Kind == fleet.KindWorkload
		if mention.Ref.Kind != fleet.KindRegion && !(subject && resource.Kind == fleet.KindException) {
			need(mention.Ref.Kind, mention.Ref.Name)
		}
	}
	return err
}

// exceptionEnded reports whether an exception can never be in force again.
func exceptionEnded(resource fleet.Resource, now time.Time) (bool, error) {
	status, err := fleet.StatusOf[fleet.ExceptionStatus](resource)
	if err != nil || status.Phase == fleet.ExceptionRevoked {
		return true, err
	}
	spec, err := fleet.SpecOf[fleet.ExceptionSpec](resource)
	if err != nil {
		return false, err
	}
	if day, err := time.Parse(time.DateOnly, spec.Until); err == nil {
		return !now.Before(day.AddDate(0, 0, 1)), nil
	}
	until, err := time.Parse(time.RFC3339, spec.Until)
	return err == nil && !now.Before(until), nil //nolint:nilerr // an end nobody can read has not come
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
