package worker

import (
	"context"
	"strings"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/meridian-fleet/meridian/internal/fleet"
	"github.com/meridian-fleet/meridian/workflows"
	"github.com/meridian-fleet/meridian/workflows/activities"
	"github.com/meridian-fleet/meridian/workflows/change"
	"github.com/meridian-fleet/meridian/workflows/drift"
	"github.com/meridian-fleet/meridian/workflows/onboarding"
	"github.com/meridian-fleet/meridian/workflows/rollout"
)

// RegisterWorkflows makes a worker carry out every workflow.
func RegisterWorkflows(registry worker.WorkflowRegistry) {
	for name, definition := range map[string]any{
		workflows.RolloutWorkflow:    rollout.Rollout,
		workflows.PlanWorkflow:       rollout.PlanRollout,
		workflows.ChangeWorkflow:     change.ChangeCluster,
		workflows.OnboardingWorkflow: onboarding.OnboardRegion,
		workflows.DriftWorkflow:      drift.CheckDrift,
		workflows.HealWorkflow:       drift.HealDrift,
	} {
		registry.RegisterWorkflowWithOptions(definition, workflow.RegisterOptions{Name: name})
	}
}

// Run serves task queues until the context ends or Temporal is lost for good.
// Without queues it serves the fleet's. A region's queue gets activities only:
// workflows are decided in one place.
func Run(ctx context.Context, temporalClient client.Client, dependencies activities.Dependencies, queues ...string) error {
	if len(queues) == 0 {
		queues = []string{workflows.FleetQueue}
	}
	if dependencies.Locks == nil {
		dependencies.Locks = activities.TemporalLocks{Client: temporalClient}
	}
	work := activities.New(dependencies)
	lost := make(chan error, len(queues))
	for _, queue := range queues {
		served := New(temporalClient, work, queue, func(err error) { lost <- err })
		if err := served.Start(); err != nil {
			return fleet.Errorf(fleet.ErrUnavailable, "start to serve queue %s: %w", queue, err)
		}
		defer served.Stop()
	}
	select {
	case <-ctx.Done():
		return nil
	case err := <-lost:
		return fleet.Errorf(fleet.ErrUnavailable, "the workflow service is lost: %w", err)
	}
}

// New makes a worker for one queue, registered and not yet started.
func New(temporalClient client.Client, work *activities.Activities, queue string, onFatal func(error)) worker.Worker {
	options := Options()
	options.OnFatalError = onFatal
	options.DisableWorkflowWorker = isRegional(queue)
	served := worker.New(temporalClient, queue, options)
	if !options.DisableWorkflowWorker {
		RegisterWorkflows(served)
	}
	work.Register(served)
	return served
}

func isRegional(queue string) bool { return strings.HasPrefix(queue, workflows.RegionQueue("")) }

// Options are the limits of a worker.
func Options() worker.Options {
	return worker.Options{
		// Most activities wait for clusters; few compute.
		MaxConcurrentActivityExecutionSize:      256,
		MaxConcurrentLocalActivityExecutionSize: 64,
		MaxConcurrentActivityTaskPollers:        8,
		MaxConcurrentWorkflowTaskPollers:        8,
		// An abort reaches an activity with the answer to a heartbeat.
		MaxHeartbeatThrottleInterval:     2 * time.Second,
		DefaultHeartbeatThrottleInterval: 2 * time.Second,
		// Activities end at once when their context does.
		WorkerStopTimeout: 5 * time.Second,
	}
}
