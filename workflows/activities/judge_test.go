package activities_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/inventory"
	"github.com/meridian-fleet/meridian/workflows"
	"github.com/meridian-fleet/meridian/workflows/activities"
)

// onlyIn puts a policy into the inventory that keeps a class in some countries.
func (f *fixture) onlyIn(class string, countries ...string) {
	f.Helper()
	f.put(fleet.KindDataClass, class, fleet.DataClassSpec{}, nil)
	f.put(fleet.KindResidencyPolicy, "home", fleet.ResidencyPolicySpec{
		Version: "1", Effective: fleet.Period{From: "2020-01-01"}, AppliesTo: fleet.PolicySubjects{Classes: []string{class}},
		Rules: []fleet.Rule{{Name: "stays", Facets: fleet.Facets, AllowOnly: &fleet.Scope{Countries: countries}, Cites: "Art. 1"}},
	}, nil)
}

func (f *fixture) decisions() []fleet.DecisionSpec {
	f.Helper()
	resources, err := f.store.List(f.ctx, fleet.KindDecision, inventory.Query{})
	if err != nil {
		f.Fatal(err)
	}
	var decisions []fleet.DecisionSpec
	for _, one := range resources {
		decision, err := fleet.SpecOf[fleet.DecisionSpec](one)
		if err != nil {
			f.Fatal(err)
		}
		decisions = append(decisions, decision)
	}
	return decisions
}

func TestADeniedRegionGetsNoCluster(t *testing.T) {
	t.Parallel()
	for country, allowed := range map[string]bool{"DE": true, "FR": false} {
		f := newFixture(t)
		f.onlyIn("health", country)
		f.put(fleet.KindRegion, region, fleet.RegionSpec{Profile: "small", Data: []fleet.ClassUse{{Classes: []string{"health"}, Facets: []fleet.Facet{fleet.FacetStorage}}}}, nil)
		f.cluster("one", fleet.ClusterStatus{})

		err := f.ProvisionCluster(f.ctx, workflows.ClusterStep{Region: region, Cluster: "one", Actor: "ada"})
		if (err == nil) != allowed || !allowed && !errors.Is(err, fleet.ErrDenied) {
			t.Errorf("%s: %v", country, err)
		}
		if !allowed && !strings.Contains(err.Error(), "home/stays") {
			t.Errorf("the rule is not named: %v", err)
		}
		if applied := f.world.objects != nil; applied != allowed {
			t.Errorf("%s: objects were applied: %t", country, applied)
		}
		decisions := f.decisions()
		if len(decisions) != 1 || decisions[0].Allowed != allowed || decisions[0].Act.Region != region || decisions[0].Act.Actor != "ada" {
			t.Errorf("%s: decisions %+v", country, decisions)
		}
	}
}

func TestADeniedBaselineIsNotApplied(t *testing.T) {
	t.Parallel()
	for country, allowed := range map[string]bool{"DE": true, "FR": false} {
		f := newFixture(t)
		f.onlyIn("logs", country)
		f.ready("one")
		f.world.data = []fleet.ClassUse{{Classes: []string{"logs"}, Facets: []fleet.Facet{fleet.FacetTelemetry}}}
		applied := false
		f.world.apply = func(context.Context, activities.Target, activities.ApplyOptions) (activities.Applied, error) {
			applied = true
			return activities.Applied{}, nil
		}
		input := workflows.ChangeInput{Operation: "r1", Reason: "rollout", Actor: "ada", Cluster: "one", Baseline: "platform@1.0.0"}
		if err := f.DeclareChanges(f.ctx, workflows.DeclareInput{Operation: "r1", Actor: "ada", Changes: []fleet.ClusterChangeSpec{{Cluster: "one", Region: region, Baseline: "platform@1.0.0"}}}); err != nil {
			t.Fatal(err)
		}
		_, err := f.ApplyBaseline(f.ctx, input)
		if (err == nil) != allowed || applied != allowed || !allowed && !errors.Is(err, fleet.ErrDenied) {
			t.Errorf("%s: applied %t, %v", country, applied, err)
		}
		if wanted := status[fleet.ClusterStatus](f, fleet.KindCluster, "one").Baseline; allowed != (wanted != nil && wanted.Target == "platform@1.0.0") {
			t.Errorf("%s: the cluster is to have %+v", country, wanted)
		}
		if decisions := f.decisions(); len(decisions) != 1 || decisions[0].Allowed != allowed || decisions[0].Act.Baseline != "platform@1.0.0" {
			t.Errorf("%s: decisions %+v", country, decisions)
		}
	}
}
