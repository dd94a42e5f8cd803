package activities

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/internal/inventory"
	"github.com/meridian-fleet/meridian/workflows"
)

const (
	// compareParallel is how many clusters are compared at once.
	compareParallel = 8
	// compareTimeout bounds the comparison of one cluster, so that one that
	// hangs does not hold the others up.
	compareTimeout = 45 * time.Second
	// planSize bounds a plan as a workflow's result.
	planSize = 1 << 20
)

// PlanRollout says what a rollout would do to every cluster.
func (a *Activities) PlanRollout(ctx context.Context, input workflows.PlanInput) (fleet.RolloutPlan, error) {
	plan, _, err := a.plan(ctx, input.Spec, false)
	if err != nil {
		return fleet.RolloutPlan{}, err
	}
	return shorten(plan, planSize)
}

// plan makes a rollout's plan, with every object change.
func (a *Activities) plan(ctx context.Context, spec fleet.RolloutSpec, quick bool) (fleet.RolloutPlan, fleet.RolloutStrategySpec, error) {
	bundle, err := a.Inventory.Bundle(ctx, spec.Baseline)
	if err != nil {
		return fleet.RolloutPlan{}, fleet.RolloutStrategySpec{}, err
	}
	strategy, err := a.strategy(ctx, spec.Strategy)
	if err != nil {
		return fleet.RolloutPlan{}, strategy, err
	}
	chosen, err := a.choose(ctx, spec.Clusters)
	if err != nil {
		return fleet.RolloutPlan{}, strategy, err
	}
	waves, err := fleet.PlanWaves(strategy, chosen.planned)
	if err != nil {
		return fleet.RolloutPlan{}, strategy, err
	}
	plan := fleet.RolloutPlan{Baseline: spec.Baseline, Digest: bundle.Digest, Strategy: spec.Strategy, Waves: waves}
	if plan.Strategy == "" {
		plan.Strategy = "default"
	}
	if err := a.compareAll(ctx, bundle, chosen, quick, &plan); err != nil {
		return plan, strategy, err
	}
	plan.Hash, err = hash(plan)
	return plan, strategy, err
}

func (a *Activities) strategy(ctx context.Context, name string) (fleet.RolloutStrategySpec, error) {
	if name == "" {
		return fleet.DefaultStrategy(), nil
	}
	found, err := get[fleet.RolloutStrategySpec, struct{}](ctx, a.Inventory, fleet.KindRolloutStrategy, name)
	return found.spec.WithDefaults(), err
}

// compareAll fills in what each cluster would see, several at a time. That a
// cluster cannot be compared is part of the plan.
func (a *Activities) compareAll(ctx context.Context, bundle inventory.Bundle, chosen selection, quick bool, plan *fleet.RolloutPlan) error {
	group, groupContext := errgroup.WithContext(ctx)
	group.SetLimit(compareParallel)
	for _, wave := range plan.Waves {
		for i := range wave.Clusters {
			group.Go(func() error {
				return a.compare(groupContext, bundle, chosen, quick, &wave.Clusters[i])
			})
		}
	}
	return group.Wait()
}

func (a *Activities) compare(ctx context.Context, bundle inventory.Bundle, chosen selection, quick bool, planned *fleet.PlannedCluster) error {
	cluster := chosen.clusters[planned.Cluster]
	if cluster.status.Baseline != nil {
		planned.From = cluster.status.Baseline.Applied
	}
	limited, cancel := context.WithTimeout(ctx, compareTimeout)
	defer cancel()
	var result Planned
	facts, err := a.facts(limited, cluster, chosen.regions[planned.Region])
	if err == nil {
		result, err = a.Baselines.Plan(limited, Target{Cluster: planned.Cluster, Bundle: bundle, Facts: facts}, quick)
	}
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		planned.Problem = problem(err)
	case result.Conflicts > 0:
		planned.Problem = fmt.Sprintf("%d objects have fields that others own", result.Conflicts)
	}
	planned.Create, planned.Update, planned.Delete, planned.Unchanged = result.Create, result.Update, result.Delete, result.Unchanged
	planned.Changes = result.Changes
	return nil
}

func problem(err error) string {
	if errors.Is(err, context.DeadlineExceeded) {
		return "did not answer in time"
	}
	return err.Error()
}

// hash binds an execution to a plan: it covers the bundle, the waves with
// their rules, and every change of every cluster. Of a problem only
// that there is one counts, as the text may hold times and ports.
func hash(plan fleet.RolloutPlan) (string, error) {
	bound := fleet.RolloutPlan{Baseline: plan.Baseline, Digest: plan.Digest, Strategy: plan.Strategy}
	for _, wave := range plan.Waves {
		clusters := make([]fleet.PlannedCluster, len(wave.Clusters))
		for i, cluster := range wave.Clusters {
			if cluster.Problem != "" {
				cluster.Problem = "problem"
			}
			clusters[i] = cluster
		}
		wave.Clusters = clusters
		bound.Waves = append(bound.Waves, wave)
	}
	raw, err := json.Marshal(bound)
	if err != nil {
		return "", fleet.Errorf(fleet.ErrInternal, "encode the plan: %w", err)
	}
	sum := sha256.Sum256(raw)
	return "sha256:" + hex.EncodeToString(sum[:]), nil
}

// shorten leaves the single changes of the last clusters out of a plan that is
// too long for a workflow's result, and says how many. The hash covers them.
func shorten(plan fleet.RolloutPlan, limit int) (fleet.RolloutPlan, error) {
	size := 0
	for _, wave := range plan.Waves {
		for i := range wave.Clusters {
			cluster := &wave.Clusters[i]
			raw, err := json.Marshal(cluster.Changes)
			if err != nil {
				return plan, fleet.Errorf(fleet.ErrInternal, "encode the plan: %w", err)
			}
			if size += len(raw); size > limit {
				size -= len(raw)
				cluster.Omitted, cluster.Changes = len(cluster.Changes), nil
			}
		}
	}
	return plan, nil
}
