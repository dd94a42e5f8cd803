package rollout

import (
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/workflows"
)

// PlanRollout says what a rollout would do, and changes nothing.
func PlanRollout(ctx workflow.Context, input workflows.PlanInput) (fleet.RolloutPlan, error) {
	var plan fleet.RolloutPlan
	ctx = workflows.WithActivity(ctx, 15*time.Minute, 30*time.Second)
	err := workflow.ExecuteActivity(ctx, workflows.ActivityPlanRollout, input).Get(ctx, &plan)
	return plan, err
}
