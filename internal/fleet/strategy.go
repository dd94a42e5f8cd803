package fleet

import (
	"fmt"
	"slices"
	"time"
)

// What a strategy has when it does not say.
const (
	DefaultMaxParallel  = 4
	DefaultReadyTimeout = Duration(5 * time.Minute)
)

// RestWave is the name of the wave of clusters no wave of the strategy takes.
const RestWave = "rest"

// DefaultStrategy is used by rollouts that name none: one cluster of each of
// three providers, a quarter of the others, then all that are left. No wave
// survives a failed cluster.
func DefaultStrategy() RolloutStrategySpec {
	return RolloutStrategySpec{
		Waves: []WaveSpec{
			{Name: "canary", Limit: Amount{Count: 3}},
			{Name: "early", Limit: Amount{Percent: 25, IsPercent: true}},
			{Name: RestWave, MaxParallel: 2 * DefaultMaxParallel},
		},
		MaxParallel:  DefaultMaxParallel,
		ReadyTimeout: DefaultReadyTimeout,
	}
}

// WithDefaults fills in what a strategy leaves open, waves excepted.
func (s RolloutStrategySpec) WithDefaults() RolloutStrategySpec {
	if s.MaxParallel == 0 {
		s.MaxParallel = DefaultMaxParallel
	}
	if s.ReadyTimeout == 0 {
		s.ReadyTimeout = DefaultReadyTimeout
	}
	return s
}

// Validate returns everything that is wrong with a strategy, each fault with
// its field.
func (s RolloutStrategySpec) Validate() []*Error {
	var faults []*Error
	fault := func(field, format string, arguments ...any) {
		faults = append(faults, Errorf(ErrInvalid, format, arguments...).At(Position{}, field))
	}
	if s.MaxParallel < 0 {
		fault("spec.maxParallel", "want a count above 0, got %d", s.MaxParallel)
	}
	names := map[string]int{}
	for i, wave := range s.Waves {
		field := fmt.Sprintf("spec.waves[%d]", i)
		if first, twice := names[wave.Name]; wave.Name == "" {
			fault(field+".name", "is missing")
		} else if twice {
			fault(field+".name", "the name %q is that of spec.waves[%d] already", wave.Name, first)
		} else {
			names[wave.Name] = i
		}
		if wave.MaxParallel < 0 {
			fault(field+".maxParallel", "want a count above 0, got %d", wave.MaxParallel)
		}
	}
	return faults
}

// Matches reports whether a selector picks a cluster.
func (s Selector) Matches(cluster PlanCluster) bool {
	return HasLabels(cluster.Labels, s.MatchLabels) && among(cluster.Provider, s.Providers) && among(cluster.Region, s.Regions) && among(cluster.Name, s.Clusters)
}

// HasLabels reports whether all wanted labels are there, with their values.
func HasLabels(labels, wanted map[string]string) bool {
	for key, value := range wanted {
		if got, ok := labels[key]; !ok || got != value {
			return false
		}
	}
	return true
}

// among reports whether a value is in a list; an empty list has every value.
func among(value string, list []string) bool { return len(list) == 0 || slices.Contains(list, value) }

// IsZero reports whether a selector picks every cluster.
func (s Selector) IsZero() bool {
	return len(s.MatchLabels) == 0 && len(s.Providers) == 0 && len(s.Regions) == 0 && len(s.Clusters) == 0
}

// EffectiveLabels are a cluster's labels over those of its region.
func EffectiveLabels(cluster, region map[string]string) map[string]string {
	labels := make(map[string]string, len(cluster)+len(region))
	for _, from := range []map[string]string{region, cluster} {
		for key, value := range from {
			labels[key] = value
		}
	}
	return labels
}
