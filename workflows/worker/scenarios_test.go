package worker_test

import (
	"context"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/client"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/inventory"
	"github.com/meridian-fleet/meridian/workflows"
	"github.com/meridian-fleet/meridian/workflows/activities"
)

var update = flag.Bool("update", false, "write the histories of the scenarios for the replay tests")

// scenarios are operations from start to end, in success, in failure and
// aborted, against everything that is real. Each returns the run whose history
// is recorded for the replay test of its workflow, and where.
var scenarios = map[string]func(f *testFleet) client.WorkflowRun{
	"onboarding/OnboardRegion-success": func(f *testFleet) client.WorkflowRun {
		run := f.onboard()
		f.succeeds(run)
		status := statusOf[fleet.RegionStatus](f, fleet.KindRegion, region)
		if status.Phase != fleet.RegionReady || status.Facts == nil || status.Facts.Country != "DE" {
			f.Errorf("region %+v", status)
		}
		cluster := statusOf[fleet.ClusterStatus](f, fleet.KindCluster, "aws-eu-central-1")
		if cluster.Phase != fleet.ClusterReady || cluster.Nodes != 2 || cluster.ReadyNodes != 1 || cluster.GPUs != 8 || cluster.KubernetesVersion != "1.36.3" {
			f.Errorf("cluster %+v", cluster)
		}
		if cluster.Baseline == nil || cluster.Baseline.Applied != "platform@1.0.0" {
			f.Errorf("baseline %+v", cluster.Baseline)
		}
		if change := f.change("onboarding/aws/eu-central-1/aws-eu-central-1"); change.Phase != fleet.PhaseSucceeded || change.Created != 3 {
			f.Errorf("change %+v", change)
		}
		return run
	},
	"onboarding/OnboardRegion-failure": func(f *testFleet) client.WorkflowRun {
		f.awaits["aws-eu-central-1"] = func(context.Context) error {
			return fleet.Errorf(fleet.ErrNeedsHuman, "the account has no quota")
		}
		run := f.onboard()
		f.fails(run, fleet.ErrNeedsHuman)
		f.undone(fleet.RegionFailed, "the account has no quota")
		return run
	},
	"onboarding/OnboardRegion-abort": func(f *testFleet) client.WorkflowRun {
		reached, wait := untilCancelled()
		f.awaits["aws-eu-central-1"] = wait
		run := f.onboard()
		f.await(reached)
		f.signal(run.GetID(), workflows.SignalAbort)
		f.succeeds(run)
		f.undone(fleet.RegionAborted, "aborted by ada: a test")
		return run
	},
	"rollout/Rollout-success": func(f *testFleet) client.WorkflowRun {
		clusters := f.readyClusters(5)
		f.order("r1", fleet.RolloutSpec{Baseline: "platform@1.0.0", Strategy: "waves"})
		run := f.startRollout("r1")
		f.succeeds(run)
		status := statusOf[fleet.RolloutStatus](f, fleet.KindRollout, "r1")
		if status.Phase != fleet.PhaseSucceeded || len(status.Waves) != 2 || status.Waves[1].Succeeded != 4 || status.RequestedBy != "ada" || status.PlanHash == "" {
			f.Errorf("rollout %+v", status)
		}
		for _, cluster := range clusters {
			baseline := statusOf[fleet.ClusterStatus](f, fleet.KindCluster, cluster).Baseline
			if baseline == nil || baseline.Target != "platform@1.0.0" || baseline.Applied != "platform@1.0.0" || baseline.Rollout != "r1" || baseline.Objects != 3 {
				f.Errorf("baseline of %s: %+v", cluster, baseline)
			}
			if change := f.change("r1/" + cluster); change.Phase != fleet.PhaseSucceeded || change.Created != 3 || change.FinishedAt == nil {
				f.Errorf("change of %s: %+v", cluster, change)
			}
		}
		return run
	},
	"rollout/Rollout-unchanged": func(f *testFleet) client.WorkflowRun {
		f.readyClusters(4)
		f.order("r1", fleet.RolloutSpec{Baseline: "platform@1.0.0"})
		f.succeeds(f.startRollout("r1"))
		f.order("r2", fleet.RolloutSpec{Baseline: "platform@1.0.0"})
		run := f.startRollout("r2")
		f.succeeds(run)
		if change := f.change("r2/c3"); change.Phase != fleet.PhaseSucceeded || change.Unchanged != 3 || change.Created != 0 {
			f.Errorf("change %+v", change)
		}
		return run
	},
	"rollout/Rollout-failure": func(f *testFleet) client.WorkflowRun {
		clusters := f.readyClusters(3)
		f.applies[clusters[0]] = func(context.Context) (activities.Applied, error) {
			blocking := fleet.BlockingObject{Component: "gpu", Object: "DaemonSet.apps gpu/driver", Reason: "0 of 2 pods ready"}
			return activities.Applied{Created: 2, Blocking: []fleet.BlockingObject{blocking}}, fleet.Errorf(fleet.ErrWaiting, "not ready in 20s")
		}
		f.order("r1", fleet.RolloutSpec{Baseline: "platform@1.0.0", Strategy: "waves"})
		run := f.startRollout("r1")
		f.fails(run, fleet.ErrWaiting)
		status := statusOf[fleet.RolloutStatus](f, fleet.KindRollout, "r1")
		for _, text := range []string{clusters[0], "DaemonSet.apps gpu/driver", "0 of 2 pods ready"} {
			if !strings.Contains(status.Message, text) {
				f.Errorf("message %q lacks %q", status.Message, text)
			}
		}
		if change := f.change("r1/c0"); change.Phase != fleet.PhaseFailed || change.Created != 2 || len(change.Blocking) != 1 {
			f.Errorf("change %+v", change)
		}
		if change := f.change("r1/c1"); change.Phase != fleet.PhaseSkipped {
			f.Errorf("change of the next wave %+v", change)
		}
		baseline := statusOf[fleet.ClusterStatus](f, fleet.KindCluster, "c0").Baseline
		if baseline == nil || baseline.Target != "platform@1.0.0" || baseline.Applied != "" {
			f.Errorf("baseline %+v", baseline)
		}
		return run
	},
	"rollout/Rollout-abort": func(f *testFleet) client.WorkflowRun {
		clusters := f.readyClusters(3)
		run := f.abortedRollout(clusters[0])
		status := statusOf[fleet.RolloutStatus](f, fleet.KindRollout, "r1")
		if status.Phase != fleet.PhaseAborted || status.Message != "aborted by ada: a test" {
			f.Errorf("rollout %+v", status)
		}
		if change := f.change("r1/c0"); change.Phase != fleet.PhaseAborted {
			f.Errorf("running change %+v", change)
		}
		return run
	},
	"rollout/Rollout-lock": func(f *testFleet) client.WorkflowRun {
		cluster := f.readyClusters(1)[0]
		reached, release := make(chan struct{}), make(chan struct{})
		var once bool
		f.applies[cluster] = func(context.Context) (activities.Applied, error) {
			if !once {
				once = true
				close(reached)
				<-release
			}
			return activities.Applied{}, nil
		}
		other := f.start(workflows.ChangeID(cluster), workflows.ChangeWorkflow, workflows.ChangeInput{Operation: "other", Actor: "ada", Cluster: cluster, Baseline: "platform@1.0.0"})
		f.await(reached)
		f.order("r1", fleet.RolloutSpec{Baseline: "platform@1.1.0"})
		run := f.startRollout("r1")
		f.eventually("the change waits", func() bool {
			changes, err := f.store.List(f.ctx, fleet.KindClusterChange, inventory.Query{Owner: "r1"})
			return err == nil && len(changes) == 1 && f.change("r1/c0").Phase == fleet.PhaseWaiting
		})
		close(release)
		f.succeeds(other)
		f.succeeds(run)
		if baseline := statusOf[fleet.ClusterStatus](f, fleet.KindCluster, cluster).Baseline; baseline.Applied != "platform@1.1.0" {
			f.Errorf("baseline %+v", baseline)
		}
		return run
	},
	"rollout/PlanRollout-success": func(f *testFleet) client.WorkflowRun {
		f.readyClusters(2)
		run := f.start(workflows.PlanID("p1"), workflows.PlanWorkflow, workflows.PlanInput{Spec: fleet.RolloutSpec{Baseline: "platform@1.0.0"}})
		var plan fleet.RolloutPlan
		if err := run.Get(f.ctx, &plan); err != nil {
			f.Fatal(err)
		}
		if len(plan.Waves) == 0 || plan.Waves[0].Clusters[0].Create != 3 || plan.Hash == "" {
			f.Errorf("plan %+v", plan)
		}
		f.order("bound", fleet.RolloutSpec{Baseline: "platform@1.0.0", PlanHash: plan.Hash})
		f.succeeds(f.startRollout("bound"))
		f.order("stale", fleet.RolloutSpec{Baseline: "platform@1.0.0", PlanHash: plan.Hash})
		f.fails(f.startRollout("stale"), fleet.ErrConflict)
		return run
	},
	"rollout/PlanRollout-failure": func(f *testFleet) client.WorkflowRun {
		f.readyClusters(1)
		run := f.start(workflows.PlanID("p1"), workflows.PlanWorkflow, workflows.PlanInput{Spec: fleet.RolloutSpec{Baseline: "platform@9.9.9"}})
		f.fails(run, fleet.ErrNotFound)
		return run
	},
	"change/ChangeCluster-success": func(f *testFleet) client.WorkflowRun {
		cluster := f.readyClusters(1)[0]
		run := f.startChange(cluster)
		f.succeeds(run)
		return run
	},
	"change/ChangeCluster-failure": func(f *testFleet) client.WorkflowRun {
		run := f.startChange("gone")
		f.fails(run, fleet.ErrNotFound)
		return run
	},
	"change/ChangeCluster-retried": func(f *testFleet) client.WorkflowRun {
		cluster := f.readyClusters(1)[0]
		attempts := 0
		f.applies[cluster] = func(context.Context) (activities.Applied, error) {
			if attempts++; attempts == 1 {
				return activities.Applied{}, fleet.Errorf(fleet.ErrUnavailable, "connection refused")
			}
			return activities.Applied{}, nil
		}
		run := f.startChange(cluster)
		f.succeeds(run)
		return run
	},
	"change/ChangeCluster-abort": func(f *testFleet) client.WorkflowRun {
		cluster := f.readyClusters(1)[0]
		f.abortedRollout(cluster)
		return f.temporal.GetWorkflow(f.ctx, workflows.ChangeID(cluster), "")
	},
	"drift/CheckDrift-success": func(f *testFleet) client.WorkflowRun {
		f.rolledOut(3)
		f.machine("c1").drifted = true
		run := f.start(workflows.DriftID, workflows.DriftWorkflow, workflows.DriftInput{})
		var summary workflows.DriftSummary
		if err := run.Get(f.ctx, &summary); err != nil {
			f.Fatal(err)
		}
		if !slices.Equal(summary.Checked, []string{"c0", "c1", "c2"}) || !slices.Equal(summary.Drifted, []string{"c1"}) {
			f.Errorf("summary %+v", summary)
		}
		if drift := statusOf[fleet.ClusterStatus](f, fleet.KindCluster, "c1").Drift; drift == nil || len(drift.Findings) != 1 {
			f.Errorf("drift %+v", drift)
		}
		return run
	},
	"drift/CheckDrift-failure": func(f *testFleet) client.WorkflowRun {
		run := f.start(workflows.DriftID, workflows.DriftWorkflow, workflows.DriftInput{Clusters: []string{"nowhere"}})
		f.fails(run, fleet.ErrNotFound)
		return run
	},
	"drift/HealDrift-success": func(f *testFleet) client.WorkflowRun {
		f.rolledOut(3)
		f.machine("c1").drifted = true
		f.succeeds(f.start(workflows.DriftID, workflows.DriftWorkflow, workflows.DriftInput{}))
		run := f.heal(workflows.HealInput{Heal: "h1", Actor: "ada"}, []string{"c1"}, nil)
		if drift := statusOf[fleet.ClusterStatus](f, fleet.KindCluster, "c1").Drift; len(drift.Findings) != 0 {
			f.Errorf("drift after healing %+v", drift)
		}
		if f.machine("c1").drifted {
			f.Error("the cluster is still drifted")
		}
		return run
	},
	"drift/HealDrift-failure": func(f *testFleet) client.WorkflowRun {
		f.rolledOut(2)
		f.apply(fleet.KindCluster, "bare", fleet.ClusterSpec{Region: region, Profile: "small"}, fleet.ClusterStatus{Phase: fleet.ClusterReady})
		f.applies["c1"] = func(context.Context) (activities.Applied, error) {
			return activities.Applied{}, fleet.Errorf(fleet.ErrConflict, "owned by kubectl")
		}
		return f.heal(workflows.HealInput{Heal: "h1", Actor: "ada", Clusters: []string{"c0", "c1", "bare"}}, []string{"c0"},
			map[string]string{"bare": "it has no baseline to be taken back to", "c1": "owned by kubectl"})
	},
}

