package rollout

import (
	"fmt"
	"strings"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/workflows"
)

// stopMessage says why a wave ended the rollout: cluster, object, and what it
// waits for.
func stopMessage(w *wave) string {
	return fmt.Sprintf("wave %s: %s failed, its budget is %d: %s",
		w.plan.Name, count(len(w.failed), "cluster"), w.plan.FailureBudget, failures(w.failed))
}

// endMessage sums a rollout up that went to its end; empty when all is well.
func endMessage(waves []*wave) string {
	var failed []failedChange
	for _, w := range waves {
		failed = append(failed, w.failed...)
	}
	if len(failed) == 0 {
		return ""
	}
	return fmt.Sprintf("%s failed within the budget: %s", count(len(failed), "cluster"), failures(failed))
}

func failures(failed []failedChange) string {
	const shown = 3
	var parts []string
	for _, f := range failed[:min(shown, len(failed))] {
		parts = append(parts, fmt.Sprintf("%s: %s", f.cluster, strings.TrimPrefix(f.failure.Text(), "Cluster "+f.cluster+": ")))
	}
	if rest := len(failed) - shown; rest > 0 {
		parts = append(parts, fmt.Sprintf("and %d more", rest))
	}
	return strings.Join(parts, "; ")
}

func controlMessage(what string, control workflows.Control) string {
	text := what
	if control.Actor != "" {
		text += " by " + control.Actor
	}
	if control.Reason != "" {
		text += ": " + control.Reason
	}
	return text
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// waveStatuses are the statuses of a plan's waves before the first starts.
func waveStatuses(waves []fleet.PlannedWave) []fleet.WaveStatus {
	statuses := make([]fleet.WaveStatus, 0, len(waves))
	for _, planned := range waves {
		status := fleet.WaveStatus{Name: planned.Name, Phase: fleet.PhasePending}
		for _, cluster := range planned.Clusters {
			status.Clusters = append(status.Clusters, cluster.Cluster)
		}
		statuses = append(statuses, status)
	}
	return statuses
}
