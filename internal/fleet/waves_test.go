package fleet_test

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

var update = flag.Bool("update", false, "write what the tests see into testdata")

// trace is a planning as it is kept in testdata: clusters as
// "provider/region name label=value…", a strategy, and the waves they give.
type trace struct {
	Purpose  string                     `json:"purpose"`
	Clusters []string                   `json:"clusters"`
	Strategy *fleet.RolloutStrategySpec `json:"strategy"` // absent: the built-in one
	Waves    []string                   `json:"waves"`
}

// TestPlanWavesTraces compares whole plannings with those kept in testdata.
func TestPlanWavesTraces(t *testing.T) {
	t.Parallel()
	paths, err := filepath.Glob("testdata/waves/*.json")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no test data: %v", err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".json"), func(t *testing.T) {
			t.Parallel()
			content, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			var kept trace
			if err := json.Unmarshal(content, &kept); err != nil {
				t.Fatal(err)
			}
			strategy := fleet.DefaultStrategy()
			if kept.Strategy != nil {
				strategy = *kept.Strategy
			}
			waves, err := fleet.PlanWaves(strategy, parseClusters(t, kept.Clusters))
			if err != nil {
				t.Fatal(err)
			}
			got := describeWaves(waves)
			if *update {
				kept.Waves = got
				written, _ := json.MarshalIndent(kept, "", "  ")
				if err := os.WriteFile(path, append(written, '\n'), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if !slices.Equal(got, kept.Waves) {
				t.Errorf("got:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(kept.Waves, "\n"))
			}
		})
	}
}

func parseClusters(t *testing.T, lines []string) []fleet.PlanCluster {
	t.Helper()
	var clusters []fleet.PlanCluster
	for _, line := range lines {
		words := strings.Fields(line)
		provider, _, ok := fleet.SplitRegion(words[0])
		if !ok || len(words) < 2 {
			t.Fatalf("not a cluster: %q", line)
		}
		cluster := fleet.PlanCluster{Name: words[1], Region: words[0], Provider: provider, Labels: map[string]string{}}
		for _, label := range words[2:] {
			key, value, _ := strings.Cut(label, "=")
			cluster.Labels[key] = value
		}
		clusters = append(clusters, cluster)
	}
	return clusters
}

func describeWaves(waves []fleet.PlannedWave) []string {
	var lines []string
	for _, wave := range waves {
		var names []string
		for _, cluster := range wave.Clusters {
			names = append(names, cluster.Cluster)
		}
		line := fmt.Sprintf("%s: %s (parallel %d, budget %d", wave.Name, strings.Join(names, " "), wave.MaxParallel, wave.FailureBudget)
		if encoded, _ := wave.Soak.MarshalJSON(); wave.Soak != 0 {
			line += ", soak " + string(encoded)
		}
		if wave.Pause {
			line += ", pause"
		}
		lines = append(lines, line+")")
	}
	return lines
}

func drawClusters(t *rapid.T) []fleet.PlanCluster {
	names := rapid.SliceOfNDistinct(rapid.StringMatching(`[a-f]{1,3}`), 0, 30, rapid.ID).Draw(t, "names")
	var clusters []fleet.PlanCluster
	for _, name := range names {
		provider := rapid.SampledFrom([]string{"aws", "gcp", "azure"}).Draw(t, "provider")
		clusters = append(clusters, fleet.PlanCluster{
			Name: name, Provider: provider,
			Region: provider + "/" + rapid.SampledFrom([]string{"r1", "r2", "r3"}).Draw(t, "region"),
			Labels: map[string]string{"tier": rapid.SampledFrom([]string{"1", "2"}).Draw(t, "tier")},
		})
	}
	return clusters
}

func drawAmount(t *rapid.T, label string) fleet.Amount {
	if rapid.Bool().Draw(t, label+" is a share") {
		return fleet.Amount{IsPercent: true, Percent: rapid.IntRange(0, 100).Draw(t, label)}
	}
	return fleet.Amount{Count: rapid.IntRange(0, 8).Draw(t, label)}
}