func TestScenarios(t *testing.T) {
	t.Parallel()
	for name, scenario := range scenarios {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFleet(t)
			f.T = t
			run := scenario(f)
			if *update {
				f.record(name, run)
			}
		})
	}
}

// record writes a run's history for the replay test of its workflow.
func (f *testFleet) record(name string, run client.WorkflowRun) {
	f.Helper()
	events := f.temporal.GetWorkflowHistory(f.ctx, run.GetID(), run.GetRunID(), false, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	recorded := &history.History{}
	for events.HasNext() {
		event, err := events.Next()
		if err != nil {
			f.Fatal(err)
		}
		recorded.Events = append(recorded.Events, event)
	}
	raw, err := protojson.MarshalOptions{Indent: " "}.Marshal(recorded)
	if err != nil {
		f.Fatal(err)
	}
	folder, file := filepath.Split(name)
	folder = filepath.Join("..", folder, "testdata", "replay")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		f.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, file+".json"), append(raw, '\n'), 0o644); err != nil {
		f.Fatal(err)
	}
}

func (f *testFleet) succeeds(run client.WorkflowRun) {
	f.Helper()
	if err := run.Get(f.ctx, nil); err != nil {
		f.Fatalf("%s: %v", run.GetID(), err)
	}
}

func (f *testFleet) fails(run client.WorkflowRun, kind *fleet.ErrorKind) {
	f.Helper()
	if err := run.Get(f.ctx, nil); workflows.KindOf(err) != kind {
		f.Fatalf("%s: %v, want it %v", run.GetID(), err, kind)
	}
}

