package fleet

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
)

// PlanCluster is what planning knows of a cluster.
type PlanCluster struct {
	Name     string
	Region   string
	Provider string
	Labels   map[string]string // the cluster's over its region's, see EffectiveLabels
}

// PlanWaves puts every cluster into exactly one wave. A wave takes, of the
// clusters earlier waves left, those its selector picks; with a limit at most
// that many of them, though at least one, spread over providers and regions.
// Clusters no wave takes form a last wave. Waves without clusters are left
// out. The result depends on the set of clusters only, not on their order.
func PlanWaves(strategy RolloutStrategySpec, clusters []PlanCluster) ([]PlannedWave, error) {
	left, err := inOrder(clusters)
	if faults := strategy.Validate(); len(faults) > 0 {
		for _, fault := range faults {
			err = errors.Join(err, fault)
		}
	}
	if err != nil {
		return nil, err
	}
	strategy = strategy.WithDefaults()
	var planned []PlannedWave
	for _, wave := range append(slices.Clone(strategy.Waves), restOf(strategy)) {
		var chosen []PlanCluster
		chosen, left = choose(wave, left)
		if len(chosen) > 0 {
			planned = append(planned, planWave(strategy, wave, chosen))
		}
	}
	return planned, nil
}

// inOrder sorts clusters by name and refuses two of one name.
func inOrder(clusters []PlanCluster) ([]PlanCluster, error) {
	sorted := slices.SortedFunc(slices.Values(clusters), func(a, b PlanCluster) int { return cmp.Compare(a.Name, b.Name) })
	for i := 1; i < len(sorted); i++ {
		if sorted[i].Name == sorted[i-1].Name {
			return nil, Errorf(ErrInvalid, "is in the fleet twice").On(Ref{Kind: KindCluster, Name: sorted[i].Name}.String())
		}
	}
	return sorted, nil
}

// restOf is the wave of the clusters a strategy forgets, under a name of its
// own.
func restOf(strategy RolloutStrategySpec) WaveSpec {
	name := RestWave
	taken := func(wave WaveSpec) bool { return wave.Name == name }
	for i := 2; slices.ContainsFunc(strategy.Waves, taken); i++ {
		name = fmt.Sprintf("%s-%d", RestWave, i)
	}
	return WaveSpec{Name: name}
}

// choose parts the clusters a wave takes from those it leaves, both by name.
func choose(wave WaveSpec, clusters []PlanCluster) (chosen, left []PlanCluster) {
	var picked []PlanCluster
	for _, cluster := range clusters {
		if wave.Clusters.Matches(cluster) {
			picked = append(picked, cluster)
		}
	}
	taken := map[string]bool{}
	for _, cluster := range spread(picked)[:limit(wave.Limit, len(picked))] {
		taken[cluster.Name] = true
	}
	for _, cluster := range clusters {
		if taken[cluster.Name] {
			chosen = append(chosen, cluster)
		} else {
			left = append(left, cluster)
		}
	}
	return chosen, left
}

// limit is how many of some clusters a wave takes: all without a limit, else
// at least one, so that a small share of a small fleet still is a canary.
func limit(amount Amount, total int) int {
	if amount.IsZero() {
		return total
	}
	return min(max(amount.Of(total), 1), total)
}

// spread orders clusters so that any first few of them touch as many
// providers, and within a provider as many regions, as they can.
func spread(clusters []PlanCluster) []PlanCluster {
	byRegion := takeTurns(clusters, func(c PlanCluster) string { return c.Region })
	return takeTurns(byRegion, func(c PlanCluster) string { return c.Provider })
}

// takeTurns groups clusters by a key and takes one of each group in turn, the
// groups by key, the clusters in a group in the order given.
func takeTurns(clusters []PlanCluster, key func(PlanCluster) string) []PlanCluster {
	groups := map[string][]PlanCluster{}
	var keys []string
	for _, cluster := range clusters {
		if _, ok := groups[key(cluster)]; !ok {
			keys = append(keys, key(cluster))
		}
		groups[key(cluster)] = append(groups[key(cluster)], cluster)
	}
	slices.Sort(keys)
	turns := make([]PlanCluster, 0, len(clusters))
	for round := 0; len(turns) < len(clusters); round++ {
		for _, key := range keys {
			if round < len(groups[key]) {
				turns = append(turns, groups[key][round])
			}
		}
	}
	return turns
}

// planWave resolves a wave's shares and defaults for the clusters it has.
func planWave(strategy RolloutStrategySpec, wave WaveSpec, clusters []PlanCluster) PlannedWave {
	budget := strategy.FailureBudget
	if wave.FailureBudget != nil {
		budget = *wave.FailureBudget
	}
	planned := PlannedWave{
		Name:          wave.Name,
		MaxParallel:   cmp.Or(wave.MaxParallel, strategy.MaxParallel),
		FailureBudget: budget.Of(len(clusters)),
		Soak:          wave.Soak,
		Pause:         wave.Pause,
	}
	for _, cluster := range clusters {
		planned.Clusters = append(planned.Clusters, PlannedCluster{Cluster: cluster.Name, Region: cluster.Region})
	}
	return planned
}
