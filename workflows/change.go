package workflows

import (
	"errors"
	"time"

	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// RunChange takes one cluster to a baseline in a child workflow whose id is
// the cluster's lock. While another operation holds the lock the change
// waits. Cancelling ctx cancels the change and waits for its end; the end of
// the caller for any other reason leaves it running.
func RunChange(ctx workflow.Context, input ChangeInput) (fleet.ClusterChangeStatus, error) {
	for wait := firstRetry; ; wait = min(2*wait, slowestRetry) {
		var status fleet.ClusterChangeStatus
		err := workflow.ExecuteChildWorkflow(withLock(ctx, input.Cluster), ChangeWorkflow, input).Get(ctx, &status)
		switch {
		case temporal.IsWorkflowExecutionAlreadyStartedError(err):
			if err := awaitLock(ctx, input, wait); err != nil {
				return status, err
			}
		case diedUnrecorded(err):
			return status, recordFailure(ctx, input, err)
		default:
			return status, err
		}
	}
}

func withLock(ctx workflow.Context, cluster string) workflow.Context {
	return workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{
		WorkflowID:            ChangeID(cluster),
		TaskQueue:             FleetQueue,
		WaitForCancellation:   true,
		WorkflowIDReusePolicy: enums.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		ParentClosePolicy:     enums.PARENT_CLOSE_POLICY_ABANDON,
	})
}

func awaitLock(ctx workflow.Context, input ChangeInput, wait time.Duration) error {
	if wait == firstRetry {
		err := RecordChange(ctx, input, fleet.PhaseWaiting, Failure{Message: "another change runs on the cluster"})
		if err != nil {
			return err
		}
	}
	if err := workflow.Sleep(ctx, wait); err != nil {
		return cancelWaiting(ctx, input, err)
	}
	return nil
}

func cancelWaiting(ctx workflow.Context, input ChangeInput, cause error) error {
	detached, done := workflow.NewDisconnectedContext(ctx)
	defer done()
	err := RecordChange(detached, input, fleet.PhaseAborted, Failure{Message: "aborted while it waited for another change on the cluster"})
	return errors.Join(cause, err)
}

// diedUnrecorded reports whether a change ended without a chance to write its
// own end down.
func diedUnrecorded(err error) bool {
	var terminated *temporal.TerminatedError
	var timeout *temporal.TimeoutError
	var activity *temporal.ActivityError
	return errors.As(err, &terminated) || errors.As(err, &timeout) && !errors.As(err, &activity)
}

func recordFailure(ctx workflow.Context, input ChangeInput, cause error) error {
	return errors.Join(cause, RecordChange(ctx, input, fleet.PhaseFailed, FailureOf(cause)))
}

// RecordChange writes the state of a change to its ClusterChange resource.
func RecordChange(ctx workflow.Context, input ChangeInput, phase fleet.Phase, failure Failure) error {
	return workflow.ExecuteLocalActivity(WithRecording(ctx), ActivityRecordChange, ChangeRecord{
		Name: input.Name(), Actor: input.Actor, Phase: phase, Message: failure.Text(), Blocking: failure.Blocking,
	}).Get(ctx, nil)
}
