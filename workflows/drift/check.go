package drift

import (
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/meridian-fleet/meridian/workflows"
)

// discoverChange marks histories from before a check also looked for data.
const discoverChange = "discover-placements"

// CheckDrift compares clusters with their baselines and records what differs,
// and where classified data is by now.
func CheckDrift(ctx workflow.Context, input workflows.DriftInput) (workflows.DriftSummary, error) {
	var summary workflows.DriftSummary
	ctx = workflows.WithActivity(ctx, 30*time.Minute, 2*time.Minute)
	err := workflow.ExecuteActivity(ctx, workflows.ActivityCompareClusters, input).Get(ctx, &summary)
	if err != nil || workflow.GetVersion(ctx, discoverChange, workflow.DefaultVersion, 1) == workflow.DefaultVersion {
		return summary, err
	}
	return summary, workflow.ExecuteActivity(ctx, workflows.ActivityDiscoverPlacements, input).Get(ctx, nil)
}
