package drift

import (
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/meridian-fleet/meridian/workflows"
)

// CheckDrift compares clusters with their baselines and records what differs.
func CheckDrift(ctx workflow.Context, input workflows.DriftInput) (workflows.DriftSummary, error) {
	var summary workflows.DriftSummary
	ctx = workflows.WithActivity(ctx, 30*time.Minute, 2*time.Minute)
	err := workflow.ExecuteActivity(ctx, workflows.ActivityCompareClusters, input).Get(ctx, &summary)
	return summary, err
}
