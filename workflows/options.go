package workflows

import (
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/meridian-fleet/meridian/internal/fleet"
)

// DefaultReadyTimeout is how long a cluster may take to become ready with a
// baseline when no strategy says otherwise.
const DefaultReadyTimeout = 5 * time.Minute

// ProvisioningTime is what a cloud may take to make a cluster.
const ProvisioningTime = 90 * time.Minute

const (
	// heartbeatTimeout decides how soon the work of a killed process is taken
	// up again; activities beat several times within it.
	heartbeatTimeout = 15 * time.Second
	firstRetry       = time.Second
	slowestRetry     = 15 * time.Second
)

// WithRecording prepares for local activities that write to the inventory:
// short, and tried until the inventory is back.
func WithRecording(ctx workflow.Context) workflow.Context {
	return workflow.WithLocalActivityOptions(ctx, workflow.LocalActivityOptions{
		StartToCloseTimeout:    10 * time.Second,
		ScheduleToCloseTimeout: 24 * time.Hour,
		RetryPolicy:            &temporal.RetryPolicy{InitialInterval: 200 * time.Millisecond, MaximumInterval: slowestRetry},
	})
}

// WithActivity prepares for an activity that may take as long as one attempt,
// and is tried again on what may pass for about as long as patience.
//
// The bound is a number of attempts, not a time after scheduling: an outage
// of the whole control plane must not use the patience up.
func WithActivity(ctx workflow.Context, attempt, patience time.Duration) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		TaskQueue:           FleetQueue,
		StartToCloseTimeout: attempt,
		HeartbeatTimeout:    heartbeatTimeout,
		WaitForCancellation: true,
		RetryPolicy: &temporal.RetryPolicy{
			InitialInterval:    firstRetry,
			BackoffCoefficient: 2,
			MaximumInterval:    slowestRetry,
			MaximumAttempts:    attemptsWithin(patience),
		},
	})
}

// WithChange prepares for the activity that takes a cluster to a baseline.
func WithChange(ctx workflow.Context, readyTimeout fleet.Duration) workflow.Context {
	ready := time.Duration(readyTimeout)
	if ready <= 0 {
		ready = DefaultReadyTimeout
	}
	return WithActivity(ctx, ready+10*time.Minute, ready+2*time.Minute)
}

// attemptsWithin counts the attempts that fit into a time when each fails at
// once.
func attemptsWithin(patience time.Duration) int32 {
	attempts, waited, wait := int32(1), time.Duration(0), firstRetry
	for waited < patience {
		waited += wait
		wait = min(2*wait, slowestRetry)
		attempts++
	}
	return attempts
}
