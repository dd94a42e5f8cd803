package activities_test

import (
	"context"
	"errors"
	"testing"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/inventory"
	"github.com/meridian-fleet/meridian/workflows"
)

var step = workflows.ClusterStep{Region: region, Cluster: "aws-eu-central-1", Actor: "ada"}

func TestResolveRegionRecordsADefaultClusterOnce(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for range 2 { // again after a crash: the answer is the same
		resolved, err := f.ResolveRegion(f.ctx, workflows.OnboardingInput{Region: region, Actor: "ada"})
		if err != nil {
			t.Fatal(err)
		}
		want := workflows.ResolvedCluster{Name: "aws-eu-central-1", Recorded: true}
		if len(resolved.Clusters) != 1 || resolved.Clusters[0] != want || resolved.Facts.Country != "DE" || resolved.Facts.Provider != "aws" {
			t.Errorf("resolved %+v", resolved)
		}
	}
}

func TestResolveRegionTakesDeclaredClusters(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.cluster("one", fleet.ClusterStatus{Phase: fleet.ClusterReady, Baseline: &fleet.ClusterBaseline{Target: "platform@1.0.0"}})
	f.cluster("two", fleet.ClusterStatus{})
	f.put(fleet.KindCluster, "elsewhere", fleet.ClusterSpec{Region: "gcp/europe-west3", Profile: "small"}, nil)
	resolved, err := f.ResolveRegion(f.ctx, workflows.OnboardingInput{Region: region, Actor: "ada"})
	if err != nil {
		t.Fatal(err)
	}
	want := []workflows.ResolvedCluster{{Name: "one", Existed: true, Baseline: "platform@1.0.0"}, {Name: "two"}}
	if len(resolved.Clusters) != 2 || resolved.Clusters[0] != want[0] || resolved.Clusters[1] != want[1] {
		t.Errorf("clusters %+v", resolved.Clusters)
	}
}

func TestResolveRegionRefusesEarly(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	if _, err := f.ResolveRegion(f.ctx, workflows.OnboardingInput{Region: "aws/nowhere", Actor: "ada"}); !errors.Is(err, fleet.ErrNotFound) {
		t.Errorf("undeclared region: %v", err)
	}
	f.put(fleet.KindRegion, region, fleet.RegionSpec{Profile: "small", Baseline: "platform@9.9.9"}, nil)
	if _, err := f.ResolveRegion(f.ctx, workflows.OnboardingInput{Region: region, Actor: "ada"}); !errors.Is(err, fleet.ErrNotFound) {
		t.Errorf("missing baseline: %v", err)
	}
	if _, err := f.store.Get(f.ctx, fleet.Ref{Kind: fleet.KindCluster, Name: "aws-eu-central-1"}, inventory.AsOf{}); !errors.Is(err, fleet.ErrNotFound) {
		t.Errorf("a cluster was recorded: %v", err)
	}
}

// What runs in a cluster is judged by the region its document names: no other
// region's onboarding may come to write it.
func TestADefaultClusterTakesNoOthersName(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	abroad := fleet.ClusterSpec{Region: "gcp/us-central1", Profile: "small"}
	f.put(fleet.KindCluster, step.Cluster, abroad, fleet.ClusterStatus{Phase: fleet.ClusterReady})
	if _, err := f.ResolveRegion(f.ctx, workflows.OnboardingInput{Region: region, Actor: "ada"}); !errors.Is(err, fleet.ErrConflict) {
		t.Errorf("got %v", err)
	}
	f.expectDeclared(abroad)
}

// A cluster that was deleted and declared elsewhere while its onboarding ran is
// not made, or removed, where it was.
func TestAClusterIsMadeWhereItIsDeclared(t *testing.T) {
	t.Parallel()
	abroad := fleet.ClusterSpec{Region: "gcp/us-central1", Profile: "small"}
	for name, prepare := range map[string]func(f *fixture){
		"before": func(f *fixture) { f.put(fleet.KindCluster, step.Cluster, abroad, nil) },
		"meanwhile": func(f *fixture) {
			f.cluster(step.Cluster, fleet.ClusterStatus{})
			f.world.render = func() { f.put(fleet.KindCluster, step.Cluster, abroad, nil) }
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			prepare(f)
			if err := f.ProvisionCluster(f.ctx, step); !errors.Is(err, fleet.ErrConflict) || len(f.world.objects) != 0 {
				t.Errorf("got %v, applied %s", err, f.world.objects)
			}
			if err := f.RemoveCluster(f.ctx, workflows.RemoveInput{ClusterStep: step, Forget: true}); err != nil || len(f.world.deleted) != 0 {
				t.Errorf("removing: %v, deleted %v", err, f.world.deleted)
			}
			f.expectDeclared(abroad)
			if phase := status[fleet.ClusterStatus](f, fleet.KindCluster, step.Cluster).Phase; phase == fleet.ClusterProvisioning {
				t.Error("the other cluster is said to be provisioned")
			}
		})
	}
}

