package drift

import (
	"context"
	"errors"
	"time"

	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/workflows"
)

// EnsureSchedule makes drift be checked every interval, by a schedule of
// Temporal's own; an interval of zero ends it. It may be called again, also
// with another interval.
func EnsureSchedule(ctx context.Context, temporalClient client.Client, interval time.Duration) error {
	handle := temporalClient.ScheduleClient().GetHandle(ctx, workflows.DriftScheduleID)
	err := applySchedule(ctx, temporalClient.ScheduleClient(), handle, interval)
	if err != nil {
		return fleet.Errorf(fleet.ErrUnavailable, "set up the schedule of drift checks: %w", err).On("Schedule " + workflows.DriftScheduleID)
	}
	return nil
}

func applySchedule(ctx context.Context, schedules client.ScheduleClient, handle client.ScheduleHandle, interval time.Duration) error {
	var missing *serviceerror.NotFound
	if interval <= 0 {
		if err := handle.Delete(ctx); err != nil && !errors.As(err, &missing) {
			return err
		}
		return nil
	}
	_, err := schedules.Create(ctx, client.ScheduleOptions{
		ID: workflows.DriftScheduleID, Spec: every(interval), Action: checkAll(),
		Overlap: enums.SCHEDULE_OVERLAP_POLICY_SKIP,
	})
	if !errors.Is(err, temporal.ErrScheduleAlreadyRunning) {
		return err
	}
	return handle.Update(ctx, client.ScheduleUpdateOptions{
		DoUpdate: func(present client.ScheduleUpdateInput) (*client.ScheduleUpdate, error) {
			schedule := present.Description.Schedule
			spec := every(interval)
			schedule.Spec, schedule.Action = &spec, checkAll()
			return &client.ScheduleUpdate{Schedule: &schedule}, nil
		},
	})
}

func every(interval time.Duration) client.ScheduleSpec {
	return client.ScheduleSpec{Intervals: []client.ScheduleIntervalSpec{{Every: interval}}}
}

func checkAll() *client.ScheduleWorkflowAction {
	return &client.ScheduleWorkflowAction{
		ID: workflows.DriftID, Workflow: workflows.DriftWorkflow,
		Args: []any{workflows.DriftInput{}}, TaskQueue: workflows.FleetQueue,
	}
}
