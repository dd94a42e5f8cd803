package change

import (
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/workflows"
)

// ChangeCluster applies a baseline to a cluster, waits until it is ready,
// verifies and records it. It fails with a workflows.Failure, after that was
// written down.
func ChangeCluster(ctx workflow.Context, input workflows.ChangeInput) (fleet.ClusterChangeStatus, error) {
	var status fleet.ClusterChangeStatus
	err := workflow.ExecuteActivity(workflows.WithChange(ctx, input.ReadyTimeout), workflows.ActivityApplyBaseline, input).Get(ctx, &status)
	if err == nil {
		return status, nil
	}
	return status, recordEnd(ctx, input, err)
}

func recordEnd(ctx workflow.Context, input workflows.ChangeInput, cause error) error {
	detached, done := workflow.NewDisconnectedContext(ctx)
	defer done()
	phase, failure := fleet.PhaseFailed, workflows.FailureOf(cause)
	if temporal.IsCanceledError(cause) {
		phase, failure = fleet.PhaseAborted, workflows.Failure{Message: "aborted while it was applied"}
	}
	if err := workflows.RecordChange(detached, input, phase, failure); err != nil {
		return err
	}
	return cause
}