func (f *testFleet) onboard() client.WorkflowRun {
	f.Helper()
	return f.start(workflows.OnboardingID(region), workflows.OnboardingWorkflow, workflows.OnboardingInput{Region: region, Actor: "ada"})
}

// undone checks that a failed onboarding left nothing behind.
func (f *testFleet) undone(phase fleet.RegionPhase, message string) {
	f.Helper()
	status := statusOf[fleet.RegionStatus](f, fleet.KindRegion, region)
	if status.Phase != phase || !strings.Contains(status.Message, message) {
		f.Errorf("region %+v", status)
	}
	defer f.lock()()
	if len(f.present) != 0 {
		f.Errorf("left on the management cluster: %v", f.present)
	}
	if _, err := f.cluster("aws-eu-central-1"); fleet.KindOf(err) != fleet.ErrNotFound {
		f.Errorf("the default cluster is still recorded: %v", err)
	}
}

func (f *testFleet) startChange(cluster string) client.WorkflowRun {
	f.Helper()
	return f.start(workflows.ChangeID(cluster), workflows.ChangeWorkflow, workflows.ChangeInput{
		Operation: "r1", Reason: "rollout", Actor: "ada", Cluster: cluster, Baseline: "platform@1.0.0",
	})
}

// abortedRollout aborts a rollout while it changes a cluster.
func (f *testFleet) abortedRollout(cluster string) client.WorkflowRun {
	f.Helper()
	reached, wait := untilCancelled()
	f.applies[cluster] = func(ctx context.Context) (activities.Applied, error) { return activities.Applied{}, wait(ctx) }
	f.order("r1", fleet.RolloutSpec{Baseline: "platform@1.0.0", Strategy: "waves"})
	run := f.startRollout("r1")
	f.await(reached)
	f.signal(run.GetID(), workflows.SignalAbort)
	f.succeeds(run)
	return run
}

func (f *testFleet) rolledOut(count int) {
	f.Helper()
	f.readyClusters(count)
	f.order("r1", fleet.RolloutSpec{Baseline: "platform@1.0.0"})
	f.succeeds(f.startRollout("r1"))
}

func (f *testFleet) heal(input workflows.HealInput, healed []string, failed map[string]string) client.WorkflowRun {
	f.Helper()
	run := f.start(workflows.HealID(input.Heal), workflows.HealWorkflow, input)
	var result workflows.HealResult
	if err := run.Get(f.ctx, &result); err != nil {
		f.Fatal(err)
	}
	if !slices.Equal(result.Healed, healed) || !maps.Equal(result.Failed, failed) {
		f.Errorf("result %+v, want %v and %v", result, healed, failed)
	}
	return run
}