func drawStrategy(t *rapid.T) fleet.RolloutStrategySpec {
	some := func(values ...string) []string {
		return rapid.SliceOfNDistinct(rapid.SampledFrom(values), 0, len(values), rapid.ID).Draw(t, "some")
	}
	strategy := fleet.RolloutStrategySpec{FailureBudget: drawAmount(t, "budget"), MaxParallel: rapid.IntRange(0, 9).Draw(t, "parallel")}
	for i := range rapid.IntRange(0, 4).Draw(t, "waves") {
		wave := fleet.WaveSpec{Name: fmt.Sprintf("w%d", i), Limit: drawAmount(t, "limit")}
		wave.Clusters = fleet.Selector{Providers: some("aws", "gcp", "azure"), Regions: some("aws/r1", "gcp/r1", "gcp/r2", "azure/r3")}
		if rapid.Bool().Draw(t, "by label") {
			wave.Clusters.MatchLabels = map[string]string{"tier": "1"}
		}
		if rapid.Bool().Draw(t, "own budget") {
			budget := drawAmount(t, "wave budget")
			wave.FailureBudget = &budget
		}
		strategy.Waves = append(strategy.Waves, wave)
	}
	return strategy
}

// TestPlanWavesProperties: every cluster is in exactly one wave, no wave is
// empty or over its limit, takes what it does not select, or leaves what it
// should take; order of the input does not matter.
func TestPlanWavesProperties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		clusters, strategy := drawClusters(t), drawStrategy(t)
		waves, err := fleet.PlanWaves(strategy, clusters)
		if err != nil {
			t.Fatal(err)
		}
		shuffled, err := fleet.PlanWaves(strategy, rapid.Permutation(clusters).Draw(t, "shuffled"))
		if a, b := describeWaves(waves), describeWaves(shuffled); err != nil || !slices.Equal(a, b) {
			t.Fatalf("in another order: %v\n%v, %v", a, b, err)
		}
		left := map[string]fleet.PlanCluster{}
		for _, cluster := range clusters {
			left[cluster.Name] = cluster
		}
		planned := map[string]fleet.PlannedWave{}
		for _, wave := range waves {
			planned[wave.Name] = wave
		}
		for _, wave := range append(strategy.Waves, fleet.WaveSpec{Name: fleet.RestWave}) {
			checkWave(t, strategy, wave, planned[wave.Name], left)
		}
		if len(left) > 0 {
			t.Errorf("forgotten: %v", slices.Collect(maps.Keys(left)))
		}
	})
}

// checkWave checks one wave against the clusters left for it, and takes them.
func checkWave(t *rapid.T, strategy fleet.RolloutStrategySpec, spec fleet.WaveSpec, wave fleet.PlannedWave, left map[string]fleet.PlanCluster) {
	providers := map[string]int{} // selected, by provider
	selected := 0
	for _, cluster := range left {
		if spec.Clusters.Matches(cluster) {
			providers[cluster.Provider]++
			selected++
		}
	}
	want := selected
	if !spec.Limit.IsZero() {
		want = min(selected, max(1, spec.Limit.Of(selected)))
	}
	if len(wave.Clusters) != want {
		t.Fatalf("wave %s has %d clusters, want %d", spec.Name, len(wave.Clusters), want)
	}
	touched := map[string]bool{}
	for _, planned := range wave.Clusters {
		cluster, ok := left[planned.Cluster]
		if !ok || !spec.Clusters.Matches(cluster) || cluster.Region != planned.Region {
			t.Fatalf("wave %s takes %s", spec.Name, planned.Cluster)
		}
		touched[cluster.Provider] = true
		delete(left, planned.Cluster)
	}
	if len(touched) != min(want, len(providers)) {
		t.Errorf("wave %s of %d touches %d of %d providers", spec.Name, want, len(touched), len(providers))
	}
	budget := strategy.FailureBudget
	if spec.FailureBudget != nil {
		budget = *spec.FailureBudget
	}
	if wave.Name != "" && (wave.FailureBudget != budget.Of(want) || wave.MaxParallel <= 0) {
		t.Errorf("wave %s of %d has budget %d, %d at once", spec.Name, want, wave.FailureBudget, wave.MaxParallel)
	}
}

