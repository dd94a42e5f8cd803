package server_test

import (
	"testing"

	"connectrpc.com/connect"

	fleetv1 "github.com/meridian-fleet/meridian/api/fleet/v1"
	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/inventory"
)

func (f *fixture) delete(kind fleet.Kind, name string) error {
	_, err := f.Delete(f.t.Context(), connect.NewRequest(&fleetv1.DeleteRequest{Kind: string(kind), Name: name}))
	return err
}

// write writes as another fleetd would.
func (f *fixture) write(kind fleet.Kind, name string, spec any) {
	f.t.Helper()
	resource, err := fleet.NewResource(kind, name, spec, nil)
	if err == nil {
		_, err = f.store.Apply(f.t.Context(), "another fleetd", []fleet.Resource{resource}, inventory.ApplyOptions{})
	}
	if err != nil {
		f.t.Fatal(err)
	}
}

func TestDeleteRefusesWhatIsNeeded(t *testing.T) {
	f := newFixture(t)
	f.apply(profile + region + cluster + strategy)
	if err := f.applyBundle("web@1.0.0", ""); err != nil {
		t.Fatal(err)
	}
	expectFailure(t, f.delete(fleet.KindClusterProfile, "small"), fleet.ErrConflict, "Cluster first", "Region aws/eu-west-3")
	expectFailure(t, f.delete(fleet.KindRegion, "aws/eu-west-3"), fleet.ErrConflict, "Cluster first")

	f.setStatus(fleet.KindCluster, "first", fleet.ClusterStatus{Phase: fleet.ClusterReady, Baseline: &fleet.ClusterBaseline{Target: "web@1.0.0"}})
	expectFailure(t, f.delete(fleet.KindCluster, "first"), fleet.ErrConflict, "it is Ready")
	expectFailure(t, f.delete(fleet.KindBaseline, "web@1.0.0"), fleet.ErrConflict, "Cluster first")

	f.setStatus(fleet.KindCluster, "first", fleet.ClusterStatus{})
	if err := f.delete(fleet.KindCluster, "first"); err != nil {
		t.Errorf("a cluster that was never made: %v", err)
	}
	f.setStatus(fleet.KindRegion, "aws/eu-west-3", fleet.RegionStatus{Phase: fleet.RegionReady})
	expectFailure(t, f.delete(fleet.KindRegion, "aws/eu-west-3"), fleet.ErrConflict, "it is Ready")
	f.setStatus(fleet.KindRegion, "aws/eu-west-3", fleet.RegionStatus{Phase: fleet.RegionAborted})
	for _, ref := range []fleet.Ref{
		{Kind: fleet.KindRegion, Name: "aws/eu-west-3"}, {Kind: fleet.KindClusterProfile, Name: "small"},
		{Kind: fleet.KindBaseline, Name: "web@1.0.0"}, {Kind: fleet.KindRolloutStrategy, Name: "careful"},
	} {
		if err := f.delete(ref.Kind, ref.Name); err != nil {
			t.Errorf("%s, which nothing needs: %v", ref, err)
		}
	}
}

func TestRunningRolloutHoldsItsParts(t *testing.T) {
	f := newFixture(t)
	f.apply(strategy)
	if err := f.applyBundle("web@1.0.0", ""); err != nil {
		t.Fatal(err)
	}
	rollout, err := fleet.NewResource(fleet.KindRollout, "r-1", fleet.RolloutSpec{Baseline: "web@1.0.0", Strategy: "careful"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.store.Apply(t.Context(), "test", []fleet.Resource{rollout}, inventory.ApplyOptions{}); err != nil {
		t.Fatal(err)
	}
	expectFailure(t, f.delete(fleet.KindRolloutStrategy, "careful"), fleet.ErrConflict, "Rollout r-1")
	f.setStatus(fleet.KindRollout, "r-1", fleet.RolloutStatus{Phase: fleet.PhaseSucceeded})
	if err := f.delete(fleet.KindRolloutStrategy, "careful"); err != nil {
		t.Errorf("after the rollout: %v", err)
	}
	expectFailure(t, f.delete(fleet.KindRollout, "r-1"), fleet.ErrInvalid, "records this kind itself")
}

// TestWhatComesToBeNeededIsNotDeleted: another fleetd's act, made after this
// one looked, counts as well.
func TestWhatComesToBeNeededIsNotDeleted(t *testing.T) {
	for name, test := range map[string]struct {
		ref  fleet.Ref
		act  func(f *fixture)
		kind *fleet.ErrorKind
		says string
	}{
		"an exception is asked for": {fleet.Ref{Kind: fleet.KindDataset, Name: "customers"}, func(f *fixture) {
			f.write(fleet.KindException, "x", fleet.ExceptionSpec{Subject: fleet.Ref{Kind: fleet.KindDataset, Name: "customers"}, Period: fleet.Period{Until: "2999-01-01"}})
			f.setStatus(fleet.KindException, "x", fleet.ExceptionStatus{Phase: fleet.ExceptionRequested, RequestedBy: "ann"})
		}, fleet.ErrConflict, "in use by Exception x"},
		"something is found": {fleet.Ref{Kind: fleet.KindDataset, Name: "customers"}, func(f *fixture) {
			f.write(fleet.KindDataset, "customers", fleet.DatasetSpec{Classes: []string{"personal.eu"}, Bindings: []fleet.Binding{{Name: "old", Facets: []fleet.Facet{fleet.FacetBackup}, Region: "aws/eu-west-3", Existing: true}}})
		}, fleet.ErrDenied, "what was found is not for"},
		"a cluster is being made": {fleet.Ref{Kind: fleet.KindCluster, Name: "first"}, func(f *fixture) {
			f.setStatus(fleet.KindCluster, "first", fleet.ClusterStatus{Phase: fleet.ClusterProvisioning})
		}, fleet.ErrConflict, "it is Provisioning"},
		"a rollout begins": {fleet.Ref{Kind: fleet.KindRolloutStrategy, Name: "careful"}, func(f *fixture) {
			f.write(fleet.KindRollout, "r-1", fleet.RolloutSpec{Baseline: "web@1.0.0", Strategy: "careful"})
		}, fleet.ErrConflict, "in use by Rollout r-1"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.applyEverything(profile + region + cluster + strategy + class + dataset)
			f.meanwhile = func() { test.act(f) }
			expectFailure(t, f.delete(test.ref.Kind, test.ref.Name), test.kind, test.says)
			f.resource(test.ref.Kind, test.ref.Name)
		})
	}
	f := newFixture(t)
	f.applyEverything(class + dataset)
	f.meanwhile = func() { f.write(fleet.KindDataClass, "other", fleet.DataClassSpec{}) }
	if err := f.delete(fleet.KindDataset, "customers"); err != nil {
		t.Error(err)
	}
}

func TestDeleteOfWhatIsNotThere(t *testing.T) {
	f := newFixture(t)
	expectFailure(t, f.delete(fleet.KindRegion, "aws/none"), fleet.ErrNotFound, "Region aws/none")
	expectFailure(t, f.delete("Planet", "earth"), fleet.ErrInvalid, "ClusterProfile")
	expectFailure(t, f.delete(fleet.KindRegion, ""), fleet.ErrInvalid, "a name is needed")
}
