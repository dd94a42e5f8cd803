package activities_test

import (
	"slices"
	"testing"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/workflows"
	"github.com/meridian-fleet/meridian/workflows/activities"
)

func targeted() fleet.ClusterStatus {
	return fleet.ClusterStatus{Phase: fleet.ClusterReady, Baseline: &fleet.ClusterBaseline{Target: "platform@1.0.0", Applied: "platform@1.0.0"}}
}

func TestCompareClusters(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for _, name := range []string{"clean", "drifted", "unreachable", "changing", "started-meanwhile", "finished-meanwhile"} {
		f.cluster(name, targeted())
	}
	f.cluster("bare", fleet.ClusterStatus{Phase: fleet.ClusterReady})
	f.world.held["change/changing"] = true
	f.world.drift = func(target activities.Target) ([]fleet.DriftFinding, error) {
		f.world.mutex.Lock()
		defer f.world.mutex.Unlock()
		switch target.Cluster {
		case "clean":
			return nil, nil
		case "unreachable":
			return nil, fleet.Errorf(fleet.ErrUnavailable, "connection refused")
		case "started-meanwhile":
			f.world.held["change/started-meanwhile"] = true
		case "finished-meanwhile":
			moved := targeted()
			moved.Baseline.Target, moved.Baseline.Applied = "platform@1.1.0", "platform@1.1.0"
			f.cluster(target.Cluster, moved)
		case "changing", "bare":
			t.Errorf("%s is compared", target.Cluster)
		}
		return []fleet.DriftFinding{{Component: "c", Object: "ConfigMap x/y", Type: "missing"}}, nil
	}
	summary, err := f.CompareClusters(f.ctx, workflows.DriftInput{})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(summary.Checked, []string{"clean", "drifted"}) || !slices.Equal(summary.Drifted, []string{"drifted"}) ||
		!slices.Equal(summary.Changing, []string{"changing", "finished-meanwhile", "started-meanwhile"}) || len(summary.Unreachable) != 1 {
		t.Errorf("summary %+v", summary)
	}
	if drift := status[fleet.ClusterStatus](f, fleet.KindCluster, "drifted").Drift; drift == nil || len(drift.Findings) != 1 || drift.CheckedAt.IsZero() {
		t.Errorf("drift %+v", drift)
	}
	if drift := status[fleet.ClusterStatus](f, fleet.KindCluster, "unreachable").Drift; drift == nil || drift.Message == "" {
		t.Errorf("drift of the unreachable one %+v", drift)
	}
	if drift := status[fleet.ClusterStatus](f, fleet.KindCluster, "finished-meanwhile").Drift; drift != nil {
		t.Errorf("stale drift was recorded: %+v", drift)
	}
}

func TestSelectDrifted(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	drifted := targeted()
	drifted.Drift = &fleet.DriftReport{Findings: []fleet.DriftFinding{{Object: "ConfigMap x/y"}}}
	f.cluster("drifted", drifted)
	f.cluster("clean", targeted())
	f.cluster("bare", fleet.ClusterStatus{Phase: fleet.ClusterReady})
	selected, err := f.SelectDrifted(f.ctx, workflows.HealInput{Heal: "h1", Actor: "ada"})
	if err != nil || len(selected.Changes) != 1 || selected.Changes[0].Cluster != "drifted" || len(selected.Refused) != 0 {
		t.Errorf("%+v, %v", selected, err)
	}
	if change := status[fleet.ClusterChangeStatus](f, fleet.KindClusterChange, "h1/drifted"); change.Phase != fleet.PhasePending {
		t.Errorf("change %+v", change)
	}
	asked, err := f.SelectDrifted(f.ctx, workflows.HealInput{Heal: "h2", Actor: "ada", Clusters: []string{"clean", "bare"}})
	if err != nil || len(asked.Changes) != 1 || asked.Changes[0].Cluster != "clean" || asked.Refused["bare"] == "" {
		t.Errorf("%+v, %v", asked, err)
	}
	if _, err := f.SelectDrifted(f.ctx, workflows.HealInput{Heal: "h3", Actor: "ada", Clusters: []string{"nowhere"}}); fleet.KindOf(err) != fleet.ErrNotFound {
		t.Errorf("got %v", err)
	}
}
