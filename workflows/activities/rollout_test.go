package activities_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/workflows"
	"github.com/meridian-fleet/meridian/workflows/activities"
)

var order = fleet.RolloutSpec{Baseline: "platform@1.0.0"}

func creates(target activities.Target) (activities.Planned, error) {
	return activities.Planned{Create: 1, Changes: []fleet.ObjectChange{{Component: "c", Object: "ConfigMap ns/" + target.Cluster, Action: "create"}}}, nil
}

func TestPlanShowsWhatClustersWouldSee(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.ready("a", "b", "c")
	f.cluster("pending", fleet.ClusterStatus{Phase: fleet.ClusterProvisioning})
	f.world.plan = func(target activities.Target) (activities.Planned, error) {
		if gpus := target.Facts.Cluster["gpus"]; gpus != 8 {
			t.Errorf("facts %v", target.Facts)
		}
		if target.Cluster == "b" {
			return activities.Planned{}, fleet.Errorf(fleet.ErrUnavailable, "connection refused")
		}
		return creates(target)
	}
	plan, err := f.PlanRollout(f.ctx, workflows.PlanInput{Spec: order})
	if err != nil {
		t.Fatal(err)
	}
	var planned []string
	for _, wave := range plan.Waves {
		for _, cluster := range wave.Clusters {
			planned = append(planned, cluster.Cluster)
			if unreachable := cluster.Cluster == "b"; unreachable != (cluster.Problem != "") || !unreachable && cluster.Create != 1 {
				t.Errorf("planned %+v", cluster)
			}
		}
	}
	slices.Sort(planned)
	if !slices.Equal(planned, []string{"a", "b", "c"}) {
		t.Errorf("planned %v", planned)
	}
}

func TestPlanHashCoversWhatMatters(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.ready("a", "b")
	f.bundle("platform@1.1.0")
	f.put(fleet.KindRolloutStrategy, "slow", fleet.RolloutStrategySpec{MaxParallel: 1}, nil)
	f.world.plan = creates
	hash := func(spec fleet.RolloutSpec) string {
		plan, err := f.PlanRollout(f.ctx, workflows.PlanInput{Spec: spec})
		if err != nil {
			t.Fatal(err)
		}
		return plan.Hash
	}
	first := hash(order)
	if again := hash(order); again != first {
		t.Error("the same plan has another hash")
	}
	others := map[string]string{
		"baseline": hash(fleet.RolloutSpec{Baseline: "platform@1.1.0"}),
		"strategy": hash(fleet.RolloutSpec{Baseline: order.Baseline, Strategy: "slow"}),
		"clusters": hash(fleet.RolloutSpec{Baseline: order.Baseline, Clusters: fleet.Selector{Clusters: []string{"a"}}}),
	}
	f.world.plan = func(target activities.Target) (activities.Planned, error) {
		planned, err := creates(target)
		planned.Changes[0].Action = "update"
		return planned, err
	}
	others["changes"] = hash(order)
	var port atomic.Int64
	f.world.plan = func(activities.Target) (activities.Planned, error) {
		return activities.Planned{}, fleet.Errorf(fleet.ErrUnavailable, "dial 127.0.0.1:%d", port.Add(1))
	}
	others["problem"] = hash(order)
	for what, other := range others {
		if other == first {
			t.Errorf("another %s, the same hash", what)
		}
	}
	if hash(order) != others["problem"] {
		t.Error("the text of a problem changes the hash")
	}
}