func TestPlanWavesRefuses(t *testing.T) {
	t.Parallel()
	one := fleet.PlanCluster{Name: "a", Region: "aws/x", Provider: "aws"}
	_, err := fleet.PlanWaves(fleet.DefaultStrategy(), []fleet.PlanCluster{one, one})
	if !errors.Is(err, fleet.ErrInvalid) || !strings.Contains(err.Error(), "Cluster a") {
		t.Errorf("a cluster twice: %v", err)
	}
	bad := fleet.RolloutStrategySpec{MaxParallel: -1, Waves: []fleet.WaveSpec{{Name: "a"}, {Name: "a", MaxParallel: -1}, {}}}
	_, err = fleet.PlanWaves(bad, nil)
	const want = `spec.maxParallel: want a count above 0, got -1
spec.waves[1].name: the name "a" is that of spec.waves[0] already
spec.waves[1].maxParallel: want a count above 0, got -1
spec.waves[2].name: is missing`
	if !errors.Is(err, fleet.ErrInvalid) || err.Error() != want {
		t.Errorf("got:\n%v\nwant:\n%s", err, want)
	}
	if waves, err := fleet.PlanWaves(fleet.DefaultStrategy(), nil); err != nil || len(waves) != 0 {
		t.Errorf("no clusters: %v, %v", waves, err)
	}
}

func TestSelector(t *testing.T) {
	t.Parallel()
	cluster := fleet.PlanCluster{Name: "a", Region: "aws/x", Provider: "aws", Labels: map[string]string{"tier": "1", "empty": ""}}
	for _, test := range []struct {
		selector fleet.Selector
		want     bool
	}{
		{fleet.Selector{}, true},
		{fleet.Selector{Providers: []string{"gcp", "aws"}, Regions: []string{"aws/x"}, Clusters: []string{"a"}, MatchLabels: map[string]string{"tier": "1"}}, true},
		{fleet.Selector{Providers: []string{"gcp"}}, false},
		{fleet.Selector{Regions: []string{"aws/y"}}, false},
		{fleet.Selector{Clusters: []string{"b"}}, false},
		{fleet.Selector{MatchLabels: map[string]string{"tier": "2"}}, false},
		{fleet.Selector{MatchLabels: map[string]string{"absent": ""}}, false},
		{fleet.Selector{MatchLabels: map[string]string{"empty": ""}}, true},
	} {
		if got := test.selector.Matches(cluster); got != test.want {
			t.Errorf("%+v: %v", test.selector, got)
		}
	}
}

func TestEffectiveLabels(t *testing.T) {
	t.Parallel()
	region := map[string]string{"tier": "1", "residency": "eu"}
	got := fleet.EffectiveLabels(map[string]string{"tier": "2", "own": "x"}, region)
	if want := map[string]string{"tier": "2", "residency": "eu", "own": "x"}; !maps.Equal(got, want) || region["tier"] != "1" {
		t.Errorf("got %v", got)
	}
}

func TestDefaultStrategy(t *testing.T) {
	t.Parallel()
	strategy := fleet.DefaultStrategy()
	if faults := strategy.Validate(); len(faults) > 0 {
		t.Errorf("invalid: %v", faults)
	}
	if filled := (fleet.RolloutStrategySpec{}).WithDefaults(); filled.MaxParallel != strategy.MaxParallel || filled.ReadyTimeout != strategy.ReadyTimeout {
		t.Errorf("defaults: %+v", filled)
	}
}
