package activities

import (
	"context"
	"errors"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/workflows"
)

// beatInterval is how often a running activity tells that it is alive.
const beatInterval = 3 * time.Second

// Register makes a worker carry out the activities.
func (a *Activities) Register(registry worker.ActivityRegistry) {
	register(registry, workflows.ActivityResolveRegion, a.ResolveRegion)
	register(registry, workflows.ActivityProvisionCluster, nothing(a.ProvisionCluster))
	register(registry, workflows.ActivityAwaitCluster, nothing(a.AwaitCluster))
	register(registry, workflows.ActivityObserveCluster, nothing(a.ObserveCluster))
	register(registry, workflows.ActivityRemoveCluster, nothing(a.RemoveCluster))
	register(registry, workflows.ActivityRecordRegion, nothing(a.RecordRegion))
	register(registry, workflows.ActivityPlanRollout, a.PlanRollout)
	register(registry, workflows.ActivityPrepareRollout, a.PrepareRollout)
	register(registry, workflows.ActivityConfirmUnchanged, a.ConfirmUnchanged)
	register(registry, workflows.ActivityRecordRollout, nothing(a.RecordRollout))
	register(registry, workflows.ActivityDeclareChanges, nothing(a.DeclareChanges))
	register(registry, workflows.ActivityApplyBaseline, a.ApplyBaseline)
	register(registry, workflows.ActivityRecordChange, nothing(a.RecordChange))
	register(registry, workflows.ActivityCompareClusters, a.CompareClusters)
	register(registry, workflows.ActivityDiscoverPlacements, a.DiscoverPlacements)
	register(registry, workflows.ActivitySelectDrifted, a.SelectDrifted)
}

// register adds what every activity needs: heartbeats while it runs, and
// errors in the form in which they cross Temporal.
func register[In, Out any](registry worker.ActivityRegistry, name string, do func(context.Context, In) (Out, error)) {
	registry.RegisterActivityWithOptions(func(ctx context.Context, input In) (Out, error) {
		stop := beat(ctx)
		defer stop()
		output, err := do(ctx, input)
		return output, crossing(ctx, err)
	}, activity.RegisterOptions{Name: name})
}

// nothing adapts an activity that has no result.
func nothing[In any](do func(context.Context, In) error) func(context.Context, In) (struct{}, error) {
	return func(ctx context.Context, input In) (struct{}, error) { return struct{}{}, do(ctx, input) }
}

// beat heartbeats until stopped. A cancellation asked of the workflow reaches
// the activity with the answer to a heartbeat.
func beat(ctx context.Context) (stop func()) {
	if activity.GetInfo(ctx).IsLocalActivity {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		ticker := time.NewTicker(beatInterval)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
				activity.RecordHeartbeat(ctx)
			}
		}
	}()
	return cancel
}

// crossing turns an activity's error into the one Temporal gets.
func crossing(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if ended := endedFromOutside(ctx, err); ended != nil {
		return ended
	}
	var blocked *blockedError
	if errors.As(err, &blocked) {
		return workflows.Fail(blocked.cause, blocked.blocking...)
	}
	return workflows.Fail(err)
}

// endedFromOutside is what to answer when an activity ended because its
// context did, nil when it ended by itself. The SDK also ends the context when
// a heartbeat cannot be delivered: nobody asked for that, and the work is to be
// taken up again.
func endedFromOutside(ctx context.Context, err error) error {
	cause := context.Cause(ctx)
	if !errors.Is(ctx.Err(), context.Canceled) || !errors.Is(err, context.Canceled) && !errors.Is(err, cause) {
		return nil
	}
	select {
	case <-activity.GetWorkerStopChannel(ctx):
		return workflows.Fail(fleet.Errorf(fleet.ErrUnavailable, "the worker stops"))
	default:
	}
	if temporal.IsCanceledError(cause) || errors.Is(cause, context.Canceled) {
		return temporal.NewCanceledError()
	}
	return workflows.Fail(fleet.Errorf(fleet.ErrUnavailable, "the workflow service does not hear that the work goes on: %w", cause))
}

// blockedError is an error with the objects that keep a cluster from being
// ready.
type blockedError struct {
	cause    error
	blocking []fleet.BlockingObject
}

func (e *blockedError) Error() string { return e.cause.Error() }

func (e *blockedError) Unwrap() error { return e.cause }