func (f *fixture) expectDeclared(want fleet.ClusterSpec) {
	f.Helper()
	resource, err := f.store.Get(f.ctx, fleet.Ref{Kind: fleet.KindCluster, Name: step.Cluster}, inventory.AsOf{})
	if err != nil {
		f.Fatal(err)
	}
	if spec, err := fleet.SpecOf[fleet.ClusterSpec](resource); err != nil || spec != want {
		f.Errorf("declared is %+v, want %+v: %v", spec, want, err)
	}
}

func TestProvisionClusterAsksForTheProfile(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.cluster(step.Cluster, fleet.ClusterStatus{})
	if err := f.ProvisionCluster(f.ctx, step); err != nil {
		t.Fatal(err)
	}
	request := f.world.requests[0]
	if request.Name != step.Cluster || request.Namespace != "fleet" || request.Region != "eu-central-1" || request.KubernetesVersion != "1.36.3" || request.Account["roleARN"] == "" {
		t.Errorf("request %+v", request)
	}
	pool := request.NodePools[0]
	if pool.InstanceType != "p5.48xlarge" || pool.GPU == nil || pool.GPU.Count != 8 || len(pool.Taints) != 1 || pool.Taints[0].Effect != "NoSchedule" {
		t.Errorf("pool %+v", pool)
	}
	if len(f.world.objects) != 1 || status[fleet.ClusterStatus](f, fleet.KindCluster, step.Cluster).Phase != fleet.ClusterProvisioning {
		t.Error("not applied or not recorded")
	}
}

func TestProvisionClusterWithoutAnInstanceType(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.put(fleet.KindClusterProfile, "small", fleet.ClusterProfileSpec{NodePools: []fleet.NodePool{{Name: "p", InstanceTypes: map[string]string{"gcp": "e2-medium"}}}}, nil)
	f.cluster(step.Cluster, fleet.ClusterStatus{})
	if err := f.ProvisionCluster(f.ctx, step); !errors.Is(err, fleet.ErrInvalid) || len(f.world.objects) != 0 {
		t.Errorf("got %v", err)
	}
}

func TestAwaitClusterPassesOnWhatItWaitsFor(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.cluster(step.Cluster, fleet.ClusterStatus{Phase: fleet.ClusterProvisioning})
	f.put(fleet.KindRegion, region, fleet.RegionSpec{Profile: "small"}, fleet.RegionStatus{Phase: fleet.RegionOnboarding})
	changes, err := f.store.Watch(f.ctx, []fleet.Kind{fleet.KindRegion}, -1)
	if err != nil {
		t.Fatal(err)
	}
	f.world.wait = func(_ context.Context, onProgress func(string)) error {
		onProgress("InfrastructureReady: creating the VPC")
		seen, err := fleet.StatusOf[fleet.RegionStatus](*(<-changes).After)
		if err != nil || seen.Message != "InfrastructureReady: creating the VPC" {
			t.Errorf("while it waits the region says %q, %v", seen.Message, err)
		}
		return nil
	}
	if err := f.AwaitCluster(f.ctx, step); err != nil {
		t.Fatal(err)
	}
	if message := status[fleet.ClusterStatus](f, fleet.KindCluster, step.Cluster).Message; message != "" {
		t.Errorf("afterwards the cluster says %q", message)
	}
}

func TestObserveAndRemoveCluster(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.cluster(step.Cluster, fleet.ClusterStatus{})
	if err := f.ObserveCluster(f.ctx, step); err != nil {
		t.Fatal(err)
	}
	observed := status[fleet.ClusterStatus](f, fleet.KindCluster, step.Cluster)
	if observed.Phase != fleet.ClusterReady || observed.Nodes != 1 || observed.GPUs != 8 || len(observed.GPUProducts) != 1 {
		t.Errorf("observed %+v", observed)
	}
	if node := status[fleet.NodeStatus](f, fleet.KindNode, step.Cluster+"/n1"); node.GPUs != 8 {
		t.Errorf("node %+v", node)
	}
	for range 2 {
		if err := f.RemoveCluster(f.ctx, workflows.RemoveInput{ClusterStep: step, Message: "aborted"}); err != nil {
			t.Fatal(err)
		}
	}
	if removed := status[fleet.ClusterStatus](f, fleet.KindCluster, step.Cluster); removed.Phase != fleet.ClusterPending || removed.Message != "removed again: aborted" || removed.Nodes != 0 {
		t.Errorf("removed %+v", removed)
	}
	for range 2 {
		if err := f.RemoveCluster(f.ctx, workflows.RemoveInput{ClusterStep: step, Forget: true}); err != nil {
			t.Fatal(err)
		}
	}
	left, err := f.store.List(f.ctx, fleet.KindNode, inventory.Query{})
	if err != nil || len(left) != 0 || len(f.world.deleted) != 4 {
		t.Errorf("left %v, %v, deleted %v", left, err, f.world.deleted)
	}
}
