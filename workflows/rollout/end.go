package rollout

import (
	"go.temporal.io/sdk/workflow"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/workflows"
)

// describe brings the rollout's phase and message up to date.
func (r *run) describe() {
	status := &r.journal.status
	if status.Phase == fleet.PhasePlanning || status.Phase.Done() {
		return
	}
	status.Phase, status.Message = fleet.PhaseRunning, ""
	for _, w := range status.Waves {
		if w.Phase == fleet.PhaseSoaking {
			status.Phase = fleet.PhaseSoaking
		}
	}
	switch {
	case r.control.aborted:
		status.Message = controlMessage("aborting", r.control.by)
	case r.control.paused:
		status.Phase, status.Message = fleet.PhasePaused, controlMessage("paused", r.control.by)
	}
	r.journal.changed()
}

// closeWave writes down how a wave ended.
func (r *run) closeWave(w *wave, status *fleet.WaveStatus) {
	now := workflow.Now(r.detached)
	w.report(status)
	status.FinishedAt = &now
	switch {
	case w.exceeded():
		status.Phase, status.Message = fleet.PhaseFailed, stopMessage(w)
	case r.stopping():
		status.Phase = fleet.PhaseAborted
	default:
		status.Phase = fleet.PhaseSucceeded
	}
	r.describe()
}

// end closes a rollout whose plan was carried out or stopped on the way.
func (r *run) end() (fleet.RolloutStatus, error) {
	for _, w := range r.waves {
		if w.exceeded() {
			failure := w.failed[0].failure
			failure.Object, failure.Message = "Rollout "+r.input.Rollout, stopMessage(w)
			return r.fail(failure)
		}
	}
	if r.stopping() {
		return r.close(fleet.PhaseAborted, r.abortMessage())
	}
	return r.close(fleet.PhaseSucceeded, endMessage(r.waves))
}

func (r *run) abortMessage() string {
	if r.control.aborted {
		return controlMessage("aborted", r.control.by)
	}
	return "aborted: the workflow was cancelled"
}

// fail closes a rollout that went wrong, and fails the workflow.
func (r *run) fail(failure workflows.Failure) (fleet.RolloutStatus, error) {
	if r.stopping() && len(r.waves) == 0 {
		return r.close(fleet.PhaseAborted, r.abortMessage())
	}
	status, err := r.close(fleet.PhaseFailed, failure.Message)
	if err != nil {
		return status, err
	}
	return status, failure.Fail()
}

func (r *run) close(phase fleet.Phase, message string) (fleet.RolloutStatus, error) {
	now := workflow.Now(r.detached)
	status := &r.journal.status
	status.Phase, status.Message, status.FinishedAt = phase, message, &now
	return *status, r.journal.close(r.detached, r.skip())
}

// skip gives up the clusters not reached, and the waves with them.
func (r *run) skip() []string {
	var clusters []string
	for number, w := range r.waves {
		clusters = append(clusters, w.pending...)
		if status := &r.journal.status.Waves[number]; !status.Phase.Done() {
			status.Phase = fleet.PhaseSkipped
		}
	}
	return clusters
}
