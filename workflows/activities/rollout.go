package activities

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sync/errgroup"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/workflows"
)

// PrepareRollout plans a rollout, holds it to the plan that was approved, and
// records its waves and, for each cluster, a pending change.
func (a *Activities) PrepareRollout(ctx context.Context, input workflows.RolloutInput) (workflows.PreparedRollout, error) {
	rollout, err := get[fleet.RolloutSpec, fleet.RolloutStatus](ctx, a.Inventory, fleet.KindRollout, input.Rollout)
	if err != nil {
		return workflows.PreparedRollout{}, err
	}
	status, err := a.markPlanning(ctx, input.Rollout)
	if err != nil {
		return workflows.PreparedRollout{}, err
	}
	// Only a plan that has to equal an approved one is made as thoroughly.
	plan, strategy, err := a.plan(ctx, rollout.spec, rollout.spec.PlanHash == "")
	if err != nil {
		return workflows.PreparedRollout{}, err
	}
	if wanted := rollout.spec.PlanHash; wanted != "" && wanted != plan.Hash {
		return workflows.PreparedRollout{}, fleet.Errorf(fleet.ErrConflict, "the plan has changed since it was approved: it was %s and is %s", wanted, plan.Hash).
			On("Rollout " + input.Rollout).Advise("plan again, and start with the new hash")
	}
	status.PlanHash, status.Digest = plan.Hash, plan.Digest
	if err := a.declareWaves(ctx, input.Rollout, plan); err != nil {
		return workflows.PreparedRollout{}, err
	}
	return workflows.PreparedRollout{Plan: withoutChanges(plan), Status: status, ReadyTimeout: strategy.ReadyTimeout}, nil
}

func (a *Activities) markPlanning(ctx context.Context, rollout string) (fleet.RolloutStatus, error) {
	var marked fleet.RolloutStatus
	ref := fleet.Ref{Kind: fleet.KindRollout, Name: rollout}
	err := update(ctx, a.Inventory, workflows.RolloutID(rollout), ref, func(status *fleet.RolloutStatus) {
		status.Phase = fleet.PhasePlanning
		if status.StartedAt == nil {
			now := a.now()
			status.StartedAt = &now
		}
		marked = *status
	})
	return marked, err
}

func (a *Activities) declareWaves(ctx context.Context, rollout string, plan fleet.RolloutPlan) error {
	declare := workflows.DeclareInput{Operation: rollout, Actor: workflows.RolloutID(rollout)}
	for _, wave := range plan.Waves {
		for _, cluster := range wave.Clusters {
			declare.Changes = append(declare.Changes, fleet.ClusterChangeSpec{
				Cluster: cluster.Cluster, Region: cluster.Region, Wave: wave.Name, Baseline: plan.Baseline, Reason: "rollout",
			})
		}
	}
	return a.DeclareChanges(ctx, declare)
}

func withoutChanges(plan fleet.RolloutPlan) fleet.RolloutPlan {
	for _, wave := range plan.Waves {
		for i := range wave.Clusters {
			wave.Clusters[i].Changes = nil
		}
	}
	return plan
}

// ConfirmUnchanged finds, of clusters the plan would not change, those that
// have the baseline in full and healthy, and records their changes as done.
// Doubt is left to a proper change.
func (a *Activities) ConfirmUnchanged(ctx context.Context, input workflows.ConfirmInput) ([]string, error) {
	confirmed := make([]bool, len(input.Clusters))
	group, groupContext := errgroup.WithContext(ctx)
	group.SetLimit(compareParallel)
	for i, name := range input.Clusters {
		group.Go(func() (err error) {
			confirmed[i], err = a.confirm(groupContext, input, name)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	names := []string{}
	for i, name := range input.Clusters {
		if confirmed[i] {
			names = append(names, name)
		}
	}
	return names, nil
}

func (a *Activities) confirm(ctx context.Context, input workflows.ConfirmInput, name string) (bool, error) {
	target, cluster, err := a.target(ctx, name, input.Baseline)
	if err != nil {
		return false, unlessStopped(ctx)
	}
	has := cluster.status.Baseline
	if has == nil || has.Target != input.Baseline || has.Applied != input.Baseline || has.Digest != target.Bundle.Digest {
		return false, nil
	}
	limited, cancel := context.WithTimeout(ctx, compareTimeout)
	defer cancel()
	findings, err := a.Baselines.Drift(limited, target)
	if err != nil || len(findings) > 0 {
		return false, unlessStopped(ctx)
	}
	change := workflows.ChangeInput{Operation: input.Rollout, Cluster: name}
	now := a.now()
	// A change that began meanwhile, as that of another rollout, makes what was
	// seen worthless. One that begins after this comes after this confirmation.
	if held, err := a.Locks.Held(ctx, workflows.ChangeID(name)); err != nil || held {
		return false, unlessStopped(ctx)
	}
	err = a.updateChange(ctx, workflows.RolloutID(input.Rollout), change.Name(), func(status *fleet.ClusterChangeStatus) {
		*status = fleet.ClusterChangeStatus{
			Phase: fleet.PhaseSucceeded, Message: fmt.Sprintf("has %s already", input.Baseline),
			Unchanged: has.Objects, StartedAt: &now, FinishedAt: &now,
		}
	})
	return err == nil, errors.Join(err, unlessStopped(ctx))
}

// unlessStopped is nil, or why the activity has to stop.
func unlessStopped(ctx context.Context) error { return ctx.Err() }
