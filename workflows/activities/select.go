package activities

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// selection is the clusters a rollout goes to, with what is known of them.
type selection struct {
	planned  []fleet.PlanCluster
	clusters map[string]cluster
	regions  map[string]region
}

// choose picks the ready clusters an order asks for. One it names must be
// there and ready.
func (a *Activities) choose(ctx context.Context, order fleet.Selector) (selection, error) {
	all, err := a.clusters(ctx)
	if err != nil {
		return selection{}, err
	}
	regions, err := a.regions(ctx)
	if err != nil {
		return selection{}, err
	}
	if err := checkNamed(order.Clusters, all); err != nil {
		return selection{}, err
	}
	chosen := selection{clusters: map[string]cluster{}, regions: regions}
	for _, one := range all {
		planned := planCluster(one, regions[one.spec.Region])
		if one.status.Phase == fleet.ClusterReady && order.Matches(planned) {
			chosen.planned = append(chosen.planned, planned)
			chosen.clusters[one.meta.Name] = one
		}
	}
	if len(chosen.planned) == 0 {
		return selection{}, fleet.Errorf(fleet.ErrConflict, "no ready cluster matches the order").
			Advise("onboard regions first, or order fewer restrictions")
	}
	return chosen, nil
}

func planCluster(c cluster, r region) fleet.PlanCluster {
	provider, _, _ := fleet.SplitRegion(c.spec.Region)
	return fleet.PlanCluster{
		Name: c.meta.Name, Region: c.spec.Region, Provider: provider,
		Labels: fleet.EffectiveLabels(c.meta.Labels, r.meta.Labels),
	}
}

// checkNamed refuses an order for clusters that are unknown or not ready.
func checkNamed(names []string, all []cluster) error {
	var faults []error
	for _, name := range names {
		object := fleet.Ref{Kind: fleet.KindCluster, Name: name}.String()
		at := slices.IndexFunc(all, func(c cluster) bool { return c.meta.Name == name })
		switch {
		case at < 0:
			faults = append(faults, fleet.Errorf(fleet.ErrNotFound, "not in the inventory").On(object))
		case all[at].status.Phase != fleet.ClusterReady:
			faults = append(faults, fleet.Errorf(fleet.ErrConflict, "is not ready: %s", phaseText(all[at])).On(object))
		}
	}
	return errors.Join(faults...)
}

func phaseText(c cluster) string {
	phase := c.status.Phase
	if phase == "" {
		phase = fleet.ClusterPending
	}
	if c.status.Message == "" {
		return string(phase)
	}
	return fmt.Sprintf("%s (%s)", phase, c.status.Message)
}
