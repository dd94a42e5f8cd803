package rollout

import (
	"time"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/workflows"
)

// wave is how far one wave is, and decides which changes start next.
type wave struct {
	plan    fleet.PlannedWave
	pending []string
	running int
	done    int
	failed  []failedChange
}

// failedChange is a cluster that did not get the baseline.
type failedChange struct {
	cluster string
	failure workflows.Failure
}

func newWave(plan fleet.PlannedWave) *wave {
	w := &wave{plan: plan}
	for _, cluster := range plan.Clusters {
		w.pending = append(w.pending, cluster.Cluster)
	}
	return w
}

// settled are the clusters that, by the plan, have the baseline already.
func (w *wave) settled(baseline string) []string {
	var clusters []string
	for _, c := range w.plan.Clusters {
		if c.From == baseline && c.Problem == "" && c.Create+c.Update+c.Delete == 0 {
			clusters = append(clusters, c.Cluster)
		}
	}
	return clusters
}

// confirm takes clusters out of the pending ones as done.
func (w *wave) confirm(clusters []string) {
	confirmed := map[string]bool{}
	for _, cluster := range clusters {
		confirmed[cluster] = true
	}
	var pending []string
	for _, cluster := range w.pending {
		if confirmed[cluster] {
			w.done++
		} else {
			pending = append(pending, cluster)
		}
	}
	w.pending = pending
}

// start takes the clusters whose changes may start now.
func (w *wave) start() []string {
	if w.exceeded() {
		return nil
	}
	count := min(len(w.pending), max(0, max(1, w.plan.MaxParallel)-w.running))
	started := w.pending[:count]
	w.pending = w.pending[count:]
	w.running += count
	return started
}

// startable reports whether start would give any cluster.
func (w *wave) startable() bool {
	return !w.exceeded() && len(w.pending) > 0 && w.running < max(1, w.plan.MaxParallel)
}

func (w *wave) succeed() { w.running--; w.done++ }

func (w *wave) fail(cluster string, failure workflows.Failure) {
	w.running--
	w.failed = append(w.failed, failedChange{cluster, failure})
}

// cancelled returns a cluster whose change was called off: neither done nor
// failed.
func (w *wave) cancelled() { w.running-- }

// exceeded reports whether more failed than the wave survives.
func (w *wave) exceeded() bool { return len(w.failed) > w.plan.FailureBudget }

// over reports whether nothing runs and nothing more will start.
func (w *wave) over() bool { return w.running == 0 && (len(w.pending) == 0 || w.exceeded()) }

// report writes the wave's counts into its status.
func (w *wave) report(status *fleet.WaveStatus) {
	status.Succeeded, status.Failed = w.done, len(w.failed)
}

func (w *wave) soak() time.Duration { return time.Duration(w.plan.Soak) }
