package activities

import (
	"context"
	"errors"

	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// TemporalLocks asks Temporal whether a workflow runs.
type TemporalLocks struct{ Client client.Client }

// Held implements Locks.
func (l TemporalLocks) Held(ctx context.Context, workflowID string) (bool, error) {
	described, err := l.Client.DescribeWorkflowExecution(ctx, workflowID, "")
	var missing *serviceerror.NotFound
	if errors.As(err, &missing) {
		return false, nil
	}
	if err != nil {
		return false, fleet.Errorf(fleet.ErrUnavailable, "ask whether %s runs: %w", workflowID, err)
	}
	return described.GetWorkflowExecutionInfo().GetStatus() == enums.WORKFLOW_EXECUTION_STATUS_RUNNING, nil
}
