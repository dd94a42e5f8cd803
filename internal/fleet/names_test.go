package fleet_test

import (
	"errors"
	"testing"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

func TestNames(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{"aws/eu-central-1": true, "aws": false, "/x": false, "aws/": false, "a/b/c": false, "": false} {
		if _, _, ok := fleet.SplitRegion(name); ok != want {
			t.Errorf("region %q: %v", name, ok)
		}
	}
	for name, want := range map[string]bool{"platform@1.0.0": true, "platform": false, "@1": false, "p@": false, "": false} {
		if _, _, ok := fleet.SplitBaseline(name); ok != want {
			t.Errorf("baseline %q: %v", name, ok)
		}
	}
	if got := fleet.DefaultClusterName("azure/germanyWestCentral"); got != "azure-germanywestcentral" {
		t.Errorf("cluster name %q", got)
	}
	name, version, _ := fleet.SplitBaseline(fleet.BaselineName("platform", "1.0.0"))
	if name != "platform" || version != "1.0.0" {
		t.Errorf("baseline name %q, %q", name, version)
	}
}

func TestResourceParts(t *testing.T) {
	t.Parallel()
	resource, err := fleet.NewResource(fleet.KindRegion, "aws/x", fleet.RegionSpec{Profile: "gpu"}, nil)
	if err != nil || resource.Status != nil || resource.Ref().String() != "Region aws/x" {
		t.Fatalf("%+v, %v", resource, err)
	}
	spec, err := fleet.SpecOf[fleet.RegionSpec](resource)
	if err != nil || spec.Profile != "gpu" {
		t.Errorf("spec %+v, %v", spec, err)
	}
	if status, err := fleet.StatusOf[fleet.RegionStatus](resource); err != nil || status.Phase != "" {
		t.Errorf("absent status: %+v, %v", status, err)
	}
	resource.Spec = []byte(`{"profile": 5}`)
	if _, err := fleet.SpecOf[fleet.RegionSpec](resource); !errors.Is(err, fleet.ErrInvalid) {
		t.Errorf("a spec of the wrong type: %v", err)
	}
	if _, err := fleet.NewResource(fleet.KindRegion, "aws/x", make(chan int), nil); !errors.Is(err, fleet.ErrInternal) {
		t.Errorf("a spec that is not JSON: %v", err)
	}
	for _, phase := range []fleet.Phase{fleet.PhasePending, fleet.PhaseSucceeded, fleet.PhaseFailed, fleet.PhaseRunning} {
		if phase.Done() != (phase == fleet.PhaseSucceeded || phase == fleet.PhaseFailed) {
			t.Errorf("%s done: %v", phase, phase.Done())
		}
	}
}
