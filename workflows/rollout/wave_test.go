package rollout

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/workflows"
)

func plannedWave(size, maxParallel, budget int) fleet.PlannedWave {
	planned := fleet.PlannedWave{Name: "w", MaxParallel: maxParallel, FailureBudget: budget}
	for i := range size {
		planned.Clusters = append(planned.Clusters, fleet.PlannedCluster{Cluster: fmt.Sprintf("c%02d", i), Create: 1})
	}
	return planned
}

// Whatever the outcomes and their order: never more at once than allowed, no
// cluster twice, nothing started after the budget is exceeded, and an end.
func TestWaveKeepsItsPromises(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.IntRange(0, 12).Draw(t, "size")
		parallel := rapid.IntRange(0, 5).Draw(t, "parallel")
		budget := rapid.IntRange(0, 3).Draw(t, "budget")
		w := newWave(plannedWave(size, parallel, budget))
		var running, started []string
		for steps := 0; !w.over(); steps++ {
			if steps > 10*size+10 {
				t.Fatal("the wave does not end")
			}
			if w.startable() {
				if w.exceeded() {
					t.Fatal("starts though the budget is exceeded")
				}
				next := w.start()
				if len(next) == 0 {
					t.Fatal("startable, but starts nothing")
				}
				running, started = append(running, next...), append(started, next...)
			}
			if len(running) > max(1, parallel) {
				t.Fatalf("%d at once, allowed are %d", len(running), max(1, parallel))
			}
			if len(running) == 0 {
				continue
			}
			at := rapid.IntRange(0, len(running)-1).Draw(t, "ends")
			if rapid.Bool().Draw(t, "fails") {
				w.fail(running[at], workflows.Failure{})
			} else {
				w.succeed()
			}
			running = slices.Delete(running, at, at+1)
		}
		slices.Sort(started)
		if len(slices.Compact(started)) != len(started) {
			t.Fatal("a cluster was started twice")
		}
		if w.done+len(w.failed)+len(w.pending) != size {
			t.Fatalf("%d done, %d failed, %d pending of %d", w.done, len(w.failed), len(w.pending), size)
		}
		if !w.exceeded() && len(w.pending) > 0 {
			t.Fatal("clusters were forgotten")
		}
	})
}

func TestSettledClusters(t *testing.T) {
	t.Parallel()
	w := newWave(fleet.PlannedWave{Name: "w", MaxParallel: 1, Clusters: []fleet.PlannedCluster{
		{Cluster: "has-it", From: "platform@1.0.0", Unchanged: 3},
		{Cluster: "older", From: "platform@0.9.0", Unchanged: 3},
		{Cluster: "changed", From: "platform@1.0.0", Update: 1},
		{Cluster: "unreachable", From: "platform@1.0.0", Problem: "no route"},
	}})
	if got := w.settled("platform@1.0.0"); !slices.Equal(got, []string{"has-it"}) {
		t.Errorf("settled: %v", got)
	}
	w.confirm([]string{"has-it"})
	if w.done != 1 || !slices.Equal(w.pending, []string{"older", "changed", "unreachable"}) {
		t.Errorf("%d done, pending %v", w.done, w.pending)
	}
}

func TestStopMessageNamesClusterObjectAndReason(t *testing.T) {
	t.Parallel()
	w := newWave(plannedWave(2, 1, 0))
	w.running = 1
	w.fail("aws-eu-central-1", workflows.Failure{Message: "not ready", Blocking: []fleet.BlockingObject{
		{Component: "gpu", Object: "DaemonSet.apps gpu/driver", Reason: "0 of 2 pods ready"},
	}})
	want := "wave w: 1 cluster failed, its budget is 0: aws-eu-central-1: DaemonSet.apps gpu/driver waits for: 0 of 2 pods ready"
	if got := stopMessage(w); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
