package change_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/workflows"
	"github.com/meridian-fleet/meridian/workflows/change"
)

var input = workflows.ChangeInput{Operation: "r1", Reason: "rollout", Cluster: "c", Baseline: "platform@1.0.0", ReadyTimeout: fleet.Duration(time.Minute)}

func run(t *testing.T, apply any) (*testsuite.TestWorkflowEnvironment, []workflows.ChangeRecord) {
	t.Helper()
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(log.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	env := suite.NewTestWorkflowEnvironment()
	var records []workflows.ChangeRecord
	env.RegisterActivityWithOptions(apply, activity.RegisterOptions{Name: workflows.ActivityApplyBaseline})
	env.RegisterActivityWithOptions(func(record workflows.ChangeRecord) (struct{}, error) {
		records = append(records, record)
		return struct{}{}, nil
	}, activity.RegisterOptions{Name: workflows.ActivityRecordChange})
	env.ExecuteWorkflow(change.ChangeCluster, input)
	return env, records
}

func TestChangeSucceeds(t *testing.T) {
	t.Parallel()
	env, records := run(t, func(workflows.ChangeInput) (fleet.ClusterChangeStatus, error) {
		return fleet.ClusterChangeStatus{Phase: fleet.PhaseSucceeded, Created: 3}, nil
	})
	var status fleet.ClusterChangeStatus
	if err := env.GetWorkflowResult(&status); err != nil || status.Created != 3 || len(records) != 0 {
		t.Errorf("%+v, %v, records %v", status, err, records)
	}
}

func TestChangeRecordsItsFailure(t *testing.T) {
	t.Parallel()
	blocking := fleet.BlockingObject{Component: "gpu", Object: "DaemonSet.apps gpu/driver", Reason: "0 of 2 pods ready"}
	attempts := 0
	env, records := run(t, func(workflows.ChangeInput) (fleet.ClusterChangeStatus, error) {
		attempts++
		return fleet.ClusterChangeStatus{}, workflows.Fail(fleet.Errorf(fleet.ErrWaiting, "not ready in 1m"), blocking)
	})
	failure := workflows.FailureOf(env.GetWorkflowError())
	if failure.Kind != fleet.ErrWaiting.Error() || len(failure.Blocking) != 1 || failure.Blocking[0] != blocking {
		t.Errorf("failed with %+v", failure)
	}
	if attempts != 1 {
		t.Errorf("%d attempts: waiting longer was not asked for", attempts)
	}
	if len(records) != 1 || records[0].Phase != fleet.PhaseFailed || records[0].Name != "r1/c" || len(records[0].Blocking) != 1 {
		t.Errorf("recorded %+v", records)
	}
}

func TestChangeRetriesAnUnreachableClusterForABoundedTime(t *testing.T) {
	t.Parallel()
	attempts := 0
	env, records := run(t, func(workflows.ChangeInput) (fleet.ClusterChangeStatus, error) {
		attempts++
		return fleet.ClusterChangeStatus{}, workflows.Fail(fleet.Errorf(fleet.ErrUnavailable, "no route"))
	})
	if workflows.KindOf(env.GetWorkflowError()) != fleet.ErrUnavailable || attempts < 10 || attempts > 30 {
		t.Errorf("%v after %d attempts", env.GetWorkflowError(), attempts)
	}
	if len(records) != 1 || records[0].Phase != fleet.PhaseFailed || records[0].Message != "no route" {
		t.Errorf("recorded %+v", records)
	}
}

func TestChangeCancelled(t *testing.T) {
	t.Parallel()
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(log.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	env := suite.NewTestWorkflowEnvironment()
	var records []workflows.ChangeRecord
	env.RegisterActivityWithOptions(func(ctx context.Context, _ workflows.ChangeInput) (fleet.ClusterChangeStatus, error) {
		env.CancelWorkflow()
		<-ctx.Done()
		return fleet.ClusterChangeStatus{}, temporal.NewCanceledError()
	}, activity.RegisterOptions{Name: workflows.ActivityApplyBaseline})
	env.RegisterActivityWithOptions(func(record workflows.ChangeRecord) (struct{}, error) {
		records = append(records, record)
		return struct{}{}, nil
	}, activity.RegisterOptions{Name: workflows.ActivityRecordChange})
	env.ExecuteWorkflow(change.ChangeCluster, input)
	if !temporal.IsCanceledError(env.GetWorkflowError()) {
		t.Errorf("ended with %v", env.GetWorkflowError())
	}
	if len(records) != 1 || records[0].Phase != fleet.PhaseAborted {
		t.Errorf("recorded %+v", records)
	}
}