func TestPlanRefusesWhatItCannotPlan(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.cluster("pending", fleet.ClusterStatus{Phase: fleet.ClusterProvisioning, Message: "creating the VPC"})
	f.world.plan = creates
	for name, test := range map[string]struct {
		spec fleet.RolloutSpec
		kind *fleet.ErrorKind
	}{
		"no ready cluster":   {order, fleet.ErrConflict},
		"missing baseline":   {fleet.RolloutSpec{Baseline: "platform@2.0.0"}, fleet.ErrNotFound},
		"missing strategy":   {fleet.RolloutSpec{Baseline: order.Baseline, Strategy: "none"}, fleet.ErrNotFound},
		"unknown cluster":    {fleet.RolloutSpec{Baseline: order.Baseline, Clusters: fleet.Selector{Clusters: []string{"x"}}}, fleet.ErrNotFound},
		"cluster not ready":  {fleet.RolloutSpec{Baseline: order.Baseline, Clusters: fleet.Selector{Clusters: []string{"pending"}}}, fleet.ErrConflict},
		"nothing so labeled": {fleet.RolloutSpec{Baseline: order.Baseline, Clusters: fleet.Selector{MatchLabels: map[string]string{"a": "b"}}}, fleet.ErrConflict},
	} {
		if _, err := f.PlanRollout(f.ctx, workflows.PlanInput{Spec: test.spec}); !errors.Is(err, test.kind) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestLongPlansAreShortenedAndSaySo(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for i := range 3 {
		f.ready(fmt.Sprintf("c%d", i))
	}
	f.world.plan = func(activities.Target) (activities.Planned, error) {
		return activities.Planned{Create: 10000, Changes: make([]fleet.ObjectChange, 10000), Unchanged: 1}, nil
	}
	plan, err := f.PlanRollout(f.ctx, workflows.PlanInput{Spec: order})
	if err != nil {
		t.Fatal(err)
	}
	whole, omitted := 0, 0
	for _, wave := range plan.Waves {
		for _, cluster := range wave.Clusters {
			whole, omitted = whole+len(cluster.Changes), omitted+cluster.Omitted
		}
	}
	if omitted == 0 || whole+omitted != 30000 {
		t.Errorf("%d changes and %d omitted", whole, omitted)
	}
}

func TestPrepareRolloutRecordsItsWaves(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.ready("a", "b")
	f.world.plan = creates
	f.put(fleet.KindRollout, "r1", order, fleet.RolloutStatus{Phase: fleet.PhasePending, RequestedBy: "ada"})
	for range 2 {
		prepared, err := f.PrepareRollout(f.ctx, workflows.RolloutInput{Rollout: "r1"})
		if err != nil {
			t.Fatal(err)
		}
		if prepared.Status.RequestedBy != "ada" || prepared.Status.StartedAt == nil || prepared.Status.PlanHash == "" || prepared.ReadyTimeout != fleet.DefaultReadyTimeout {
			t.Errorf("prepared %+v", prepared)
		}
		if prepared.Plan.Waves[0].Clusters[0].Changes != nil {
			t.Error("single changes go into the history")
		}
	}
	if change := status[fleet.ClusterChangeStatus](f, fleet.KindClusterChange, "r1/b"); change.Phase != fleet.PhasePending {
		t.Errorf("change %+v", change)
	}
	bound := order
	bound.PlanHash = "sha256:other"
	f.put(fleet.KindRollout, "r2", bound, fleet.RolloutStatus{})
	if _, err := f.PrepareRollout(f.ctx, workflows.RolloutInput{Rollout: "r2"}); !errors.Is(err, fleet.ErrConflict) {
		t.Errorf("another plan than approved: %v", err)
	}
}

func TestConfirmUnchangedLeavesDoubtToAChange(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	digest := f.bundle("platform@1.0.0").Digest
	has := func(target, applied, digest string) fleet.ClusterStatus {
		return fleet.ClusterStatus{Phase: fleet.ClusterReady, Baseline: &fleet.ClusterBaseline{Target: target, Applied: applied, Digest: digest, Objects: 7}}
	}
	f.cluster("has-it", has("platform@1.0.0", "platform@1.0.0", digest))
	f.cluster("drifted", has("platform@1.0.0", "platform@1.0.0", digest))
	f.cluster("on-its-way", has("platform@1.1.0", "platform@1.0.0", digest))
	f.cluster("changing", has("platform@1.0.0", "platform@1.0.0", digest))
	f.world.held[workflows.ChangeID("changing")] = true
	f.cluster("half", has("platform@1.0.0", "", ""))
	f.cluster("never", fleet.ClusterStatus{Phase: fleet.ClusterReady})
	f.world.drift = func(target activities.Target) ([]fleet.DriftFinding, error) {
		if target.Cluster == "drifted" {
			return []fleet.DriftFinding{{Object: "ConfigMap x/y", Type: "missing"}}, nil
		}
		return nil, nil
	}
	all := []string{"has-it", "drifted", "on-its-way", "changing", "half", "never", "gone"}
	var changes []fleet.ClusterChangeSpec
	for _, cluster := range all {
		changes = append(changes, fleet.ClusterChangeSpec{Cluster: cluster, Region: region, Baseline: order.Baseline, Reason: "rollout"})
	}
	if err := f.DeclareChanges(f.ctx, workflows.DeclareInput{Operation: "r1", Actor: "ada", Changes: changes}); err != nil {
		t.Fatal(err)
	}
	confirmed, err := f.ConfirmUnchanged(f.ctx, workflows.ConfirmInput{Rollout: "r1", Baseline: order.Baseline, Clusters: all})
	if err != nil || !slices.Equal(confirmed, []string{"has-it"}) {
		t.Errorf("confirmed %v, %v", confirmed, err)
	}
	if change := status[fleet.ClusterChangeStatus](f, fleet.KindClusterChange, "r1/has-it"); change.Phase != fleet.PhaseSucceeded || change.Unchanged != 7 {
		t.Errorf("change %+v", change)
	}
}

func TestRecordRolloutKeepsWhatWasThere(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	begin := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	f.put(fleet.KindRollout, "r1", order, fleet.RolloutStatus{RequestedBy: "ada", StartedAt: &begin, PlanHash: "sha256:1"})
	change := fleet.ClusterChangeSpec{Cluster: "a", Region: region, Baseline: order.Baseline, Reason: "rollout"}
	if err := f.DeclareChanges(f.ctx, workflows.DeclareInput{Operation: "r1", Actor: "ada", Changes: []fleet.ClusterChangeSpec{change}}); err != nil {
		t.Fatal(err)
	}
	err := f.RecordRollout(f.ctx, workflows.RolloutRecord{Rollout: "r1", Status: fleet.RolloutStatus{Phase: fleet.PhaseFailed, Message: "no"}, Skipped: []string{"a", "never-declared"}})
	if err != nil {
		t.Fatal(err)
	}
	got := status[fleet.RolloutStatus](f, fleet.KindRollout, "r1")
	if got.Phase != fleet.PhaseFailed || got.RequestedBy != "ada" || got.PlanHash != "sha256:1" || got.StartedAt == nil {
		t.Errorf("recorded %+v", got)
	}
	if skipped := status[fleet.ClusterChangeStatus](f, fleet.KindClusterChange, "r1/a"); skipped.Phase != fleet.PhaseSkipped {
		t.Errorf("skipped %+v", skipped)
	}
}

func change(f *fixture, cluster string) workflows.ChangeInput {
	f.Helper()
	spec := fleet.ClusterChangeSpec{Cluster: cluster, Region: region, Baseline: order.Baseline, Reason: "rollout"}
	if err := f.DeclareChanges(f.ctx, workflows.DeclareInput{Operation: "r1", Actor: "ada", Changes: []fleet.ClusterChangeSpec{spec}}); err != nil {
		f.Fatal(err)
	}
	return workflows.ChangeInput{Operation: "r1", Reason: "rollout", Actor: "ada", Cluster: cluster, Baseline: order.Baseline}
}

func TestApplyBaselineRecordsTheTargetBeforeItApplies(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.ready("a")
	input := change(f, "a")
	f.world.drift = func(activities.Target) ([]fleet.DriftFinding, error) { return nil, nil }
	f.world.apply = func(_ context.Context, _ activities.Target, options activities.ApplyOptions) (activities.Applied, error) {
		options.OnProgress("gpu-driver: waiting (3 objects)")
		has := status[fleet.ClusterStatus](f, fleet.KindCluster, "a").Baseline
		if has == nil || has.Target != order.Baseline || has.Applied != "" {
			t.Errorf("while it is applied: %+v", has)
		}
		if running := status[fleet.ClusterChangeStatus](f, fleet.KindClusterChange, "r1/a"); running.Phase != fleet.PhaseRunning || running.StartedAt == nil {
			t.Errorf("while it is applied: %+v", running)
		}
		return activities.Applied{Created: 2, Unchanged: 1}, nil
	}
	done, err := f.ApplyBaseline(f.ctx, input)
	if err != nil || done.Phase != fleet.PhaseSucceeded || done.Created != 2 {
		t.Fatalf("%+v, %v", done, err)
	}
	has := status[fleet.ClusterStatus](f, fleet.KindCluster, "a")
	if has.Baseline.Applied != order.Baseline || has.Baseline.Objects != 3 || has.Baseline.Rollout != "r1" || has.Baseline.Digest == "" || has.Drift == nil || has.Phase != fleet.ClusterReady {
		t.Errorf("afterwards %+v", has.Baseline)
	}
	if recorded := status[fleet.ClusterChangeStatus](f, fleet.KindClusterChange, "r1/a"); recorded.Phase != fleet.PhaseSucceeded || recorded.Message != "" {
		t.Errorf("afterwards %+v", recorded)
	}
}

// A daemon killed between the last write and the answer runs the activity again.
func TestApplyBaselineThatEndedIsNotRunAgain(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.ready("a")
	input := change(f, "a")
	f.world.drift = func(activities.Target) ([]fleet.DriftFinding, error) { return nil, nil }
	runs := 0
	f.world.apply = func(context.Context, activities.Target, activities.ApplyOptions) (activities.Applied, error) {
		runs++
		return activities.Applied{Created: 2, Unchanged: 1}, nil
	}
	first, err := f.ApplyBaseline(f.ctx, input)
	if err != nil {
		t.Fatal(err)
	}
	again, err := f.ApplyBaseline(f.ctx, input)
	if err != nil || runs != 1 || again.Created != 2 || !again.FinishedAt.Equal(*first.FinishedAt) {
		t.Errorf("ran %d times: first %+v, then %+v (%v)", runs, first, again, err)
	}
}

func TestApplyBaselineThatIsBlocked(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.ready("a")
	input := change(f, "a")
	f.world.apply = func(context.Context, activities.Target, activities.ApplyOptions) (activities.Applied, error) {
		return activities.Applied{Created: 2, Blocking: []fleet.BlockingObject{{Object: "DaemonSet.apps gpu/driver", Reason: "0 of 2"}}}, fleet.Errorf(fleet.ErrWaiting, "not ready in 5m")
	}
	if _, err := f.ApplyBaseline(f.ctx, input); !errors.Is(err, fleet.ErrWaiting) {
		t.Errorf("got %v", err)
	}
	came := status[fleet.ClusterChangeStatus](f, fleet.KindClusterChange, "r1/a")
	if came.Phase != fleet.PhaseRunning || came.Created != 2 || len(came.Blocking) != 1 || came.Message != "not ready in 5m" {
		t.Errorf("recorded %+v", came)
	}
	if has := status[fleet.ClusterStatus](f, fleet.KindCluster, "a").Baseline; has.Applied != "" || has.Target != order.Baseline {
		t.Errorf("baseline %+v", has)
	}
}

func TestApplyBaselineVerifies(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.ready("a")
	input := change(f, "a")
	f.world.apply = func(context.Context, activities.Target, activities.ApplyOptions) (activities.Applied, error) {
		return activities.Applied{Configured: 1}, nil
	}
	f.world.drift = func(activities.Target) ([]fleet.DriftFinding, error) {
		return []fleet.DriftFinding{{Object: "ConfigMap x/y", Type: "changed", Manager: "some-operator"}}, nil
	}
	if _, err := f.ApplyBaseline(f.ctx, input); !errors.Is(err, fleet.ErrConflict) {
		t.Errorf("got %v", err)
	}
	if came := status[fleet.ClusterChangeStatus](f, fleet.KindClusterChange, "r1/a"); len(came.Blocking) != 1 || came.Blocking[0].Object != "ConfigMap x/y" {
		t.Errorf("recorded %+v", came)
	}
}

func TestApplyBaselineToAClusterThatIsGone(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	if _, err := f.ApplyBaseline(f.ctx, change(f, "gone")); !errors.Is(err, fleet.ErrNotFound) {
		t.Errorf("got %v", err)
	}
}
