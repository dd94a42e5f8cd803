package activities

import (
	"context"
	"fmt"
	"time"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/workflows"
)

// ApplyBaseline takes a cluster to a baseline, waits until it is ready,
// verifies that it stayed as applied, and records it. Run again, it finishes
// what an interrupted run began.
func (a *Activities) ApplyBaseline(ctx context.Context, input workflows.ChangeInput) (fleet.ClusterChangeStatus, error) {
	target, cluster, err := a.target(ctx, input.Cluster, input.Baseline)
	if err != nil {
		return fleet.ClusterChangeStatus{}, err
	}
	status, err := a.beginChange(ctx, input)
	if err != nil || status.Phase == fleet.PhaseSucceeded { // an earlier attempt ended, but could not say so
		return status, err
	}
	if err := a.judgeChange(ctx, input, target, cluster.spec.Region); err != nil {
		return status, a.interrupted(ctx, input, status, Applied{}, err)
	}
	if err := a.recordTarget(ctx, input, cluster); err != nil {
		return status, err
	}
	applied, err := a.deliver(ctx, input, target)
	status.Created, status.Configured, status.Unchanged, status.Pruned = applied.Created, applied.Configured, applied.Unchanged, applied.Pruned
	if err != nil {
		return status, a.interrupted(ctx, input, status, applied, err)
	}
	return a.finishChange(ctx, input, target, applied, status)
}

// recordTarget records what the cluster should have from now on, before
// anything is applied; a baseline that is denied is not what it should have.
func (a *Activities) recordTarget(ctx context.Context, input workflows.ChangeInput, cluster cluster) error {
	if has := cluster.status.Baseline; has != nil && has.Target == input.Baseline {
		return nil
	}
	return a.updateCluster(ctx, input.Actor, input.Cluster, func(status *fleet.ClusterStatus) {
		if status.Baseline == nil {
			status.Baseline = &fleet.ClusterBaseline{}
		}
		status.Baseline.Target = input.Baseline
	})
}

// beginChange records that the change runs, unless an earlier attempt of the
// same change succeeded.
func (a *Activities) beginChange(ctx context.Context, input workflows.ChangeInput) (fleet.ClusterChangeStatus, error) {
	now := a.now()
	running := fleet.ClusterChangeStatus{Phase: fleet.PhaseRunning, StartedAt: &now}
	err := a.updateChange(ctx, input.Actor, input.Name(), func(status *fleet.ClusterChangeStatus) {
		switch {
		case status.Phase == fleet.PhaseSucceeded:
			running = *status
		case status.StartedAt != nil: // an earlier attempt began it
			running.StartedAt = status.StartedAt
		}
		*status = running
	})
	return running, err
}

// deliver applies the target and verifies it.
func (a *Activities) deliver(ctx context.Context, input workflows.ChangeInput, target Target) (Applied, error) {
	progress := newThrottle(time.Second, func(text string) { a.tell(ctx, input, text) })
	defer progress.close()
	ready := time.Duration(input.ReadyTimeout)
	if ready <= 0 {
		ready = workflows.DefaultReadyTimeout
	}
	applied, err := a.Baselines.Apply(ctx, target, ApplyOptions{ReadyTimeout: ready, OnProgress: progress.say})
	if err != nil || !applied.changed() {
		return applied, err // a run that changed nothing has compared everything
	}
	progress.say("verifying")
	findings, err := a.Baselines.Drift(ctx, target)
	if err == nil && len(findings) > 0 {
		applied.Blocking = blockingOf(findings)
		err = fleet.Errorf(fleet.ErrConflict, "%d objects did not stay as applied", len(findings)).On("Cluster " + input.Cluster)
	}
	return applied, err
}

func blockingOf(findings []fleet.DriftFinding) []fleet.BlockingObject {
	blocking := make([]fleet.BlockingObject, 0, len(findings))
	for _, finding := range findings {
		reason := "it is " + finding.Type + " again right after it was applied"
		if finding.Manager != "" {
			reason += fmt.Sprintf(", by %s", finding.Manager)
		}
		blocking = append(blocking, fleet.BlockingObject{Component: finding.Component, Object: finding.Object, Reason: reason})
	}
	return blocking
}

// tell shows what a change does or waits for. It is news, not an outcome.
func (a *Activities) tell(ctx context.Context, input workflows.ChangeInput, text string) {
	err := a.updateChange(ctx, input.Actor, input.Name(), func(status *fleet.ClusterChangeStatus) {
		if status.Phase == fleet.PhaseRunning {
			status.Message = text
		}
	})
	if err != nil && ctx.Err() == nil {
		a.Logger.Warn("progress could not be recorded", "change", input.Name(), "error", err)
	}
}

// interrupted records how far a change came that did not succeed, without
// ending it: whether it is tried again is the workflow's decision.
func (a *Activities) interrupted(ctx context.Context, input workflows.ChangeInput, came fleet.ClusterChangeStatus, applied Applied, cause error) error {
	if ctx.Err() == nil {
		err := a.updateChange(ctx, input.Actor, input.Name(), func(status *fleet.ClusterChangeStatus) {
			*status = came
			status.Message, status.Blocking = cause.Error(), applied.Blocking
		})
		if err != nil {
			a.Logger.Warn("a change's trouble could not be recorded", "change", input.Name(), "error", err)
		}
	}
	return &blockedError{cause: cause, blocking: applied.Blocking}
}

// finishChange records that the cluster has the baseline.
func (a *Activities) finishChange(ctx context.Context, input workflows.ChangeInput, target Target, applied Applied, status fleet.ClusterChangeStatus) (fleet.ClusterChangeStatus, error) {
	now := a.now()
	err := a.updateCluster(ctx, input.Actor, input.Cluster, func(status *fleet.ClusterStatus) {
		has := fleet.ClusterBaseline{
			Target: input.Baseline, Applied: input.Baseline, Digest: target.Bundle.Digest,
			AppliedAt: &now, Objects: applied.objects(),
		}
		if status.Baseline != nil {
			has.Rollout = status.Baseline.Rollout
		}
		if input.Reason == "rollout" {
			has.Rollout = input.Operation
		}
		status.Baseline = &has
		status.Drift = &fleet.DriftReport{CheckedAt: now, Baseline: input.Baseline}
	})
	if err != nil {
		return status, err
	}
	status.Phase, status.FinishedAt = fleet.PhaseSucceeded, &now
	return status, a.updateChange(ctx, input.Actor, input.Name(), func(present *fleet.ClusterChangeStatus) { *present = status })
}
