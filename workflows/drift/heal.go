package drift

import (
	"slices"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/workflows"
)

// healParallel is how many clusters are healed at once.
const healParallel = 4

// HealDrift takes clusters back to the baselines they should have. A cluster
// that cannot be healed is a result, not a failure of the others.
func HealDrift(ctx workflow.Context, input workflows.HealInput) (workflows.HealResult, error) {
	selection, err := selectDrifted(ctx, input)
	if err != nil {
		return workflows.HealResult{}, err
	}
	result := workflows.HealResult{Healed: []string{}, Failed: selection.Refused}
	slots, waiting := workflow.NewSemaphore(ctx, healParallel), len(selection.Changes)
	for _, planned := range selection.Changes {
		workflow.GoNamed(ctx, planned.Cluster, func(ctx workflow.Context) {
			defer func() { waiting-- }()
			note(&result, planned.Cluster, heal(ctx, slots, input, planned))
		})
	}
	detached, done := workflow.NewDisconnectedContext(ctx)
	defer done()
	if err := workflow.Await(detached, func() bool { return waiting == 0 }); err != nil {
		return result, err
	}
	slices.Sort(result.Healed)
	return result, ctx.Err()
}

func selectDrifted(ctx workflow.Context, input workflows.HealInput) (workflows.HealSelection, error) {
	var selection workflows.HealSelection
	ctx = workflows.WithActivity(ctx, time.Minute, 2*time.Minute)
	err := workflow.ExecuteActivity(ctx, workflows.ActivitySelectDrifted, input).Get(ctx, &selection)
	return selection, err
}

func heal(ctx workflow.Context, slots workflow.Semaphore, input workflows.HealInput, planned fleet.ClusterChangeSpec) error {
	if err := slots.Acquire(ctx, 1); err != nil {
		return err
	}
	defer slots.Release(1)
	_, err := workflows.RunChange(ctx, workflows.ChangeInput{
		Operation: input.Heal, Reason: "heal", Actor: input.Actor,
		Cluster: planned.Cluster, Baseline: planned.Baseline,
	})
	return err
}

func note(result *workflows.HealResult, cluster string, err error) {
	if err == nil {
		result.Healed = append(result.Healed, cluster)
		return
	}
	if result.Failed == nil {
		result.Failed = map[string]string{}
	}
	result.Failed[cluster] = workflows.FailureOf(err).Text()
}
